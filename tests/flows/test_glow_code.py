"""Encoding and decoding: every pixel comes back, in float64 and in float32."""

from __future__ import annotations

import pytest
import torch

from lambent.core import initialize
from lambent.flows import GlowConfig, glow
from lambent.testing import perturbed, pixels
from lambent.transforms import Quantise

FORMS = {
    "bounded": {},
    "released": {"scale": "released", "permutation": "conv"},
    "additive": {"coupling": "additive"},
    "shuffle": {"permutation": "shuffle"},
    "strong": {"conditioning": "strong", "classes": 3},
    "coarse": {"first_squeeze": 4},
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("grey_levels", [256, 32, 17])
@pytest.mark.parametrize("name", FORMS)
def test_decode_returns_every_pixel(name: str, grey_levels: int, dtype: torch.dtype) -> None:
    """Noise in the latent stays below half a bin, so rounding down is safe from the middle."""
    settings = {"shape": (3, 8, 8), "grey_levels": grey_levels, "levels": 2, "steps": 4}
    flow = glow(GlowConfig(**settings | {"width": 16} | FORMS[name]))
    x = pixels()((8, 3, 8, 8))
    labels = torch.arange(8) % 3 if name == "strong" else None
    initialize(flow, x, labels)
    flow = perturbed(flow, 0.02, seed=1).to(dtype)
    z = flow.encode(x, labels)
    decoded = flow.decode(z, labels)
    expected = x
    if grey_levels < 256:
        quantise = Quantise(grey_levels)
        expected = quantise.inverse(quantise(x)[0])[0]
    assert z.dtype == dtype
    assert decoded.dtype == torch.uint8
    assert torch.equal(decoded, expected)
    assert torch.equal(flow.encode(decoded, labels), z)


def test_latent_noise_is_standard_after_initialisation() -> None:
    settings = {"shape": (3, 8, 8), "grey_levels": 256, "levels": 2, "steps": 2, "width": 8}
    flow = glow(GlowConfig(**settings, coupling="additive"))
    x = pixels()((256, 3, 8, 8))
    initialize(flow, x)
    z = flow.encode(x)
    assert z.shape == (256, 192)
    assert z.std().item() == pytest.approx(1.0, abs=0.02)
    assert abs(z.mean().item()) < 0.02


def test_a_line_in_the_latent_ends_at_the_images() -> None:
    settings = {"shape": (1, 8, 8), "grey_levels": 256, "levels": 2, "steps": 2, "width": 8}
    flow = perturbed(glow(GlowConfig(**settings)), 0.05, seed=1)
    a, b = pixels()((2, 1, 8, 8)).split(1)
    za, zb = flow.encode(a), flow.encode(b)
    path = torch.cat([torch.lerp(za, zb, t) for t in (0.0, 0.5, 1.0)])
    images = flow.decode(path)
    assert torch.equal(images[:1], a)
    assert torch.equal(images[2:], b)
    assert not torch.equal(images[1:2], a)
