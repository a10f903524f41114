"""Base densities."""

from lambent.distributions.normal import StandardNormal as StandardNormal
