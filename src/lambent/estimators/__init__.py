"""Estimators in scikit-learn's manner, with defaults that need no tuning."""

from importlib.util import find_spec

from lambent.errors import MissingExtraError as _MissingExtraError

if find_spec("sklearn") is None or find_spec("narwhals") is None:  # before the imports below
    raise _MissingExtraError("scikit-learn", "sklearn")

from lambent.estimators.calibration import coverage_curve as coverage_curve
from lambent.estimators.calibration import probability_transform as probability_transform
from lambent.estimators.calibration import reliability_curve as reliability_curve
from lambent.estimators.classifier import FlowClassifier as FlowClassifier
from lambent.estimators.conditional import FlowConditionalDensity as FlowConditionalDensity
from lambent.estimators.density import FlowDensity as FlowDensity
from lambent.estimators.outliers import FlowOutlierDetector as FlowOutlierDetector
