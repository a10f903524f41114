"""3x3 windows gathered and scattered, against torch's own unfolding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.nn.gemm import Grid, gather_taps, scatter_taps

SIZES = [(2, 3, 4, 5), (1, 1, 1, 1), (3, 2, 1, 4), (1, 4, 3, 1)]


def unfolded(x: Tensor) -> Tensor:
    """The windows of ``(c, b, h, w)``, ``(9 c, b h w)``, by torch."""
    return F.unfold(x.transpose(0, 1), 3, padding=1).transpose(0, 1).flatten(1)


@pytest.mark.parametrize("size", SIZES)
def test_gathers_what_torch_unfolds(size: tuple[int, ...]) -> None:
    x = torch.randn(size, dtype=torch.float64)
    grid = Grid.of(x)
    assert torch.equal(gather_taps(x.flatten(1), grid), unfolded(x))
    taps = gather_taps(x.flatten(1), grid, grid.fixed)
    assert torch.equal(taps[:-10], unfolded(x))
    assert torch.equal(taps[-10:-1], 1 - unfolded(torch.ones_like(x[:1])))
    assert torch.equal(taps[-1], torch.ones_like(taps[-1]))


@pytest.mark.parametrize("size", SIZES)
def test_scattering_is_the_adjoint(size: tuple[int, ...]) -> None:
    x = torch.randn(size, dtype=torch.float64, requires_grad=True)
    taps = torch.randn(9 * size[0], x[0].numel(), dtype=torch.float64)
    (expected,) = torch.autograd.grad(unfolded(x), x, taps)
    start = torch.randn_like(x).flatten(1)
    grid = Grid.of(x)
    torch.testing.assert_close(scatter_taps(taps.clone(), grid), expected.flatten(1))
    found = scatter_taps(taps, grid, start)
    torch.testing.assert_close(found, start + expected.flatten(1))


def test_part_of_a_grid_is_that_of_fewer_pictures() -> None:
    x = torch.randn(2, 5, 3, 4)
    part, fewer = Grid.of(x).part(2), Grid.of(x[:, :2])
    assert part[:3] == fewer[:3]
    assert torch.equal(part.inside, fewer.inside)
    assert torch.equal(part.fixed, fewer.fixed)
