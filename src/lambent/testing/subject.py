"""What a law judges: a transform or flow in float64 with the events to judge it on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.core.transform import Transform
from lambent.types import Context, X, Z

AnyModule = TypeVar("AnyModule", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A transform or flow in float64 and eval mode, away from its initial parameters."""

    module: Transform | Flow
    """The transform or flow."""
    x: X
    """Events in data space, at least two."""
    z: Z
    """Events in latent space, at least two."""
    context: Context | None = None
    """One row for each event; the rows differ."""
    no_gradient: Collection[str] = ()
    """Patterns of the names of parameters that rightly get no gradient."""
    tolerance: float = 1e-9
    """Largest absolute and relative error in float64."""
    float32_tolerance: float = 1e-4
    """Largest absolute and relative error of float32 against float64."""
    rebuild: Callable[[], nn.Module] | None = None
    """Builds the module anew, with other random parameters."""
    seed: int = 0
    """Seed of every draw."""

    @property
    def transform(self) -> Transform:
        """The transform, where the subject is one."""
        if not isinstance(self.module, Transform):
            raise TypeError(f"expected a Transform, got {type(self.module).__name__}")
        return self.module

    @property
    def flow(self) -> Flow:
        """The flow, where the subject is one."""
        if not isinstance(self.module, Flow):
            raise TypeError(f"expected a Flow, got {type(self.module).__name__}")
        return self.module

    @property
    def exact_value(self) -> bool:
        """Whether the contribution is a function of the event, not a random estimate."""
        return self.module.likelihood != "unbiased"

    def forward(self) -> tuple[Tensor, Tensor]:
        """Forward of ``x``, under the seed."""
        return run_forward(self.transform, self.x, self.context, self.seed)

    def inverse(self) -> tuple[Tensor, Tensor]:
        """Inverse of ``z``, under the seed."""
        return run_inverse(self.transform, self.z, self.context, self.seed)


def run_forward(
    transform: Transform, x: X, context: Context | None, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Forward under a seed; of results that break the protocol the laws speak, not the types."""
    with seeded(seed):
        result: tuple[Tensor, Tensor] = transform(x, context)
    return result


def run_inverse(
    transform: Transform, z: Z, context: Context | None, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Inverse under a seed."""
    with seeded(seed):
        return transform.inverse(z, context)


@torch.no_grad()
def perturbed(module: AnyModule, spread: float, seed: int) -> AnyModule:
    """A copy in float64 and eval mode whose parameters are moved by normal noise.

    Layers that start as the identity obey every law there; moved, they have to earn it.

    Args:
        module: A transform or flow; it is left as it is.
        spread: Standard deviation of the noise.
        seed: Seed of the noise.

    Returns:
        The copy.
    """
    moved = copy.deepcopy(module).double().eval()
    with seeded(seed):
        for parameter in moved.parameters():
            parameter.add_(spread * torch.randn(parameter.shape, dtype=torch.float64))
    return moved


def cast(value: Tensor, dtype: torch.dtype) -> Tensor:
    """A float tensor in another dtype; an integer tensor as it is."""
    return value.to(dtype) if value.is_floating_point() else value


def cast_context(context: Context | None, dtype: torch.dtype) -> Context | None:
    """Every float part of a context in another dtype."""
    if isinstance(context, tuple):
        return tuple(cast(part, dtype) for part in context)
    return None if context is None else cast(context, dtype)


def context_rows(context: Context | None, rows: slice | Tensor) -> Context | None:
    """Some rows of a context."""
    if isinstance(context, tuple):
        return tuple(part[rows] for part in context)
    return None if context is None else context[rows]


def prepare(
    module: Transform | Flow,
    x: X,
    context: Context | None = None,
    *,
    z: Z | None = None,
    no_gradient: Collection[str] = (),
    tolerance: float = 1e-9,
    float32_tolerance: float = 1e-4,
    spread: float = 0.1,
    rebuild: Callable[[], nn.Module] | None = None,
    seed: int = 0,
) -> Subject:
    """Make a subject of a transform or flow: a perturbed float64 copy and events to match.

    Args:
        module: The transform or flow; it is left as it is.
        x: Events in data space, at least two.
        context: One row for each event, the rows different from each other.
        z: Latents; standard normal noise where latents are floats, else the image of ``x``.
        no_gradient: Shell patterns of the names of parameters that rightly get no gradient.
        tolerance: Largest absolute and relative error in float64.
        float32_tolerance: Largest absolute and relative error of float32 against float64.
        spread: Standard deviation of the noise that moves the parameters.
        rebuild: Builds the module anew; makes the round-trip law stricter.
        seed: Seed of the noise and of every draw.

    Returns:
        What a law is called with.

    Raises:
        ValueError: If there are fewer than two events.
    """
    if len(x) < 2:
        raise ValueError(f"x: expected at least two events, got {len(x)}")
    module = perturbed(module, spread, seed)
    x, context = cast(x, torch.float64), cast_context(context, torch.float64)
    if z is None:
        z = _latents(module, x, context, seed)
    return Subject(
        module=module,
        x=x,
        z=cast(z, torch.float64),
        context=context,
        no_gradient=tuple(no_gradient),
        tolerance=tolerance,
        float32_tolerance=float32_tolerance,
        rebuild=rebuild,
        seed=seed,
    )


@torch.no_grad()
def _latents(module: Transform | Flow, x: X, context: Context | None, seed: int) -> Z:
    """Noise where every latent is one of the module's, else the image of ``x``."""
    if isinstance(module, Flow):
        return module.encode(x, context)
    z, _ = run_forward(module, x, context, seed)
    if z.is_floating_point() and not module.stochastic_forward:
        with seeded(seed):
            return torch.randn(z.shape, dtype=z.dtype)
    return z
