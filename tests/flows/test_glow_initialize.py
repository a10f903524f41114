"""After the first batch: every actnorm standardises it, and the bits are where they should be."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from lambent.core import Flow, initialize, seeded
from lambent.flows import GlowConfig, glow
from lambent.nn import CouplingNet, plain
from lambent.transforms import ActNorm

from ..nn.reference import composition


def smooth_images(count: int, shape: tuple[int, int, int]) -> Tensor:
    """Random images whose pixels are like their neighbours', as those of pictures are."""
    coarse = torch.rand(count, shape[0], 4, 4)
    fine = nn.functional.interpolate(coarse, shape[1:], mode="bicubic")
    noisy = 255 * fine + 6 * torch.randn(fine.shape)
    return noisy.clamp(0, 255).to(torch.uint8)


def settings(**given: object) -> GlowConfig:
    defaults = {"shape": (3, 16, 16), "grey_levels": 256, "levels": 2, "steps": 3, "width": 16}
    return GlowConfig(**defaults | given)


FORMS = {
    "affine": settings(),
    "released": settings(scale="released", permutation="conv"),
    "additive": settings(coupling="additive", permutation="shuffle"),
    "reverse": settings(permutation="reverse", grey_levels=32),
}


def expect_standard(y: Tensor, what: str) -> None:
    """``(n, c)``: mean 0 and second moment 1 for each channel."""
    assert y.mean(0).abs().max() < 1e-5, what
    assert (y.square().mean(0) - 1).abs().max() < 1e-4, what


@pytest.mark.parametrize("name", FORMS)
def test_every_actnorm_standardises_the_first_batch(name: str) -> None:
    flow = glow(FORMS[name]).double()
    x = smooth_images(32, (3, 16, 16))
    with seeded(1):
        initialize(flow, x)
    outputs: dict[str, Tensor] = {}
    inputs: dict[str, Tensor] = {}
    for key, module in flow.named_modules():
        if isinstance(module, ActNorm):
            module.register_forward_hook(lambda _, args, out, k=key: outputs.update({k: out[0]}))
        if isinstance(module, CouplingNet):
            module.register_forward_pre_hook(lambda _, args, k=key: inputs.update({k: args[0]}))
    with torch.no_grad(), seeded(1), plain():
        flow.log_prob(x)
    assert len(outputs) == len(inputs) == 2 * 3
    for key, z in outputs.items():
        expect_standard(z.movedim(1, -1).flatten(0, -2), key)
    for key, a in inputs.items():
        net = flow.get_submodule(key)
        assert isinstance(net, CouplingNet)
        with torch.no_grad():
            _, *hidden = composition(net, a)
            for norm, h in zip(net.norms, hidden, strict=True):
                expect_standard(norm(h).movedim(1, -1).flatten(0, -2), key)


def bits_per_dim(flow: Flow, x: Tensor) -> float:
    with torch.no_grad():
        return -float(flow.log_prob(x).double().mean()) / (x[0].numel() * math.log(2))


@pytest.mark.parametrize("scale", ["bounded", "released"])
@pytest.mark.parametrize("coupling", ["affine", "additive"])
@pytest.mark.parametrize("permutation", ["plu", "conv", "shuffle", "reverse"])
def test_first_bits_are_bounded(scale: str, coupling: str, permutation: str) -> None:
    """Below 9.4 for 8 bits, 5 and a little for 5 bits; a picture is cheaper than noise at once."""
    form = {"scale": scale, "coupling": coupling, "permutation": permutation}
    x, other = smooth_images(32, (3, 16, 16)), smooth_images(32, (3, 16, 16))
    for grey_levels, least, most in ((256, 4.0, 9.4), (32, 1.5, 5.5)):
        flow = glow(settings(grey_levels=grey_levels, **form))
        before = bits_per_dim(flow, other)
        initialize(flow, x)
        after = bits_per_dim(flow, other)
        assert least < after < most
        assert after < before


def test_noise_costs_what_a_normal_of_its_variance_says() -> None:
    """Of uniform images an initialised additive Glow knows the variance alone."""
    x = torch.randint(0, 256, (64, 3, 16, 16), dtype=torch.uint8)
    flow = glow(settings(coupling="additive", steps=1, levels=1))
    initialize(flow, x)
    expected = 8 + 0.5 * math.log2(2 * math.pi * math.e / 12)
    assert bits_per_dim(flow, x) == pytest.approx(expected, abs=0.005)


def test_initialised_flow_draws_images_like_the_batch() -> None:
    x = smooth_images(64, (3, 16, 16))
    flow = glow(settings(coupling="additive"))
    initialize(flow, x)
    drawn = flow.sample(64).double()
    assert drawn.mean().item() == pytest.approx(x.double().mean().item(), abs=8)
    assert drawn.std().item() == pytest.approx(x.double().std().item(), rel=0.2)
