"""A foreign state dict that is read to the last key."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor


class Weights:
    """Tensors by name, each to be taken once; whatever is left at the end was not expected.

    The prefix that ``DataParallel`` puts before every name is left out.

    Args:
        tensors: The state dict.
        layout: Name of the layout it should have, for the messages.

    Raises:
        ValueError: If a value is not a tensor.
    """

    def __init__(self, tensors: Mapping[str, Tensor], layout: str) -> None:
        for key, value in tensors.items():
            if not isinstance(value, Tensor):
                raise ValueError(f"{key}: expected a tensor, got {type(value).__name__}")
        self.layout = layout
        self._left = without_prefix(tensors)
        self._all = list(self._left)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def any_under(self, key: str) -> bool:
        """Whether there is anything of a layer."""
        return any(name.startswith(f"{key}.") for name in self._all)

    def numbers(self, pattern: str) -> list[int]:
        """The numbers of which a key speaks.

        Args:
            pattern: A regular expression that a key begins with; its one group is the number.

        Returns:
            Each once, in order.
        """
        found = (re.match(pattern, key) for key in self._all)
        return sorted({int(match.group(1)) for match in found if match})

    def shape(self, key: str, dims: int) -> tuple[int, ...]:
        """The shape of a tensor that is yet to be taken.

        Args:
            key: Its name.
            dims: How many axes it should have.

        Returns:
            The shape.

        Raises:
            ValueError: If it is missing, or has another number of axes, or an empty one.
        """
        self._check_there(key)
        shape = tuple(self._left[key].shape)
        if len(shape) != dims or 0 in shape:
            raise ValueError(f"{key}: expected {dims} axes, none of them empty, got shape {shape}")
        return shape

    def take(self, key: str, *shape: int) -> Tensor:
        """A tensor, once.

        Args:
            key: Its name.
            *shape: Its shape.

        Returns:
            The values, float32 or float64, on the CPU and without a gradient.

        Raises:
            ValueError: If it is missing, of another shape, or holds NaN or infinity.
        """
        self._check_there(key)
        given = tuple(self._left[key].shape)
        if given != shape:
            raise ValueError(f"{key}: expected shape {shape}, got {given}")
        values = self._left.pop(key).detach().cpu()
        values = values if values.dtype == torch.float64 else values.float()
        if not values.isfinite().all():
            raise ValueError(f"{key}: expected finite numbers, got NaN or infinity")
        return values

    def skip(self, *keys: str) -> None:
        """Leave out what the flow has no use for.

        Args:
            *keys: Names that may be there.
        """
        for key in keys:
            self._left.pop(key, None)

    def check_all_taken(self) -> None:
        """Raise if something is left.

        Raises:
            ValueError: If so; the message names the first.
        """
        if self._left:
            more = f" and {len(self._left) - 1} more" if len(self._left) > 1 else ""
            raise ValueError(f"{min(self._left)}{more}: not expected in the layout '{self.layout}'")

    def _check_there(self, key: str) -> None:
        if key not in self._left:
            raise ValueError(f"{key}: expected in the layout '{self.layout}', not found")


def without_prefix(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors; where every name begins with ``module.``, without it."""
    prefix = "module."
    everywhere = all(key.startswith(prefix) for key in tensors)
    return {key.removeprefix(prefix) if everywhere else key: t for key, t in tensors.items()}


def dtype_of(tensors: Mapping[str, Tensor]) -> torch.dtype:
    """``float64`` where all real numbers are, else ``float32``."""
    kinds = {t.dtype for t in tensors.values() if t.is_floating_point()}
    return torch.float64 if kinds == {torch.float64} else torch.float32
