"""Images as a flow takes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor

from lambent.core.context import context_of, needs_labels
from lambent.core.flow import Flow
from lambent.data import EventSet, batches
from lambent.types import Context


def events(
    flow: Flow, images: EventSet, batch_size: int
) -> Iterator[tuple[Tensor, Context | None]]:
    """Batches of images on the flow's device, with what it is conditional on.

    Args:
        flow: The flow.
        images: The images, in their order.
        batch_size: Images at a time.

    Yields:
        Images ``(b, c, h, w)``, and their context or nothing.

    Raises:
        ValueError: If a flow conditional on labels meets images without, one conditional on images
            has no task, or ``batch_size`` is less than 1.
    """
    tensors = chain(flow.parameters(), flow.buffers())
    device = next((tensor.device for tensor in tensors), torch.device("cpu"))
    if needs_labels(flow) and images.labels is None:
        raise ValueError("data: the flow is conditional; expected labelled images, got none")
    for x, y in batches(images, batch_size):
        x = x.to(device)
        yield x, context_of(flow, x, None if y is None else y.to(device))
