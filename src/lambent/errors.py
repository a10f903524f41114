"""The errors of the protocol, the one door for numerical checks, and checks of choices."""

from __future__ import annotations

import difflib
import typing
from typing import Literal

import torch
from torch import Tensor


class DomainError(ValueError):
    """A value lies outside the support of the transform or distribution that received it."""


class NotInvertibleError(RuntimeError):
    """An iterative inverse did not reach its tolerance.

    Args:
        message: What was being inverted.
        residual: The residual that was left, in the units of the event.
    """

    def __init__(self, message: str, residual: float) -> None:
        super().__init__(f"{message} (residual {residual:.3g})")
        self.residual = residual


class MissingExtraError(ImportError):
    """An optional dependency is not installed; the message says which ``pip install`` mends it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package '{package}', which is not installed: "
            f"pip install 'lambent[{extra}]'"
        )


class DataWarning(UserWarning):
    """Something of a data set is left out, as was asked for."""


def check_domain(inside: Tensor, message: str) -> None:
    """Raise :class:`DomainError` unless every element of ``inside`` is true.

    The check reads a tensor back to the host, so it is off while compiling, and for a tensor on
    the meta device, which has no values.

    Args:
        inside: A boolean tensor.
        message: What was expected and what was given.

    Raises:
        DomainError: If any element is false.
    """
    if torch.compiler.is_compiling() or inside.is_meta:
        return
    if not bool(inside.all()):
        raise DomainError(message)


def check_converged(residual: Tensor, tolerance: float, message: str) -> None:
    """Raise :class:`NotInvertibleError` if a residual exceeds its tolerance.

    Args:
        residual: The residual of each event.
        tolerance: The largest residual allowed.
        message: What was being inverted.

    Raises:
        NotInvertibleError: If the largest residual is above ``tolerance`` or not a number.
    """
    if torch.compiler.is_compiling():
        return
    worst = float(residual.detach().max())
    if not worst <= tolerance:
        raise NotInvertibleError(message, worst)


def check_choices(config: object) -> None:
    """Raise unless every field of a ``Literal``, or of a tuple of them, holds its values.

    Args:
        config: An instance of a dataclass.

    Raises:
        ValueError: If a field holds something else.
    """
    for name, hint in typing.get_type_hints(type(config)).items():
        several = typing.get_origin(hint) is tuple
        allowed = typing.get_args(hint)[0] if several else hint
        if typing.get_origin(allowed) is not Literal:
            continue
        value = getattr(config, name)
        for one in value if several else (value,):
            if one not in typing.get_args(allowed):
                choices = " or ".join(str(choice) for choice in typing.get_args(allowed))
                raise ValueError(f"{name}: expected {choices}, got '{one}'")


def unknown(name: str, choices: object) -> str:
    """What to say of a name that is not among the choices: the nearest, or all."""
    options = sorted(str(choice) for choice in choices)  # type: ignore[attr-defined]
    name = name if len(name) <= 60 else name[:60] + "..."
    near = difflib.get_close_matches(name, options, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"expected one of: {', '.join(options)}"
    return f"unknown '{name}'; {hint}"
