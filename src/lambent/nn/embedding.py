"""Class labels as vectors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.errors import check_domain


class LabelEncoder(nn.Module):
    """Labels as one-hot vectors, or as learned ones.

    Args:
        classes: How many classes there are.
        features: Size of a learned vector; one-hot vectors of size ``classes`` without it.

    Shape:
        ``(b,)`` integers to ``(b, features or classes)``.

    Raises:
        DomainError: If a label is below 0, or ``classes`` or more.
    """

    def __init__(self, classes: int, features: int | None = None) -> None:
        super().__init__()
        self.classes = classes
        self.features = classes if features is None else features
        table = torch.eye(classes) if features is None else torch.randn(classes, features)
        if features is None:
            self.register_buffer("table", table, persistent=False)
        else:
            self.table = nn.Parameter(table)

    def forward(self, labels: Tensor) -> Tensor:
        """Look the labels up."""
        if labels.ndim != 1 or labels.is_floating_point():
            raise ValueError(
                f"context: expected integer labels of shape (b,), "
                f"got {labels.dtype} of shape {tuple(labels.shape)}"
            )
        inside = (labels >= 0) & (labels < self.classes)
        given = [] if labels.is_meta else labels[:8].tolist()
        check_domain(inside, f"label: expected 0 to {self.classes - 1}, got {given}")
        return F.embedding(labels.long(), self.table)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.classes}, features={self.features}"
