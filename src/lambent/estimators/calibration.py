"""Whether stated probabilities come true."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.calibration import calibration_curve

from lambent.estimators.classifier import FlowClassifier
from lambent.estimators.conditional import FlowConditionalDensity
from lambent.estimators.inputs import Array
from lambent.estimators.latents import levels_of


def reliability_curve(
    classifier: FlowClassifier, X: Any, y: Any, *, bins: int = 10
) -> tuple[Array, Array]:
    """How often a class is the right one, where it is said to have some probability.

    Every class of every row counts as one statement. A calibrated classifier lies on the diagonal.

    Args:
        classifier: A fitted classifier.
        X: Rows it has not seen, ``(n, d)``.
        y: Their classes, ``(n,)``.
        bins: Of probabilities, with as many statements in each.

    Returns:
        The mean stated probability in each bin, and the share that was right.

    Raises:
        ValueError: If a class is not one of the fit's.
    """
    stated = classifier.predict_proba(X)
    right = np.asarray(y)[:, None] == classifier.classes_
    if not right.any(1).all():
        strange = np.asarray(y)[~right.any(1)][:3].tolist()
        raise ValueError(f"y: expected classes of the fit, {classifier.classes_}, got {strange}")
    came_true, probability = calibration_curve(
        right.ravel(), stated.ravel(), n_bins=bins, strategy="quantile"
    )
    return np.asarray(probability), np.asarray(came_true)


def probability_transform(model: FlowConditionalDensity, X: Any, y: Any) -> Array:
    """The model's distribution function at targets: uniform on [0, 1] if the model is right.

    With several targets it is that of each coordinate of the latent space.

    Args:
        model: A fitted conditional density.
        X: Rows it has not seen, ``(n, d)``.
        y: Their targets, ``(n,)`` or ``(n, m)``.

    Returns:
        ``(n, m)``.

    References:
        T. Gneiting et al., "Probabilistic Forecasts, Calibration and Sharpness", Journal of the
        Royal Statistical Society B 69, 2007.
    """
    found: Array = torch.special.ndtr(torch.from_numpy(model.latents(X, y))).numpy()
    return found


def coverage_curve(
    model: FlowConditionalDensity, X: Any, y: Any, levels: Any = None
) -> tuple[Array, Array]:
    """How many targets lie in central intervals of some coverage.

    Args:
        model: A fitted conditional density.
        X: Rows it has not seen, ``(n, d)``.
        y: Their targets, ``(n,)`` or ``(n, m)``.
        levels: Coverages, ``(k,)``; 0.05 to 0.95 if not given.

    Returns:
        The coverages, and the share of targets inside: on the diagonal if the model is right.

    Raises:
        ValueError: If a level is not above 0 and below 1.
    """
    wanted = levels_of(np.linspace(0.05, 0.95, 19) if levels is None else levels, "levels").numpy()
    off: npt.NDArray[np.float64] = np.abs(probability_transform(model, X, y) - 0.5).ravel()
    return wanted, np.array([np.mean(off <= level / 2) for level in wanted])
