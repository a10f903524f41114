from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lambent import Flow, Images, TrainConfig, fit, initialize, seeded
from lambent.core.compose import Compose
from lambent.core.transform import Transform, zero_log_det
from lambent.nn import CouplingNet
from lambent.train.drift import DRIFT_BOUND, chain_drift, drift, rebuilding
from lambent.train.metrics import read_metrics
from lambent.transforms import ActNorm, Additive, Coupling, MultiScale, PLUConv1x1

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


class Lossy(Transform):
    """A shift by a learned number, whose inverse misses by an amount, but for in training."""

    cheap_inverse = True

    def __init__(self, miss: float) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))
        self.miss = miss

    def forward(self, x: Tensor, context: object = None) -> tuple[Tensor, Tensor]:
        return x + self.shift, zero_log_det(x)

    def inverse(self, z: Tensor, context: object = None) -> tuple[Tensor, Tensor]:
        return z - self.shift + (0.0 if self.training else self.miss), zero_log_det(z)


@pytest.mark.parametrize(("every", "expected"), [(None, 5.0), (2, 2.0), (3, 3.0), (1, 1.0)])
def test_the_error_grows_from_one_kept_state_to_the_next(
    every: int | None, expected: float
) -> None:
    chain = Compose(*(Lossy(0.01) for _ in range(5)), recompute="inverse", every=every).eval()
    small = torch.rand(3, 2, 4, 4)
    assert chain_drift(chain, small) == pytest.approx(0.01 * expected, rel=1e-4)
    large = 100 * torch.ones(3, 2, 4, 4)
    assert chain_drift(chain, large) == pytest.approx(0.0001 * expected, rel=0.05)


def test_one_bad_step_is_seen_wherever_it_stands() -> None:
    for place in range(4):
        steps = [Lossy(0.5 if i == place else 0.0) for i in range(4)]
        chain = Compose(*steps, recompute="inverse", every=1).eval()
        assert chain_drift(chain, torch.zeros(1, 2)) == 0.5


def test_an_inverse_that_is_not_finite_is_infinitely_far() -> None:
    for miss in (math.nan, math.inf):
        chain = Compose(Lossy(0.0), Lossy(miss), Lossy(0.0), recompute="inverse").eval()
        assert chain_drift(chain, torch.zeros(1, 2)) == math.inf


def test_a_healthy_chain_is_far_below_the_bound() -> None:
    """It agrees with the error of the whole inverse, and is zero to float64."""
    with seeded(0):
        steps: list[Transform] = []
        for _ in range(8):
            net = CouplingNet(2, 2, width=16)
            nn.init.normal_(net.last.conv.weight, std=0.1)
            steps += [ActNorm(4), PLUConv1x1(4), Coupling(net, Additive())]
        chain = Compose(*steps, recompute="inverse")
        x = torch.randn(16, 4, 8, 8)
    with torch.no_grad():
        back = chain.inverse(chain(x)[0])[0]
    whole = float((back - x).abs().max()) / float(x.abs().max())  # in float64, as it is there
    found = chain_drift(chain, x)
    assert 0 < whole <= found < 0.1 * DRIFT_BOUND
    assert chain_drift(chain.double(), x.double()) < 1e-6 * found


def rebuilt(new_flow: NewFlow, miss: float) -> Flow:
    """A small Glow whose level rebuilds its states, by an inverse that misses at the end."""
    flow = new_flow()
    (scales,) = (m for m in flow.modules() if isinstance(m, MultiScale))
    level = scales.levels[0]
    assert isinstance(level, Compose)
    scales.levels[0] = Compose(level, Lossy(miss), recompute="inverse")
    return flow


def test_the_drift_of_a_flow(new_flow: NewFlow, images: Images) -> None:
    x, y = images.images[:8], None
    flow = new_flow()
    initialize(flow, images.images)
    assert rebuilding(flow) == []
    assert drift(flow, x, y) == 0.0
    flow = rebuilt(new_flow, 0.25)
    initialize(flow, images.images)
    state = torch.get_rng_state()
    found = drift(flow.eval(), x, y)
    assert 0.05 < found < 1
    assert torch.equal(torch.get_rng_state(), state)  # the run draws on as without it
    assert drift(flow, x, y) == found
    assert not any(m._forward_pre_hooks for m in flow.modules())


def test_a_run_is_watched(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    flow = rebuilt(new_flow, 0.0)
    fit(flow, images, held_out, config=quick(), out=tmp_path / "run")
    rows = read_metrics(tmp_path / "run/metrics.csv")
    for step in (10, 20):
        assert 0 < rows[step]["numerics/drift"] < DRIFT_BOUND
        assert rows[step]["numerics/switched"] == 0
    assert len(rebuilding(flow)) == 1
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize("miss", [0.25, math.nan])
def test_past_the_bound_hidden_layers_are_rebuilt_instead(
    miss: float, new_flow: NewFlow, images: Images, held_out: Images, quick: Quick,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """It happens once, at a validation; a resume knows of it."""
    out = tmp_path / "run"
    flow = rebuilt(new_flow, miss)
    fit(flow, images, held_out, config=quick(patience=None), out=out)
    rows = read_metrics(out / "metrics.csv")
    assert rows[10]["numerics/switched"] == rows[20]["numerics/switched"] == 1
    assert not rows[10]["numerics/drift"] <= DRIFT_BOUND
    assert "numerics/drift" not in rows[20]
    lines = capsys.readouterr().err.splitlines()
    (line,) = (n for n in lines if n.startswith("warning") and "rebuilt" in n)
    assert any("no grid of samples was written" in n for n in lines) == math.isnan(miss)
    assert line.startswith("warning: step 10: states rebuilt by inverses are off by ")
    assert line.endswith("going on with recompute: checkpoint")
    assert rebuilding(flow) == []
    nets = [m for m in flow.modules() if isinstance(m, CouplingNet)]
    assert nets
    assert {net.recompute for net in nets} == {"checkpoint"}

    again = rebuilt(new_flow, miss)
    fit(again, images, held_out, config=quick(max_steps=30, patience=None), out=out, resume=True)
    assert rebuilding(again) == []
    rows = read_metrics(out / "metrics.csv")
    assert rows[30]["numerics/switched"] == 1
    assert "numerics/drift" not in rows[30]
    assert "rebuilt" not in capsys.readouterr().err


def test_the_weights_that_are_trained_are_measured(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Not their averages, which stand in for them in a validation; and on few images."""
    seen: list[dict[str, Tensor]] = []
    batches: list[int] = []

    def note(flow: Flow, x: Tensor, *_: object) -> float:
        seen.append({k: v.detach().clone() for k, v in flow.named_parameters()})
        batches.append(len(x))
        return 0.0

    monkeypatch.setattr("lambent.train.drift.drift", note)
    config = quick(max_steps=10, learning_rate=0.05, ema_decay=0.99)
    fit(rebuilt(new_flow, 0.0), images, held_out, config=config, out=tmp_path / "run")
    assert batches == [config.batch_size]
    checkpoint = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    for name, value in seen[0].items():
        assert torch.equal(checkpoint["current_model_state"][f"flow.{name}"], value)
    moved = [
        k for k, v in seen[0].items() if not torch.equal(checkpoint["state_dict"][f"flow.{k}"], v)
    ]
    assert moved


def test_a_glow_of_its_own_config(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    flow = new_flow(levels=2, steps=2, recompute="inverse", anchor_every=2)
    fit(flow, images, held_out, config=quick(max_steps=10), out=tmp_path / "run")
    row = read_metrics(tmp_path / "run/metrics.csv")[10]
    assert 0 < row["numerics/drift"] < DRIFT_BOUND
    assert len(rebuilding(flow)) == 2
    for recompute in ("never", "checkpoint"):
        assert rebuilding(new_flow(recompute=recompute)) == []
