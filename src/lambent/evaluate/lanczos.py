"""The largest singular values of a map that is only known by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lambent.errors import MissingExtraError

Function = Callable[[Tensor], Tensor]


class Extremes(NamedTuple):
    """Singular values, the largest first, and their vectors."""

    values: Tensor
    """``(k,)``."""
    outputs: Tensor
    """Left singular vectors, in the space of what comes out, ``(k, d)``."""
    inputs: Tensor
    """Right singular vectors, in the space of what goes in, ``(k, d)``."""


def largest_singular(function: Function, point: Tensor, count: int) -> Extremes:
    """The largest singular values of a function's Jacobian, which is never made.

    Lanczos' iteration on products with the transpose of the Jacobian, a backward pass each, and
    with the Jacobian itself, a backward pass through the first, which is linear in its vector. The
    function runs once, and some tens of products are needed.

    Args:
        function: Takes events to as many numbers, one event apart from another.
        point: Where, one event ``(1, *)`` in float64.
        count: How many values, less than the numbers of the event.

    Returns:
        The values and vectors, on the CPU.

    Raises:
        MissingExtraError: If scipy is not installed.
        FloatingPointError: If the iteration breaks down, as on numbers that are not finite.

    References:
        C. Lanczos, "An iteration method for the solution of the eigenvalue problem", 1950; as in
        ARPACK, through ``scipy.sparse.linalg.svds``.
    """
    try:
        from scipy.sparse.linalg import ArpackError, LinearOperator, svds
    except ImportError as error:
        raise MissingExtraError("scipy", "data") from error
    with torch.enable_grad():
        leaf = point.detach().requires_grad_()
        out = function(leaf)
        free = torch.zeros_like(out, requires_grad=True)
        (transposed,) = torch.autograd.grad(out, leaf, free, create_graph=True)

    def like(vector: np.ndarray, wanted: Tensor) -> Tensor:
        return torch.from_numpy(vector.reshape(-1)).to(wanted).reshape(wanted.shape)

    def forwards(vector: np.ndarray) -> np.ndarray:
        (along,) = torch.autograd.grad(transposed, free, like(vector, point), retain_graph=True)
        return _finite(along)

    def backwards(vector: np.ndarray) -> np.ndarray:
        (along,) = torch.autograd.grad(out, leaf, like(vector, out.detach()), retain_graph=True)
        return _finite(along)

    size = point.numel()
    jacobian = LinearOperator(
        (size, size), matvec=forwards, rmatvec=backwards, dtype=np.dtype("float64")
    )
    start = np.random.default_rng(0).standard_normal(size)  # the same result at every call
    try:
        left, values, right = svds(jacobian, k=count, v0=start, solver="arpack")
    except ArpackError as error:
        raise FloatingPointError(f"singular values: {error}") from error
    found = (values, left.T, right)
    return Extremes(*(torch.from_numpy(part[::-1].copy()) for part in found))


def _finite(vector: Tensor) -> np.ndarray:
    """A product as numpy has it; ARPACK would only complain on standard output."""
    if not bool(vector.isfinite().all()):
        raise FloatingPointError("singular values: the Jacobian has numbers that are not finite")
    return np.asarray(vector.cpu().flatten())
