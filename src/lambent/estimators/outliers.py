"""Rows unlike those a density was fitted to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import OutlierMixin

from lambent.estimators.base import RowDensity, generator
from lambent.estimators.inputs import Array, read, tensor
from lambent.train.rows import log_prob_of_rows

_SHARE = 0.2  # of the rows, which the flow does not see and which set the threshold
_MOST = 10_000  # of them


class FlowOutlierDetector(OutlierMixin, RowDensity):  # type: ignore[misc]
    """Rows of a density so low that a share ``contamination`` of fresh normal rows has it.

    A fifth of the rows is kept from the flow, and the density that this share of them lies below
    is the threshold. Where the quantile of all rows says the same to within a standard error, it is
    taken, as it varies less from fit to fit.

    Args:
        contamination: The share of normal rows that may be called outliers, above 0 and at most
            1/2.
        max_seconds: How long a fit may take.
        random_state: Makes a fit that the clock does not end repeat itself.
        verbose: Whether a fit shows how far it is.

    Attributes:
        flow_: The :class:`lambent.Flow`, in double precision, whitening included.
        offset_: The threshold, in nats.
        n_steps_: Training steps in the flow; 0 where nothing was gained over the normal law.
        gain_: Nats by which a row held out gained over the normal law.
        n_features_in_: Columns.
        feature_names_in_: Their names, where the table was a frame with names.

    References:
        J. Lei et al., "Distribution-Free Predictive Inference for Regression", 2018,
        arXiv:1604.04173, section 2.2, of thresholds from rows held out.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).normal(size=(500, 2))
        >>> model = FlowOutlierDetector(random_state=0).fit(X)
        >>> model.predict([[0.0, 0.0], [9.0, -9.0]])
        array([ 1, -1])
    """

    def __init__(
        self,
        *,
        contamination: Any = 0.05,
        max_seconds: Any = 300.0,
        random_state: Any = None,
        verbose: Any = False,
    ) -> None:
        self.contamination = contamination
        super().__init__(max_seconds=max_seconds, random_state=random_state, verbose=verbose)

    def fit(self, X: Any, y: Any = None) -> FlowOutlierDetector:
        """Fit the density and the threshold.

        Args:
            X: A table of numbers of normal rows, ``(n, d)``.
            y: Not read.

        Returns:
            The estimator.

        Raises:
            ValueError: If ``contamination`` is out of range.
        """
        self._check_budget()
        if not (isinstance(self.contamination, (int, float)) and 0 < self.contamination <= 0.5):
            raise ValueError(
                f"contamination: expected above 0 and at most 0.5, got {self.contamination}"
            )
        rows = read(self, X, fitting=True)
        draw = generator(self.random_state)
        held = np.zeros(len(rows), dtype=bool)
        held[draw.permutation(len(rows))[: min(int(_SHARE * len(rows)), _MOST)]] = True
        self._fit_flow(
            tensor(rows[~held]),
            seed=int(draw.randint(2**31 - 1)),
        )
        nats: Array = log_prob_of_rows(self.flow_, tensor(rows), None).numpy()
        self.offset_ = threshold(nats, held, self.contamination)
        return self

    def decision_function(self, X: Any) -> Array:
        """The log-density of each row above the threshold: negative for outliers.

        Args:
            X: ``(n, d)``.

        Returns:
            Nats, ``(n,)``.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Outliers.

        Args:
            X: ``(n, d)``.

        Returns:
            -1 for outliers, 1 for others, ``(n,)``.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)


def threshold(nats: Array, held: npt.NDArray[np.bool_], share: float) -> float:
    """The density below which a share of fresh rows lies.

    Args:
        nats: Of all rows, ``(n,)``.
        held: Which of them the flow has not seen, ``(n,)``.
        share: The share.

    Returns:
        Nats.
    """
    of_all = float(np.quantile(nats, share))
    fresh = nats[held]
    if len(fresh) == 0:
        return of_all
    error = math.sqrt(share * (1 - share) / len(fresh))
    if abs(np.mean(fresh < of_all) - share) <= error:
        return of_all
    # So that one more row, of the same law, falls below with a chance of at most the share.
    rank = math.floor(share * (len(fresh) + 1))
    return float(np.sort(fresh)[max(rank - 1, 0)])
