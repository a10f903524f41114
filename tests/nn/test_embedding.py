"""Labels as vectors."""

from __future__ import annotations

import pytest
import torch

from lambent.errors import DomainError
from lambent.nn import LabelEncoder


def test_one_hot() -> None:
    encoder = LabelEncoder(3)
    assert encoder(torch.tensor([2, 0])).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert encoder.features == 3
    assert not list(encoder.parameters())


def test_learned() -> None:
    encoder = LabelEncoder(3, 5)
    assert encoder(torch.tensor([1, 1])).shape == (2, 5)
    encoder(torch.tensor([1, 1])).sum().backward()
    assert encoder.table.grad.tolist() == [[0.0] * 5, [2.0] * 5, [0.0] * 5]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_integers_of_any_width(dtype: torch.dtype) -> None:
    assert LabelEncoder(3)(torch.tensor([2], dtype=dtype)).argmax().item() == 2


@pytest.mark.parametrize("label", [-1, 3])
def test_label_out_of_range_is_refused(label: int) -> None:
    with pytest.raises(DomainError, match=r"label: expected 0 to 2, got \[0, -?\d\]"):
        LabelEncoder(3)(torch.tensor([0, label]))


@pytest.mark.parametrize("labels", [torch.tensor([[1]]), torch.tensor([1.0]), torch.tensor(1)])
def test_what_is_no_label_is_refused(labels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="expected integer labels of shape"):
        LabelEncoder(3)(labels)
