"""A scale of Glow on the fast path, against the same on the plain one."""

from __future__ import annotations

import torch

from lambent.core.seed import seeded
from lambent.flows import GlowConfig, glow
from lambent.nn.fast import plain
from lambent.testing import perturbed
from lambent.transforms import GlowLevel


def level(**fields: object) -> GlowLevel:
    config = GlowConfig(shape=(2, 4, 6), grey_levels=8, levels=1, steps=3, width=8, **fields)
    flow = perturbed(glow(config), 0.1, seed=1)
    return next(part for part in flow.modules() if isinstance(part, GlowLevel))


def test_events_that_are_not_finite_leave_their_neighbours_alone() -> None:
    made = level()
    x = torch.randn(5, 2, 4, 6, dtype=torch.float64)
    x[2, 0, 3, 5] = torch.inf
    others = [0, 1, 3, 4]
    for run in (made, made.inverse):
        start = x if run is made else made(x)[0]
        y, log_det = run(start)
        assert y[others].isfinite().all()
        assert log_det[others].isfinite().all()
        assert not y[2].isfinite().all()
        alone, _ = run(start[others])
        torch.testing.assert_close(y[others], alone, rtol=1e-12, atol=1e-12)


def test_dropout_draws_in_the_order_in_which_steps_run() -> None:
    made = level(dropout=0.5).train()
    z = torch.randn(3, 8, 2, 3, dtype=torch.float64)
    x = torch.randn(3, 2, 4, 6, dtype=torch.float64)
    for run, start in ((made, x), (made.inverse, z)):
        with seeded(3):
            fast, _ = run(start)
        with seeded(3), plain():
            slow, _ = run(start)
        torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)
