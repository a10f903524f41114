"""The columns of a table on one scale, and as a context."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core.compose import Compose
from lambent.core.distribution import Distribution
from lambent.core.transform import Transform
from lambent.data.columns import ColumnFacts
from lambent.nn import VectorEncoder
from lambent.nn.context import context_vector
from lambent.transforms import Columns, FixedAffine, Log, Logit, Multiples
from lambent.types import Context


def straightening(columns: Sequence[ColumnFacts], noise: Distribution | None = None) -> Transform:
    """What takes columns of numbers, all of one kind, to mean 0 and deviation 1.

    Args:
        columns: Their facts.
        noise: Of whole multiples: the law of the noise; uniform if not given.

    Returns:
        The transform, of ``(b, columns)``.
    """
    scaled = FixedAffine([c.centre for c in columns], [c.scale for c in columns])
    kind = columns[0].kind
    if kind == "positive":
        return Compose(log=Log(), units=scaled)
    if kind == "interval":
        ends = FixedAffine([c.low for c in columns], [c.high - c.low for c in columns], wide=True)
        return Compose(ends=ends, logit=Logit(0.0), units=scaled)
    if kind in ("integer", "count"):
        low, high, step = zip(*((c.low, c.high, c.step) for c in columns), strict=True)
        whole = Multiples(low, high, step, noise)
        if kind == "integer":
            return Compose(whole=whole, units=scaled)
        return Compose(whole=whole, log=Log(1.0), units=scaled)
    return scaled


class ColumnEncoder(VectorEncoder):
    """Columns that rows are given, as vectors: numbers straightened and scaled, categories one-hot.

    Args:
        columns: Their facts.

    Shape:
        ``(b, k)``, categories by number, to ``(b, features)``.
    """

    def __init__(self, columns: Sequence[ColumnFacts]) -> None:
        choices = {i: len(c.categories) for i, c in enumerate(columns) if c.kind == "category"}
        kinds: dict[str, list[int]] = {}
        for place, column in enumerate(columns):
            if place not in choices:
                kinds.setdefault(column.kind, []).append(place)
        numbers = [place for places in kinds.values() for place in places]
        super().__init__(len(numbers) + sum(choices.values()))
        self.columns = tuple(columns)
        self.choices = choices
        self.places = numbers
        self.numbers = None
        if numbers:
            new = iter(range(len(numbers)))
            parts = [
                ([next(new) for _ in places], straightening([columns[p] for p in places]))
                for places in kinds.values()
            ]
            self.numbers = Columns(*parts)

    def forward(self, context: Context) -> Tensor:
        """One vector for each row."""
        rows = context_vector(context, len(self.columns))
        parts = [] if self.numbers is None else [self.numbers.encode(rows[:, self.places])]
        for place, count in self.choices.items():
            code = rows[:, place].long()
            if not torch.compiler.is_compiling() and bool(((code < 0) | (code >= count)).any()):
                raise ValueError(
                    f"context: expected categories 0 to {count - 1} of "
                    f"'{self.columns[place].name}', got others"
                )
            like = parts[0] if parts else torch.get_default_dtype()
            parts.append(
                F.one_hot(code, count).to(like.dtype if isinstance(like, Tensor) else like)
            )
        return torch.cat(parts, 1)
