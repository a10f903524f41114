"""Competitors timed in turn, so that what slows the machine slows them all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def in_turn(tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each task in each round but the first, which only warms up.

    Args:
        tasks: What to run, by name; each round runs every one of them once, in order.
        rounds: Number of rounds that count.

    Returns:
        The seconds of each task, one for every round that counts.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds + 1):
        for name, task in tasks.items():
            gc.collect()
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in seconds.items()}


def milliseconds(seconds: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """Best and median of each task, in milliseconds."""
    return {
        name: {
            "best": round(1e3 * min(values), 2),
            "median": round(1e3 * statistics.median(values), 2),
        }
        for name, values in seconds.items()
    }
