"""Whether a flow's arithmetic can be trusted, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.core.rebuild import context_tensors, like_context
from lambent.core.seed import seeded
from lambent.core.transform import Transform
from lambent.data.levels import level_of, pixel_of
from lambent.evaluate.bits import grey_levels
from lambent.evaluate.check_findings import of_gradient, of_layers, of_whole
from lambent.evaluate.check_gradient import GradientCheck, check_gradients
from lambent.evaluate.check_layer import (
    REFUSALS,
    LayerCheck,
    check_layer,
    parameters_not_finite,
    relative_error,
    walk_layers,
)
from lambent.transforms import Quantise
from lambent.types import Context

_BATCH = 16


@dataclass(frozen=True, kw_only=True)
class NumericsCheck:
    """What :func:`check_numerics` found."""

    events: int
    """How many events."""
    layers: tuple[LayerCheck, ...]
    """One for each line of the ledger, data to latent, the base last."""
    exact_events: int | None
    """How many integer events ``decode(encode(x))`` gives back to the last bit."""
    largest_difference: float | None
    """Largest ``|decode(encode(x)) - x|``; of float events, relative to values above 1."""
    gradient: GradientCheck | None
    """How far gradients are off; None where there are none, or they were not asked for."""
    suspicious: tuple[str, ...]
    """What lies beyond the limits of ``lambent.evaluate.check_limits``, each with its layer."""

    @property
    def clean(self) -> bool:
        """Whether nothing is suspicious."""
        return not self.suspicious


def check_numerics(
    flow: Flow,
    x: Tensor,
    context: Context | None = None,
    *,
    gradient_events: int = 4,
    seed: int = 0,
) -> NumericsCheck:
    """Measure rounding in a flow: layer by layer, as a whole, and in its gradients.

    Each layer runs forward and back on the inputs it really gets from the batch, in float32 and in
    float64, one layer at a time. Scales, condition numbers and values that are not finite are
    looked up on the way. Then ``decode(encode(x))`` is compared with ``x``, and the gradients of a
    few events with those of the same flow in float64 that recomputes nothing.

    Args:
        flow: The flow, on a device that has float64; put in eval mode.
        x: Events, ``(b, *event_shape)``.
        context: One row for each event.
        gradient_events: How many of the events the gradients are taken of; 0 leaves them out. They
            need the memory of a training step in float64 without recomputation.
        seed: Of the noise.

    Returns:
        The figures, and which of them are suspicious.

    Raises:
        ValueError: If there are no events, or they do not fit the flow.

    Example:
        >>> from lambent.flows import GlowConfig, glow
        >>> flow = glow(GlowConfig(shape=(1, 4, 4), grey_levels=4, levels=1, steps=1, width=4))
        >>> check_numerics(flow, flow.sample(8)).clean
        True
    """
    flow.check_event(x, context)
    if not len(x):
        raise ValueError("x: expected at least one event, got none")
    flow.eval()
    layers, suspicious = _layers(flow, x, context, seed)
    exact = difference = gradient = None
    if not suspicious and not any(layer.not_finite for layer in layers):
        try:
            if _decodes(flow):
                exact, difference = _whole(flow, x, context)
            if gradient_events > 0:
                few = slice(gradient_events)
                gradient = check_gradients(flow, x[few], _rows(context, few), seed=seed)
        except REFUSALS as error:
            suspicious.append(f"flow: the way back is refused: {error}")
    suspicious += [*of_layers(layers), *of_whole(len(x), exact, difference)]
    suspicious += of_gradient(gradient) if gradient else ()
    return NumericsCheck(
        events=len(x),
        layers=tuple(layers),
        exact_events=exact,
        largest_difference=difference,
        gradient=gradient,
        suspicious=tuple(suspicious),
    )


@torch.no_grad()
def _layers(
    flow: Flow, x: Tensor, context: Context | None, seed: int
) -> tuple[list[LayerCheck], list[str]]:
    """Every layer's figures, and the reason if a layer refused to go on."""
    layers: list[LayerCheck] = []
    try:
        with seeded(seed):
            encoded = flow.encode_context(context)
            if flow.context_encoder is not None:
                layers.append(_of_encoder(flow.context_encoder))
            for met in walk_layers(flow, x, encoded):
                layers.append(check_layer(met))
    except REFUSALS as error:
        after = layers[-1].path if layers else "the start"
        return layers, [f"{after}: what comes next refused its input: {error}"]
    return layers, []


def _of_encoder(encoder: nn.Module) -> LayerCheck:
    bad = parameters_not_finite(encoder)
    return LayerCheck(path="context_encoder", layer=type(encoder).__name__, not_finite=bad)


def _decodes(flow: Flow) -> bool:
    """Whether every layer gives back what it got; the grey levels of a quantiser are put aside."""
    return not any(
        layer.stochastic_inverse and not isinstance(layer, Quantise)
        for layer in flow.transform.modules()
        if isinstance(layer, Transform) and type(layer).walk is Transform.walk
    )


def _whole(flow: Flow, x: Tensor, context: Context | None) -> tuple[int | None, float]:
    """How many events decode exactly, if they are integers, and the largest difference."""
    levels = grey_levels(flow)
    integers = not x.is_floating_point()
    exact, worst = 0, 0.0
    for start in range(0, len(x), _BATCH):
        part = slice(start, start + _BATCH)
        rows = _rows(context, part)
        back, expected = flow.decode(flow.encode(x[part], rows), rows), x[part]
        if not integers:
            worst = max(worst, relative_error(back, expected))
            continue
        if levels is not None:
            expected = pixel_of(level_of(expected, levels), levels)
        difference = (back.double() - expected.double()).abs().flatten(1).amax(1)
        exact += int((difference == 0).sum())
        worst = max(worst, float(difference.max()))
    return exact if integers else None, worst


def _rows(context: Context | None, rows: slice) -> Context | None:
    return like_context([part[rows] for part in context_tensors(context)], context)
