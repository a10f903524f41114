"""Measures of a trained flow."""

from lambent.evaluate.bits import Evaluation as Evaluation
from lambent.evaluate.bits import grey_levels as grey_levels
from lambent.evaluate.bits import log_prob_by_class as log_prob_by_class
from lambent.evaluate.bits import measure as measure
from lambent.evaluate.yardsticks import yardsticks as yardsticks
