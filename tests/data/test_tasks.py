from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent import seeded
from lambent.data import task_named, to_picture

TASKS = ["superres:2", "superres:4", "colourise", "inpaint", "inpaint:3", "inpaint:3:random"]


def images(n: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, 3, 8, 12), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("name", TASKS)
def test_what_is_given_agrees_with_the_image_and_with_no_other(name: str) -> None:
    task, x = task_named(name), images()
    given = task.context(x)
    assert given.dtype == torch.uint8
    assert given.shape == (5, *task.context_shape((3, 8, 12)))
    assert torch.equal(task.misfit(x, given), torch.zeros(5, dtype=torch.float64))
    assert (task.misfit(x.flip(0)[:2], given[:2]) > 100).all()
    picture = task.picture(given, (3, 8, 12))
    assert picture.shape == x.shape
    assert picture.dtype == torch.uint8


def test_means_are_rounded() -> None:
    x = torch.tensor([[0, 1, 9, 9], [1, 0, 9, 8]], dtype=torch.uint8)[None, None]
    assert task_named("superres:2").context(x).tolist() == [[[[1, 9]]]]  # of 0.5 and 8.75


def test_luma_is_pillows() -> None:
    x = images()
    expected = [torch.tensor(list(to_picture(image).convert("L").tobytes())) for image in x]
    assert torch.equal(task_named("colourise").context(x).flatten(1).long(), torch.stack(expected))


def test_the_square_is_in_the_middle() -> None:
    given = task_named("inpaint:2").context(images())
    hole = given[:, -1] > 0
    assert hole.sum() == 5 * 4
    assert hole[:, 3:5, 5:7].all()
    assert not given[:, :-1][hole[:, None].expand(-1, 3, -1, -1)].any()


def test_the_square_is_half_the_side_if_not_said() -> None:
    assert (task_named("inpaint").context(images())[:, -1] > 0).sum() == 5 * 16


def test_pixels_inside_the_square_do_not_count() -> None:
    task, x = task_named("inpaint:2"), images()
    given = task.context(x)
    other = x.clone()
    other[:, :, 3:5, 5:7] += 1
    assert not task.misfit(other, given).any()
    other[:, :, 0, 0] = x[:, :, 0, 0] ^ 1  # 3 of 3 * 92 known numbers are off by 1
    torch.testing.assert_close(
        task.misfit(other, given), torch.full((5,), 1 / 92, dtype=torch.float64)
    )


def test_random_squares_lie_anywhere_and_follow_the_generator() -> None:
    task, x = task_named("inpaint:2:random"), images(1).expand(2000, -1, -1, -1)
    with seeded(1):
        given = task.context(x)
    with seeded(1):
        assert torch.equal(task.context(x), given)
    with seeded(2):
        assert not torch.equal(task.context(x), given)
    hole = given[:, -1] > 0
    assert (hole.flatten(1).sum(1) == 4).all()
    assert hole.any(0).all()


@pytest.mark.parametrize(
    "name",
    [
        *("", "super", "superres", "superres:1", "superres:0", "superres:x", "superres:2:3"),
        *("superres:²", "colourise:2", "inpaint:0", "inpaint:2:3", "inpaint:random:random"),
        "inpaint:left",
    ],
)
def test_unknown(name: str) -> None:
    with pytest.raises(ValueError, match=f"^task: expected superres:FACTOR .*, got '{name}'$"):
        task_named(name)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("superres:4", (1, 8, 6), "superres:4 expects a height and width that 4 divides"),
        ("colourise", (1, 8, 8), "colourise expects 3 channels, got 1"),
        ("inpaint:8", (1, 8, 9), "inpaint expects a square smaller than the image"),
    ],
)
def test_images_that_do_not_fit(name: str, shape: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^task: {message}"):
        task_named(name).context_shape(shape)
