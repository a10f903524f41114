"""A line on the terminal that says how far a fit is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor

Show = Callable[[int, Tensor], None]
"""Told of the steps taken and the nats of the rows held out."""


@contextmanager
def progress(*, verbose: bool) -> Iterator[Show]:
    """Show each look at rows held out, if asked to.

    Args:
        verbose: Whether to show anything.

    Yields:
        What to tell.
    """
    if not verbose:
        yield lambda steps, nats: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("the normal law")

        def show(steps: int, nats: Tensor) -> None:
            text = f"step {steps}: {float(nats.mean()):.3f} nats a row held out, whitened"
            bar.update(task, description=text)

        yield show
