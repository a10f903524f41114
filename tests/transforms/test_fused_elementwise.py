"""Elementwise maps in one step of autograd: the same values, first and second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent import plain
from lambent.transforms import Additive, Affine, Elementwise, SigmoidAffine
from lambent.transforms.fused_elementwise import fused_forward

MAPS = [Additive(), Affine(), Affine(bound=None), SigmoidAffine()]


def given(g: Elementwise) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    return x, torch.randn(4 * g.num_params, 3, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("g", MAPS, ids=str)
def test_equal(g: Elementwise) -> None:
    def results() -> list[Tensor]:
        x, flat = given(g)
        y, log = fused_forward(g, x, flat.T.unflatten(1, (4, -1)))
        return [y, log, *torch.autograd.grad((y.sin() + y * log).sum(), (x, flat))]

    found = results()
    with plain():
        expected = results()
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("g", MAPS, ids=str)
def test_gradients_of_gradients(g: Elementwise) -> None:
    def run(x: Tensor, flat: Tensor) -> Tensor:
        y, log = fused_forward(g, x, flat.T.unflatten(1, (4, -1)))
        return y.sin() + log

    assert torch.autograd.gradgradcheck(run, given(g))
