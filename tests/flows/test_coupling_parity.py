"""With copied weights: likelihood, latents and draws of zuko's and nflows' couplings.

nflows divides the raw widths and heights of a spline by the root of the network's width, which our
last layer takes in. zuko's couplings keep the first half or the second, ours every other feature;
its kept half is bent by splines nothing conditions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import nflows.flows
import nflows.nn.nets
import nflows.transforms
import pytest
import torch
import zuko
from torch import Tensor, nn

from lambent.core import Compose, Flow
from lambent.distributions import StandardNormal
from lambent.flows import NSFConfig, nsf
from lambent.nn import MLP, Constant, ResidualMLP
from lambent.transforms import (
    Complement,
    Coupling,
    EveryOther,
    Partition,
    RationalQuadratic,
    ScaleThenShift,
)

from .test_autoregressive_parity import assert_same, randomised

FEATURES, WIDTH, LAYERS, BINS, CONTEXT = 6, 16, 3, 6, 2
SPLINE = 3 * BINS - 1


def bent(flow: Flow) -> list[Coupling]:
    found = [m for m in flow.modules() if isinstance(m, Coupling)]
    return [layer for layer in found if isinstance(layer.elementwise, RationalQuadratic)]


def couplings(flow: Flow) -> list[Coupling]:
    """Those a network conditions."""
    return [layer for layer in bent(flow) if not isinstance(layer.net, Constant)]


def kept_splines(flow: Flow) -> list[Constant]:
    return [m for m in flow.modules() if isinstance(m, Constant)]


def copy(to: Iterable[nn.Module], of: Iterable[nn.Module]) -> None:
    for ours, theirs in zip(to, of, strict=True):
        ours.load_state_dict({name: getattr(theirs, name) for name in ("weight", "bias")})


def splines(form: Any, bound: float, **settings: Any) -> Flow:
    config = NSFConfig(
        form="coupling",
        shape=(FEATURES,),
        transforms=LAYERS,
        bins=BINS,
        width=WIDTH,
        norm="none",
        **settings,
    )
    flow = nsf(config).double()
    for layer in bent(flow):
        layer.elementwise = RationalQuadratic(bins=BINS, bound=bound, form=form)
    return flow


def events() -> Tensor:
    """Some beyond the splines' bounds."""
    return 2.5 * torch.randn(40, FEATURES, dtype=torch.float64)


def test_zuko_splines() -> None:
    theirs = randomised(
        zuko.flows.NSF(
            FEATURES, bins=BINS, passes=2, transforms=LAYERS, hidden_features=(WIDTH, WIDTH)
        )
    )
    flow = splines("bounded", 5.0, kept_splines=True)
    half = FEATURES // 2
    peers = zip(couplings(flow), kept_splines(flow), theirs.transform.transforms, strict=True)
    for i, (layer, alone, peer) in enumerate(peers):
        kept, changed = slice(half), slice(half, None)
        if i % 2:
            kept, changed = changed, kept
        first, second, last = list(peer.hyper)[::2]
        net = layer.net
        assert isinstance(net, MLP)
        bias = last.bias.reshape(FEATURES, SPLINE)
        rows = last.weight.reshape(FEATURES, SPLINE, WIDTH)[changed].flatten(0, 1)
        with torch.no_grad():
            net.hidden[0].weight.copy_(first.weight[:, kept])
            net.hidden[0].bias.copy_(first.bias)
            copy([net.hidden[2]], [second])
            net.last.weight.copy_(rows)
            net.last.bias.copy_(bias[changed].flatten())
            alone.value.copy_(bias[kept].flatten())
        assert first.mask[:, kept].all()
        assert last.mask.reshape(FEATURES, SPLINE, WIDTH)[changed].all()
    order = torch.arange(FEATURES).reshape(half, 2).T.flatten()  # theirs, of our features
    x, z = events(), events()
    assert_same(flow.log_prob(x), theirs().log_prob(x[:, order]))
    assert_same(flow.encode(x)[:, order], theirs().transform(x[:, order]))
    assert_same(flow.decode(z)[:, order], theirs().transform.inv(z[:, order]))


def copy_residual(net: nn.Module, peer: Any) -> None:
    assert isinstance(net, ResidualMLP)
    copy((net.first, net.last), (peer.initial_layer, peer.final_layer))
    for ours, theirs in zip(net.blocks, peer.blocks, strict=True):
        copy((ours.first, ours.second), theirs.linear_layers)  # type: ignore[arg-type]
        if hasattr(theirs, "context_layer"):
            copy((ours.gate,), (theirs.context_layer,))  # type: ignore[arg-type]


def changes(i: int) -> Tensor:
    """nflows' word for the features a coupling changes: the odd ones, then the even ones."""
    return torch.tensor([-1, 1] if i % 2 == 0 else [1, -1]).repeat(FEATURES // 2)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("context_size", [None, CONTEXT])
def test_nflows_splines(*, kept: bool, context_size: int | None) -> None:
    def network(inputs: int, outputs: int) -> nn.Module:
        return nflows.nn.nets.ResidualNet(inputs, outputs, WIDTH, context_features=context_size)

    steps = [
        nflows.transforms.PiecewiseRationalQuadraticCouplingTransform(
            changes(i),
            network,
            num_bins=BINS,
            tails="linear",
            tail_bound=3.0,
            apply_unconditional_transform=kept,
        )
        for i in range(LAYERS)
    ]
    base = nflows.distributions.StandardNormal([FEATURES])
    theirs = randomised(nflows.flows.Flow(nflows.transforms.CompositeTransform(steps), base))
    context = None if context_size is None else torch.randn(40, CONTEXT, dtype=torch.float64)
    flow = splines(
        "released", 3.0, kept_splines=kept, network="residual", context_features=context_size
    )
    sizes = torch.ones(SPLINE, dtype=torch.float64)
    sizes[: 2 * BINS] /= math.sqrt(WIDTH)
    for layer, peer in zip(couplings(flow), steps, strict=True):
        copy_residual(layer.net, peer.transform_net)
        last = layer.net.last
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.weight.mul_(sizes.repeat(FEATURES // 2)[:, None])
            last.bias.mul_(sizes.repeat(FEATURES // 2))
    for alone, peer in zip(kept_splines(flow), steps if kept else [], strict=True):
        own = peer.unconditional_transform
        raw = (own.unnormalized_widths, own.unnormalized_heights, own.unnormalized_derivatives)
        with torch.no_grad():
            alone.value.copy_(torch.cat(raw, -1).flatten())
    x, z = events(), events()
    encoded = theirs._embedding_net(context) if context is not None else None
    assert_same(flow.log_prob(x, context), theirs.log_prob(x, context))
    assert_same(flow.encode(x, context), theirs.transform_to_noise(x, context))
    assert_same(flow.decode(z, context), theirs._transform.inverse(z, encoded)[0])


def test_nflows_realnvp() -> None:
    """Theirs has the shifts first, then the scales; ours has them in turn."""
    theirs = randomised(
        nflows.flows.SimpleRealNVP(FEATURES, WIDTH, num_layers=LAYERS, num_blocks_per_layer=2)
    )
    steps = []
    for i, peer in enumerate(theirs._transform._transforms):
        partition: Partition = Complement(EveryOther()) if i % 2 else EveryOther()
        assert torch.equal(peer.transform_features, torch.arange(FEATURES)[changes(i) > 0])
        net = ResidualMLP(FEATURES // 2, FEATURES, width=WIDTH).double()
        copy_residual(net, peer.transform_net)
        order = torch.arange(FEATURES).reshape(2, -1).T.flatten()
        with torch.no_grad():
            net.last.weight.copy_(net.last.weight[order].clone())
            net.last.bias.copy_(net.last.bias[order].clone())
        steps.append(Coupling(net, ScaleThenShift("sigmoid"), partition))
    flow = Flow(Compose(*steps), StandardNormal((FEATURES,)))
    x, z = events(), events()
    assert_same(flow.log_prob(x), theirs.log_prob(x))
    assert_same(flow.encode(x), theirs.transform_to_noise(x))
    assert_same(flow.decode(z), theirs._transform.inverse(z)[0])
