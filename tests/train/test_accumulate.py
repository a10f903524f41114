"""A step in parts: the same gradients, the same figures, the same steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lambent import Flow, Images, TrainConfig, fit, seeded
from lambent.core.compose import Compose
from lambent.core.transform import Transform, zero_log_det
from lambent.flows import GlowConfig, glow
from lambent.train.metrics import read_metrics

Quick = Callable[..., TrainConfig]


class Centres(Transform):
    """Levels to float64, without the noise whose draws depend on how a batch is parted."""

    def forward(self, x: Tensor, context: object = None) -> tuple[Tensor, Tensor]:
        z = x.double() / 256 - 0.5
        return z, zero_log_det(z)

    def inverse(self, z: Tensor, context: object = None) -> tuple[Tensor, Tensor]:
        x = (256 * (z + 0.5)).clamp(0, 255).round().to(torch.uint8)
        return x, zero_log_det(z)


def quiet_flow() -> Flow:
    """A small Glow in float64 that draws nothing."""
    with seeded(0):
        whole = glow(GlowConfig(shape=(1, 4, 4), grey_levels=256, levels=1, steps=2, width=8))
    assert isinstance(whole.transform, Compose)
    return Flow(Compose(centres=Centres(), scales=whole.transform["scales"]), whole.base).double()


PLAIN = {
    "optimizer": "sgd",
    "momentum": 0.0,
    "learning_rate": 0.1,
    "ema_decay": None,
    "clip_norm": 0.5,
    "patience": None,
}


def weights(run: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(run / "checkpoints/last.ckpt", weights_only=True)[
        "state_dict"
    ]
    return found


@pytest.mark.parametrize("accumulate", [2, 4])
def test_parts_make_the_same_step(
    accumulate: int, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    for parts in (1, accumulate):
        config = quick(accumulate=parts, **PLAIN)
        flow = quiet_flow()
        fitted = fit(flow, images, held_out, config=config, out=tmp_path / str(parts))
        assert fitted.steps == 20
    one, many = weights(tmp_path / "1"), weights(tmp_path / str(accumulate))
    for key, value in one.items():
        torch.testing.assert_close(many[key], value, rtol=1e-9, atol=1e-11, msg=key)
    rows = [read_metrics(tmp_path / str(parts) / "metrics.csv") for parts in (1, accumulate)]
    assert list(rows[0]) == list(rows[1]) == [10, 20]
    for step, row in rows[0].items():
        assert rows[1][step] == pytest.approx(row, rel=1e-5), step
