"""The loop over rows in memory."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lambent import NSFConfig, nsf, seeded
from lambent.core import Flow
from lambent.train import Curve, RowsConfig, train_on_rows
from lambent.train.rows import log_prob_of_rows


def flow() -> Flow:
    with seeded(0):
        return nsf(NSFConfig(shape=(2,), width=8, transforms=1, layers=1, norm="none"))


def humps(rows: int) -> Tensor:
    return torch.randn(rows, 2) * 0.3 + torch.randint(2, (rows, 1)) * 2 - 1


CONFIG = RowsConfig(steps=60, batch_size=64, learning_rate=1e-2, check_every=10)


def trained(config: RowsConfig = CONFIG, **settings: object) -> tuple[Flow, Curve]:
    model = flow()
    with seeded(1):
        rows = humps(300)
        curve = train_on_rows(model, (rows[:200], None), (rows[200:], None), config, **settings)  # type: ignore[arg-type]
    return model, curve


def test_ends_at_the_best_look() -> None:
    model, curve = trained()
    assert curve.steps == list(range(0, 70, 10))
    assert curve.ended == "steps"
    with seeded(1):
        held = humps(300)[200:]
    torch.testing.assert_close(log_prob_of_rows(model, held, None), curve.held_out[curve.best])
    assert curve.held_out[curve.best].mean() > curve.held_out[0].mean() + 0.1
    torch.testing.assert_close(curve.held_out[0], log_prob_of_rows(flow(), held, None))


def test_keeps_the_first_weights_where_training_makes_it_worse() -> None:
    model = flow()
    rows = torch.randn(200, 2)
    config = RowsConfig(steps=500, learning_rate=1e-2, check_every=5, patience=3)
    curve = train_on_rows(model, (rows * 0.2 + 1, None), (rows, None), config)
    assert (curve.ended, curve.best, curve.taken) == ("patience", 0, 15)
    for key, value in flow().state_dict().items():
        torch.testing.assert_close(model.state_dict()[key], value, rtol=0, atol=0)


def test_without_rows_held_out_it_goes_to_the_last_step() -> None:
    model = flow()
    config = RowsConfig(steps=60, last_step=25, batch_size=64, learning_rate=1e-2)
    curve = train_on_rows(model, (humps(200), None), None, config)
    assert (curve.taken, curve.held_out) == (25, [])
    assert not torch.equal(model.sample(2), flow().sample(2))


def test_repeats_itself_and_noise_matters() -> None:
    first, again = trained()[1], trained()[1]
    assert all(torch.equal(a, b) for a, b in zip(first.held_out, again.held_out, strict=True))
    noisy = trained(RowsConfig(**(CONFIG.__dict__ | {"noise": 0.5})))[1]
    assert noisy.held_out[-1].mean() < first.held_out[-1].mean()


def test_time_and_interrupts_end_it() -> None:
    curve = trained(max_seconds=0.0)[1]
    assert (curve.ended, curve.taken) == ("time", 0)
    long = RowsConfig(steps=10**6, batch_size=64, learning_rate=1e-2, check_every=10**6)
    model, curve = trained(long, max_seconds=1.0)
    assert curve.ended == "time"
    assert len(curve.steps) > 3  # it looks though no step is one to look at
    assert curve.held_out[curve.best].mean() > curve.held_out[0].mean()

    def interrupt(steps: int, nats: Tensor) -> None:
        if steps == 20:
            raise KeyboardInterrupt

    model, curve = trained(show=interrupt)
    assert (curve.ended, curve.taken) == ("interrupt", 20)
    assert math.isfinite(float(log_prob_of_rows(model, torch.zeros(1, 2), None)))


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_finite_ends_it() -> None:
    model = flow()
    rows = torch.full((100, 2), torch.nan)
    curve = train_on_rows(model, (rows, None), (torch.randn(50, 2), None), CONFIG)
    assert (curve.ended, curve.taken) == ("not finite", 0)
    assert all(p.isfinite().all() for p in model.parameters())


def test_contexts_are_read() -> None:
    model = nsf(NSFConfig(shape=(1,), context_features=1, width=8, transforms=1, norm="none"))
    c = torch.randint(2, (600, 1)).float()
    x = 2 * c - 1 + 0.3 * torch.randn(600, 1)
    config = RowsConfig(steps=150, batch_size=64, learning_rate=2e-2, check_every=10)
    train_on_rows(model, (x[:400], c[:400]), (x[400:], c[400:]), config)
    assert model.log_prob(x, c).mean() > model.log_prob(x, 1 - c).mean() + 1
