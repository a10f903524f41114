"""A flow in a Pyro model: what ``pyro.sample`` can draw from, observe and lay on plates."""

from __future__ import annotations

from typing import Any

import torch

from lambent.core.torch_distribution import TorchDistribution
from lambent.errors import MissingExtraError

try:
    from pyro.distributions.torch_distribution import ExpandedDistribution, TorchDistributionMixin
except ImportError as error:
    raise MissingExtraError("pyro-ppl", "pyro") from error


class PyroDistribution(TorchDistribution, TorchDistributionMixin):
    """A flow at a fixed context, as Pyro has distributions.

    Draws carry gradients, so a flow can be a guide as well as a prior or a likelihood. Its own
    parameters are learned along if the model says ``pyro.module("flow", flow)``.

    Args:
        distribution: The density.
        context: ``m`` rows for a batch shape of ``(m,)``, or nothing for ``()``.

    References:
        E. Bingham et al., "Pyro: Deep Universal Probabilistic Programming", 2018, arXiv:1810.09538.

    Example:
        >>> import pyro
        >>> from lambent import MAFConfig, maf
        >>> flow = maf(MAFConfig(shape=(2,), width=8))
        >>> with pyro.plate("rows", 5):
        ...     z = pyro.sample("z", PyroDistribution(flow))
        >>> z.shape
        torch.Size([5, 2])
    """

    def expand(
        self, batch_shape: torch.Size | list[int] | tuple[int, ...], _instance: object = None
    ) -> Any:
        """Over plates: the same law again and again, drawn for each."""
        expanded: Any = ExpandedDistribution
        return expanded(self, torch.Size(batch_shape))
