"""Transforms one after another."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from lambent.core.transform import Entry, Transform, zero_log_det
from lambent.types import Context, Likelihood, PerSample, Size, X, Z

_WORST_LAST: tuple[Likelihood, ...] = ("exact", "unbiased", "bound", "approximate")


def worst(*kinds: Likelihood) -> Likelihood:
    """The least trustworthy of some kinds of likelihood; ``exact`` of none."""
    return max(kinds, key=_WORST_LAST.index, default="exact")


class Compose(Transform):
    r"""Transforms from left to right, data to latent.

    ``z = f_n(... f_1(x))`` and ``V = sum_i V_i``, so the cost is the sum of the parts.

    Args:
        *transforms: Steps, named by their position.
        **named: Further steps, named by their keyword.

    Example:
        >>> from lambent.transforms import ActNorm, Squeeze
        >>> Compose(squeeze=Squeeze(), actnorm=ActNorm(4)).forward_shape((1, 8, 8))
        (4, 4, 4)
    """

    def __init__(self, *transforms: Transform, **named: Transform) -> None:
        super().__init__()
        for name, step in [*((str(i), t) for i, t in enumerate(transforms)), *named.items()]:
            self.add_module(name, step)
        self.stochastic_forward = any(step.stochastic_forward for step in self)
        self.stochastic_inverse = any(step.stochastic_inverse for step in self)
        self.discrete = len(self) > 0 and all(step.discrete for step in self)
        self.cheap_inverse = all(step.cheap_inverse for step in self)
        self.compiles = all(step.compiles for step in self)

    def __iter__(self) -> Iterator[Transform]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, key: int | str) -> Transform:
        return self._modules[key] if isinstance(key, str) else list(self)[key]  # type: ignore[return-value]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Apply every step, first to last."""
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
