"""A density of the rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import DensityMixin
from sklearn.utils.validation import check_is_fitted

from lambent.core.seed import seeded
from lambent.estimators.base import RowDensity, seed_of
from lambent.estimators.inputs import Array, read, tensor


class FlowDensity(DensityMixin, RowDensity):  # type: ignore[misc]
    """The density of the rows of a table, by a neural spline flow that starts at the normal law.

    Args:
        max_seconds: How long a fit may take.
        random_state: Makes a fit that the clock does not end repeat itself.
        verbose: Whether a fit shows how far it is.

    Attributes:
        flow_: The :class:`lambent.Flow`, in double precision, whitening included.
        n_steps_: Training steps in it; 0 where nothing was gained over the normal law.
        gain_: Nats by which a row held out gained over the normal law.
        n_features_in_: Columns.
        feature_names_in_: Their names, where the table was a frame with names.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X = load_iris().data
        >>> model = FlowDensity(random_state=0).fit(X)
        >>> model.score_samples(X[:2]).shape, model.sample(3, random_state=0).shape
        ((2,), (3, 4))
    """

    def fit(self, X: Any, y: Any = None) -> FlowDensity:
        """Fit the density.

        Args:
            X: A table of numbers, ``(n, d)``.
            y: Not read.

        Returns:
            The estimator.
        """
        self._check_budget()
        rows = read(self, X, fitting=True)
        self._fit_flow(
            tensor(rows),
        )
        return self

    def score(self, X: Any, y: Any = None) -> float:
        """The mean log-density of rows.

        Args:
            X: ``(n, d)``.
            y: Not read.

        Returns:
            Nats a row.
        """
        return float(np.mean(self.score_samples(X)))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Array:
        """Draw rows.

        Args:
            n_samples: How many.
            random_state: Fixes them.

        Returns:
            ``(n_samples, d)``.

        Raises:
            ValueError: If there are to be fewer than 1.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"n_samples: expected at least 1, got {n_samples}")
        with seeded(seed_of(random_state)):
            rows: Array = self.flow_.sample(n_samples).numpy()
        return rows
