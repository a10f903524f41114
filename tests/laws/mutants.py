"""Transforms that each break one law, and differ from a good one in no other way."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch
from torch import Tensor, nn

from lambent.core import Compose, Entry, Flow, Transform
from lambent.core.rebuild import Rebuilt
from lambent.core.transform import zero_log_det
from lambent.distributions import StandardNormal
from lambent.nn import takes_fast_path
from lambent.types import Context, Likelihood, PerSample, Size, X, Z

Pair = tuple[Tensor, Tensor]


class Good(Transform):
    """``z = (x + b) e^l + c`` over vectors: keeps every law."""

    cheap_inverse = True

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.log_scale = nn.Parameter(torch.zeros(size))

    def shift(self, context: Context | None) -> Tensor | float:
        if context is None:
            return 0.0
        assert isinstance(context, Tensor)
        return context

    def log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + self.log_scale.sum()

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        z = (x + self.bias) * self.log_scale.exp() + self.shift(context)
        return z, self.log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        x = (z - self.shift(context)) * (-self.log_scale).exp() - self.bias
        return x, -self.log_det(z)


class ScalarLogDet(Good):
    def log_det(self, x: Tensor) -> Tensor:
        return self.log_scale.sum()


class HalfLogDet(Good):
    def log_det(self, x: Tensor) -> Tensor:
        return super().log_det(x).half()


class FastDiffers(Good):
    def log_det(self, x: Tensor) -> Tensor:
        exact = super().log_det(x)
        return exact + 1e-9 * self.log_scale.square().sum() if takes_fast_path(x) else exact


class HalfGradient(Good):
    def invert_and_vjp(self, *args: Any) -> Rebuilt:
        rebuilt = super().invert_and_vjp(*args)
        return rebuilt._replace(grads={p: g / 2 for p, g in rebuilt.grads.items()})


class NoContextGradient(Good):
    def invert_and_vjp(self, *args: Any) -> Rebuilt:
        rebuilt = super().invert_and_vjp(*args)
        return rebuilt._replace(grad_context=tuple(None for _ in rebuilt.grad_context))


class WrongShape(Good):
    def forward_shape(self, shape: Size) -> Size:
        return (2 * shape[0],)


class NotFinite(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        return super().forward(x)[0], self.log_det(x) / 0


class WrongInverse(Good):
    def inverse(self, z: Z, context: Context | None = None) -> Pair:
        return z * (-self.log_scale).exp() + self.bias, -self.log_det(z)


class Clamped(Good):
    """Undoes what lies in its range, and so keeps the left inverse of small events."""

    def inverse(self, z: Z, context: Context | None = None) -> Pair:
        x, log_det = super().inverse(z, context)
        return x.clamp(-1, 1), log_det


class WrongSign(Good):
    def inverse(self, z: Z, context: Context | None = None) -> Pair:
        x, log_det = super().inverse(z, context)
        return x, -log_det


class NoLogDet(Good):
    def log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x)


class MeanLogDet(Good):
    def log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + self.log_scale.mean()


class ClaimsExact(Good):
    stochastic_forward = True

    @property
    def likelihood(self) -> Likelihood:
        return "exact"


class CoupledRows(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        z, log_det = super().forward(x, context)
        return z + x.detach().mean(), log_det


class NeedsTwo(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        z, log_det = super().forward(x, context)
        return z.squeeze(), log_det.squeeze()


class NoisyEncode(Good):
    def encode(self, x: X, context: Context | None = None) -> Z:
        return self(x, context)[0] + 0.1 * torch.randn_like(x)


class OtherDecode(Good):
    def decode(self, z: Z, context: Context | None = None) -> X:
        return self.inverse(z, context)[0] + 0.5


class InvIsItself(Good):
    @property
    def inv(self) -> Transform:
        return self


class DetachedEvent(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        z, log_det = super().forward(x, context)
        return z + 0.5 * (x - x.detach()), log_det


class DetachedParameter(Good):
    def log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + self.log_scale[:1].sum() + self.log_scale[1:].detach().sum()


class UnusedParameter(Good):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(2))


class InPlace(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        result = super().forward(x, context)
        x.data.mul_(1.0 + 1e-3)
        return result


class InPlaceContext(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        result = super().forward(x, context)
        assert isinstance(context, Tensor)
        context.data.add_(1.0)
        return result


class RunningState(Good):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()), persistent=False)

    def forward(self, x: X, context: Context | None = None) -> Pair:
        self.calls += 1
        return super().forward(x, context)


class Undeclared(Good):
    """Draws, and does nothing with it."""

    def forward(self, x: X, context: Context | None = None) -> Pair:
        torch.randn(1)
        return super().forward(x, context)


class OwnSeed(Good):
    """Two calls differ whatever the seed."""

    calls = 0

    def forward(self, x: X, context: Context | None = None) -> Pair:
        OwnSeed.calls += 1
        z, log_det = super().forward(x, context)
        return z + 1e-12 * OwnSeed.calls, log_det


class Settings(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        torch.set_float32_matmul_precision("high")
        return super().forward(x, context)


class LosesDigits(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        z, log_det = super().forward(x, context)
        return (z if z.dtype == torch.float64 else z.bfloat16().float()), log_det


class HalfTrunk(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        z, log_det = super().forward(x, context)
        return z @ torch.eye(2).to(z), log_det


class Forgetful(Good):
    """Half of what it is, is drawn anew with every construction."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("order", torch.randperm(50), persistent=False)

    def forward(self, x: X, context: Context | None = None) -> Pair:
        z, log_det = super().forward(x, context)
        return z + self.order[0], log_det

    def inverse(self, z: Z, context: Context | None = None) -> Pair:
        return super().inverse(z - self.order[0], context)


class SharedCopy(Good):
    def __deepcopy__(self, memo: dict[int, Any]) -> SharedCopy:
        twin = type(self)()
        twin._parameters = self._parameters
        return twin


class Nameless(Good):
    def __repr__(self) -> str:
        return "?"


class GraphBreak(Good):
    def forward(self, x: X, context: Context | None = None) -> Pair:
        if bool(x.sum() > 1e6):
            return x, zero_log_det(x)
        return super().forward(x, context)


class DeafToContext(Good):
    def shift(self, context: Context | None) -> Tensor | float:
        return 0.0


class BroadcastsContext(Good):
    """One row of context serves all events, though nobody said so."""


class LeakyIntegers(Transform):
    """Integers to integers, with a contribution all the same."""

    discrete = True

    def forward(self, x: X, context: Context | None = None) -> Pair:
        return x + 1, zero_log_det(x) + 1

    def inverse(self, z: Z, context: Context | None = None) -> Pair:
        return z - 1, zero_log_det(z) - 1


class RoundsOff(Transform):
    """Integers to integers through floats that cannot hold them all."""

    discrete = True

    def forward(self, x: X, context: Context | None = None) -> Pair:
        return (x.float() + 1).to(x.dtype), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> Pair:
        return z - 1, zero_log_det(z)


class NoisyEstimate(Good):
    """An estimate of the contribution that is right in the mean."""

    offset = 0.0

    @property
    def likelihood(self) -> Likelihood:
        return "unbiased"

    def log_det(self, x: Tensor) -> Tensor:
        noise = torch.randn(len(x), dtype=x.dtype)
        return super().log_det(x) + 0.1 * noise + self.offset


class BiasedEstimate(NoisyEstimate):
    offset = 0.05


class ForgetsAnEntry(Compose):
    def walk(self, x: X, context: Context | None = None) -> Generator[Entry, None, Z]:
        *steps, last = self
        for i, step in enumerate(steps):
            x, log_det = step(x, context)
            yield Entry(str(i), x, log_det)
        return last(x, context)[0]


class ShuffledDraws(Flow):
    """Draws all contexts once, then again: not context-major."""

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        x = super().rsample(n, context, temperature=temperature)
        if context is None or n is None:
            return x
        return x.reshape(-1, n, *x.shape[1:]).transpose(0, 1).reshape(x.shape)


class MeanDensity(Flow):
    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        return super().log_prob(x, context).mean()


class ForgivingDensity(Flow):
    """Takes events of any shape."""

    def check_event(self, x: Tensor, context: Context | None = None) -> None:
        pass


class HalfDensity(Flow):
    """Its draws carry the contribution with the wrong sign."""

    def rsample_and_log_prob(
        self, n: int | None = None, context: Context | None = None
    ) -> tuple[X, PerSample]:
        x, log_prob = super().rsample_and_log_prob(n, context)
        return x, -log_prob


def flow(kind: type[Flow] = Flow, transform: Transform | None = None) -> Flow:
    return kind(transform or Compose(Good(), Good()), StandardNormal((2,)))
