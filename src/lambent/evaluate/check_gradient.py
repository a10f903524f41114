"""Whether gradients agree: with those of float64, and with those that recompute nothing."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lambent.core.flow import Flow
from lambent.core.registry import family
from lambent.core.seed import seeded
from lambent.evaluate.check_layer import as_dtype, context_as_dtype
from lambent.types import Context

_LIKE = (torch.rand_like, torch.randn_like)
_DRAWS = (torch.rand, torch.randn, *_LIKE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientCheck:
    """How far the gradients of all parameters are off, each relative to the gradient's norm."""

    recompute: str | None
    """What the flow's backward pass rebuilds, where its family lets one choose."""
    events: int
    """How many events the gradient is of."""
    error_float32: float
    """Of the flow as it is, in float32, against ``never`` in float64."""
    error_float32_never: float
    """Of the flow that recomputes nothing, likewise."""
    difference_float64: float
    """Between the two in float64."""


class SameDraws(TorchFunctionMode):
    """Draws in float32 whatever is asked for, so that every precision gets the same noise."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function of torch, with the dtype of a draw replaced."""
        kwargs = kwargs or {}
        if func not in _DRAWS:
            return func(*args, **kwargs)
        own = args[0].dtype if func in _LIKE else torch.get_default_dtype()
        wanted = kwargs.get("dtype") or own
        return func(*args, **{**kwargs, "dtype": torch.float32}).to(wanted)


def check_gradients(
    flow: Flow, x: Tensor, context: Context | None = None, *, seed: int = 0
) -> GradientCheck | None:
    """Compare a flow's gradients of the mean log-likelihood in both precisions.

    Args:
        flow: The flow; it is left as it is.
        x: Events, ``(b, *event_shape)``.
        context: One row for each event.
        seed: Of the noise, which is the same in all.

    Returns:
        The errors; None if there is no gradient, or one that is not finite.
    """
    mode = getattr(flow.recipe[1], "recompute", None) if flow.recipe else None

    def gradients(recompute: str | None, dtype: torch.dtype) -> dict[str, Tensor]:
        variant = _variant(flow, recompute, dtype)
        with seeded(seed), SameDraws():
            log_prob = variant.log_prob(as_dtype(x, dtype), context_as_dtype(context, dtype))
        if not log_prob.requires_grad:
            return {}
        log_prob.mean().backward()
        return {n: p.grad for n, p in variant.named_parameters() if p.grad is not None}

    never = None if mode is None else "never"
    reference = gradients(never, torch.float64)
    norm = _distance(reference, {})
    if not norm or not math.isfinite(norm):
        return None
    plain = _distance(gradients(never, torch.float32), reference) / norm
    own, difference = plain, 0.0
    if mode != never:
        own = _distance(gradients(mode, torch.float32), reference) / norm
        difference = _distance(gradients(mode, torch.float64), reference) / norm
    return GradientCheck(
        recompute=mode,
        events=len(x),
        error_float32=own,
        error_float32_never=plain,
        difference_float64=difference,
    )


def _variant(flow: Flow, recompute: str | None, dtype: torch.dtype) -> Flow:
    """The same flow in a precision, built anew where it is to recompute otherwise."""
    if flow.recipe is None or recompute == getattr(flow.recipe[1], "recompute", None):
        return copy.deepcopy(flow).to(dtype)
    name, config = flow.recipe
    with torch.random.fork_rng(devices=[]):  # building draws on the CPU, in vain
        built = family(name).build(dataclasses.replace(config, recompute=recompute))  # type: ignore[type-var]
    built = built.to(device=next(flow.parameters()).device, dtype=dtype)
    built.load_state_dict(flow.state_dict())
    return built.train(flow.training)


def _distance(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """The norm of the difference of two gradients; what one of them lacks is zero."""
    total = 0.0
    for name in found.keys() | expected.keys():
        parts = [side[name].double() for side in (found, expected) if name in side]
        difference = parts[0] - parts[1] if len(parts) == 2 else parts[0]
        total += float(difference.square().sum())
    return math.sqrt(total) if math.isfinite(total) else math.inf
