"""Transforms one after another."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Literal

import torch
from torch import Tensor

from lambent.core.rebuild import Rebuilt, chain_vjp, run_rebuilding
from lambent.core.transform import Entry, Transform, zero_log_det
from lambent.nn.fast import is_plain
from lambent.types import Context, Likelihood, PerSample, Size, X, Z

_WORST_LAST: tuple[Likelihood, ...] = ("exact", "unbiased", "bound", "approximate")


def worst(*kinds: Likelihood) -> Likelihood:
    """The least trustworthy of some kinds of likelihood; ``exact`` of none."""
    return max(kinds, key=_WORST_LAST.index, default="exact")


class Compose(Transform):
    r"""Transforms from left to right, data to latent.

    ``z = f_n(... f_1(x))`` and ``V = sum_i V_i``, so the cost is the sum of the parts.

    With ``recompute="inverse"`` nothing between the steps is kept for the backward pass: it finds
    each step's input by the step's inverse, so the memory does not grow with the number of steps.

    Args:
        *transforms: Steps, named by their position.
        recompute: ``inverse`` to rebuild states by inverses.
        every: With ``inverse``, keep the input of every so many steps; of none if not given.
        **named: Further steps, named by their keyword.

    Raises:
        ValueError: If states are to be rebuilt and a step is not a bijection of a cheap inverse.

    References:
        A. Gomez et al., "The Reversible Residual Network", 2017, arXiv:1707.04585.

    Example:
        >>> from lambent.transforms import ActNorm, Squeeze
        >>> Compose(squeeze=Squeeze(), actnorm=ActNorm(4)).forward_shape((1, 8, 8))
        (4, 4, 4)
    """

    recompute: Literal["never", "inverse"]

    def __init__(
        self,
        *transforms: Transform,
        recompute: Literal["never", "inverse"] = "never",
        every: int | None = None,
        **named: Transform,
    ) -> None:
        super().__init__()
        for name, step in [*((str(i), t) for i, t in enumerate(transforms)), *named.items()]:
            self.add_module(name, step)
        self.stochastic_forward = any(step.stochastic_forward for step in self)
        self.stochastic_inverse = any(step.stochastic_inverse for step in self)
        self.onto = all(step.onto for step in self)
        self.discrete = len(self) > 0 and all(step.discrete for step in self)
        self.cheap_inverse = all(step.cheap_inverse for step in self)
        self.compiles = recompute == "never" and all(step.compiles for step in self)
        self.recompute = recompute
        self.every = every
        self._check_recompute()

    def _check_recompute(self) -> None:
        if self.recompute not in ("never", "inverse"):
            raise ValueError(f"recompute: expected never or inverse, got '{self.recompute}'")
        if self.every is not None and self.every < 1:
            raise ValueError(f"every: expected at least 1, got {self.every}")
        if self.recompute == "never":
            return
        for name, step in self._modules.items():
            if not (step.bijective and step.cheap_inverse):  # type: ignore[union-attr]
                raise ValueError(
                    "recompute: inverse expects bijections with a cheap inverse, "
                    f"got {type(step).__name__} as step '{name}'"
                )

    @property
    def rebuilds(self) -> bool:
        """Whether forward would now leave states to be rebuilt."""
        return self.recompute == "inverse" and torch.is_grad_enabled() and not is_plain()

    def __iter__(self) -> Iterator[Transform]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, key: int | str) -> Transform:
        return self._modules[key] if isinstance(key, str) else list(self)[key]  # type: ignore[return-value]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Apply every step, first to last."""
        if self.rebuilds and len(self):
            return run_rebuilding(list(self), x, context, self.every)
        total = zero_log_det(x)
        for step in self:
            x, log_det = step(x, context)
            total = total + log_det
        return x, total

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Undo every step, last to first."""
        total = zero_log_det(z)
        for step in reversed(list(self)):
            z, log_det = step.inverse(z, context)
            total = total + log_det
        return z, total

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Encode by every step, first to last."""
        for step in self:
            x = step.encode(x, context)
        return x

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Decode by every step, last to first."""
        for step in reversed(list(self)):
            z = step.decode(z, context)
        return z

    def invert_and_vjp(
        self, z: Z, grad_z: Tensor, grad_log_det: PerSample, context: Context | None = None
    ) -> Rebuilt:
        """Step by step, last to first."""
        return chain_vjp(list(self), z, grad_z, grad_log_det, context)

    def walk(self, x: X, context: Context | None = None) -> Generator[Entry, None, Z]:
        """The entries of every step, under its name."""
        for name, step in zip(self._modules, self, strict=True):  # a step may stand twice
            x = yield from walk_named(name, step, x, context)
        return x

    def forward_shape(self, shape: Size) -> Size:
        """Follow the shape through every step, first to last."""
        for step in self:
            shape = step.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Size) -> Size:
        """Follow the shape back through every step, last to first."""
        for step in reversed(list(self)):
            shape = step.inverse_shape(shape)
        return shape

    @property
    def likelihood(self) -> Likelihood:
        """The worst of the parts."""
        return worst(*(step.likelihood for step in self))


def walk_named(
    name: str, step: Transform, x: X, context: Context | None
) -> Generator[Entry, None, Z]:
    """The entries of one step of a container, with the step's name before theirs."""
    walk = step.walk(x, context)
    while True:
        try:
            entry = next(walk)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        yield entry._replace(path=f"{name}.{entry.path}" if entry.path else name)
