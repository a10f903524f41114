"""How fast a machine does what a pass asks of it, measured in well under a second."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lambent.evaluate.cost_meter import Meter, Product

LARGEST_PRODUCT = 3 * 10**8
"""Additions and multiplications of a measured product; a larger one is halved, side by side."""

MOST_PRODUCTS = 8
"""How many products are measured, those with most of the work; the others get their mean rate."""

POOL, CHUNK = 16, 2**18
"""Tensors that bandwidth is measured on, and numbers in each: a MiB, as hidden layers are."""

ROUNDS = 8
"""How often each is measured; the best counts."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a machine reaches at the sizes that matter to a pass."""

    flops: float
    """Additions and multiplications a second, over the measured products."""
    bytes: float
    """Bytes an elementwise op reads and writes in a second."""
    overhead: float
    """Seconds an op takes however small it is."""


def measure_rates(products: Mapping[Product, int], device: torch.device) -> Rates:
    """Measure a machine on the products and the sizes of a pass.

    Args:
        products: Additions and multiplications of each product, in all.
        device: Where to measure.

    Returns:
        The rates.
    """
    seconds = done = 0.0
    for product, flops in Counter(products).most_common(MOST_PRODUCTS):
        seconds += flops / _product_rate(product, device)
        done += flops
    return Rates(
        flops=done / seconds if done else _product_rate(Product(1, 512, 512, 512), device),
        bytes=_bandwidth(device),
        overhead=_overhead(device),
    )


def _best(run: Callable[[], object], device: torch.device, repeats: int = 1) -> float:
    """Seconds of the fastest of a few runs, after one that does not count."""
    times = []
    for _ in range(ROUNDS + 1):
        _wait(device)
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        _wait(device)
        times.append(time.perf_counter() - start)
    return min(times[1:]) / repeats


def _wait(device: torch.device) -> None:
    if device.type in ("cuda", "mps"):
        torch.get_device_module(device).synchronize()


def _product_rate(product: Product, device: torch.device) -> float:
    sides = [product.batch, product.m, product.k, product.n]
    while 2 * sides[0] * sides[1] * sides[2] * sides[3] > LARGEST_PRODUCT:
        longest = sides.index(max(sides))
        sides[longest] = (sides[longest] + 1) // 2
    batch, m, k, n = sides

    def factor(rows: int, columns: int, *, turned: bool) -> Tensor:
        shape = (batch, columns, rows) if turned else (batch, rows, columns)
        values = torch.ones(shape, device=device)
        return values.transpose(1, 2) if turned else values

    first, second = product.transposed
    a, b = factor(m, k, turned=first), factor(k, n, turned=second)
    run = torch.bmm if batch > 1 else lambda a, b: torch.mm(a[0], b[0])
    seconds = _best(lambda: run(a, b), device)
    return 2 * batch * m * k * n / seconds


def _bandwidth(device: torch.device) -> float:
    """Bytes read and written in a second, over more memory than a core's own cache holds."""
    sources, targets = (torch.ones(POOL, CHUNK, device=device) for _ in range(2))

    def run() -> None:
        for source, target in zip(sources, targets, strict=True):
            torch.add(source, source, out=target)

    return 12 * POOL * CHUNK / _best(run, device)


def _overhead(device: torch.device) -> float:
    """Seconds an op on next to nothing takes, its share of autograd's work included."""
    a = torch.ones(4, device=device, requires_grad=True)

    def run() -> None:
        y = a
        for _ in range(50):
            y = torch.cat((y[:2] * a[2:], y[2:] + a[:2]))
        y.sum().backward()

    meter = Meter([a])
    with meter:
        run()
    return _best(run, device) / meter.operations
