"""The density of targets given a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_is_fitted
from torch import Tensor

from lambent.core.seed import seeded
from lambent.estimators.base import FlowEstimator, seed_of
from lambent.estimators.inputs import Array, read, read_both, refuse_text, tensor
from lambent.estimators.latents import levels_of, normal_grid
from lambent.nn import StandardUnits
from lambent.train.rows import log_prob_of_rows

_DRAWS = 128  # latents by which means, and quantiles of several targets, are found
_CHUNK = 2**17  # of them in one pass


class FlowConditionalDensity(RegressorMixin, FlowEstimator):  # type: ignore[misc]
    r"""The density ``p(y | x)`` of one target or several, by a flow that is conditional on rows.

    The flow starts as the linear regression with normal errors of full covariance, and leaves it
    where rows held out gain.

    Args:
        max_seconds: How long a fit may take.
        random_state: Makes a fit that the clock does not end repeat itself.
        verbose: Whether a fit shows how far it is.

    Attributes:
        flow_: The :class:`lambent.Flow` of targets, in double precision; its context is a row.
        n_steps_: Training steps in it; 0 where nothing was gained over the regression.
        gain_: Nats by which a row held out gained over the regression.
        n_features_in_: Columns.
        feature_names_in_: Their names, where the table was a frame with names.

    Example:
        >>> import numpy as np
        >>> X = np.random.default_rng(0).normal(size=(300, 2))
        >>> y = X[:, 0] + np.random.default_rng(1).normal(size=300)
        >>> model = FlowConditionalDensity(random_state=0).fit(X, y)
        >>> model.intervals(X[:4]).shape, model.log_density(X[:4], y[:4]).shape
        ((4, 2), (4,))
    """

    def __sklearn_tags__(self) -> Any:
        """Several targets are taken."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> FlowConditionalDensity:
        """Fit the flow.

        Args:
            X: A table of numbers, ``(n, d)``.
            y: Targets, ``(n,)`` or, several to a row, ``(n, m)``.

        Returns:
            The estimator.
        """
        self._check_budget()
        rows, targets = read_both(self, X, y, numeric=True)
        self._one_axis = targets.ndim == 1
        x = tensor(rows)
        encoder = StandardUnits((x.shape[1],)).double()
        encoder.affine.initialize_from(x)
        self._fit_flow(
            tensor(targets).reshape(len(x), -1),
            encoder(x),
            encoder=encoder,
        )
        return self

    def log_density(self, X: Any, y: Any) -> Array:
        """The log-density of targets given their rows.

        Args:
            X: ``(n, d)``.
            y: ``(n,)`` or ``(n, m)``.

        Returns:
            Nats, ``(n,)``.
        """
        x, targets = self._both(X, y)
        nats: Array = log_prob_of_rows(self.flow_, targets, x).numpy()
        return nats

    def latents(self, X: Any, y: Any) -> Array:
        """Where targets lie in the flow's latent space: standard normal if the model is right.

        Args:
            X: ``(n, d)``.
            y: ``(n,)`` or ``(n, m)``.

        Returns:
            ``(n, m)``.
        """
        x, targets = self._both(X, y)
        found: Array = self.flow_.encode(targets, x).numpy()
        return found

    def predict(self, X: Any) -> Array:
        """The mean target.

        Args:
            X: ``(n, d)``.

        Returns:
            ``(n,)`` or ``(n, m)``, as the fit's targets.
        """
        return self._shaped(self._decoded(X).mean(1))

    def quantiles(self, X: Any, levels: Any) -> Array:
        """Quantiles of the target; of each alone where there are several.

        Those of one target are exact; of several, they are of 128 points of the latent space.

        Args:
            X: ``(n, d)``.
            levels: Numbers above 0 and below 1, ``(k,)``.

        Returns:
            ``(n, k)`` or ``(n, k, m)``.

        Raises:
            ValueError: If a level is out of range.
        """
        wanted = levels_of(levels, "levels")
        if self._one_target():
            z = torch.special.ndtri(wanted)[:, None]
            return self._shaped(self._decoded(X, z))
        found = torch.quantile(self._decoded(X), wanted, dim=1).transpose(0, 1)
        return self._shaped(found)

    def intervals(self, X: Any, coverage: float = 0.9) -> Array:
        """The central interval that holds a share of the targets.

        Args:
            X: ``(n, d)``.
            coverage: The share.

        Returns:
            Lower and upper ends, ``(n, 2)`` or ``(n, 2, m)``.

        Raises:
            ValueError: If the share is not between 0 and 1.
        """
        (share,) = levels_of([coverage], "coverage").tolist()
        return self.quantiles(X, [(1 - share) / 2, (1 + share) / 2])

    def sample(self, X: Any, n_samples: int = 1, random_state: Any = None) -> Array:
        """Draw targets given rows.

        Args:
            X: ``(n, d)``.
            n_samples: How many for each row.
            random_state: Fixes them.

        Returns:
            ``(n, n_samples)`` or ``(n, n_samples, m)``.

        Raises:
            ValueError: If there are to be fewer than 1.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(f"n_samples: expected at least 1, got {n_samples}")
        x = tensor(read(self, X))
        with seeded(seed_of(random_state)):
            drawn = self.flow_.sample(n_samples, x)
        return self._shaped(drawn.reshape(len(x), n_samples, -1))

    def _one_target(self) -> bool:
        check_is_fitted(self)
        return self.flow_.event_shape == (1,)

    def _both(self, X: Any, y: Any) -> tuple[Tensor, Tensor]:
        """Rows and their targets, checked."""
        check_is_fitted(self)
        refuse_text(y, "y")
        x = tensor(read(self, X))
        given = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        targets = tensor(given).reshape(len(given), -1)
        if len(targets) != len(x) or targets.shape[1:] != self.flow_.event_shape:
            raise ValueError(
                f"y: expected {len(x)} rows of {self.flow_.event_shape[0]} targets, "
                f"got shape {given.shape}"
            )
        return x, targets

    def _decoded(self, X: Any, z: Tensor | None = None) -> Tensor:
        """The targets of latents ``(k, m)`` for each row, ``(n, k, m)``."""
        check_is_fitted(self)
        x = tensor(read(self, X))
        z = normal_grid(_DRAWS, self.flow_.event_shape[0]) if z is None else z
        size = max(1, _CHUNK // len(z))
        parts = []
        for some in x.split(size):
            given = some.repeat_interleave(len(z), 0)
            parts.append(self.flow_.decode(z.repeat(len(some), 1), given))
        return torch.cat(parts).reshape(len(x), len(z), -1)

    def _shaped(self, values: Tensor) -> Array:
        """Without the last axis, where the fit's targets had one axis."""
        found: Array = (values[..., 0] if self._one_axis else values).numpy()
        return found
