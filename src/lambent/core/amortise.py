"""Parameters that a network shifts by what it reads of the context."""

from __future__ import annotations

from torch import Tensor, nn

from lambent.core.kept import ask
from lambent.types import Context


def shifted(
    own: tuple[Tensor, ...], net: nn.Module | None, context: Context | None
) -> tuple[Tensor, ...]:
    """Parameters with a leading axis of events.

    Args:
        own: The parameters that all events share, of any shapes.
        net: A module ``net(context) -> (b, n)``, ``n`` the numbers of all of them in a row, whose
            output is added; without it the context is not read. See :func:`lambent.core.kept.ask`.
        context: One row for each event.

    Returns:
        Each parameter, ``(b, *shape)``; ``b`` is 1 without a network.

    Raises:
        ValueError: If there is a network and no context.
    """
    if net is None:
        return tuple(part[None] for part in own)
    shifts = ask(net, context).split([part.numel() for part in own], 1)
    return tuple(part + s.reshape(-1, *part.shape) for part, s in zip(own, shifts, strict=True))
