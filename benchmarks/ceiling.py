"""What plain float32 matrix products reach at the sizes of Glow's coupling networks."""

from __future__ import annotations

import math
import time

import torch


def layer_sizes(
    shape: tuple[int, int, int], levels: int, width: int, batch: int
) -> list[tuple[int, int, int]]:
    """The products of one affine step at each level, as (places, features in, features out).

    A 3x3 convolution from c channels is a product from 9 c; one to k channels, with k small, is a
    product to 9 k whose parts are added up.
    """
    channels, height, side = shape
    sizes = []
    for level in range(levels):
        height, side, channels = height // 2, side // 2, 4 * channels
        places = batch * height * side
        half = channels // 2
        sizes += [(places, 9 * half, width), (places, width, width), (places, width, 18 * half)]
        channels = half if level + 1 < levels else channels
    return sizes


def conditioner_flops(
    shape: tuple[int, int, int], levels: int, steps: int, width: int, batch: int
) -> int:
    """Additions and multiplications of the coupling networks in one forward pass."""
    return steps * sum(2 * math.prod(size) for size in layer_sizes(shape, levels, width, batch))


class Ceiling:
    """The forward products and both gradients' of one step at every level, into ready outputs.

    Call it once a round; :meth:`figures` takes the best time of each product.
    """

    def __init__(self, shape: tuple[int, int, int], levels: int, width: int, batch: int) -> None:
        self.products = {}
        for places, inside, outside in layer_sizes(shape, levels, width, batch):
            x, w = torch.randn(places, inside), torch.randn(inside, outside)
            g = torch.randn(places, outside)
            kinds = {"forward": (x, w), "data_gradient": (g, w.t()), "weight_gradient": (x.t(), g)}
            for kind, (a, b) in kinds.items():
                name = f"{kind} {places}x{inside}->{outside}"
                self.products[name] = (a, b, torch.empty(a.shape[0], b.shape[1]))
        self.best = dict.fromkeys(self.products, math.inf)

    def __call__(self) -> None:
        """Time every product a few times."""
        for name, (a, b, out) in self.products.items():
            for _ in range(5):
                start = time.perf_counter()
                torch.mm(a, b, out=out)
                self.best[name] = min(self.best[name], time.perf_counter() - start)

    def figures(self) -> dict[str, float | dict[str, float]]:
        """GFLOP/s of each product, and of all: all their FLOPs in the sum of their best times."""
        flops = {name: 2 * out.numel() * a.shape[1] for name, (a, _, out) in self.products.items()}
        return {
            "gflops": round(sum(flops.values()) / sum(self.best.values()) / 1e9, 1),
            "products": {n: round(flops[n] / self.best[n] / 1e9, 1) for n in self.products},
        }
