"""The law suite: which laws a transform's or flow's flags promise, and running them all."""

from __future__ import annotations

from collections.abc import Callable, Collection

from torch import nn

from lambent.core.flow import Flow
from lambent.core.transform import Transform
from lambent.testing import flow_laws, gradient, inverse, precision, purity, recompute, shape
from lambent.testing.compiling import compile_law
from lambent.testing.context import context_law
from lambent.testing.jacobian import jacobian_law
from lambent.testing.law import Law
from lambent.testing.round_trip import round_trip
from lambent.testing.subject import Subject, prepare
from lambent.types import Context, X, Z


def _all(_: Transform | Flow) -> bool:
    return True


CONTEXT = Law("context", context_law, _all)
FLOW_CONTEXT = Law("context", flow_laws.flow_context, _all)

TRANSFORM_LAWS: tuple[Law, ...] = (
    Law("shapes and dtypes", shape.shapes_and_dtypes, _all),
    Law("left inverse", inverse.left_inverse, lambda t: not t.stochastic_inverse),
    Law("right inverse", inverse.right_inverse, lambda t: t.onto and not t.stochastic_forward),
    Law("sign", inverse.sign, lambda t: not (t.stochastic_forward and t.stochastic_inverse)),
    Law("jacobian", jacobian_law, lambda t: t.bijective and not t.discrete),
    Law("discrete", inverse.discrete, lambda t: t.discrete),
    Law("likelihood", inverse.likelihood, lambda t: t.stochastic_forward),
    Law("batch", shape.batch, lambda t: not (t.stochastic_forward and t.stochastic_inverse)),
    Law("encode and decode", inverse.code, _all),
    Law("backwards", shape.backwards, _all),
    Law("gradcheck", gradient.gradcheck_law, lambda t: not t.discrete),
    Law("gradient", gradient.gradient_reaches_parameters, lambda t: not t.discrete),
    Law("fast and plain", recompute.fast_is_plain, lambda t: not t.discrete),
    Law("rebuild", recompute.rebuilds, lambda t: t.cheap_inverse and t.bijective),
    Law("purity", purity.purity, _all),
    Law("float32", precision.float32_near_float64, _all),
    Law("autocast", precision.autocast_leaves_trunk, _all),
    Law("round trip", round_trip, _all),
    Law("compile", compile_law, lambda t: t.compiles),
)
"""Every law of transforms but that of the context, which binds where a context is given."""

FLOW_LAWS: tuple[Law, ...] = (
    Law("density", flow_laws.density, _all),
    Law("ledger", flow_laws.ledger, _all),
    Law("draws", flow_laws.draws, _all),
    Law("encode and decode", flow_laws.flow_code, _all),
    Law("gradient", flow_laws.flow_gradient, _all),
    Law("purity", flow_laws.flow_purity, _all),
    Law("autocast", flow_laws.flow_autocast, _all),
    Law("round trip", flow_laws.flow_round_trip, _all),
    Law("compile", flow_laws.flow_compile, lambda f: f.transform.compiles),
)
"""Every law of flows but that of the context."""


def laws_for(module: Transform | Flow, *, conditional: bool = False) -> list[Law]:
    """The laws that a transform's or flow's flags promise.

    Args:
        module: The transform or flow.
        conditional: Whether it reads a context.

    Returns:
        The laws, each a call that takes a :class:`Subject`.

    Example:
        >>> from lambent.transforms import Permute
        >>> [law.name for law in laws_for(Permute.reverse(4))][:2]
        ['shapes and dtypes', 'left inverse']
    """
    if isinstance(module, Flow):
        return [law for law in FLOW_LAWS if law.binds(module)] + [FLOW_CONTEXT] * conditional
    return [law for law in TRANSFORM_LAWS if law.binds(module)] + [CONTEXT] * conditional


def check(subject: Subject, *, skip: Collection[str] = ()) -> None:
    """Check every law a subject's flags promise.

    Args:
        subject: What :func:`prepare` or :meth:`Case.subject` made.
        skip: Names of laws to leave out.

    Raises:
        AssertionError: If a law is broken.
        ValueError: If ``skip`` names a law that does not bind the subject.
    """
    laws = laws_for(subject.module, conditional=subject.context is not None)
    unknown = set(skip) - {law.name for law in laws}
    if unknown:
        raise ValueError(f"skip: no such law here: {', '.join(sorted(unknown))}")
    for law in laws:
        if law.name not in skip:
            law(subject)


def check_transform(
    transform: Transform,
    x: X,
    context: Context | None = None,
    *,
    z: Z | None = None,
    no_gradient: Collection[str] = (),
    tolerance: float = 1e-9,
    float32_tolerance: float = 1e-4,
    spread: float = 0.1,
    rebuild: Callable[[], nn.Module] | None = None,
    skip: Collection[str] = (),
    seed: int = 0,
) -> None:
    """Check every law that a transform's flags promise, on a perturbed float64 copy of it.

    Args:
        transform: The transform; it is left as it is.
        x: Events in data space, at least two.
        context: One row for each event, the rows different from each other.
        z: Latents; standard normal noise where latents are floats, else the image of ``x``.
        no_gradient: Shell patterns of the names of parameters that rightly get no gradient.
        tolerance: Largest absolute and relative error in float64.
        float32_tolerance: Largest absolute and relative error of float32 against float64.
        spread: Standard deviation of the noise that moves the parameters.
        rebuild: Builds the transform anew; makes the round-trip law stricter.
        skip: Names of laws to leave out.
        seed: Seed of the noise and of every draw.

    Raises:
        AssertionError: If a law is broken; the message names the law and the transform.

    Example:
        >>> import torch
        >>> from lambent.transforms import ActNorm
        >>> check_transform(ActNorm(2), torch.randn(3, 2), skip=["compile"])
    """
    subject = prepare(
        transform,
        x,
        context,
        z=z,
        no_gradient=no_gradient,
        tolerance=tolerance,
        float32_tolerance=float32_tolerance,
        spread=spread,
        rebuild=rebuild,
        seed=seed,
    )
    check(subject, skip=skip)


def check_flow(
    flow: Flow,
    x: X,
    context: Context | None = None,
    *,
    no_gradient: Collection[str] = (),
    tolerance: float = 1e-9,
    spread: float = 0.1,
    rebuild: Callable[[], nn.Module] | None = None,
    skip: Collection[str] = (),
    seed: int = 0,
) -> None:
    """Check every law of a flow, on a perturbed float64 copy of it.

    Args:
        flow: The flow; it is left as it is.
        x: Events, at least two.
        context: One row for each event, the rows different from each other.
        no_gradient: Shell patterns of the names of parameters that rightly get no gradient.
        tolerance: Largest absolute and relative error in float64.
        spread: Standard deviation of the noise that moves the parameters.
        rebuild: Builds the flow anew; makes the round-trip law stricter.
        skip: Names of laws to leave out.
        seed: Seed of the noise and of every draw.

    Raises:
        AssertionError: If a law is broken; the message names the law.

    Example:
        >>> import torch
        >>> from lambent.distributions import StandardNormal
        >>> from lambent.transforms import ActNorm
        >>> check_flow(Flow(ActNorm(2), StandardNormal((2,))), torch.randn(3, 2), skip=["compile"])
    """
    subject = prepare(
        flow,
        x,
        context,
        no_gradient=no_gradient,
        tolerance=tolerance,
        spread=spread,
        rebuild=rebuild,
        seed=seed,
    )
    check(subject, skip=skip)
