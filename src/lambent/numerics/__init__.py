"""Numerical functions of tensors; they know no networks and no flows."""

from lambent.numerics.bernstein import bernstein as bernstein
from lambent.numerics.bernstein import bernstein_inverse as bernstein_inverse
from lambent.numerics.bisection import increasing_root as increasing_root
from lambent.numerics.fixed_point import fixed_point as fixed_point
from lambent.numerics.linear_coupling import LinearCoupling as LinearCoupling
from lambent.numerics.linear_coupling import product as product
from lambent.numerics.linear_map import linear_couplings as linear_couplings
from lambent.numerics.logistic import sigmoid_mixture as sigmoid_mixture
from lambent.numerics.logistic import sigmoid_mixture_inverse as sigmoid_mixture_inverse
from lambent.numerics.rational_quadratic import Piece as Piece
from lambent.numerics.rational_quadratic import piece_vjp as piece_vjp
from lambent.numerics.spline import Knots as Knots
from lambent.numerics.spline import knot_places as knot_places
from lambent.numerics.spline import spline as spline
from lambent.numerics.spline import spline_inverse as spline_inverse
