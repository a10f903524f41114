"""Dequantisation: in range, undone by rounding down, and an honest lower bound."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Flow, seeded
from lambent.distributions import StandardNormal
from lambent.errors import DomainError
from lambent.testing import perturbed, pixels
from lambent.transforms import ActNorm, Dequantise, Rescale


def test_noise_stays_within_the_bin_even_at_255_in_float32() -> None:
    """In float32 ``255 + u`` rounds to 256 for the largest draws below 1."""
    x = torch.full((1, 3_000_000), 255, dtype=torch.uint8)
    z, _ = Dequantise()(x)
    assert z.dtype == torch.float32
    assert z.max() < 256
    assert z.min() >= 255
    assert float(torch.tensor(255.0) + (1 - 2**-24)) == 256.0


def test_largest_draw_at_all_does_not_reach_the_next_integer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    largest = 1 - 2.0**-24
    monkeypatch.setattr(torch, "rand", lambda *args, **kwargs: torch.full(args[0], largest))
    x = torch.arange(256, dtype=torch.uint8)[None]
    z, _ = Dequantise()(x)
    assert torch.equal(z.floor(), x.float())


def test_noise_is_uniform() -> None:
    u = Dequantise()(torch.zeros(1, 200_000, dtype=torch.uint8))[0].double()
    assert abs(u.mean() - 1 / 2) < 4 * math.sqrt(1 / 12 / 200_000)
    assert abs((u**2).mean() - 1 / 3) < 4 * math.sqrt(4 / 45 / 200_000)
    assert torch.histc(u, 10, 0, 1).min() > 19_000


def test_encode_takes_the_middle() -> None:
    x = pixels()((2, 7))
    assert torch.equal(Dequantise().encode(x), x.float() + 0.5)


@pytest.mark.parametrize("levels", [0, 257])
def test_levels_out_of_range_are_refused(levels: int) -> None:
    with pytest.raises(ValueError, match=f"levels: expected 1 to 256, got {levels}"):
        Dequantise(levels)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_no_pixel(bad: float) -> None:
    with pytest.raises(DomainError, match="z: expected finite numbers"):
        Dequantise().inverse(torch.tensor([[0.5, bad]]))


@pytest.mark.parametrize("levels", [2, 256])
def test_inverse_gives_integers_in_range(levels: int) -> None:
    z = torch.tensor([[-3.0, -0.1, 0.0, levels - 0.01, levels + 5.0]])
    x, _ = Dequantise(levels).inverse(z)
    assert x.dtype == torch.uint8
    assert x.tolist() == [[0, 0, 0, levels - 1, levels - 1]]


def test_float64_module_gives_float64() -> None:
    assert Dequantise().double()(pixels()((2, 3)))[0].dtype == torch.float64


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, torch.int64])
def test_other_integers_are_taken(dtype: torch.dtype) -> None:
    x = torch.tensor([[0, 5, 127]], dtype=dtype)
    assert Dequantise().inverse(Dequantise()(x)[0])[0].tolist() == [[0, 5, 127]]


@pytest.mark.parametrize(
    ("levels", "x"),
    [
        (256, torch.tensor([[0.5]])),
        (256, torch.tensor([[3.0]])),
        (17, torch.tensor([[17]], dtype=torch.uint8)),
        (256, torch.tensor([[-1]], dtype=torch.int8)),
        (256, torch.tensor([[256]])),
        (256, torch.tensor([[2**40]])),
    ],
)
def test_what_is_not_in_range_is_refused(levels: int, x: Tensor) -> None:
    with pytest.raises(DomainError, match=f"expected integers 0 to {levels - 1}"):
        Dequantise(levels)(x)
    with pytest.raises(DomainError, match=f"expected integers 0 to {levels - 1}"):
        Dequantise(levels).encode(x)


def one_number(levels: int = 5) -> Flow:
    """A density of one integer, wide enough that each bin holds some of it."""
    transform = Compose(
        dequantise=Dequantise(levels), rescale=Rescale(1.1, shift=-levels / 2), norm=ActNorm(1)
    )
    return perturbed(Flow(transform, StandardNormal((1,))), 0.1, seed=3)


def exact_log_prob(flow: Flow, levels: int, points: int = 20_000) -> Tensor:
    """``log P(x)`` of every level: the continuous part integrated over its bin."""
    assert isinstance(flow.transform, Compose)
    rest = Flow(Compose(flow.transform["rescale"], flow.transform["norm"]), flow.base)
    u = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    z = (torch.arange(levels)[:, None] + u).reshape(-1, 1)
    with torch.no_grad():
        return rest.log_prob(z).reshape(levels, points).exp().mean(1).log()


def test_log_prob_is_a_bound_from_below_whose_exponential_is_right_in_the_mean() -> None:
    levels, draws = 5, 40_000
    flow = one_number(levels)
    exact = exact_log_prob(flow, levels)
    x = torch.arange(levels, dtype=torch.uint8).repeat_interleave(draws)[:, None]
    with torch.no_grad(), seeded(1):
        estimates = flow.log_prob(x).reshape(levels, draws)
    error = estimates.std(1) / math.sqrt(draws)
    assert (estimates.mean(1) < exact - 4 * error).all()
    ratio = (estimates - exact[:, None]).exp()
    assert ((ratio.mean(1) - 1).abs() < 4 * ratio.std(1) / math.sqrt(draws) + 2**-15).all()
    assert flow.likelihood == "bound"


def test_value_of_a_drawn_pair_lies_on_the_other_side_of_the_bound() -> None:
    """``E log p(z) + V`` is above ``log P(x)`` over the latents of x, below over fresh noise."""
    flow = one_number()
    exact = exact_log_prob(flow, 5)
    with torch.no_grad():
        x, drawn = flow.rsample_and_log_prob(100_000)
        asked = flow.log_prob(x)
    for value, side in ((drawn, 1), (asked, -1)):
        gap = side * (value - exact[x[:, 0].long()])
        assert gap.mean() > 4 * gap.std() / math.sqrt(len(gap))


def test_probabilities_of_all_levels_sum_to_what_the_density_leaves_in_them() -> None:
    flow = one_number()
    mass = exact_log_prob(flow, 5).exp().sum()
    assert isinstance(flow.transform, Compose)
    edges, _ = Compose(flow.transform["rescale"], flow.transform["norm"])(
        torch.tensor([[0.0], [5.0]], dtype=torch.float64)
    )
    low, high = torch.special.ndtr(edges.detach()).flatten()
    torch.testing.assert_close(mass, high - low, rtol=1e-7, atol=1e-7)
