"""What a network makes of the context it is given."""

from __future__ import annotations

from torch import Tensor

from lambent.types import Context


def context_vector(context: Context | None, features: int) -> Tensor:
    """The context of a network that reads one vector for each event.

    Args:
        context: What the network was given.
        features: Size of the vectors.

    Returns:
        ``context``, ``(b, features)``.

    Raises:
        ValueError: If the context is not a tensor ``(b, features)``.
    """
    if not isinstance(context, Tensor) or context.ndim != 2 or context.shape[1] != features:
        given = tuple(context.shape) if isinstance(context, Tensor) else type(context).__name__
        raise ValueError(f"context: expected vectors of shape (b, {features}), got {given}")
    return context
