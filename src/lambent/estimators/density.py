"""A density of the rows of a table."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from lambent.core.seed import seeded
from lambent.estimators.fitting import fit_rows
from lambent.estimators.inputs import Array, read, tensor
from lambent.estimators.progress import progress
from lambent.estimators.settings import check_budget, seed_of
from lambent.train.rows import log_prob_of_rows


class FlowDensity(DensityMixin, BaseEstimator):  # type: ignore[misc]
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

    def __init__(
        self,
        *,
        max_seconds: float = 300.0,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the density.

        Args:
            X: A table of numbers, ``(n, d)``.
            y: Not read.

        Returns:
            The estimator.
        """
        check_budget(self.max_seconds)
        rows = read(self, X, fitting=True)
        with progress(verbose=self.verbose) as show:
            fitted = fit_rows(
                tensor(rows),
                seed=seed_of(self.random_state),
                max_seconds=self.max_seconds,
                show=show,
            )
        self.flow_, self.n_steps_, self.gain_ = fitted.flow, fitted.steps, fitted.gain
        return self

    def score_samples(self, X: Any) -> Array:
        """The log-density of each row.

        Args:
            X: ``(n, d)``.

        Returns:
            Nats, ``(n,)``.
        """
        check_is_fitted(self)
        nats: Array = log_prob_of_rows(self.flow_, tensor(read(self, X)), None).numpy()
        return nats

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
