"""What a flow is conditioned on, from the images and labels of a data set."""

from __future__ import annotations

from torch import Tensor

from lambent.core.flow import Flow
from lambent.data.tasks import Task, task_named
from lambent.nn.pyramid import Pyramid
from lambent.types import Context


def task_of(flow: Flow) -> Task | None:
    """The image-to-image task that a flow was built for, if any."""
    name = None if flow.recipe is None else getattr(flow.recipe[1], "task", None)
    return None if name is None else task_named(name)


def needs_labels(flow: Flow) -> bool:
    """Whether a flow is conditional on labels, be it on images too."""
    encoder = flow.context_encoder
    return encoder is not None and not (isinstance(encoder, Pyramid) and encoder.classes is None)


def classes_of(flow: Flow) -> int | None:
    """How many classes a flow that is conditional on labels, be it on images too, knows."""
    return int(flow.context_encoder.classes) if needs_labels(flow) else None  # type: ignore[union-attr, arg-type]


def context_of(flow: Flow, x: Tensor, y: Tensor | None) -> Context | None:
    """The context of a batch of a data set.

    Args:
        flow: The flow.
        x: Events, ``(b, *event_shape)``.
        y: Their labels ``(b,)``, if there are any.

    Returns:
        Nothing, the labels, what the flow's task gives of the images, or labels and that.

    Raises:
        ValueError: If the flow is conditional on images and no task says on which.
    """
    encoder = flow.context_encoder
    if encoder is None:
        return None
    if not isinstance(encoder, Pyramid):
        return y
    task = task_of(flow)
    if task is None:
        raise ValueError(
            "context: the flow is conditional on images and has no task that makes them, such as "
            "superres:4; only log_prob and sample, which are given the context, can be called"
        )
    images = task.context(x)
    if encoder.classes is None:
        return images
    if y is None:
        raise ValueError("context: the flow is conditional on labels too, got none")
    return y, images
