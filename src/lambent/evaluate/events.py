"""Images as a flow takes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.data import EventSet, batches


def events(flow: Flow, images: EventSet, batch_size: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Batches of images on the flow's device, with labels if it is conditional on them.

    Args:
        flow: The flow.
        images: The images, in their order.
        batch_size: Images at a time.

    Yields:
        Images ``(b, c, h, w)``, and labels ``(b,)`` or nothing.

    Raises:
        ValueError: If a conditional flow meets images without labels, or ``batch_size`` is less
            than 1.
    """
    tensors = chain(flow.parameters(), flow.buffers())
    device = next((tensor.device for tensor in tensors), torch.device("cpu"))
    conditional = flow.context_encoder is not None
    if conditional and images.labels is None:
        raise ValueError("data: the flow is conditional; expected labelled images, got none")
    for x, y in batches(images, batch_size):
        yield x.to(device), y.to(device) if conditional and y is not None else None
