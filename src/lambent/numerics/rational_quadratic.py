"""One bin of a rational-quadratic spline: its value, its inverse, and the way back through it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Piece(NamedTuple):
    """The bin that each number lies in, all ``(...)``."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    slope: Tensor
    next_slope: Tensor

    @property
    def secant(self) -> Tensor:
        """``s = h / w``."""
        return self.height / self.width

    @property
    def bend(self) -> Tensor:
        """``d + d' - 2 s``."""
        return self.slope + self.next_slope - 2 * self.secant

    def part(self, x: Tensor) -> Tensor:
        """``p = (x - x_k) / w``, 0 to 1."""
        return (x - self.x) / self.width

    def part_of(self, y: Tensor) -> Tensor:
        """The ``p`` of what the spline put out: the paper's equations 6 to 8.

        ``p`` solves ``a p^2 + b p + c = 0``, as ``2 c / (-b - sqrt(b^2 - 4 a c))``: nothing
        cancels, also where ``a`` is small.
        """
        rise = y - self.y
        a = self.height * (self.secant - self.slope) + rise * self.bend
        b = self.height * self.slope - rise * self.bend
        c = -self.secant * rise
        # The square of h dy/dx times the denominator: positive, but for rounding.
        square = (b.square() - 4 * a * c).clamp_min(torch.finfo(y.dtype).tiny)
        return 2 * c / (-b - square.sqrt())

    def value(self, part: Tensor) -> Tensor:
        """``y``; the paper's equation 4."""
        product = part * (1 - part)
        above = self.height * (self.secant * part.square() + self.slope * product)
        return self.y + above / (self.secant + self.bend * product)

    def log_derivative(self, part: Tensor) -> Tensor:
        """``ln dy/dx``; the paper's equation 5."""
        product = part * (1 - part)
        slopes = (
            self.next_slope * part.square()
            + 2 * self.secant * product
            + self.slope * (1 - part).square()
        )
        below = self.secant + self.bend * product
        return 2 * self.secant.log() + slopes.log() - 2 * below.log()

    def log_slope(self, part: Tensor) -> Tensor:
        """``d ln(dy/dx) / dx``."""
        product, turn = part * (1 - part), 1 - 2 * part
        slopes = (
            self.next_slope * part.square()
            + 2 * self.secant * product
            + self.slope * (1 - part).square()
        )
        rising = self.next_slope * part + self.secant * turn - self.slope * (1 - part)
        below = self.secant + self.bend * product
        return 2 * (rising / slopes - self.bend * turn / below) / self.width


def piece_vjp(piece: Piece, part: Tensor, grad: Tensor, grad_log: Tensor) -> tuple[Tensor, Piece]:
    """The way back through ``value`` and ``log_derivative``.

    With ``N = s p^2 + d p (1 - p)``, ``D = s + (d + d' - 2 s) p (1 - p)`` and
    ``M = d' p^2 + 2 s p (1 - p) + d (1 - p)^2``: ``y = y_k + h N / D``, ``dy/dx = s^2 M / D^2``.

    Args:
        piece: The bins.
        part: Where in them the numbers lie.
        grad: Gradient of the values.
        grad_log: Gradient of the logs of the derivative.

    Returns:
        The gradients of the numbers and, in the places of what they are of, of the bins.
    """
    secant, slope, next_slope = piece.secant, piece.slope, piece.next_slope
    bend = piece.bend
    rest = 1 - part
    product, turn = part * rest, rest - part
    square, rest_square = part.square(), rest.square()
    below = secant + bend * product
    ratio = (secant * square + slope * product) / below
    slopes = next_slope * square + 2 * secant * product + slope * rest_square
    to_above = grad * piece.height / below
    to_below = -(to_above * ratio + 2 * grad_log / below)
    to_slopes = grad_log / slopes
    to_part = (
        to_above * (2 * secant * part + slope * turn)
        + to_below * bend * turn
        + 2 * to_slopes * (next_slope * part + secant * turn - slope * rest)
    )
    to_secant = (
        to_above * square
        + to_below * (1 - 2 * product)
        + 2 * to_slopes * product
        + 2 * grad_log / secant
    )
    to_bend = to_below * product
    to_value = to_part / piece.width
    to_height = to_secant / piece.width
    return to_value, Piece(
        x=-to_value,
        y=grad,
        width=-(to_value * part + to_height * secant),
        height=grad * ratio + to_height,
        slope=to_above * product + to_bend + to_slopes * rest_square,
        next_slope=to_bend + to_slopes * square,
    )
