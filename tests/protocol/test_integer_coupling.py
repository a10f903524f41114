"""A discrete flow: integers shifted by a rounded network, bit by bit invertible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Distribution, Flow, trace
from lambent.core.distribution import count_draws
from lambent.core.transform import sum_event
from lambent.testing import check_flow, check_transform, perturbed
from lambent.transforms import Coupling, MultiScale, Permute, Squeeze
from lambent.types import Context, PerSample, X

from ..networks import Dense


@dataclass(frozen=True)
class IntegerShift:
    """``y = x + round(t)``."""

    num_params: int = 1
    discrete: ClassVar[bool] = True

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        return x + params[..., 0].round().to(x.dtype), torch.zeros_like(x)

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        return y - params[..., 0].round().to(y.dtype), torch.zeros_like(y)


class DiscretisedLogistic(Distribution):
    """Independent integers with ``P(z) = s(z + 1/2) - s(z - 1/2)``, ``s`` a logistic cdf."""

    def __init__(self, size: int, scale: float) -> None:
        super().__init__()
        self.event_shape = (size,)
        self.scale = torch.nn.Parameter(torch.tensor(scale))

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        x = x.to(self.scale.dtype)
        upper = torch.sigmoid((x + 0.5) / self.scale)
        lower = torch.sigmoid((x - 0.5) / self.scale)
        return sum_event((upper - lower).log())

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        u = torch.rand(count_draws(n, context), *self.event_shape).clamp(1e-6, 1 - 1e-6)
        return (torch.logit(u) * self.scale.detach() * temperature).round().int()


def build() -> Compose:
    return Compose(
        Coupling(Dense(2, 2), IntegerShift()),
        Coupling(Dense(2, 2, context=2), IntegerShift()),
    )


def big(rows: int = 4, size: int = 4) -> Tensor:
    return torch.randint(-(2**30), 2**30, (rows, size), dtype=torch.int32)


def layers() -> Compose:
    return Compose(
        Coupling(Dense(1, 1), IntegerShift()),
        Permute.reverse(2),
        Coupling(Dense(1, 1), IntegerShift()),
    )


def flow() -> Flow:
    return Flow(layers(), DiscretisedLogistic(2, 1.5))


def test_coupling_takes_the_flag_from_its_elementwise() -> None:
    assert Coupling(Dense(2, 2), IntegerShift()).discrete
    assert build().discrete
    assert build().likelihood == "exact"


def test_laws() -> None:
    """Float32 and float64 may round a shift near a half differently, and integers show it."""
    x = torch.randint(-5, 6, (4, 4), dtype=torch.int32)
    check_transform(build(), x, torch.randn(4, 2), spread=2.0, skip=["compile", "float32"])


@pytest.mark.compile
def test_compiles() -> None:
    x = torch.randint(-5, 6, (4, 4), dtype=torch.int32)
    check_transform(build(), x, torch.randn(4, 2), spread=2.0, skip=["float32"])


def test_inverse_is_bit_exact_on_large_integers() -> None:
    """Float32 holds integers to 2^24; the trunk never leaves the integers."""
    layer = Coupling(Dense(2, 2), IntegerShift())
    x = big()
    with torch.no_grad():
        layer.net.layers[2].bias.fill_(12345.6)
        z, value = layer(x)
        back, _ = layer.inverse(z)
    assert z.dtype == torch.int32
    assert torch.equal(back, x)
    assert not torch.equal(z, x)
    assert torch.equal(z[:, :2], x[:, :2])
    assert torch.equal(value, torch.zeros(4))


def test_laws_of_a_flow_with_it() -> None:
    x = torch.randint(-3, 4, (4, 2), dtype=torch.int32)
    check_flow(flow(), x, spread=0.5, no_gradient=["transform.*"], skip=["compile"])


def test_probabilities_sum_to_one_over_the_grid() -> None:
    """No value is lost or counted twice: the sum of P over a large grid is 1."""
    moved = perturbed(flow(), 0.7, seed=1)
    axis = torch.arange(-60, 61, dtype=torch.int32)
    grid = torch.cartesian_prod(axis, axis)
    shifts = (moved.encode(grid) - grid.flip(1)).abs().max()
    assert 1 <= shifts <= 20
    assert abs(moved.log_prob(grid).exp().sum().item() - 1) < 1e-6


def test_in_a_multi_scale_the_latent_is_integers_too() -> None:
    class Flat(torch.nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(channels, channels, 1)

        def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
            return 3 * self.conv(a.float())

    transform = MultiScale(
        Compose(Squeeze(), Coupling(Flat(2), IntegerShift())),
        Compose(Squeeze(), Coupling(Flat(4), IntegerShift())),
        shape=(1, 4, 4),
    )
    x = torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.int32)
    z, value = transform(x)
    assert z.dtype == torch.int32
    assert torch.equal(transform.inverse(z)[0], x)
    assert not value.any()


def test_ledger_puts_everything_in_the_base() -> None:
    moved = perturbed(flow(), 0.7, seed=1)
    *steps, base = trace(moved, torch.randint(-3, 4, (4, 2), dtype=torch.int32))
    assert not any(step.log_likelihood.any() for step in steps)
    assert (base.log_likelihood < 0).all()
