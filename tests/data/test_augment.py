from __future__ import annotations

import pytest
import torch

from lambent.data import Images, Windows
from lambent.data.augment import STEPS


@pytest.fixture
def numbered() -> Images:
    """Five images of 2 x 6 x 7 whose pixels are all different within a channel."""
    pixels = torch.arange(42, dtype=torch.uint8).reshape(1, 1, 6, 7)
    images = (pixels + torch.tensor([0, 100], dtype=torch.uint8).reshape(1, 2, 1, 1)).repeat(
        5, 1, 1, 1
    )
    return Images(images + torch.arange(5, dtype=torch.uint8).reshape(5, 1, 1, 1), torch.arange(5))


def test_reads_the_windows_it_is_told_to(numbered: Images) -> None:
    windows = Windows(numbered, (4, 3))
    third, fifth = STEPS // 3, STEPS // 5
    assert windows.shape == (2, 4, 3)
    assert len(windows) == 5
    reads = torch.tensor([[3, third + 1, 2 * fifth + 5, 0], [0, STEPS - 1, STEPS - 1, 1]])
    x, y = windows[reads]
    assert y is not None
    assert y.tolist() == [3, 0]
    assert torch.equal(x[0], numbered.images[3, :, 1:5, 2:5])
    assert torch.equal(x[1], numbered.images[0, :, 2:6, 4:7].flip(-1))


def test_repeats_the_border(numbered: Images) -> None:
    x, _ = Windows(numbered, (6, 7), 0.5)[torch.tensor([[0, STEPS // 7 + 1, STEPS - 1, 0]])]
    image = numbered.images[0]
    assert torch.equal(x[0, :, 2:, :4], image[:, :4, 3:])
    assert torch.equal(x[0, :, :2], x[0, :, 2:3].expand(-1, 2, -1))
    assert torch.equal(x[0, :, :, 4:], x[0, :, :, 3:4].expand(-1, -1, 3))


def test_centres(numbered: Images) -> None:
    windows = Windows(numbered, (4, 4))
    x, _ = windows[windows.centres(torch.tensor([4, 1]))]
    assert torch.equal(x, numbered.images[[4, 1], :, 1:5, 1:5])


def test_draws_every_place_as_often() -> None:
    """Of 60 pixels each has its own value, so the corner tells where a window lies."""
    pixels = torch.arange(60, dtype=torch.uint8).reshape(1, 1, 6, 10)
    windows = Windows(Images(pixels), (5, 10), 0.1)
    index = torch.zeros(40_000, dtype=torch.int64)
    reads = windows.anywhere(index, (0, 1), flip=True)
    reads[:, 3], mirrored = 0, reads[:, 3].clone()
    corners = windows[reads][0][:, 0, 0].long()
    left = corners[:, 1] % 10 - 1  # -1, 0 or 1; the border repeats at the first column
    for draws, places in (
        (corners[:, 0] // 10, {0, 1}),
        (left, {-1, 0, 1}),
        (mirrored, {0, 1}),
    ):
        values, counts = draws.unique(return_counts=True)
        assert set(values.tolist()) == places
        expected = len(index) / len(places)
        deviation = (expected * (1 - 1 / len(places))) ** 0.5
        assert (counts - expected).abs().max() < 4 * deviation


def test_draws_by_the_key_alone(numbered: Images) -> None:
    windows = Windows(numbered, (6, 7))
    index = torch.arange(5).repeat(20)
    first = windows.anywhere(index, (3, 1, 4), flip=True)
    torch.rand(3)
    assert torch.equal(windows.anywhere(index, (3, 1, 4), flip=True), first)
    assert not torch.equal(windows.anywhere(index, (3, 1, 5), flip=True), first)
    still = windows[windows.anywhere(index, (3, 1, 4), flip=False)][0]
    assert torch.equal(still, windows[windows.centres(index)][0])


def test_refuses_windows_larger_than_the_images(numbered: Images) -> None:
    with pytest.raises(ValueError, match=r"^size: .* at most \(6, 7\), given \(6, 8\)"):
        Windows(numbered, (6, 8))
