from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lambent import Flow, Images, TrainConfig, fit, initialize, load, measure, seeded
from lambent.data import grid, shuffled, write_picture
from lambent.distributions import StandardNormal
from lambent.train.metrics import read_metrics
from lambent.transforms import Dequantise, MultiScale

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


def test_leaves_a_run_folder(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    flow = new_flow()
    fitted = fit(flow, images, held_out, config=quick(), out=tmp_path / "run", seed=3)
    assert fitted.steps == 20
    assert fitted.seconds > 0
    files = {str(p.relative_to(tmp_path / "run")) for p in tmp_path.rglob("*") if p.is_file()}
    boards = {name for name in files if name.startswith("tensorboard/")}
    assert files - boards == {
        ".lock",
        "config.yaml",
        "model/config.json",
        "model/model.safetensors",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "metrics.csv",
        "curve.png",
        "samples/step-0000010.png",
        "samples/step-0000020.png",
    }
    settings = yaml.safe_load((tmp_path / "run/config.yaml").read_text())
    assert list(settings) == ["model", "train", "data", "seed", "versions"]
    assert settings["model"]["family"] == "glow"
    assert settings["model"]["shape"] == [1, 4, 4]
    assert settings["train"]["max_steps"] == 20
    assert settings["data"] == {"name": "rows"}
    assert settings["seed"] == 3
    assert settings["versions"]["torch"] == torch.__version__
    for picture in ("curve.png", "samples/step-0000010.png", "samples/step-0000020.png"):
        with Image.open(tmp_path / "run" / picture) as opened:
            assert opened.format == "PNG"
            assert min(opened.size) >= 256
    board = EventAccumulator(str(tmp_path / "run/tensorboard")).Reload()
    assert {"train/bits_per_dim", "validation/bits_per_dim", "parts/coupling"} <= set(
        board.Tags()["scalars"]
    )
    assert [event.step for event in board.Scalars("validation/bits_per_dim")] == [10, 20]


def test_metrics_split_the_bits_into_parts(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    fit(new_flow(), images, held_out, config=quick(), out=tmp_path / "run")
    rows = read_metrics(tmp_path / "run/metrics.csv")
    assert list(rows) == [10, 20]
    for row in rows.values():
        parts = {k: v for k, v in row.items() if k.startswith("parts/")}
        kinds = {"rescale", "actnorm", "mix", "coupling", "prior", "base"}
        assert set(parts) == {f"parts/{kind}" for kind in kinds}
        assert parts["parts/rescale"] == pytest.approx(2.0, abs=1e-6)  # log2 of 4 grey levels
        assert sum(parts.values()) == pytest.approx(row["validation/bits_per_dim"], abs=1e-5)
        others = {"bits_per_dim", "grad_norm", "clipped"}
        expected = {"validation/bits_per_dim", *(f"train/{name}" for name in others)}
        expected |= {"gradients/level0", "scales/smallest", "scales/largest"}
    assert set(row) - set(parts) == expected


@pytest.mark.parametrize(
    ("optimizer", "learning_rate", "gain"),
    [
        ("adam", 0.01, 0.3),
        ("adamax", 0.01, 0.3),
        ("adamax_released", 0.1, 0.3),
        ("rmsprop", 0.001, 0.3),
        ("sgd", 0.01, 0.3),
        ("lamb", 0.0008, 0.2),
    ],
)
def test_learns(
    optimizer: str,
    learning_rate: float,
    gain: float,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
) -> None:
    flow = new_flow()
    initialize(flow, images.images)
    before = measure(flow, held_out).bits_per_dim
    config = quick(batch_size=32, learning_rate=learning_rate, optimizer=optimizer)
    fitted = fit(flow, images, held_out, config=config)
    assert fitted.bits_per_dim < before - gain
    assert measure(flow, images).bits_per_dim < before - gain
    assert not flow.training


def test_a_best_checkpoint_that_is_gone_is_missed(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    config = quick(max_steps=4, validate_every=2)
    run = tmp_path / "run"
    fit(new_flow(), images, held_out, config=config, out=run)
    (run / "checkpoints/best.ckpt").unlink()
    with pytest.raises(FileNotFoundError, match=r"best\.ckpt' is gone"):
        fit(new_flow(), images, held_out, config=config, out=run, resume=True)


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_ends_with_the_best_weights(
    ema_decay: float | None,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    """So few images are soon learned by heart: the best step is neither the first nor the last."""
    few = images.subset(slice(16))
    settings = {"learning_rate": 0.003, "ema_decay": ema_decay, "patience": None}
    config = quick(max_steps=40, validate_every=5, **settings)
    flow = new_flow()
    fitted = fit(flow, few, held_out, config=config, out=tmp_path / "run")
    rows = read_metrics(tmp_path / "run/metrics.csv")
    curve = {step: row["validation/bits_per_dim"] for step, row in rows.items()}
    best = min(curve, key=lambda step: curve[step])
    assert 5 < best < 40
    assert curve[40] > curve[best] + 0.02
    assert fitted.bits_per_dim == pytest.approx(curve[best], abs=1e-6)
    # Validation draws its noise under the seed 0 for its first, here only, batch.
    assert measure(flow, held_out, seed=0).bits_per_dim == pytest.approx(curve[best], abs=1e-5)
    stored = load(tmp_path / "run")
    with seeded(0):
        expected = flow.log_prob(held_out.images)
    with seeded(0):
        assert torch.equal(stored.log_prob(held_out.images), expected)


def test_validates_as_many_images_as_asked(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick
) -> None:
    flow = new_flow()
    fitted = fit(flow, images, held_out, config=quick(validation_images=7))
    seven = measure(flow, held_out.subset(shuffled(len(held_out), 0)[:7].sort()[0]), seed=0)
    assert fitted.bits_per_dim == pytest.approx(seven.bits_per_dim, abs=1e-5)


def test_a_flow_that_was_trained_before_trains_with_dropout_again(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick
) -> None:
    flow = new_flow(dropout=0.5)
    modes: list[bool] = []
    for _ in range(2):
        hook = flow.transform.register_forward_pre_hook(lambda m, _: modes.append(m.training))
        fit(flow, images, held_out, config=quick(max_steps=1))
        hook.remove()
        assert any(modes[1:])  # the first pass initialises
        assert not flow.training
        modes.clear()


def test_stops_when_validation_no_longer_improves(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick
) -> None:
    """Steps this small do not move a float32, so no validation is better than the first."""
    still = {"learning_rate": 1e-30, "validate_every": 2}
    fitted = fit(new_flow(), images, held_out, config=quick(patience=3, **still))
    assert fitted.steps == 2 * (1 + 3)
    assert fit(new_flow(), images, held_out, config=quick(patience=None, **still)).steps == 20


def test_the_last_step_is_validated(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    config = quick(max_steps=7, validate_every=5)
    assert fit(new_flow(), images, held_out, config=config, out=tmp_path / "run").steps == 7
    rows = read_metrics(tmp_path / "run/metrics.csv")
    assert [s for s, row in rows.items() if "validation/bits_per_dim" in row] == [5, 7]
    checkpoint = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 7


def test_stops_after_some_minutes(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick
) -> None:
    config = quick(max_steps=10**6, validate_every=10**6, max_minutes=0.01)
    fitted = fit(new_flow(), images, held_out, config=config)
    assert 0 < fitted.steps < 10**5
    assert math.isfinite(fitted.bits_per_dim)  # the last step was validated


def test_samples_are_of_the_validated_weights_at_fixed_latents(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    flow = new_flow(conditioning="strong", classes=2)
    config = quick(max_steps=10, learning_rate=0.05, ema_decay=0.99, temperature=0.5)
    fit(flow, images, held_out, config=config, out=tmp_path / "run", seed=5)
    with seeded(5):
        drawn = flow.sample(1, torch.arange(64) % 2, temperature=0.5)
    write_picture(tmp_path / "expected.png", grid(drawn))
    with (
        Image.open(tmp_path / "expected.png") as expected,
        Image.open(tmp_path / "run/samples/step-0000010.png") as found,
    ):
        assert found.tobytes() == expected.tobytes()


def test_class_weight_learns_the_classes(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    config = quick(max_steps=80, validate_every=40, learning_rate=0.02, class_weight=1.0)
    fit(new_flow(), images, held_out, config=config, out=tmp_path / "run")
    rows = read_metrics(tmp_path / "run/metrics.csv")
    for name in ("bits_per_dim", "class_bits", "class_accuracy"):
        assert f"train/{name}" in rows[40]
        assert f"validation/{name}" in rows[80]
    assert rows[80]["validation/class_bits"] < 0.7 < 1.0  # a coin has 1 bit
    assert rows[80]["validation/class_accuracy"] > 0.8


def test_the_seed_decides_the_run(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick
) -> None:
    bits = [
        fit(new_flow(), images, held_out, config=quick(), seed=seed, workers=workers).bits_per_dim
        for seed, workers in ((0, 0), (0, 1), (1, 0))
    ]
    assert bits[0] == bits[1] != bits[2]


def test_a_tenth_is_held_out_where_no_validation_is_given(
    new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flow = new_flow()
    fitted = fit(flow, images, config=quick(), seed=2)
    from lambent.data import hold_out

    held_out = hold_out(images, 0.1, 2)[1]
    assert measure(flow, held_out).bits_per_dim == pytest.approx(fitted.bits_per_dim, abs=1e-5)
    assert list(tmp_path.iterdir()) == []  # no folder was asked for


def test_float64(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    flow = new_flow().double()
    fit(flow, images, held_out, config=quick(), out=tmp_path / "run")
    assert {p.dtype for p in load(tmp_path / "run").parameters()} == {torch.float64}


def test_a_flow_put_together_by_hand(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    flow = Flow(new_flow().transform, StandardNormal((16,)))
    fitted = fit(flow, images, held_out, config=quick(), out=tmp_path / "run")
    assert fitted.bits_per_dim == pytest.approx(measure(flow, held_out).bits_per_dim, abs=1e-5)
    assert not (tmp_path / "run/model").exists()
    assert (tmp_path / "run/checkpoints/best.ckpt").is_file()


def test_refuses_what_does_not_fit(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    bare = Images(images.images)
    wide = Images(images.images.repeat(1, 1, 1, 2))
    conditional = new_flow(conditioning="top", classes=2)
    with pytest.raises(ValueError, match=r"^train: .*\(1, 4, 4\), got \(1, 4, 8\)"):
        fit(new_flow(), wide, held_out, config=quick(), out=out)
    with pytest.raises(ValueError, match=r"^validation: .*\(1, 4, 4\), got \(1, 4, 8\)"):
        fit(new_flow(), images, wide, config=quick(), out=out)
    with pytest.raises(ValueError, match=r"^train: the flow is conditional"):
        fit(conditional, bare, held_out, config=quick(), out=out)
    with pytest.raises(ValueError, match=r"^validation: the flow is conditional"):
        fit(conditional, images, bare, config=quick(), out=out)
    with pytest.raises(ValueError, match=r"^class_weight: expected labelled data"):
        fit(new_flow(), bare, bare, config=quick(class_weight=0.1), out=out)
    single = Flow(Dequantise(256), StandardNormal((1, 4, 4)))
    assert not any(isinstance(module, MultiScale) for module in single.modules())
    with pytest.raises(ValueError, match=r"^class_weight: expected a multi-scale flow"):
        fit(single, images, held_out, config=quick(class_weight=0.1), out=out)
    with pytest.raises(ValueError, match=r"^device: "):
        fit(new_flow(), images, held_out, config=quick(), out=out, device="tpu")
    with pytest.raises(ValueError, match=r"^seed.* got -1"):
        fit(new_flow(), images, held_out, config=quick(), out=out, seed=-1)
    with pytest.raises(ValueError, match=r"workers.* -2"):
        fit(new_flow(), images, held_out, config=quick(), out=out, workers=-2)
    assert not out.exists()


def test_refuses_a_folder_it_cannot_have(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match=r"^out: expected a folder, got the file"):
        fit(new_flow(), images, held_out, config=quick(), out=tmp_path / "file")
    with pytest.raises(ValueError, match=r"^out: expected a folder that can be written"):
        fit(new_flow(), images, held_out, config=quick(), out=tmp_path / "file/run")
    assert (tmp_path / "file").read_text() == "mine"
    fit(new_flow(), images, held_out, config=quick(max_steps=1), out=tmp_path / "run")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*")}
    with pytest.raises(ValueError, match=r"^out: .* holds a run already"):
        fit(new_flow(), images, held_out, config=quick(), out=tmp_path / "run")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*")} == before


def test_a_loss_that_is_not_finite_names_the_layer(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    flow = new_flow()
    initialize(flow, images.images)
    with torch.no_grad():
        flow.get_parameter("transform.scales.levels.0.step0.mix.upper")[0, 3] = math.nan
    with pytest.raises(FloatingPointError, match=r"step 0: .* scales\.level0\.step0\.mix\."):
        fit(flow, images, held_out, config=quick(), out=tmp_path / "run")
    assert not (tmp_path / "run/checkpoints/last.ckpt").exists()
