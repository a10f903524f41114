"""Alternating linear couplings fitted to matrices, many at a time, by Adam and then L-BFGS."""

from __future__ import annotations

import torch
from torch import Tensor


def product(weights: Tensor, log_scales: Tensor) -> Tensor:
    """Couplings (r, k, d, d) and (r, k, d) as matrices (r, 2d, 2d); the halves change in turn."""
    r, k, d, _ = weights.shape
    unit = torch.eye(2 * d, dtype=weights.dtype).expand(r, -1, -1)
    halves = [unit[:, :d], unit[:, d:]]
    for i in range(k):
        changed = i % 2
        scaled = log_scales[:, i, :, None].exp() * halves[changed]
        halves[changed] = scaled + weights[:, i] @ halves[1 - changed]
    return torch.cat(halves, 1)


def errors(weights: Tensor, log_scales: Tensor, targets: Tensor) -> Tensor:
    """Relative Frobenius errors, (r,)."""
    off = (product(weights, log_scales) - targets).flatten(1).norm(dim=1)
    return off / targets.flatten(1).norm(dim=1)


def fit(
    targets: Tensor, couplings: int, *, steps: int, polish: int, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Fit each target (r, n, n), float64, from a random start of its own.

    Returns:
        The errors (r,) and the products (r, n, n) at the end, and the errors along the way of Adam.
    """
    r, d = len(targets), targets.shape[1] // 2
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(r, couplings, d, d, dtype=targets.dtype, generator=generator)
    weights = (start * 0.3 / d**0.5).requires_grad_()
    log_scales = torch.zeros(r, couplings, d, dtype=targets.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([weights, log_scales], lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=1e-5)
    path = []
    for _ in range(steps):
        found = errors(weights, log_scales, targets)
        path.append(found.detach())
        optimizer.zero_grad()
        found.square().sum().backward()
        optimizer.step()
        schedule.step()
    for i in range(r):
        _polish(weights, log_scales, targets, i, polish)
    with torch.no_grad():
        ends = errors(weights, log_scales, targets), product(weights, log_scales)
    return *ends, torch.stack(path)


def _polish(weights: Tensor, log_scales: Tensor, targets: Tensor, i: int, steps: int) -> None:
    """L-BFGS on one of them, in place; a step that ends in no number is not taken."""
    own = [part.detach()[i : i + 1].clone().requires_grad_() for part in (weights, log_scales)]
    optimizer = torch.optim.LBFGS(
        own,
        max_iter=steps,
        history_size=30,
        tolerance_grad=1e-16,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = errors(*own, targets[i : i + 1]).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        before = errors(weights[i : i + 1], log_scales[i : i + 1], targets[i : i + 1])
        if bool(errors(*own, targets[i : i + 1]) < before):
            weights[i], log_scales[i] = own[0][0], own[1][0]
