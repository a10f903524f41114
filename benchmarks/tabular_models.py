"""The same flows of vectors in four packages: equal layers, networks, splines and bases."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, cast

import nflows.flows
import nflows.transforms
import normflows
import torch
import zuko
from normflows.flows.affine.autoregressive import MaskedAffineAutoregressive
from normflows.flows.neural_spline import autoregressive as normflows_autoregressive
from normflows.flows.neural_spline import coupling as normflows_coupling
from torch import Tensor, nn

import lambent

Family = Literal["maf", "nsf", "nsf_coupling"]

BOUND = 3.0


class Model(nn.Module):
    """Densities by ``forward``, draws by ``draw``."""

    def draw(self, count: int) -> Tensor:
        """Draws."""
        raise NotImplementedError


class Ours(Model):
    """The families of this package, without actnorms, which the others do not have."""

    def __init__(self, family: Family, features: int, layers: int, width: int, bins: int) -> None:
        super().__init__()
        sizes: dict[str, Any] = {"shape": (features,), "transforms": layers, "width": width}
        if family == "maf":
            self.flow = lambent.maf(lambent.MAFConfig(**sizes, norm="none"))
        else:
            form = cast(Any, "coupling" if family == "nsf_coupling" else "autoregressive")
            self.flow = lambent.nsf(lambent.NSFConfig(**sizes, norm="none", bins=bins, form=form))

    def forward(self, x: Tensor) -> Tensor:
        """Log-densities."""
        return self.flow(x)

    def draw(self, count: int) -> Tensor:
        """Draws."""
        return self.flow.sample(count)


class Zuko(Model):
    """``MAF``, ``NSF``, and couplings of its spline with a network that reads one half."""

    def __init__(self, family: Family, features: int, layers: int, width: int, bins: int) -> None:
        super().__init__()
        hidden: dict[str, Any] = {"hidden_features": (width, width)}
        if family == "maf":
            self.flow: nn.Module = zuko.flows.MAF(features, transforms=layers, **hidden)
        elif family == "nsf":
            self.flow = zuko.flows.NSF(features, bins=bins, transforms=layers, **hidden)
        else:
            places = torch.arange(features)
            couplings = [
                zuko.flows.coupling.GeneralCouplingTransform(
                    features,
                    mask=places % 2 == i % 2,
                    univariate=zuko.transforms.MonotonicRQSTransform,
                    shapes=[(bins,), (bins,), (bins - 1,)],
                    **hidden,
                )
                for i in range(layers)
            ]
            normal = zuko.lazy.UnconditionalDistribution(
                zuko.distributions.DiagNormal,
                torch.zeros(features),
                torch.ones(features),
                buffer=True,
            )
            self.flow = zuko.lazy.Flow(couplings, normal)

    def forward(self, x: Tensor) -> Tensor:
        """Log-densities."""
        return self.flow().log_prob(x)

    def draw(self, count: int) -> Tensor:
        """Draws."""
        return self.flow().sample((count,))


class _MLP(nn.Sequential):
    """A network of two hidden layers, as couplings of nflows and normflows call it."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__(
            nn.Linear(inputs, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, outputs),
        )
        self.hidden_features = width

    def forward(self, inputs: Tensor, context: Tensor | None = None) -> Tensor:
        return super().forward(inputs)


def changes(features: int, i: int) -> Tensor:
    """The mask of nflows and normflows: 1 where layer ``i`` changes the features."""
    return (torch.arange(features) % 2 != i % 2).int()


class NFlows(Model):
    """Its layers with the features reversed between them."""

    def __init__(self, family: Family, features: int, layers: int, width: int, bins: int) -> None:
        super().__init__()
        spline: dict[str, Any] = {"num_bins": bins, "tails": "linear", "tail_bound": BOUND}
        made: dict[str, Any] = {"num_blocks": 1, "use_residual_blocks": False}
        kinds = nflows.transforms
        steps: list[nn.Module] = []
        for i in range(layers):
            if family == "nsf_coupling":
                net = partial(_MLP, width=width)
                steps.append(
                    kinds.PiecewiseRationalQuadraticCouplingTransform(
                        changes(features, i), net, **spline
                    )
                )
                continue
            if i:
                steps.append(kinds.ReversePermutation(features))
            if family == "maf":
                layer = kinds.MaskedAffineAutoregressiveTransform(features, width, **made)
            else:
                layer = kinds.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
                    features, width, **made, **spline
                )
            steps.append(layer)
        base = nflows.distributions.StandardNormal([features])
        self.flow = nflows.flows.Flow(kinds.CompositeTransform(steps), base)

    def forward(self, x: Tensor) -> Tensor:
        """Log-densities."""
        return self.flow.log_prob(x)

    def draw(self, count: int) -> Tensor:
        """Draws."""
        return self.flow.sample(count)


class NormFlows(Model):
    """Its layers, in the direction in which densities cost one pass.

    Its own MAF draws in one pass and takes its density feature by feature; it is turned round.
    """

    def __init__(self, family: Family, features: int, layers: int, width: int, bins: int) -> None:
        super().__init__()
        spline: dict[str, Any] = {"num_bins": bins, "tails": "linear", "tail_bound": BOUND}
        made: dict[str, Any] = {"num_blocks": 1, "use_residual_blocks": False}
        self.family = family
        steps: list[nn.Module] = []
        for i in range(layers):
            if family == "maf":
                layer: nn.Module = MaskedAffineAutoregressive(features, width, **made)
            elif family == "nsf":
                kind = normflows_autoregressive.MaskedPiecewiseRationalQuadraticAutoregressive
                layer = kind(features, width, **made, **spline)
            else:
                layer = normflows_coupling.PiecewiseRationalQuadraticCoupling(
                    changes(features, i), partial(_MLP, width=width), **spline
                )
            steps.append(layer)
        self.steps = nn.ModuleList(steps)
        self.base = normflows.distributions.DiagGaussian(features, trainable=False)

    def forward(self, x: Tensor) -> Tensor:
        """Log-densities."""
        total = x.new_zeros(len(x))
        for i, step in enumerate(self.steps):
            if i and self.family != "nsf_coupling":
                x = x.flip(1)
            x, log_det = step(x)
            total = total + log_det
        return total + self.base.log_prob(x)

    def draw(self, count: int) -> Tensor:
        """Draws."""
        z, _ = self.base(count)
        for i, step in reversed(list(enumerate(self.steps))):
            z, _ = step.inverse(z)
            if i and self.family != "nsf_coupling":
                z = z.flip(1)
        return z


MODELS: dict[str, type[Any]] = {
    "ours": Ours,
    "zuko": Zuko,
    "nflows": NFlows,
    "normflows": NormFlows,
}
