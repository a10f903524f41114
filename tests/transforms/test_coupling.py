"""Coupling: what conditions stays, parameters interleave, half precision stays in the network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lambent.testing import perturbed
from lambent.transforms import Additive, Affine, Coupling, Halves, SigmoidAffine, Standardise, Whole
from lambent.types import Context

from ..networks import Dense, Planes


class Constant(nn.Module):
    """The same parameters for every event."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.register_buffer("values", torch.tensor(values))

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        return self.values.expand(len(a), -1)


def test_first_half_conditions_and_stays() -> None:
    layer = perturbed(Coupling(Planes(2, 6), Affine()), 0.5, seed=1)
    x = torch.randn(2, 5, 3, 3, dtype=torch.float64)
    z, _ = layer(x)
    assert torch.equal(z[:, :2], x[:, :2])
    assert (z[:, 2:] != x[:, 2:]).all()


def test_parameters_of_a_channel_lie_side_by_side() -> None:
    """Shift and scale of channel 0, then of channel 1."""
    layer = Coupling(Constant(1.0, 0.1, 2.0, 0.2), Affine(bound=None))
    x = torch.randn(3, 4)
    z, log_det = layer(x)
    shift, log_scale = torch.tensor([1.0, 2.0]), torch.tensor([0.1, 0.2])
    torch.testing.assert_close(z[:, 2:], (x[:, 2:] + shift) * log_scale.exp())
    torch.testing.assert_close(log_det, torch.full((3,), 0.3))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_halves(channels: int) -> None:
    x = torch.randn(2, channels, 2)
    a, b = Halves().split(x)
    assert (a.shape[1], b.shape[1]) == (channels // 2, channels - channels // 2)
    assert torch.equal(Halves().merge(a, b), x)


def test_whole() -> None:
    x = torch.randn(2, 3, 2)
    a, b = Whole().split(x)
    assert a.shape == (2, 0, 2)
    assert torch.equal(b, x)
    assert torch.equal(Whole().merge(a, b), x)


@pytest.mark.parametrize("elementwise", [Additive(), Affine(), SigmoidAffine(), Standardise()])
def test_under_autocast_the_ledger_is_honest(elementwise: Affine) -> None:
    """A half-precision network gives half-precision parameters; what is done with them is float32.

    Rounding the scale itself to 8 bits would leave each value 0.4 % off after a round trip, and the
    stated log-derivative apart from the real one.
    """
    layer = Coupling(Dense(3, 3 * elementwise.num_params), elementwise)
    with torch.no_grad():
        layer.net.layers[2].weight.mul_(3)
    x = torch.randn(64, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.net(x[:, :3]).dtype == torch.bfloat16
        z, log_det = layer(x)
        back, _ = layer.inverse(z)
        moved, _ = layer(torch.cat((x[:, :3], x[:, 3:] + 1), 1))
    assert z.dtype == log_det.dtype == torch.float32
    torch.testing.assert_close(back, x, rtol=1e-5, atol=1e-5)
    slopes = (moved - z)[:, 3:].double()  # linear in x_b
    torch.testing.assert_close(log_det.double(), slopes.log().sum(1), rtol=1e-3, atol=1e-4)


def test_network_that_gives_the_wrong_number_is_refused() -> None:
    with pytest.raises(RuntimeError):
        Coupling(Constant(1.0, 2.0, 3.0), Affine())(torch.randn(2, 4))


def test_context_of_another_batch_is_refused_even_by_a_network_that_ignores_it() -> None:
    with pytest.raises(ValueError, match="one row for each of the 2 events, got a batch of 1"):
        Coupling(Constant(1.0, 2.0), Affine())(torch.randn(2, 2), torch.randn(1, 3))
