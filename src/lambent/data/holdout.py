"""A part of an image set kept apart."""

from __future__ import annotations

from lambent.data.order import held_out_rows
from lambent.data.set import EventSet


def hold_out(images: EventSet, fraction: float, seed: int) -> tuple[EventSet, EventSet]:
    """Part a set in two by seed: what stays, and the fraction held out.

    Args:
        images: The set, of at least two images.
        fraction: Share held out, more than 0 and less than 1; at least one image.
        seed: Chooses which.

    Returns:
        The set that stays and the set held out, each in the order of ``images``.

    Raises:
        ValueError: If the set is too small or the fraction out of range.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: expected more than 0 and less than 1, given {fraction}")
    if len(images) < 2:
        raise ValueError(f"images: expected at least 2 to hold some out, given {len(images)}")
    held_out = held_out_rows(len(images), fraction, seed)
    return images.subset(~held_out), images.subset(held_out)
