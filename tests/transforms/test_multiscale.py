"""Several scales: the order of the latent, and what is refused."""

from __future__ import annotations

import pytest
import torch

from lambent.core import Compose, Flow, trace
from lambent.distributions import StandardNormal
from lambent.testing import pixels
from lambent.transforms import ActNorm, Dequantise, MultiScale, Quantise, Rescale, Squeeze


def plain() -> MultiScale:
    """Three levels that only squeeze."""
    return MultiScale(*(Compose(Squeeze()) for _ in range(3)), shape=(1, 8, 8))


def test_latent_is_what_left_each_level_finest_first() -> None:
    transform = plain()
    x = torch.randn(2, 1, 8, 8)
    one = Squeeze()(x)[0]
    two = Squeeze()(one[:, :2])[0]
    three = Squeeze()(two[:, :4])[0]
    z, value = transform(x)
    expected = [one[:, 2:], two[:, 4:], three]
    assert torch.equal(z, torch.cat([part.flatten(1) for part in expected], 1))
    for part, right in zip(transform.latents(z), expected, strict=True):
        assert torch.equal(part, right)
    assert not value.any()
    assert transform.latent_shapes == ((2, 4, 4), (4, 2, 2), (16, 1, 1))


def test_odd_channels_leave_the_larger_half() -> None:
    transform = MultiScale(ActNorm(5), ActNorm(2), ActNorm(1), shape=(5, 1, 2))
    assert transform.latent_shapes == ((3, 1, 2), (1, 1, 2), (1, 1, 2))


def test_latent_has_the_size_of_the_event() -> None:
    transform = plain()
    assert transform.forward_shape((1, 8, 8)) == (64,)
    assert transform.inverse_shape((64,)) == (1, 8, 8)


def test_levels_must_be_bijections() -> None:
    with pytest.raises(ValueError, match="expected bijections, got Dequantise"):
        MultiScale(Squeeze(), Dequantise(), shape=(1, 4, 4))
    with pytest.raises(ValueError, match="expected bijections, got Quantise"):
        MultiScale(Quantise(4), shape=(1, 4, 4))


def test_flags_follow_the_levels() -> None:
    class Slow(Rescale):
        cheap_inverse = False
        compiles = False

    assert plain().cheap_inverse
    assert plain().compiles
    mixed = MultiScale(Squeeze(), Slow(2.0), shape=(1, 4, 4))
    assert not mixed.cheap_inverse
    assert not mixed.compiles


def test_flow_over_pixels_returns_pixels() -> None:
    transform = Compose(Dequantise(), Rescale(1 / 256, shift=-128.0), scales=plain())
    flow = Flow(transform, StandardNormal((64,)))
    x = pixels()((3, 1, 8, 8))
    assert flow.event_shape == (1, 8, 8)
    assert torch.equal(flow.decode(flow.encode(x)), x)
    paths = [entry.path for entry in trace(flow, x)]
    assert paths == ["0", "1", "scales.level0.0", "scales.level1.0", "scales.level2.0", "base"]
