"""Numerical functions of tensors; they know no networks and no flows."""

from lambent.numerics.rational_quadratic import Piece as Piece
from lambent.numerics.rational_quadratic import piece_vjp as piece_vjp
from lambent.numerics.spline import Knots as Knots
from lambent.numerics.spline import spline as spline
from lambent.numerics.spline import spline_inverse as spline_inverse
