from __future__ import annotations

import pytest
import torch

from lambent import seeded
from lambent.nn import Pooled
from lambent.testing import perturbed
from lambent.transforms import ConditionalConv1x1, PLUConv1x1


def test_it_starts_as_the_plain_convolution() -> None:
    mix = PLUConv1x1(3)
    layer = ConditionalConv1x1(mix, Pooled(2, 9))
    x, context = torch.rand(2, 3, 4, 4), torch.rand(2, 2, 4, 4)
    for mine, plain in zip(layer(x, context), mix(x), strict=True):
        torch.testing.assert_close(mine, plain)


def test_every_event_has_its_own_weight() -> None:
    with seeded(0):
        layer = perturbed(ConditionalConv1x1(PLUConv1x1(3), Pooled(2, 9)), 0.3, seed=1)
        x = torch.rand(1, 3, 2, 2, dtype=torch.float64).expand(2, -1, -1, -1)
        context = torch.rand(2, 2, 2, 2, dtype=torch.float64)
    z, log_det = layer(x, context)
    assert not torch.allclose(z[0], z[1])
    assert log_det[0] != log_det[1]


def test_it_can_be_inverted_for_any_context() -> None:
    with seeded(0):
        layer = perturbed(ConditionalConv1x1(PLUConv1x1(4), Pooled(2, 16)), 1.0, seed=1)
        x = torch.rand(5, 4, 2, 2, dtype=torch.float64)
        context = 1e6 * torch.randn(5, 2, 2, 2, dtype=torch.float64)
    torch.testing.assert_close(layer.inverse(layer(x, context)[0], context)[0], x)


def test_bound() -> None:
    with pytest.raises(ValueError, match=r"^bound: expected more than 0, got 0"):
        ConditionalConv1x1(PLUConv1x1(2), Pooled(1, 4), bound=0.0)
