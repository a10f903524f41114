from __future__ import annotations

import pytest
import torch

from lambent.evaluate.check_scale import scales
from lambent.nn import Pooled
from lambent.testing import perturbed
from lambent.transforms import ConditionalConv1x1, PLUConv1x1


@torch.no_grad()
def test_a_mix_of_the_context_has_those_of_every_event() -> None:
    layer = ConditionalConv1x1(PLUConv1x1(3), Pooled(2, 9)).double()
    x, context = torch.randn(4, 3, 2, 2).double(), torch.randn(4, 2, 2, 2).double()
    plain, found = scales(layer.mix, x, None), scales(layer, x, context)
    assert plain is not None
    assert found is not None
    assert tuple(found) == pytest.approx(tuple(plain))
    layer = perturbed(layer, 0.5, seed=1)
    each = [scales(layer, x[i : i + 1], context[i : i + 1]) for i in range(4)]
    found = scales(layer, x, context)
    assert found is not None
    assert found.smallest == pytest.approx(min(s.smallest for s in each if s is not None))
    assert found.largest == pytest.approx(max(s.largest for s in each if s is not None))
    worst = max(s.condition for s in each if s is not None and s.condition is not None)
    assert found.condition == pytest.approx(worst)
    assert worst < found.largest / found.smallest  # of two events
