"""Estimators in scikit-learn's manner, with defaults that need no tuning."""

from importlib.util import find_spec

from lambent.errors import MissingExtraError

if find_spec("sklearn") is None:  # before the modules below import it
    raise MissingExtraError("scikit-learn", "sklearn")

from lambent.estimators.density import FlowDensity as FlowDensity
from lambent.estimators.outliers import FlowOutlierDetector as FlowOutlierDetector
from lambent.estimators.classifier import FlowClassifier as FlowClassifier
from lambent.estimators.conditional import FlowConditionalDensity as FlowConditionalDensity
