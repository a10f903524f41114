"""Conditions as the numbers a joint flow carries beside the data."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lambent.errors import check_domain
from lambent.nn.affine import ChannelAffine
from lambent.types import Context, Size


class LabelNumber(nn.Module):
    r"""Class labels as one number: ``(k - mean) / std`` over equally frequent classes.

    Args:
        classes: How many classes there are, at least 2.

    Shape:
        ``(b,)`` integers to ``(b, 1)``.

    Raises:
        ValueError: If there are fewer classes, or labels are no integers.
        DomainError: If a label is below 0, or ``classes`` or more.

    Example:
        >>> LabelNumber(2)(torch.tensor([0, 1]))
        tensor([[-1.],
                [ 1.]])
    """

    numbers: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes: expected at least 2, got {classes}")
        self.classes = classes
        self.spacing = math.sqrt(12 / (classes**2 - 1))
        """Between two neighbouring classes."""
        numbers = (torch.arange(classes) - (classes - 1) / 2) * self.spacing
        self.register_buffer("numbers", numbers[:, None], persistent=False)

    def forward(self, labels: Context) -> Tensor:
        """Look the labels up."""
        if not isinstance(labels, Tensor) or labels.ndim != 1 or labels.is_floating_point():
            given = type(labels).__name__
            if isinstance(labels, Tensor):
                given = f"{labels.dtype} of shape {tuple(labels.shape)}"
            raise ValueError(f"context: expected integer labels of shape (b,), got {given}")
        inside = (labels >= 0) & (labels < self.classes)
        some = [] if labels.is_meta else labels[:8].tolist()
        check_domain(inside, f"label: expected 0 to {self.classes - 1}, got {some}")
        return self.numbers[labels.long()]


class StandardUnits(nn.Module):
    """Vectors or planes with mean 0 and second moment 1 in each channel of the first batch.

    The scale and shift are set once, by :func:`lambent.initialize`, and not trained.

    Args:
        shape: Shape of one condition, ``(channels, *)``.

    Shape:
        ``(b, *shape)`` both ways.

    Raises:
        ValueError: If a condition is of another shape.
    """

    def __init__(self, shape: Size) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.spacing = 1.0
        """What noise is measured by: a standard deviation."""
        self.affine = ChannelAffine(shape[0], log_scale_factor=1.0).requires_grad_(
            requires_grad=False
        )

    def forward(self, condition: Context) -> Tensor:
        """Shift, then scale."""
        if not isinstance(condition, Tensor) or tuple(condition.shape[1:]) != self.shape:
            given = type(condition).__name__
            if isinstance(condition, Tensor):
                given = str(tuple(condition.shape))
            raise ValueError(f"context: expected shape (b, *{self.shape}), got {given}")
        standard: Tensor = self.affine(condition.to(self.affine.bias.dtype))
        return standard


class Condition(nn.Module):
    r"""A condition in standard units; in training with normal noise, and spread over planes.

    The noise keeps a flow over data and condition from stretching the gaps between a few values of
    the condition, which would raise its likelihood without bound. It is the same in all places of
    a plane that stands for one number.

    Args:
        units: :class:`LabelNumber` or :class:`StandardUnits`.
        noise: Standard deviation of the noise, as a share of the units' ``spacing``.
        places: Height and width that numbers are spread over, where events are images.

    Shape:
        What ``units`` takes to ``(b, channels)``, ``(b, channels, h, w)`` where events are images.

    Raises:
        ValueError: If the noise is negative.
    """

    def __init__(
        self,
        units: LabelNumber | StandardUnits,
        *,
        noise: float = 0.0,
        places: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        if not noise >= 0:
            raise ValueError(f"noise: expected at least 0, got {noise}")
        self.units = units
        self.noise = noise
        self.places = places
        self.classes = units.classes if isinstance(units, LabelNumber) else None
        """How many labels there are, where the condition is a label."""
        self.of_vectors = isinstance(units, StandardUnits) and len(units.shape) == 1
        """Whether conditions are vectors."""

    def forward(self, condition: Context) -> Tensor:
        """The numbers that stand for the condition."""
        y: Tensor = self.units(condition)
        if self.training and self.noise > 0:
            y = y + self.noise * self.units.spacing * torch.randn_like(y)
        if self.places is not None and y.ndim == 2:
            y = y[:, :, None, None].expand(-1, -1, *self.places)
        return y

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"noise={self.noise:g}"
