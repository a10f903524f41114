from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader

from lambent.data import Images, ShuffledBatches, batches

IMAGES = Images(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), torch.arange(10))


def epoch(sampler: ShuffledBatches, number: int) -> list[list[int]]:
    sampler.set_epoch(number)
    return [batch.tolist() for batch in sampler]


@pytest.mark.parametrize(
    ("size", "batch_size", "drop_last", "sizes"),
    [
        (10, 4, True, [4, 4]),
        (10, 4, False, [4, 4, 2]),
        (8, 4, True, [4, 4]),
        (8, 4, False, [4, 4]),
        (3, 4, True, [3]),
        (3, 4, False, [3]),
    ],
)
def test_sizes(size: int, batch_size: int, drop_last: bool, sizes: list[int]) -> None:  # noqa: FBT001
    sampler = ShuffledBatches(size, batch_size, seed=0, drop_last=drop_last)
    assert len(sampler) == len(sizes)
    found = epoch(sampler, 0)
    assert [len(batch) for batch in found] == sizes
    flat = [index for batch in found for index in batch]
    assert len(set(flat)) == len(flat)
    assert set(flat) <= set(range(size))


def test_depends_on_seed_and_epoch_alone() -> None:
    first = ShuffledBatches(100, 10, seed=3)
    kept = [epoch(first, number) for number in range(3)]
    torch.manual_seed(5)
    resumed = ShuffledBatches(100, 10, seed=3)
    assert epoch(resumed, 2) == kept[2]
    assert epoch(resumed, 1) == kept[1]
    assert kept[0] != kept[1]
    assert epoch(ShuffledBatches(100, 10, seed=4), 0) != kept[0]
    # (seed, epoch) = (3, 4) and (4, 3) are different orders
    assert epoch(first, 4) != epoch(ShuffledBatches(100, 10, seed=4), 3)


def test_dropped_images_change_from_epoch_to_epoch() -> None:
    sampler = ShuffledBatches(10, 9, seed=0)
    assert len({frozenset(epoch(sampler, number)[0]) for number in range(20)}) > 5


def test_in_a_data_loader() -> None:
    sampler = ShuffledBatches(len(IMAGES), 4, seed=0)
    sampler.set_epoch(1)
    expected = list(sampler)
    loader = DataLoader(IMAGES, sampler=sampler, batch_size=None)
    for (x, y), index in zip(loader, expected, strict=True):
        assert torch.equal(y, index)
        assert torch.equal(x.flatten().long(), index)


@pytest.mark.parametrize(
    "bad", [{"size": 0}, {"batch_size": 0}, {"seed": -1}], ids=lambda bad: next(iter(bad))
)
def test_sampler_arguments(bad: dict[str, int]) -> None:
    (name,) = bad
    with pytest.raises(ValueError, match=rf"^{name}: expected"):
        ShuffledBatches(*{"size": 10, "batch_size": 2, "seed": 0, **bad}.values())
    with pytest.raises(ValueError, match=r"^epoch: expected"):
        ShuffledBatches(10, 2, seed=0).set_epoch(-1)


def test_batches_in_order() -> None:
    found = list(batches(IMAGES, 4))
    assert [len(x) for x, _ in found] == [4, 4, 2]
    assert torch.cat([x for x, _ in found]).equal(IMAGES.images)
    assert torch.cat([y for _, y in found if y is not None]).equal(torch.arange(10))
    unlabelled = Images(IMAGES.images)
    assert [y for _, y in batches(unlabelled, 6)] == [None, None]
    with pytest.raises(ValueError, match=r"^batch_size: expected"):
        list(batches(IMAGES, 0))
