from __future__ import annotations

import pytest
import torch

from lambent.nn import ResidualMLP


def test_starts_at_zero_and_counts() -> None:
    net = ResidualMLP(3, 4, width=5, blocks=2, context_features=2)
    assert not net(torch.randn(6, 3), torch.randn(6, 2)).any()
    block = 2 * (5 * 5 + 5) + 2 * 5 + 5
    assert sum(p.numel() for p in net.parameters()) == 5 * 5 + 5 + 2 * block + 5 * 4 + 4


def test_dropout_is_of_training_alone() -> None:
    net = ResidualMLP(3, 4, width=50, dropout=0.5)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter)
    x = torch.randn(6, 3)
    net.train()
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("blocks", 0, "^blocks: expected at least 1, got 0"),
        ("dropout", 1.0, "^dropout: expected 0 to 1, and less than 1, got 1.0"),
    ],
)
def test_refuses(field: str, value: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ResidualMLP(3, 4, **{field: value})  # type: ignore[arg-type]
