"""Base densities."""

from lambent.distributions.autoregressive_mixture import (
    AutoregressiveMixture as AutoregressiveMixture,
)
from lambent.distributions.bernoulli import Bernoulli as Bernoulli
from lambent.distributions.categories import (
    AutoregressiveCategories as AutoregressiveCategories,
)
from lambent.distributions.conditional import ConditionalNormal as ConditionalNormal
from lambent.distributions.half_normal import HalfNormal as HalfNormal
from lambent.distributions.logistic import StandardLogistic as StandardLogistic
from lambent.distributions.mixture import GaussianMixture as GaussianMixture
from lambent.distributions.normal import StandardNormal as StandardNormal
from lambent.distributions.plackett_luce import PlackettLuce as PlackettLuce
from lambent.distributions.rule import NormalAndRule as NormalAndRule
from lambent.distributions.student import StudentT as StudentT
from lambent.distributions.uniform import Uniform as Uniform
