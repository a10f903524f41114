"""What computing a coupling network by matrix products gains over the library's convolutions.

Both are the same network with the same weights, forward and backward, stepped in turn.

    python benchmarks/coupling_net.py [--rounds 12] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from emit import emit
from torch import Tensor

from lambent.nn import CouplingNet, plain

SHAPES = [  # batch, channels read, channels put out, hidden width, side
    (64, 2, 4, 96, 14),
    (64, 4, 8, 96, 7),
    (32, 6, 12, 96, 16),
    (16, 6, 12, 512, 16),
    (16, 24, 48, 512, 4),
]


def by_convolutions(net: CouplingNet, a: Tensor) -> Tensor:
    """The same function as ``net(a)``, by the library's convolutions."""
    with plain():
        return net(a)


def seconds(run: object, a: Tensor) -> float:
    start = time.perf_counter()
    run(a).square().sum().backward()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    for batch, read, put, width, side in SHAPES:
        net = CouplingNet(read, put, width=width)
        torch.nn.init.normal_(net.last.conv.weight, std=0.05)
        a = torch.randn(batch, read, side, side, requires_grad=True)
        torch.testing.assert_close(net(a), by_convolutions(net, a), rtol=1e-3, atol=1e-3)
        products, convolutions = [], []
        for _ in range(options.rounds + 1):
            products.append(seconds(net, a))
            convolutions.append(seconds(lambda x, n=net: by_convolutions(n, x), a))
        ratios = [c / p for p, c in zip(products[1:], convolutions[1:], strict=True)]
        rows.append(
            {
                "batch": batch,
                "channels": read,
                "width": width,
                "side": side,
                "products_ms": round(1e3 * statistics.median(products[1:]), 2),
                "convolutions_ms": round(1e3 * statistics.median(convolutions[1:]), 2),
                "median_ratio": round(statistics.median(ratios), 2),
            }
        )
    emit({"threads": torch.get_num_threads(), "rows": rows}, options.out)


if __name__ == "__main__":
    main()
