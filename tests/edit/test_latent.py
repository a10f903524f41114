from __future__ import annotations

import pytest
import torch

from lambent import Flow, GlowConfig, glow, initialize, interpolate, reconstruct
from lambent.core.transform import Transform, sum_event
from lambent.distributions import StandardNormal
from lambent.types import Context, PerSample, X, Z


class Logarithm(Transform):
    """``z = scale ln x``, the scale from the context: straight in z is geometric in x."""

    def _scale(self, x: torch.Tensor, context: Context | None) -> torch.Tensor:
        if context is None:
            return torch.ones_like(x)
        factor = context[0] * context[1] if isinstance(context, tuple) else context
        assert factor.shape == (len(x), 1)
        return factor.expand_as(x)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        scale = self._scale(x, context)
        return scale * x.log(), sum_event((scale / x).log())

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        scale = self._scale(z, context)
        x = (z / scale).exp()
        return x, -sum_event((scale / x).log())


def digits(n: int) -> torch.Tensor:
    """Random images at 17 grey levels."""
    levels = torch.randint(0, 17, (n, 1, 8, 8))
    return ((256 * levels + 16) // 17).to(torch.uint8)


def trained(conditioning: str = "none") -> Flow:
    """A Glow with no parameter at its initial value."""
    flow = glow(
        GlowConfig(
            shape=(1, 8, 8),
            grey_levels=17,
            levels=2,
            steps=2,
            width=8,
            conditioning=conditioning,
            classes=3,
        )
    )
    initialize(flow, digits(64), torch.arange(64) % 3 if conditioning != "none" else None)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return flow.eval()


@pytest.mark.parametrize("conditioning", ["none", "strong"])
def test_reconstructions_are_exact(conditioning: str) -> None:
    flow = trained(conditioning)
    images = digits(50)
    context = torch.arange(50) % 3 if conditioning == "strong" else None
    generator = torch.get_rng_state()
    assert torch.equal(reconstruct(flow, images, context), images)
    assert torch.equal(torch.get_rng_state(), generator)  # nothing was drawn
    off = images + 1  # between two of the 17 levels: goes to the one below
    assert torch.equal(reconstruct(flow, off, context), images)


def test_reconstruction_needs_the_context() -> None:
    with pytest.raises(ValueError, match=r"^context: this flow is conditional"):
        reconstruct(trained("strong"), digits(2))


def test_interpolation_is_straight_in_latent_space() -> None:
    flow = Flow(Logarithm(), StandardNormal((2,)))
    first, last = torch.tensor([1.0, 16.0]), torch.tensor([16.0, 1.0])
    frames = interpolate(flow, first, last, frames=5)
    expected = torch.tensor([[1, 16], [2, 8], [4, 4], [8, 2], [16, 1]]).float()
    torch.testing.assert_close(frames, expected)
    assert not frames.requires_grad


@pytest.mark.parametrize(
    "context", [torch.tensor([[2.0]]), (torch.tensor([[4.0]]), torch.tensor([[0.5]]))]
)
def test_every_frame_has_the_one_context(context: Context) -> None:
    flow = Flow(Logarithm(), StandardNormal((2,)))
    first, last = torch.tensor([1.0, 9.0]), torch.tensor([9.0, 1.0])
    frames = interpolate(flow, first, last, frames=3, context=context)
    torch.testing.assert_close(frames, torch.tensor([[1.0, 9.0], [3.0, 3.0], [9.0, 1.0]]))


@pytest.mark.parametrize("frames", [2, 9])
@pytest.mark.parametrize("conditioning", ["none", "strong"])
def test_ends_are_the_pictures(frames: int, conditioning: str) -> None:
    flow = trained(conditioning)
    first, last = digits(2)
    label = torch.tensor([1]) if conditioning == "strong" else None
    path = interpolate(flow, first, last, frames=frames, context=label)
    assert path.shape == (frames, 1, 8, 8)
    assert path.dtype == torch.uint8
    assert torch.equal(path[0], first)
    assert torch.equal(path[-1], last)
    assert frames == 2 or not torch.equal(path[1], first)


def test_frames_follow_the_line_through_a_glow() -> None:
    """The middle frame is the decoded middle of the two latents."""
    flow = trained()
    first, last = digits(2)
    z = flow.encode(torch.stack((first, last)))
    middle = flow.decode((z[:1] + z[1:]) / 2)
    assert torch.equal(interpolate(flow, first, last, frames=3)[1:2], middle)


@pytest.mark.parametrize("frames", [1, 0, -2])
def test_needs_two_frames(frames: int) -> None:
    flow = Flow(Logarithm(), StandardNormal((1,)))
    with pytest.raises(ValueError, match=rf"^frames: expected at least 2, got {frames}"):
        interpolate(flow, torch.ones(1), torch.ones(1), frames=frames)


def test_draws_nothing() -> None:
    flow = trained()
    first, last = digits(2)
    generator = torch.get_rng_state()
    frames = interpolate(flow, first, last)
    assert torch.equal(torch.get_rng_state(), generator)
    assert torch.equal(interpolate(flow, first, last), frames)
