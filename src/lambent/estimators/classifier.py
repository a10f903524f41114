"""Classes by Bayes' rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from lambent.estimators.base import FlowEstimator
from lambent.estimators.inputs import Array, read, read_both, tensor
from lambent.nn import LabelEncoder
from lambent.train.rows import log_prob_of_rows


class FlowClassifier(ClassifierMixin, FlowEstimator):  # type: ignore[misc]
    r"""Bayes' rule on one flow that is conditional on the class.

    ``p(k | x)`` is proportional to ``p(x | k) p(k)``. The flow starts as normal laws of one
    covariance and a mean for each class, which is linear discriminant analysis, and leaves it where
    rows held out gain.

    Args:
        priors: ``p(k)`` in the order of ``classes_``; the classes' shares of the rows if not given.
        max_seconds: How long a fit may take.
        random_state: Makes a fit that the clock does not end repeat itself.
        verbose: Whether a fit shows how far it is.

    Attributes:
        classes_: The classes, sorted.
        priors_: Their probabilities.
        flow_: The :class:`lambent.Flow`, in double precision; its context is a class's number.
        n_steps_: Training steps in it; 0 where nothing was gained over the normal laws.
        gain_: Nats by which a row held out gained over the normal laws.
        n_features_in_: Columns.
        feature_names_in_: Their names, where the table was a frame with names.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> model = FlowClassifier(random_state=0).fit(X, y)
        >>> model.predict(X[:2]), model.predict_proba(X[:2]).shape
        (array([0, 0]), (2, 3))
    """

    def __init__(
        self,
        *,
        priors: Any = None,
        max_seconds: Any = 300.0,
        random_state: Any = None,
        verbose: Any = False,
    ) -> None:
        self.priors = priors
        super().__init__(max_seconds=max_seconds, random_state=random_state, verbose=verbose)

    def fit(self, X: Any, y: Any) -> FlowClassifier:
        """Fit the flow.

        Args:
            X: A table of numbers, ``(n, d)``.
            y: The class of each row, ``(n,)``.

        Returns:
            The estimator.

        Raises:
            ValueError: If ``y`` is no classes, or ``priors`` do not fit them.
        """
        self._check_budget()
        rows, targets = read_both(self, X, y)
        check_classification_targets(targets)
        self.classes_, numbers = np.unique(targets, return_inverse=True)
        self.priors_ = self._priors(np.bincount(numbers) / len(numbers))
        count = len(self.classes_)
        self._fit_flow(
            tensor(rows),
            F.one_hot(torch.tensor(numbers), count).double(),
            encoder=LabelEncoder(count),
        )
        return self

    def _priors(self, shares: Array) -> Array:
        """The classes' probabilities: as given, or their shares."""
        if self.priors is None:
            return shares
        priors = np.asarray(self.priors, dtype=np.float64)
        if priors.shape != shares.shape or (priors <= 0).any() or abs(priors.sum() - 1) > 1e-6:
            raise ValueError(
                f"priors: expected {len(shares)} numbers above 0 that sum to 1, got {self.priors}"
            )
        return priors

    def _joint(self, X: Any) -> Tensor:
        """``log p(x, k)``, ``(n, classes)``."""
        check_is_fitted(self)
        rows = tensor(read(self, X))
        columns = [
            log_prob_of_rows(self.flow_, rows, torch.full((len(rows),), k))
            for k in range(len(self.classes_))
        ]
        return torch.stack(columns, 1) + tensor(self.priors_).log()

    def predict_log_proba(self, X: Any) -> Array:
        """The log-probability of each class.

        Args:
            X: ``(n, d)``.

        Returns:
            ``(n, classes)``.
        """
        found: Array = self._joint(X).log_softmax(1).numpy()
        return found

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class.

        Args:
            X: ``(n, d)``.

        Returns:
            ``(n, classes)``.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class.

        Args:
            X: ``(n, d)``.

        Returns:
            ``(n,)``.
        """
        best = self._joint(X).argmax(1).numpy()
        found: npt.NDArray[Any] = self.classes_[best]
        return found

    def score_samples(self, X: Any) -> Array:
        """The log-density of each row, whatever its class.

        Args:
            X: ``(n, d)``.

        Returns:
            Nats, ``(n,)``.
        """
        found: Array = self._joint(X).logsumexp(1).numpy()
        return found
