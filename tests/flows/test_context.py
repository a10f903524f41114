"""Families of vectors that read a context: the oracle of a linear normal, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from lambent import seeded
from lambent.core import Flow, initialize
from lambent.core.registry import build
from lambent.flows import MAFConfig, maf

SLOPE = torch.tensor([[1.0, -2.0], [0.5, 1.0]])
NOISE = 0.5


def drawn(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows ``x ~ N(A y, 1/4)`` and their ``y``."""
    y = torch.randn(n, 2)
    return y @ SLOPE.T + NOISE * torch.randn(n, 2), y


def trained(name: str, **settings: Any) -> Flow:
    with seeded(0):
        flow = build(name, {"shape": (2,), "context_features": 2, "width": 32} | settings)
        x, y = drawn(4096)
        initialize(flow, x, y)
        optimiser = torch.optim.Adam(flow.parameters(), 5e-3)
        slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, 250)
        for step in range(250):
            rows = torch.arange(256) + 256 * (step % 16)
            loss = -flow(x[rows], y[rows]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            slower.step()
    return flow.eval()


@pytest.mark.parametrize("name", ["nice", "realnvp", "maf", "nsf"])
def test_linear_normal(name: str) -> None:
    flow = trained(name, **({"prior": "normal"} if name == "nice" else {}))
    with seeded(1), torch.no_grad():
        x, y = drawn(4000)
        nats = float(-flow.log_prob(x, y).mean())
        wrong = float(-flow.log_prob(x, y.roll(1, 0)).mean())
    oracle = math.log(2 * math.pi * math.e * NOISE**2)
    assert nats < oracle + 0.1
    assert wrong > oracle + 1
    places = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    with seeded(2):
        draws = flow.sample(2000, places).unflatten(0, (2, 2000))
    torch.testing.assert_close(draws.mean(1), places @ SLOPE.T, atol=0.15, rtol=0)
    torch.testing.assert_close(draws.std(1), torch.full((2, 2), NOISE), atol=0.1, rtol=0)


def _tuple(flow: Flow, x: torch.Tensor) -> None:
    flow.log_prob(x, torch.zeros(3, 2))


def _missing(flow: Flow, x: torch.Tensor) -> None:
    flow.log_prob(x)


def _size(flow: Flow, x: torch.Tensor) -> None:
    flow.log_prob(x, (torch.zeros(3, 3), torch.zeros(3, 1, 4, 4)))


def _picture(flow: Flow, x: torch.Tensor) -> None:
    flow.log_prob(x, (torch.zeros(3, 2), torch.zeros(3, 1, 4, 5)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (_tuple, "context: expected a tuple of 2 contexts, got a tensor"),
        (_missing, "context: this flow is conditional"),
        (_size, r"context: expected vectors of shape \(b, 2\), got \(3, 3\)"),
        (_picture, r"context: expected images of shape \(b, \*\(1, 4, 4\)\), got \(3, 1, 4, 5\)"),
    ],
)
def test_a_context_of_another_form_is_refused(
    wrong: Callable[[Flow, torch.Tensor], None], said: str
) -> None:
    flow = maf(MAFConfig(shape=(2,), width=4, context_features=2, context_shape=(1, 4, 4)))
    with pytest.raises(ValueError, match=said):
        wrong(flow, torch.zeros(3, 2))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"conditioning": "label"}, "classes: expected at least 1 for a flow conditional"),
        ({"context_features": 0}, "context_features: expected at least 1, got 0"),
        ({"context_shape": (1, 0, 4)}, "context_shape: expected"),
        ({"conditioning": "vector"}, "conditioning: expected"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build("maf", {"shape": (2,)} | settings)


def test_pixels_and_numbers_are_read_alike() -> None:
    flow = maf(MAFConfig(shape=(2,), width=4, context_shape=(1, 6, 6)))
    with seeded(0):
        pixels = torch.randint(0, 256, (3, 1, 6, 6), dtype=torch.uint8)
    x = torch.randn(3, 2)
    torch.testing.assert_close(flow(x, pixels), flow(x, pixels / 255 - 0.5))
