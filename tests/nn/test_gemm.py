"""3x3 windows gathered and scattered, against torch's own unfolding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.nn.gemm import gather_taps, scatter_taps
from lambent.nn.grid import Grid, blocks, pieces

SIZES = [(2, 3, 4, 5), (1, 1, 1, 1), (3, 2, 1, 4), (1, 4, 3, 1)]


def unfolded(x: Tensor) -> Tensor:
    """The windows of ``(c, b, h, w)``, ``(9 c, b h w)``, by torch."""
    return F.unfold(x.transpose(0, 1), 3, padding=1).transpose(0, 1).flatten(1)


@pytest.mark.parametrize("size", SIZES)
def test_gathers_what_torch_unfolds(size: tuple[int, ...]) -> None:
    x = torch.randn(size, dtype=torch.float64)
    grid, outside = Grid.of(x), 1 - unfolded(torch.ones_like(x[:1]))
    assert torch.equal(gather_taps(x.flatten(1), grid), unfolded(x))
    taps = gather_taps(x.flatten(1), grid, grid.border)
    assert torch.equal(taps, torch.cat((unfolded(x), outside)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("whole", [True, False])
def test_scattering_is_the_adjoint(size: tuple[int, ...], *, whole: bool) -> None:
    x = torch.randn(size, dtype=torch.float64, requires_grad=True)
    taps = torch.randn(9 * size[0], x[0].numel(), dtype=torch.float64)
    (expected,) = torch.autograd.grad(unfolded(x), x, taps)
    start = torch.randn(size[0], 1, *(size[2:] if whole else (1, 1)), dtype=torch.float64)
    grid = Grid.of(x)
    torch.testing.assert_close(scatter_taps(taps.clone(), grid), expected.flatten(1))
    found = scatter_taps(taps, grid, start.flatten(1))
    torch.testing.assert_close(found, (start + expected).flatten(1))


@pytest.mark.parametrize("rows", [1, 5, 12, 30, 1000])
@pytest.mark.parametrize("places", [1, 12, 30, 1000])
def test_pieces_and_their_blocks_cover_every_place_once(rows: int, places: int) -> None:
    grid = Grid.of(torch.zeros(1, 5, 3, 4))
    seen: list[int] = []
    for piece in pieces(grid, places):
        found = list(blocks(piece, rows))
        for block in found:
            at = range(piece.rows.start + block.rows.start, piece.rows.start + block.rows.stop)
            seen += at
            assert block.size <= rows
            assert {place // 12 for place in at} == set(range(5)[block.events])
            assert block.is_first == (at.start == 0)
    assert seen == list(range(60))
