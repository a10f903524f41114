"""Several draws of the noise: a tighter bound, and the true value in the limit."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lambent import Flow, GlowConfig, Images, glow, initialize, measure
from lambent.core import Compose
from lambent.distributions import StandardNormal
from lambent.evaluate import score
from lambent.evaluate.importance import Draws
from lambent.transforms import Dequantise, Quantise, Rescale

STEEP = 3.0


def steep_flow() -> Flow:
    """Four levels under a normal so narrow that the density changes within a bin."""
    return Flow(
        Compose(quantise=Quantise(4), dequantise=Dequantise(4), rescale=Rescale(STEEP, -2.0)),
        StandardNormal((1, 1, 1)),
    )


def levels() -> Images:
    return Images((64 * torch.tensor([1, 2, 1, 2, 1])).to(torch.uint8).reshape(-1, 1, 1, 1))


def true_bits(images: Images) -> Tensor:
    """By the normal's distribution function over each bin, in float64."""
    level = images.images.flatten().double() // 64
    edges = [STEEP * (level + end - 2.0) for end in (0.0, 1.0)]
    low, high = (torch.special.ndtr(edge) for edge in edges)
    return -(high - low).log2()


def bits(flow: Flow, images: Images, samples: int, seed: int = 0, batch_size: int = 256) -> Tensor:
    parts: list[Tensor] = []
    score(flow, images, parts.append, importance_samples=samples, seed=seed, batch_size=batch_size)
    return torch.cat(parts)


def test_one_draw_is_what_it_was() -> None:
    result = measure(steep_flow(), levels(), seed=3)
    assert result.importance_samples == 1
    assert "importance" not in result.parts
    one = measure(steep_flow(), levels(), seed=3, importance_samples=1)
    assert one == result
    assert float(bits(steep_flow(), levels(), 1, seed=3).mean()) == pytest.approx(
        result.bits_per_dim, abs=1e-6
    )


def test_more_draws_give_fewer_bits_on_average() -> None:
    """Strictly, as the gaps of one, two, eight and 64 draws lie far beyond their errors."""
    many = Images(levels().images.repeat(400, 1, 1, 1))
    means = [float(bits(steep_flow(), many, samples).mean()) for samples in (1, 2, 8, 64)]
    assert means == sorted(means, reverse=True)
    assert means[0] - means[1] > 0.1
    assert means[-1] > float(true_bits(many).mean())


def test_many_draws_approach_the_true_value() -> None:
    """Of 300 draws the mean over 200 copies of an image lies within 0.015 bits of the integral."""
    images = levels()
    copies = Images(images.images.repeat_interleave(200, 0))
    found = bits(steep_flow(), copies, 300).reshape(-1, 200).mean(1)
    torch.testing.assert_close(found, true_bits(images), rtol=0, atol=0.015)
    one = bits(steep_flow(), copies, 1).reshape(-1, 200).mean(1)
    assert (one - true_bits(images)).min() > 0.3


def test_by_hand() -> None:
    """ln of the mean of e^0, e^-1 and e^-1000, without an underflow."""
    values = iter([torch.tensor([-1.0, -2000.0]), torch.tensor([-1000.0, -2000.0])])
    found = Draws(3, 0).log_mean(torch.tensor([0.0, -2000.0]), lambda: next(values))
    assert found.dtype == torch.float64
    expected = torch.tensor([math.log((1 + math.exp(-1)) / 3), -2000.0], dtype=torch.float64)
    torch.testing.assert_close(found, expected)


def test_draws_differ_and_are_seeded() -> None:
    first = bits(steep_flow(), levels(), 3, seed=1)
    assert torch.equal(first, bits(steep_flow(), levels(), 3, seed=1))
    assert not torch.equal(first, bits(steep_flow(), levels(), 3, seed=2))
    state = torch.get_rng_state()
    bits(steep_flow(), levels(), 3)
    assert torch.equal(state, torch.get_rng_state())


def test_parts_still_sum_to_the_bits() -> None:
    flow = glow(GlowConfig(shape=(1, 4, 4), grey_levels=256, levels=1, steps=1, width=8))
    images = Images(torch.randint(100, 104, (30, 1, 4, 4), dtype=torch.uint8))
    initialize(flow, images.images)  # to few grey levels: its density changes within a bin
    one = measure(flow, images, batch_size=8)
    several = measure(flow, images, batch_size=8, importance_samples=5)
    assert several.importance_samples == 5
    assert several.parts["importance"] < 0
    assert sum(several.parts.values()) == pytest.approx(several.bits_per_dim, abs=1e-5)
    for part, value in one.parts.items():
        assert several.parts[part] == pytest.approx(value, abs=1e-6)
    of_each = bits(flow, images, 5, batch_size=8)
    assert float(of_each.mean()) == pytest.approx(several.bits_per_dim, abs=1e-5)


def test_sums_over_the_classes_too() -> None:
    config = GlowConfig(
        shape=(1, 4, 4), grey_levels=256, levels=1, steps=1, width=8, conditioning="top", classes=3
    )
    flow = glow(config)
    images = Images(torch.randint(0, 256, (20, 1, 4, 4), dtype=torch.uint8), torch.arange(20) % 3)
    one = measure(flow, images, marginal=True)
    several = measure(flow, images, marginal=True, importance_samples=8)
    assert one.marginal_bits_per_dim is not None
    assert several.marginal_bits_per_dim is not None
    # Untrained labels say nothing, so the mean over classes is the figure given any of them.
    assert several.marginal_bits_per_dim == pytest.approx(several.bits_per_dim, abs=0.02)
    assert several.marginal_bits_per_dim < one.marginal_bits_per_dim


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"^importance_samples: expected at least 1, got 0"):
        measure(steep_flow(), levels(), importance_samples=0)
    exact = Flow(Quantise(4), StandardNormal((1, 1, 1)))
    with pytest.raises(ValueError, match="expected 1 for a flow whose likelihood is exact, got 2"):
        measure(exact, levels(), importance_samples=2)
    with pytest.raises(ValueError, match=r"^batch_size: expected a number from 1, given 0"):
        bits(steep_flow(), levels(), 1, batch_size=0)
