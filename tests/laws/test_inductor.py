"""The law of compilation with the compiler that makes code: one flow of each family."""

from __future__ import annotations

import shutil

import pytest
import torch

from lambent.core import initialize, seeded
from lambent.flows import GlowConfig, glow
from lambent.testing import perturbed, pixels


@pytest.mark.slow
@pytest.mark.compile
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
def test_glow() -> None:
    config = GlowConfig(shape=(1, 4, 4), grey_levels=17, levels=1, steps=2, width=8)
    flow, x = glow(config), pixels()((6, 1, 4, 4))
    initialize(flow, x)
    scales = perturbed(flow, 0.1, seed=1).transform["scales"]
    with seeded(0):
        inside = torch.rand(6, 1, 4, 4, dtype=torch.float64) - 0.5
    torch.compiler.reset()
    z, log_det = torch.compile(scales, fullgraph=True)(inside)
    back, minus_log_det = torch.compile(scales.inverse, fullgraph=True)(z.detach())
    expected, expected_log_det = scales(inside)
    torch.testing.assert_close(z, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(log_det, expected_log_det, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(back, inside, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(minus_log_det, -log_det, rtol=1e-9, atol=1e-9)
    loss = torch.compile(lambda event: scales(event)[1].sum(), fullgraph=True)(inside)
    assert torch.autograd.grad(loss, scales.parameters(), allow_unused=True)[0] is not None
