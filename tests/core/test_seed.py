"""Fixed draws, and nothing else disturbed."""

from __future__ import annotations

import pytest
import torch

from lambent.core import seeded


def test_same_seed_same_draws() -> None:
    draws = []
    for seed in (1, 1, 2):
        with seeded(seed):
            draws.append(torch.randn(3))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_generator_is_put_back_also_after_an_error() -> None:
    before = torch.get_rng_state()
    with seeded(1):
        torch.rand(5)
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(RuntimeError), seeded(1):
        torch.rand(5).reshape(7)
    assert torch.equal(torch.get_rng_state(), before)


def test_nests() -> None:
    with seeded(1):
        torch.rand(1)
        second = torch.rand(1)
    with seeded(1):
        torch.rand(1)
        with seeded(9):
            torch.rand(100)
        assert torch.equal(torch.rand(1), second)
