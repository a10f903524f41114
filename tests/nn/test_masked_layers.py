"""The fused layers under masks are the plain ones."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from lambent import plain
from lambent.nn import MADE
from lambent.nn.masked_layers import Block, column_blocks, row_blocks
from lambent.testing import perturbed


def results(net: MADE, x: Tensor, context: Tensor | None) -> list[Tensor]:
    y = net(x, context)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
    leaves = [t for t in (x, context) if t is not None and t.requires_grad]
    return [y, *torch.autograd.grad((weights * y).sum(), [*leaves, *net.parameters()])]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("context", [None, 3])
@pytest.mark.parametrize(("features", "width"), [(1, 4), (3, 7), (6, 130)])
@pytest.mark.parametrize("wanted", [False, True])
def test_equal(
    activation: Any, context: int | None, features: int, width: int, *, wanted: bool
) -> None:
    torch.manual_seed(0)
    net = MADE(features, 3, width=width, activation=activation, context_features=context)
    net = perturbed(net, 0.5, seed=1).double()
    x = torch.randn(5, features, dtype=torch.float64, requires_grad=wanted)
    given = None if context is None else torch.randn(5, context, dtype=torch.float64)
    if given is not None and wanted:
        given.requires_grad_()
    found = results(net, x, given)
    with plain():
        expected = results(net, x, given)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("context", [None, 2])
def test_gradients_of_gradients(context: int | None) -> None:
    net = perturbed(
        MADE(3, 2, width=5, activation="tanh", context_features=context), 0.5, seed=1
    ).double()
    given = [torch.randn(4, 3, dtype=torch.float64, requires_grad=True)]
    if context is not None:
        given.append(torch.randn(4, context, dtype=torch.float64, requires_grad=True))
    assert torch.autograd.gradgradcheck(net, given)


def test_blocks_leave_out_what_is_zero() -> None:
    mask = torch.ones(256, 256).tril(-3) > 0
    places = (0, 64, 128, 192)
    assert row_blocks(mask) == tuple(Block(k, k + 64, k + 61) for k in places)
    assert sorted(column_blocks(mask)) == [Block(k, k + 64, k + 3) for k in places]
    nothing = torch.zeros(3, 2) > 0
    assert row_blocks(nothing) == (Block(0, 3, 0),)
    assert column_blocks(nothing) == (Block(0, 2, 3),)
    assert row_blocks(mask.to("meta")) == (Block(0, 256, 256),)
