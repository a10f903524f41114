from __future__ import annotations

import pytest
import torch

from lambent.data import Images

PIXELS = torch.arange(6 * 1 * 2 * 3, dtype=torch.uint8).view(6, 1, 2, 3)
LABELS = torch.tensor([0, 1, 2, 0, 1, 1])


def make(**changes: object) -> Images:
    arguments = {"images": PIXELS, "labels": LABELS, "class_names": ("a", "b", "c", "d")}
    return Images(**{**arguments, **changes})  # type: ignore[arg-type]


def test_facts() -> None:
    images = make(grey_levels=17, name="set")
    assert len(images) == 6
    assert images.shape == (1, 2, 3)
    assert images.classes == 4  # as many as names, though the last has no image
    assert images.facts() == {"shape": (1, 2, 3), "grey_levels": 17, "classes": 4}
    assert "'set'" in repr(images)


def test_classes_without_names_or_labels() -> None:
    assert make(class_names=None).classes == 3
    assert make(labels=None, class_names=None).classes is None


@pytest.mark.parametrize(
    "index",
    [2, -1, slice(1, 4), torch.tensor([5, 0, 0]), torch.tensor([True, False] * 3)],
    ids=["number", "negative", "slice", "numbers", "mask"],
)
def test_index(index: int | slice | torch.Tensor) -> None:
    x, y = make()[index]
    assert torch.equal(x, PIXELS[index])
    assert y is not None
    assert torch.equal(y, LABELS[index])
    assert make(labels=None, class_names=None)[index][1] is None


def test_iteration_ends() -> None:
    seen = [x for x, _ in make()]  # type: ignore[attr-defined]
    assert torch.equal(torch.stack(seen), PIXELS)
    with pytest.raises(IndexError):
        make()[6]


def test_subset_keeps_the_facts() -> None:
    images = make(grey_levels=17, name="set")
    part = images.subset(torch.tensor([3, 0]))
    assert torch.equal(part.images, PIXELS[[3, 0]])
    assert part.labels is not None
    assert part.labels.tolist() == [0, 0]
    assert part.facts() == images.facts()
    assert part.name == "set"
    with pytest.raises(ValueError, match="non-empty"):
        images.subset(slice(0, 0))


def test_quantised_pixels_are_the_smallest_of_their_level() -> None:
    every = Images(
        torch.arange(256, dtype=torch.uint8).reshape(256, 1, 1, 1), torch.zeros(256).long()
    )
    four = every.quantised(4)
    assert four.images.unique().tolist() == [0, 64, 128, 192]
    assert four.images.flatten()[[63, 64, 255]].tolist() == [0, 64, 192]
    assert (four.grey_levels, four.classes) == (4, 1)
    assert torch.equal(four.quantised(4).images, four.images)
    assert torch.equal(every.quantised(256).images, every.images)
    seventeen = every.quantised(17)
    assert seventeen.images.unique().tolist() == [-(-256 * v // 17) for v in range(17)]
    with pytest.raises(ValueError, match="grey_levels: expected 2 to 256, given 0"):
        every.quantised(0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": PIXELS.float()}, r"^images: .*uint8.*given torch.float32"),
        ({"images": PIXELS[:, 0]}, r"^images: .*given torch.uint8 \(6, 2, 3\)"),
        ({"images": PIXELS[:0]}, r"^images: expected a non-empty"),
        ({"grey_levels": 1}, r"^grey_levels: expected 2 to 256, given 1"),
        ({"grey_levels": 257}, r"^grey_levels: .*given 257"),
        ({"labels": LABELS[:5]}, r"^labels: .*\(6,\), given torch.int64 \(5,\)"),
        ({"labels": LABELS.int()}, r"^labels: expected an int64"),
        ({"labels": LABELS - 1}, r"^labels: expected classes from 0, given -1"),
        ({"class_names": ("a", "b")}, r"^class_names: expected at least 3 names, given 2"),
        ({"labels": None}, r"^class_names: expected None"),
    ],
)
def test_arguments_are_checked(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)
