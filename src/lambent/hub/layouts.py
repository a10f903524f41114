"""The layouts by name, and the function that reads any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.errors import unknown
from lambent.flows import glow
from lambent.hub import chaiyujin, rosinality, y0ast
from lambent.hub.files import read_weights
from lambent.hub.parts import Asked, Imported
from lambent.hub.weights import Weights, dtype_of

LayoutName = Literal["rosinality", "y0ast", "chaiyujin"]


class Layout(NamedTuple):
    """A known way to lay out a Glow's weights."""

    mark: str
    """A regular expression that only its keys match."""
    read: Callable[[Weights, Asked], Imported]
    """What reads it."""


LAYOUTS: dict[str, Layout] = {
    "rosinality": Layout(rosinality.MARK, rosinality.read),
    "y0ast": Layout(y0ast.MARK, y0ast.read),
    "chaiyujin": Layout(chaiyujin.MARK, chaiyujin.read),
}


def layout_of(tensors: Mapping[str, Tensor]) -> str:
    """The layout of a state dict, from its keys.

    Args:
        tensors: The state dict.

    Returns:
        Its name.

    Raises:
        ValueError: If it is none that is known.
    """
    for name, layout in LAYOUTS.items():
        if Weights(tensors, name).numbers(layout.mark):
            return name
    some = ", ".join(sorted(map(str, tensors))[:3])
    raise ValueError(
        f"source: expected a Glow in the layout of {', '.join(LAYOUTS)}; "
        f"these keys are of none: {some}, ..."
    )


def import_weights(
    source: Mapping[str, Tensor] | str | Path,
    layout: str | None = None,
    *,
    shape: tuple[int, int, int] | None = None,
    grey_levels: int | None = None,
    permutation: str | Sequence[Tensor] | None = None,
) -> Flow:
    """A Glow that other code trained, as a flow of the released form.

    It gives the foreign model's likelihood of an image, in nats of the pixels, and its latents,
    standardised. Sizes and forms are read off the weights.

    Args:
        source: The state dict, or a file that holds it.
        layout: Whose code made it: ``rosinality`` (rosinality/glow-pytorch), ``y0ast``
            (y0ast/Glow-PyTorch) or ``chaiyujin`` (chaiyujin/glow-pytorch); told by the keys if not
            given.
        shape: Channels, height, width of the images; needed for ``rosinality``.
        grey_levels: Grey levels it was trained at; needed for ``rosinality``, else 256.
        permutation: For weights without 1x1 convolutions: ``reverse``, or the order of the channels
            of each step, first to last; those layouts do not keep it.

    Returns:
        The flow, in eval mode, in the weights' dtype.

    Raises:
        ValueError: If the source is of no known layout, a key is missing, unexpected or of the
            wrong shape, or something is needed that the weights do not tell.
    """
    if shape is not None:
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"shape: expected three positive numbers, got {tuple(shape)}")
        shape = (shape[0], shape[1], shape[2])
    tensors = source if isinstance(source, Mapping) else read_weights(source)
    name = layout_of(tensors) if layout is None else layout
    if name not in LAYOUTS:
        raise ValueError(f"layout: {unknown(name, LAYOUTS)}")
    weights = Weights(tensors, name)
    asked = Asked(shape=shape, grey_levels=grey_levels, orders=_orders(permutation))
    found = LAYOUTS[name].read(weights, asked)
    weights.check_all_taken()
    with torch.random.fork_rng(devices=[]):  # building draws on the CPU, in vain
        flow = glow(found.config).to(dtype_of(tensors))
    flow.load_state_dict(found.state)
    return flow.eval()


def _orders(permutation: str | Sequence[Tensor] | None) -> str | tuple[Tensor, ...] | None:
    """The argument, once it is found to be of one of its forms."""
    if permutation is None:
        return None
    if not isinstance(permutation, str):
        return tuple(torch.as_tensor(order).cpu().long() for order in permutation)
    if permutation != "reverse":
        raise ValueError(
            f"permutation: expected 'reverse' or the order of each step, got '{permutation}'"
        )
    return permutation
