"""Images to latents and back: reconstruction and interpolation."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.types import Context


@torch.no_grad()
def reconstruct(flow: Flow, images: Tensor, context: Context | None = None) -> Tensor:
    """Encode images and decode them again; nothing is drawn.

    Args:
        flow: The flow.
        images: ``(b, *event_shape)``.
        context: One row for each image.

    Returns:
        ``(b, *event_shape)``: the images, at the flow's grey levels, up to rounding in its inverse.
    """
    return flow.decode(flow.encode(images, context), context)


@torch.no_grad()
def interpolate(
    flow: Flow,
    first: Tensor,
    last: Tensor,
    *,
    frames: int = 9,
    context: Context | None = None,
) -> Tensor:
    """Decode the straight line between the latents of two images.

    ``z_i = (1 - i / (n - 1)) z_first + i / (n - 1) z_last``.

    Args:
        flow: The flow.
        first: The image of frame 0, ``event_shape``.
        last: The image of the last frame, ``event_shape``.
        frames: ``n``, at least 2.
        context: One row, that of every frame.

    Returns:
        ``(n, *event_shape)``.

    Raises:
        ValueError: If ``frames`` is less than 2.

    References:
        D. Kingma and P. Dhariwal, "Glow", 2018, arXiv:1807.03039, section 5.
    """
    if frames < 2:
        raise ValueError(f"frames: expected at least 2, got {frames}")
    both = _rows(context, 2)
    z = flow.encode(torch.stack((first, last)), both)
    share = torch.linspace(0, 1, frames, dtype=z.dtype, device=z.device)
    path = torch.lerp(z[0], z[1], share.reshape(-1, *([1] * (z.ndim - 1))))
    return flow.decode(path, _rows(context, frames))


def _rows(context: Context | None, n: int) -> Context | None:
    """One row of context, ``n`` times."""
    if context is None:
        return None
    if isinstance(context, tuple):
        return tuple(part.expand(n, *part.shape[1:]) for part in context)
    return context.expand(n, *context.shape[1:])
