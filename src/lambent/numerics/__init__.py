"""Numerical functions of tensors; they know no networks and no flows."""

from lambent.numerics.fixed_point import fixed_point as fixed_point
from lambent.numerics.spline import Knots as Knots
from lambent.numerics.spline import spline as spline
from lambent.numerics.spline import spline_inverse as spline_inverse
