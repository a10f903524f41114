"""One thread, fixed seeds, and the same examples every time."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
import torch

from lambent.core import seeded

hypothesis.settings.register_profile(
    "lambent", deadline=None, derandomize=True, database=None, max_examples=50
)
hypothesis.settings.load_profile("lambent")


@pytest.fixture(autouse=True)
def _fixed_draws() -> Iterator[None]:
    """Every test draws from the same seed, and leaves the generator as it was."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with seeded(0):
        yield
    torch.set_num_threads(threads)
