"""What the conditional density of a surjection is given: what stays, and the caller's context."""

from __future__ import annotations

from torch import Tensor, nn

from lambent.core.distribution import Distribution
from lambent.core.rebuild import context_tensors
from lambent.core.transform import check_context, widened
from lambent.types import Context, Size


def with_context(kept: Tensor, context: Context | None) -> Context:
    """The context of a surjection's conditional.

    Args:
        kept: What stays, ``(b, *)``.
        context: What the surjection is given, if anything.

    Returns:
        ``kept``; where there is a context, a tuple of ``kept`` and its tensors.

    Raises:
        ValueError: If the context has another batch size.
    """
    check_context(kept, context)
    return kept if context is None else (kept, *context_tensors(context))


def check_events(name: str, distribution: Distribution | None, shape: Size) -> None:
    """Raise unless a conditional, where there is one, is over events of a shape.

    Args:
        name: The argument it was given as.
        distribution: The conditional.
        shape: Of the events.

    Raises:
        ValueError: If it is over others.
    """
    if distribution is not None and tuple(distribution.event_shape) != tuple(shape):
        raise ValueError(
            f"{name}: expected a density over events of shape {tuple(shape)}, "
            f"got {tuple(distribution.event_shape)}"
        )


def ask(net: nn.Module, context: Context | None, shape: Size | None = None) -> Tensor:
    """What the network of a conditional density finds.

    It is called as the conditioner of a coupling is: ``net(kept)``, or ``net(kept, context)`` where
    the caller gives a context. One that was built without a context does not read it.

    Args:
        net: The network.
        context: One tensor, or a tuple whose first is what stays.
        shape: What it is to put out for each event; not checked if not given.

    Returns:
        Its output, ``(b, *shape)``, in float32 or wider.

    Raises:
        ValueError: If there is no context, or the output has another shape.
    """
    if context is None:
        raise ValueError("context: expected a row for each event, got None")
    kept, *given = context_tensors(context)
    if given:
        found = widened(net(kept, given[0] if len(given) == 1 else tuple(given)))
    else:
        found = widened(net(kept))
    if shape is not None and tuple(found.shape[1:]) != tuple(shape):
        raise ValueError(
            f"net: expected an output of shape {tuple(shape)} for each event, "
            f"got {tuple(found.shape[1:])}"
        )
    return found
