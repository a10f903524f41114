"""What all estimators are set by."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def check_budget(max_seconds: float) -> None:
    """Raise unless a time budget is one.

    Args:
        max_seconds: The budget.

    Raises:
        ValueError: If it is not above 0.
    """
    if not (isinstance(max_seconds, (int, float)) and max_seconds > 0):
        raise ValueError(f"max_seconds: expected a number above 0, got {max_seconds}")


def generator(random_state: Any) -> np.random.RandomState:
    """The generator of what scikit-learn takes as a random state.

    Args:
        random_state: A seed, a generator, or nothing, which is numpy's global generator.

    Returns:
        The generator.
    """
    found: np.random.RandomState = check_random_state(random_state)
    return found


def seed_of(random_state: Any) -> int:
    """A seed from what scikit-learn takes as a random state.

    Args:
        random_state: A seed, a generator, or nothing, which is numpy's global generator.

    Returns:
        The seed.
    """
    return int(generator(random_state).randint(2**31 - 1))
