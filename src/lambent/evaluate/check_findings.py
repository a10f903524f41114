"""Which figures of a numerics check are suspicious, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambent.evaluate import check_limits as limits
from lambent.evaluate.check_gradient import GradientCheck
from lambent.evaluate.check_layer import LayerCheck


def of_layers(layers: Sequence[LayerCheck]) -> Iterator[str]:
    """What is suspicious of layers.

    Args:
        layers: Their figures, data to latent.

    Yields:
        The layer's path, a colon, and what it is. A layer that merely received what is not finite
        is not mentioned.
    """
    for layer in layers:
        yield from (f"{layer.path}: {words}" for words in of_layer(layer))


def of_layer(layer: LayerCheck) -> Iterator[str]:
    """What is suspicious of one layer, without its path."""
    own = [name for name in layer.not_finite if name != "input"]
    if own:
        yield f"not finite: {', '.join(own)}"
    for value, limit, words in (
        (layer.round_trip_float32, limits.ROUND_TRIP_FLOAT32, "round trip in float32 off by"),
        (layer.round_trip_float64, limits.ROUND_TRIP_FLOAT64, "round trip in float64 off by"),
        (layer.condition, limits.CONDITION, "condition number"),
        (layer.largest_scale, limits.LARGEST_SCALE, "largest scale"),
    ):
        if value is not None and not value <= limit:
            yield f"{words} {value:.2g}, above {limit:.2g}"
    smallest = layer.smallest_scale
    if smallest is not None and not smallest >= limits.SMALLEST_SCALE:
        yield f"smallest scale {smallest:.2g}, below {limits.SMALLEST_SCALE:.2g}"


def of_whole(events: int, exact: int | None, difference: float | None) -> Iterator[str]:
    """What is suspicious of the whole flow's round trip.

    Args:
        events: How many there were.
        exact: How many were decoded exactly, where they are integers.
        difference: The largest difference, where there is one.

    Yields:
        What it is.
    """
    if exact is not None and exact < events:
        yield f"flow: {events - exact} of {events} events are not decoded exactly"
    if exact is None and difference is not None and not difference <= limits.FLOW_ROUND_TRIP:
        yield f"flow: round trip off by {difference:.2g}, above {limits.FLOW_ROUND_TRIP:.2g}"


def of_gradient(gradient: GradientCheck) -> Iterator[str]:
    """What is suspicious of the gradients.

    Args:
        gradient: Their figures.

    Yields:
        What it is.
    """
    own, never = gradient.error_float32, gradient.error_float32_never
    if not own <= limits.GRADIENT_FLOAT32:
        yield f"gradient: error in float32 {own:.2g}, above {limits.GRADIENT_FLOAT32:.2g}"
    if own > max(limits.GRADIENT_RATIO * never, limits.GRADIENT_FLOOR):
        yield (
            f"gradient: error in float32 with recompute {gradient.recompute} {own:.2g}, above "
            f"{limits.GRADIENT_RATIO:g} times the {never:.2g} of never"
        )
    if not gradient.difference_float64 <= limits.GRADIENT_FLOAT64:
        yield (
            f"gradient: recompute {gradient.recompute} differs from never in float64 by "
            f"{gradient.difference_float64:.2g}, above {limits.GRADIENT_FLOAT64:.2g}"
        )
