"""With copied weights: likelihood, latents and every gradient of normflows' Glow.

normflows goes from latents to data, so its ``inverse`` is our ``forward``, its steps come in the
opposite order, and its shifts are subtracted where ours are added. Each of our parameters is one of
theirs times constants; a gradient is theirs over those constants.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Literal

import normflows
import pytest
import torch
from normflows.flows import GlowBlock
from torch import Tensor, nn

from lambent.core import Compose, Flow
from lambent.distributions import StandardNormal
from lambent.flows import GlowConfig, glow
from lambent.nn import CouplingNet, plain
from lambent.transforms import (
    ActNorm,
    Affine,
    Coupling,
    InvertibleConv1x1,
    MultiScale,
    PLUConv1x1,
    SigmoidAffine,
    Squeeze,
)

# normflows builds its factors with an old call of torch.
pytestmark = pytest.mark.filterwarnings("ignore:torch.lu is deprecated:UserWarning")

Path = Callable[[], AbstractContextManager[None]]
PATHS: dict[str, Path] = {"fast": contextlib.nullcontext, "plain": plain}
TOLERANCE = 1e-9
WIDTH = 16

Triple = tuple[str, nn.Parameter, Tensor | float]


def assert_same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def theirs(channels: int, *, scale_map: str, mix: str) -> GlowBlock:
    """One of their blocks, with no parameter at its initial value."""
    block = GlowBlock(channels, WIDTH, scale_map=scale_map, use_lu=mix == "plu").double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter += 0.15 * torch.randn_like(parameter)
    block.flows[-1].data_dep_init_done.fill_(1)
    return block


def triples(block: GlowBlock, scale_map: str) -> Iterator[Triple]:
    """Our parameter, theirs, and the constants between: ours = constants * theirs."""
    coupling, mix, actnorm = block.flows
    yield "actnorm.affine.bias", actnorm.t, -1.0
    yield "actnorm.affine.raw_log_scale", actnorm.s, -1 / 3  # ours has the factor 3
    if mix.use_lu:
        yield "mix.lower", mix.L, torch.ones_like(mix.L).tril(-1)
        yield "mix.upper", mix.U, torch.ones_like(mix.U).triu(1)
        yield "mix.log_scale", mix.log_S, 1.0
    else:
        yield "mix.matrix", mix.W, 1.0
    first, _, second, _, last = coupling.flows[1].param_map.net
    yield "coupling.net.first.weight", first.weight, 1.0
    yield "coupling.net.first.bias", first.bias, 1.0
    yield "coupling.net.second.weight", second.weight, 1.0
    yield "coupling.net.second.bias", second.bias, 1.0
    # Shifts and scales take turns. Theirs: (z - t) sigmoid(s + 2), or (z - t) exp(-s).
    sign = torch.ones_like(last.bias)
    sign[0::2] = -1.0
    if scale_map == "exp":
        sign[1::2] = -1.0
    yield "coupling.net.last.conv.weight", last.weight, sign[:, None, None, None]
    yield "coupling.net.last.conv.bias", last.bias, sign


def copy(block: GlowBlock, step: nn.Module, scale_map: str) -> None:
    """Their weights into one of our steps."""
    state = step.state_dict()
    for name, parameter, constants in triples(block, scale_map):
        state[name] = (parameter.detach() * constants).reshape(state[name].shape)
    mix = block.flows[1]
    if mix.use_lu:
        state |= {"mix.permutation": mix.P, "mix.sign": mix.sign_S}
    state["actnorm.affine.initialized"] = torch.tensor(True)
    step.load_state_dict(state)


def check_gradients(block: GlowBlock, step: nn.Module, scale_map: str) -> None:
    """Every parameter of the step; each gradient is more than rounding."""
    ours = dict(step.named_parameters())
    for name, parameter, constants in triples(block, scale_map):
        found, expected = ours.pop(name).grad, parameter.grad
        assert found is not None
        assert expected is not None
        assert expected.abs().max() > 1e-3, name
        back = torch.as_tensor(constants, dtype=torch.float64)
        back = torch.where(back == 0, 0.0, 1 / back)  # 0 where a triangle is never read
        assert_same(found, (expected * back).reshape(found.shape))
    # Theirs has no scale on the network's output; by the chain rule it is sum W dW + b db, thrice.
    scale = ours.pop("coupling.net.last.raw_log_scale").grad
    last = block.flows[0].flows[1].param_map.net[-1]
    assert scale is not None
    expected = (last.weight * last.weight.grad).sum((1, 2, 3)) + last.bias * last.bias.grad
    assert_same(scale, 3 * expected.detach())
    assert not ours


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("mix", ["plu", "conv"])
@pytest.mark.parametrize("scale_map", ["sigmoid", "exp"])
def test_stack_of_blocks(scale_map: str, mix: str, path: Path) -> None:
    """Four blocks at one level."""
    channels, steps = 6, 4
    shape = (channels, 5, 4)
    blocks = [theirs(channels, scale_map=scale_map, mix=mix) for _ in range(steps)]
    base = normflows.distributions.DiagGaussian(shape, trainable=False)
    other = normflows.NormalizingFlow(base, blocks).double()
    elementwise = SigmoidAffine() if scale_map == "sigmoid" else Affine(None)
    stack = Compose(
        **{
            f"step{k}": Compose(
                actnorm=ActNorm(channels),
                mix=PLUConv1x1(channels) if mix == "plu" else InvertibleConv1x1(channels),
                coupling=Coupling(
                    CouplingNet(3, channels, width=WIDTH, norm="bias", border=False), elementwise
                ),
            )
            for k in range(steps)
        }
    )
    flow = Flow(stack, StandardNormal(shape)).double()
    pairs = [(blocks[-1 - k], stack[f"step{k}"]) for k in range(steps)]
    for block, step in pairs:
        copy(block, step, scale_map)

    x = torch.randn(3, *shape, dtype=torch.float64)
    expected = other.log_prob(x)
    with path():
        assert_same(flow.encode(x), other.inverse(x))
        assert_same(flow.decode(flow.encode(x)), x)
        log_prob = flow.log_prob(x)
        assert_same(log_prob, expected)
        (-log_prob.mean()).backward()
    expected.mean().neg().backward()
    for block, step in pairs:
        check_gradients(block, step, scale_map)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("mix", ["plu", "conv"])
def test_several_scales(mix: Literal["plu", "conv"], path: Path) -> None:
    """A Glow as the family builds it, with split priors that do nothing, as normflows has none."""
    levels, steps, shape = 3, 3, (1, 16, 8)
    config = GlowConfig(
        shape=shape,
        grey_levels=256,
        levels=levels,
        steps=steps,
        width=WIDTH,
        permutation=mix,
        scale="released",
        norm="bias",
        border=False,
        learn_top=False,
    )
    built = glow(config)
    assert isinstance(built.transform, Compose)
    scales = built.transform["scales"]
    assert isinstance(scales, MultiScale)
    flow = Flow(scales, StandardNormal((128,))).double()
    parts: list[list[nn.Module]] = []
    bases: list[nn.Module] = []
    pairs: list[tuple[GlowBlock, nn.Module]] = []
    for i in range(levels):
        level = scales.levels[i]
        assert isinstance(level, Compose)
        channels, height, width = 4 * 2**i, 8 >> i, 4 >> i
        blocks = [theirs(channels, scale_map="sigmoid", mix=mix) for _ in range(steps)]
        pairs += [(blocks[-1 - k], level[f"step{k}"]) for k in range(steps)]
        parts.insert(0, [*blocks, normflows.flows.Squeeze()])
        leaves = channels if i + 1 == levels else channels // 2
        size = (leaves, height, width)
        bases.insert(0, normflows.distributions.DiagGaussian(size, trainable=False))
    merges = [normflows.flows.Merge() for _ in range(levels - 1)]
    other = normflows.MultiscaleFlow(bases, parts, merges, class_cond=False).double()
    for block, step in pairs:
        copy(block, step, "sigmoid")

    x = torch.randn(3, *shape, dtype=torch.float64)
    expected = other.log_prob(x, None)
    latents = other.inverse_and_log_det(x)[0]
    with path():
        z = flow.encode(x)
        assert_same(z, torch.cat([part.flatten(1) for part in reversed(latents)], 1))
        assert_same(flow.decode(z), x)
        log_prob = flow.log_prob(x)
        assert_same(log_prob, expected)
        (-log_prob.mean()).backward()
    expected.mean().neg().backward()
    for block, step in pairs:
        check_gradients(block, step, "sigmoid")


def test_squeeze_orders_channels_alike() -> None:
    x = torch.randn(2, 3, 4, 6)
    assert torch.equal(Squeeze().forward(x)[0], normflows.flows.Squeeze().inverse(x)[0])
