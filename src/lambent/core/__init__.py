"""The protocol: transforms, distributions, flows, the ledger, initialisation, the registry."""

from lambent.core.compose import Compose as Compose
from lambent.core.distribution import Distribution as Distribution
from lambent.core.flow import Flow as Flow
from lambent.core.initialize import initialize as initialize
from lambent.core.ledger import trace as trace
from lambent.core.seed import seeded as seeded
from lambent.core.stepwise import Stepwise as Stepwise
from lambent.core.transform import Entry as Entry
from lambent.core.transform import Transform as Transform
