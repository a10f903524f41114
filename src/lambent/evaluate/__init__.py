"""Measures of a trained flow."""

from lambent.evaluate.bits import Evaluation as Evaluation
from lambent.evaluate.bits import grey_levels as grey_levels
from lambent.evaluate.bits import log_prob_by_class as log_prob_by_class
from lambent.evaluate.bits import measure as measure
from lambent.evaluate.check import NumericsCheck as NumericsCheck
from lambent.evaluate.check import check_numerics as check_numerics
from lambent.evaluate.check_gradient import GradientCheck as GradientCheck
from lambent.evaluate.check_layer import LayerCheck as LayerCheck
from lambent.evaluate.conditioning import Conditioning as Conditioning
from lambent.evaluate.conditioning import measure_conditioning as measure_conditioning
from lambent.evaluate.conditioning_picture import draw_conditioning as draw_conditioning
from lambent.evaluate.consistency import Consistency as Consistency
from lambent.evaluate.consistency import measure_consistency as measure_consistency
from lambent.evaluate.consistency import psnr_of as psnr_of
from lambent.evaluate.consistency import task_needed as task_needed
from lambent.evaluate.cost import Cost as Cost
from lambent.evaluate.cost import estimate_cost as estimate_cost
from lambent.evaluate.discrepancy import discrepancy as discrepancy
from lambent.evaluate.events import events as events
from lambent.evaluate.gaussian import gaussian_log_prob as gaussian_log_prob
from lambent.evaluate.joint import JointEvaluation as JointEvaluation
from lambent.evaluate.joint import check_not_joint as check_not_joint
from lambent.evaluate.joint import measure_joint as measure_joint
from lambent.evaluate.reverse_kl import reverse_kl as reverse_kl
from lambent.evaluate.score import score as score
from lambent.evaluate.yardsticks import yardsticks as yardsticks
