"""What all estimators share: settings, and the flow that a fit leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.estimators.fitting import fit_rows
from lambent.estimators.inputs import Array, read, tensor
from lambent.estimators.progress import progress
from lambent.train.rows import log_prob_of_rows


class FlowEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator that fits a flow within some time.

    Args:
        max_seconds: How long a fit may take.
        random_state: Makes a fit that the clock does not end repeat itself.
        verbose: Whether a fit shows how far it is.
    """

    flow_: Flow
    n_steps_: int
    gain_: float

    # Any: scikit-learn wants every value taken here, and refused by fit.
    def __init__(
        self,
        *,
        max_seconds: Any = 300.0,
        random_state: Any = None,
        verbose: Any = False,
    ) -> None:
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.verbose = verbose

    def _check_budget(self) -> None:
        if not (isinstance(self.max_seconds, (int, float)) and self.max_seconds > 0):
            raise ValueError(f"max_seconds: expected a number above 0, got {self.max_seconds}")

    def _fit_flow(
        self,
        x: Tensor,
        context: Tensor | None = None,
        *,
        encoder: nn.Module | None = None,
        seed: int | None = None,
    ) -> None:
        """Fit the flow; the arguments are those of ``fit_rows``."""
        with progress(verbose=bool(self.verbose)) as show:
            fitted = fit_rows(
                x,
                context,
                encoder=encoder,
                seed=seed_of(self.random_state) if seed is None else seed,
                max_seconds=self.max_seconds,
                show=show,
            )
        self.flow_, self.n_steps_, self.gain_ = fitted.flow, fitted.steps, fitted.gain


class RowDensity(FlowEstimator):
    """An estimator whose flow is a density of rows."""

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


def generator(random_state: Any) -> np.random.RandomState:
    """The generator of what scikit-learn takes as a random state.

    Args:
        random_state: A seed, a generator, or nothing, which is numpy's global generator.

    Returns:
        The generator.
    """
    found: np.random.RandomState = check_random_state(random_state)
    return found


def seed_of(random_state: Any) -> int:
    """A seed from what scikit-learn takes as a random state.

    Args:
        random_state: A seed, a generator, or nothing, which is numpy's global generator.

    Returns:
        The seed.
    """
    return int(generator(random_state).randint(2**31 - 1))
