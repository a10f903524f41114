"""A linear map, or a permutation, as a few couplings that are not learned but computed."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lambent.core.compose import Compose
from lambent.nn import Constant, Matrix, ShiftAndScale
from lambent.numerics import LinearCoupling, linear_couplings
from lambent.transforms import Additive, Affine, Complement, Coupling, Halves, Partition


def linear_map(target: Float[Tensor, "n n"], *, bases: int = 20, seed: int = 0) -> Compose:
    """A linear map ``z = T x`` as 16 couplings of the two halves of ``x``, 14 of them additive.

    Some maps take 6 or 17. How, and how exactly, is told by
    :func:`lambent.numerics.linear_couplings`. So couplings of one fixed partition can be any linear
    mixing of features that keeps their orientation, a 1x1 convolution say, at constant depth; that
    training finds it is another matter.

    Args:
        target: ``T``, of an even size and with a positive determinant, in float64 for an exact map.
        bases: How many random bases to try.
        seed: Of the bases.

    Returns:
        The couplings, of events ``(b, n)``, in the type of ``target``.

    Raises:
        ValueError: If the target is not square, of an even size, finite and of positive
            determinant. Couplings scale by positive numbers, so that no number of them has a
            determinant below 0.

    Example:
        >>> turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
        >>> z, log_det = linear_map(turn)(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
        >>> z.detach(), log_det.detach()
        (tensor([[ 4., -3.]], dtype=torch.float64), tensor([0.], dtype=torch.float64))
    """
    couplings = linear_couplings(target, bases=bases, seed=seed)
    dtype = target.dtype if target.is_floating_point() else torch.float64
    return Compose(*map(_coupling, couplings)).to(dtype)


def permutation_map(order: Int[Tensor, "n"], *, bases: int = 20, seed: int = 0) -> Compose:
    """A permutation ``z_i = x_{order_i}`` as 17 couplings of the two halves of ``x``, or 6 or 16.

    What :class:`lambent.transforms.Permute` does, out of couplings with one fixed partition.

    Args:
        order: A permutation of ``0 ... n - 1``, even in number and as a permutation.
        bases: As for :func:`linear_map`.
        seed: Likewise.

    Returns:
        The couplings, of events ``(b, n)``, in float64.

    Raises:
        ValueError: If the order is no permutation, or an odd one: its determinant is -1, which no
            number of couplings has.

    Example:
        >>> x = torch.arange(4.0, dtype=torch.float64)[None]
        >>> permutation_map(torch.tensor([1, 2, 0, 3]))(x)[0].round().abs().tolist()
        [[1.0, 2.0, 0.0, 3.0]]
    """
    numbers = order.tolist()
    if sorted(numbers) != list(range(len(numbers))):
        raise ValueError(f"order: expected a permutation of 0 ... n - 1, got {numbers}")
    if _is_odd(numbers):
        raise ValueError(
            f"order: expected an even permutation, got {numbers}, whose determinant is -1; "
            "couplings have a positive one: change one sign beside it"
        )
    return linear_map(torch.eye(len(numbers), dtype=torch.float64)[order], bases=bases, seed=seed)


def _is_odd(numbers: list[int]) -> bool:
    """Whether a permutation is an odd number of exchanges."""
    cycles, seen = 0, set()
    for start in numbers:
        cycles += start not in seen
        while start not in seen:
            seen.add(start)
            start = numbers[start]
    return (len(numbers) - cycles) % 2 == 1


@torch.no_grad()
def _coupling(linear: LinearCoupling) -> Coupling:
    """One of them as a layer: ``(b + t) s`` with ``t = W a / s``, or ``b + W a``."""
    size = len(linear.weight)
    partition: Partition = Halves() if linear.changed else Complement(Halves())
    shift = Matrix(size, size).double()
    if linear.scale is None:
        shift.weight.copy_(linear.weight)
        return Coupling(shift, Additive(), partition)
    shift.weight.copy_(linear.weight / linear.scale[:, None])
    log_scale = Constant(size).double()
    log_scale.value.copy_(linear.scale.log())
    return Coupling(ShiftAndScale(shift, log_scale), Affine(bound=None), partition)
