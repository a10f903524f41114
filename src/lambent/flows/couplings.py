"""Couplings whose two parts change roles from one to the next, of vectors and of images."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from lambent.core.transform import Transform
from lambent.nn import Chequered
from lambent.transforms import (
    Checkerboard,
    Complement,
    Coupling,
    Elementwise,
    EveryOther,
    Halves,
    Partition,
)

Network = Callable[[int, int], nn.Module]
"""Makes a conditioner that reads so many features or channels and puts out so many."""


def of_vectors(i: int, features: int, net: Network, elementwise: Elementwise) -> Coupling:
    """Coupling ``i``, from 0: the even places condition the odd ones, then the odd the even.

    Args:
        i: Its number.
        features: Of a vector.
        net: Makes its conditioner.
        elementwise: Its map.

    Returns:
        The coupling.
    """
    odds, evens = features // 2, features - features // 2
    kept, changed = (odds, evens) if i % 2 else (evens, odds)
    partition: Partition = Complement(EveryOther()) if i % 2 else EveryOther()
    return Coupling(net(kept, elementwise.num_params * changed), elementwise, partition)


def of_images(
    count: int,
    channels: int,
    net: Network,
    elementwise: Elementwise,
    *,
    board: bool,
    before: Callable[[], list[Transform]] = list,
    after: Callable[[], list[Transform]] = list,
) -> list[Transform]:
    """Couplings on the places of a checkerboard, or on halves of the channels.

    Args:
        count: How many.
        channels: Of an image; an even number where its halves are coupled.
        net: Makes the conditioner of each.
        elementwise: Their map.
        board: Whether they are on the checkerboard.
        before: Makes what precedes each.
        after: Makes what follows each.

    Returns:
        The steps.
    """
    partition: Partition = Checkerboard() if board else Halves()
    size = channels if board else channels // 2
    steps: list[Transform] = []
    for i in range(count):
        swapped = i % 2 == 1
        conditioner = net(size, elementwise.num_params * size)
        if board:
            conditioner = Chequered(conditioner, odd=swapped)
        turned = Complement(partition) if swapped else partition
        steps += [*before(), Coupling(conditioner, elementwise, turned), *after()]
    return steps
