"""What a flow is conditioned on, from the images and labels of a data set."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.data.tasks import Task, task_named
from lambent.nn.condition import Condition
from lambent.nn.encoder import ImageEncoder, Together, VectorEncoder
from lambent.nn.pyramid import Pyramid
from lambent.types import Context


def task_of(flow: Flow) -> Task | None:
    """The image-to-image task that a flow was built for, if any."""
    name = None if flow.recipe is None else getattr(flow.recipe[1], "task", None)
    return None if name is None else task_named(name)


def needs_labels(flow: Flow) -> bool:
    """Whether a flow is conditional on labels, be it on images too."""
    encoder = flow.context_encoder
    return getattr(encoder, "classes", None) is not None and not isinstance(encoder, Together)


def beyond_data(flow: Flow) -> bool:
    """Whether a flow is conditional on what no data set has: images as vectors, or several."""
    encoder = flow.context_encoder
    planes = isinstance(encoder, Condition) and encoder.classes is None and not encoder.of_vectors
    return planes or isinstance(encoder, (ImageEncoder, Together))


def reads_columns(flow: Flow) -> bool:
    """Whether a flow is conditional on vectors, which the columns of a table can be."""
    encoder = flow.context_encoder
    return isinstance(encoder, VectorEncoder) or (
        isinstance(encoder, Condition) and encoder.of_vectors
    )


def classes_of(flow: Flow) -> int | None:
    """How many classes a flow that is conditional on labels, be it on images too, knows.

    Args:
        flow: The flow.

    Returns:
        The number; nothing where labels are no context.

    Raises:
        ValueError: If it is conditional on something that is neither labels nor a task's images.
    """
    if not needs_labels(flow):
        return None
    classes = getattr(flow.context_encoder, "classes", None)
    if classes is None:
        kind = type(flow.context_encoder).__name__
        raise ValueError(f"run: expected a model conditional on labels, got one of a {kind}")
    return int(classes)


def reads_images(flow: Flow) -> bool:
    """Whether a flow is conditional on images, be it on labels too."""
    return isinstance(flow.context_encoder, Pyramid)


def given(flow: Flow) -> str | None:
    """What a flow is conditioned on, in words."""
    parts = ["label"] * needs_labels(flow) + ["image"] * reads_images(flow)
    parts += ["condition"] * reads_columns(flow)
    return " and ".join(parts) or None


def on_device(context: Context | None, device: torch.device) -> Context | None:
    """A context on a device."""
    if isinstance(context, tuple):
        return tuple(part.to(device) for part in context)
    return None if context is None else context.to(device)


def check_task(flow: Flow) -> None:
    """Raise unless the context of a flow can be made of the images and labels of a data set.

    Args:
        flow: The flow.

    Raises:
        ValueError: If it is conditional on images without a task that makes them, or on several
            contexts.
    """
    if beyond_data(flow):
        raise ValueError(
            "context: a flow that is conditional on images as vectors, or on several contexts, "
            "takes them from Python, flow.log_prob(x, context); a data set has none"
        )
    if reads_images(flow) and task_of(flow) is None:
        raise ValueError(
            "task: the flow is conditional on images, and expected to have a task that makes them, "
            "such as superres:4; got none. log_prob and sample take the images as context"
        )


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
    check_task(flow)
    if reads_columns(flow) and y is None:
        raise ValueError(
            "context: the flow is conditional on vectors; expected a table with a condition "
            "(--context), got none"
        )
    if not isinstance(encoder, Pyramid):
        return y
    task = task_of(flow)
    assert task is not None
    images = task.context(x)
    if encoder.classes is None:
        return images
    if y is None:
        raise ValueError("context: the flow is conditional on labels too, got none")
    return y, images
