"""Base densities."""

from lambent.distributions.logistic import StandardLogistic as StandardLogistic
from lambent.distributions.normal import StandardNormal as StandardNormal
