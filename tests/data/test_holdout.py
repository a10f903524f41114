from __future__ import annotations

import pytest
import torch

from lambent.data import Images, hold_out

IMAGES = Images(
    torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1), torch.arange(20), grey_levels=17
)


def test_parts_are_everything_once_and_in_order() -> None:
    kept, held_out = hold_out(IMAGES, 0.25, seed=0)
    assert (len(kept), len(held_out)) == (15, 5)
    tags = [part.images.flatten().tolist() for part in (kept, held_out)]
    assert sorted(tags[0] + tags[1]) == list(range(20))
    assert tags == [sorted(part) for part in tags]
    for part, expected in zip((kept, held_out), tags, strict=True):
        assert part.labels is not None
        assert part.labels.tolist() == expected
        assert part.grey_levels == 17


def test_depends_on_the_seed_alone() -> None:
    chosen = [hold_out(IMAGES, 0.25, seed)[1].images.flatten().tolist() for seed in (0, 1, 0)]
    assert chosen[0] == chosen[2] != chosen[1]


def test_at_least_one_on_either_side() -> None:
    for fraction, sizes in ((0.001, (19, 1)), (0.999, (1, 19))):
        assert tuple(len(part) for part in hold_out(IMAGES, fraction, seed=0)) == sizes


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1])
def test_arguments(fraction: float) -> None:
    with pytest.raises(ValueError, match=r"^fraction: expected"):
        hold_out(IMAGES, fraction, seed=0)
    with pytest.raises(ValueError, match=r"^images: expected at least 2"):
        hold_out(IMAGES.subset(slice(0, 1)), 0.5, seed=0)
