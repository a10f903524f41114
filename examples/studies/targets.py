"""Random matrices of positive determinant: what linear couplings are to be."""

from __future__ import annotations

import torch
from torch import Tensor

KINDS = ("normal", "toeplitz", "permutation", "rotation")


def target(kind: str, n: int, generator: torch.Generator, *, mirrored: bool = False) -> Tensor:
    """One of a kind, (n, n), float64, drawn until its determinant is positive, or negative."""
    while True:
        t = _draw(kind, n, generator)
        if (torch.linalg.det(t) < 0) == mirrored:
            return t


def _draw(kind: str, n: int, generator: torch.Generator) -> Tensor:
    normal = torch.randn(n, n, dtype=torch.float64, generator=generator)
    if kind == "normal":
        return normal / n**0.5
    if kind == "toeplitz":  # a convolution with a random kernel of length 2 n - 1
        kernel = torch.randn(2 * n - 1, dtype=torch.float64, generator=generator) / n**0.5
        places = torch.arange(n)
        return kernel[places[:, None] - places + n - 1]
    if kind == "permutation":
        return torch.eye(n, dtype=torch.float64)[torch.randperm(n, generator=generator)]
    rotation, triangle = torch.linalg.qr(normal)
    return rotation * triangle.diagonal().sign()  # else the determinant of all would be the same
