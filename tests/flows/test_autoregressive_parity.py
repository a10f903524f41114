"""With copied weights: likelihood, latents and draws of zuko's and nflows' autoregressive flows.

Their hidden units have degrees 1 to d - 1 in turn, ours the same degrees sorted. nflows puts the
scale before the shift.
"""

from __future__ import annotations

from typing import Any

import nflows.flows
import nflows.transforms
import pytest
import torch
import zuko
from torch import Tensor, nn

from lambent.core import Flow
from lambent.flows import MAFConfig, NSFConfig, maf, nsf
from lambent.nn import MADE
from lambent.transforms import Autoregressive, Elementwise, RationalQuadratic, ScaleThenShift

FEATURES, WIDTH, LAYERS, BINS = 5, 18, 3, 6
SIZES: dict[str, Any] = {"shape": (FEATURES,), "transforms": LAYERS, "width": WIDTH, "norm": "none"}


def assert_same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def layers_of(flow: Flow) -> list[Autoregressive]:
    return [m for m in flow.modules() if isinstance(m, Autoregressive)]


def copy_network(
    to: Autoregressive, linears: list[Any], *, backwards: bool = False, swapped: bool = False
) -> None:
    """Three masked linear maps into a network.

    ``backwards``: their features count down; ``swapped``: their parameters of a feature do.
    """
    net = to.net
    assert isinstance(net, MADE)
    order = torch.arange(FEATURES).flip(0) if backwards else torch.arange(FEATURES)
    units = linears[0].mask.sum(1).argsort(stable=True)
    first, second, last = linears
    with torch.no_grad():
        for ours, theirs, columns in (
            (net.hidden[0], first, order),
            (net.hidden[1], second, units),
        ):
            assert isinstance(ours, nn.Linear)
            ours.weight.copy_(theirs.weight[units][:, columns])
            ours.bias.copy_(theirs.bias[units])
        rows = torch.arange(FEATURES * net.params).reshape(FEATURES, -1)[order]
        rows = (rows.flip(1) if swapped else rows).reshape(-1)
        net.last.weight.copy_(last.weight[rows][:, units])
        net.last.bias.copy_(last.bias[rows])
    masks = ((net.mask0, first, units, order), (net.mask1, second, units, units))
    for mask, theirs, kept, columns in (*masks, (net.mask_last, last, rows, units)):
        assert torch.equal(mask.bool(), theirs.mask.bool()[kept][:, columns])  # type: ignore[operator]


def ours(kind: str, elementwise: Elementwise) -> Flow:
    flow = maf(MAFConfig(**SIZES)) if kind == "maf" else nsf(NSFConfig(**SIZES, bins=BINS))
    for layer in layers_of(flow):
        layer.elementwise = elementwise
    return flow.double()


def randomised(module: nn.Module) -> Any:
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.4)
    return module.double()


def events() -> Tensor:
    """Some beyond the splines' bounds."""
    return 2.5 * torch.randn(40, FEATURES, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["maf", "nsf"])
def test_zuko(kind: str) -> None:
    sizes: dict[str, Any] = {"transforms": LAYERS, "hidden_features": (WIDTH, WIDTH)}
    if kind == "maf":
        theirs = randomised(zuko.flows.MAF(FEATURES, **sizes))
        flow = ours(kind, ScaleThenShift("clipped"))
    else:
        theirs = randomised(zuko.flows.NSF(FEATURES, bins=BINS, **sizes))
        flow = ours(kind, RationalQuadratic(bins=BINS, bound=5.0, form="bounded"))
    for i, (layer, peer) in enumerate(
        zip(layers_of(flow), theirs.transform.transforms, strict=True)
    ):
        copy_network(layer, list(peer.hyper)[::2], backwards=i % 2 == 1)
    x, z = events(), events()
    assert_same(flow.log_prob(x), theirs().log_prob(x))
    assert_same(flow.encode(x), theirs().transform(x))
    assert_same(flow.decode(z), theirs().transform.inv(z))


@pytest.mark.parametrize("kind", ["maf", "nsf"])
def test_nflows(kind: str) -> None:
    """Theirs reverses the features before the first layer too."""
    if kind == "maf":
        theirs = nflows.flows.MaskedAutoregressiveFlow(
            FEATURES, WIDTH, LAYERS, num_blocks_per_layer=1, use_residual_blocks=False
        )
        flow = ours(kind, ScaleThenShift("softplus"))
    else:
        steps = []
        for _ in range(LAYERS):
            spline = nflows.transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
                FEATURES,
                WIDTH,
                num_bins=BINS,
                tails="linear",
                tail_bound=3.0,
                num_blocks=1,
                use_residual_blocks=False,
            )
            steps += [nflows.transforms.ReversePermutation(FEATURES), spline]
        base = nflows.distributions.StandardNormal([FEATURES])
        theirs = nflows.flows.Flow(nflows.transforms.CompositeTransform(steps), base)
        flow = ours(kind, RationalQuadratic(bins=BINS, bound=3.0, form="released"))
    randomised(theirs)
    for layer, peer in zip(layers_of(flow), theirs._transform._transforms[1::2], strict=True):
        net = peer.autoregressive_net
        linears = [net.initial_layer, net.blocks[0].linear, net.final_layer]
        copy_network(layer, linears, swapped=kind == "maf")
    x, z = events(), events()
    assert_same(flow.log_prob(x.flip(1)), theirs.log_prob(x))
    assert_same(flow.encode(x.flip(1)), theirs.transform_to_noise(x))
    assert_same(flow.decode(z).flip(1), theirs._transform.inverse(z)[0])
