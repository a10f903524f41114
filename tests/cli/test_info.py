"""``lambent info`` of presets, with counts and estimates, and ``--check`` of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lambent import GlowConfig, glow, load, load_images, save, seeded
from lambent.data import DataConfig
from lambent.evaluate.cost_rates import Rates

from .conftest import Run
from .test_commands import documented

PARAMETERS = {
    "glow_cifar10": 44_603_604,
    "glow_cifar10_additive": 38_395_668,
    "glow_imagenet32": 66_861_588,
    "glow_imagenet64": 112_377_540,
    "glow_celebahq256": 175_099_620,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_the_papers_presets(lambent: Run, name: str) -> None:
    figures = lambent("info", name, "--json").figures
    assert figures["parameters"] == PARAMETERS[name]
    assert figures["shape"] == figures["settings"]["model"]["shape"]
    assert "estimate" not in figures
    assert "assumed" not in figures
    assert set(figures) <= documented("info")


def test_a_preset_that_leaves_the_shape_to_the_data(lambent: Run) -> None:
    figures = lambent("info", "glow_laptop", "--json").figures
    assert "parameters" not in figures
    assert "--data-size" in figures["note"]
    assert set(figures) <= documented("info")
    figures = lambent("info", "glow_laptop", "--data-size", 32, "--json").figures
    settings = figures["settings"]["model"]
    sizes = {k: v for k, v in settings.items() if k != "family"}
    flow = glow(GlowConfig(shape=(3, 32, 32), grey_levels=256, **sizes))
    assert figures["parameters"] == sum(p.numel() for p in flow.parameters())
    assert figures["assumed"] == {"grey_levels": 256}
    assert "note" not in figures
    digits = ("--data-size", "[8,16]", "--channels", 1, "--json")
    figures = lambent("info", "glow_digits", *digits).figures
    assert figures["shape"] == [1, 8, 16]
    assert figures["assumed"] == {"grey_levels": 256, "classes": 10}


def test_options_of_the_model(lambent: Run) -> None:
    asked = ("--data-size", 8, "--channels", 1, "--model.steps", 1, "--model.width=8", "--json")
    figures = lambent("info", "glow", *asked).figures
    flow = glow(GlowConfig(shape=(1, 8, 8), grey_levels=256, steps=1, width=8))
    assert figures["parameters"] == sum(p.numel() for p in flow.parameters())
    assert figures["config"] == "GlowConfig"
    preset = lambent("info", "glow_cifar10", "--data-size", 64, "--model.steps=1", "--json").figures
    assert preset["shape"] == [3, 64, 64]
    assert preset["parameters"] < PARAMETERS["glow_cifar10"] / 16


@pytest.fixture
def _nothing_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = Rates(flops=1e11, bytes=1e10, overhead=1e-6)
    monkeypatch.setattr("lambent.evaluate.cost.measure_rates", lambda *_: rates)


@pytest.mark.usefixtures("_nothing_is_timed")
def test_an_estimate(lambent: Run) -> None:
    asked = ("info", "glow_laptop", "--data-size", 8, "--model.levels=1", "--model.steps=2")
    figures = lambent(*asked, "--batch-size", 8, "--json").figures
    assert set(figures) <= documented("info")
    estimate = figures["estimate"]
    assert "estimate" in estimate["kind"]
    assert estimate["batch_size"] == 8
    parts = estimate["memory_parts_mib"]
    assert estimate["memory_mib"] == pytest.approx(sum(parts.values()))
    mib = 4 * figures["parameters"] / 2**20
    assert parts["gradient"] == pytest.approx(mib)
    assert parts["optimizer"] == pytest.approx(2 * mib)
    assert parts["average"] == pytest.approx(mib)  # kept unless a preset says otherwise
    assert 0 < estimate["seconds_per_step"] < 100
    many = lambent(*asked, "--batch-size", 32, "--json").figures["estimate"]
    assert many["gflops_per_step"] == pytest.approx(4 * estimate["gflops_per_step"], rel=0.1)
    assert many["memory_mib"] > estimate["memory_mib"]
    saved = lambent(*asked, "--batch-size", 32, "--model.recompute=checkpoint", "--json").figures
    assert saved["estimate"]["memory_mib"] < many["memory_mib"]
    table = lambent(*asked, "--batch-size", 8).out
    assert "  kind  " in table
    assert "an estimate: counted without running" in table


@pytest.mark.usefixtures("_nothing_is_timed")
def test_an_estimate_for_classes_and_few_grey_levels(lambent: Run) -> None:
    asked = ("--model.steps=1", "--model.width=8", "--batch-size", 2, "--data-size=16", "--json")
    figures = lambent("info", "glow_cifar10_class", *asked).figures
    assert figures["estimate"]["memory_parts_mib"]["average"] == 0


def test_an_estimate_for_a_run(lambent: Run, run: Path, plain: Path) -> None:
    figures = lambent("info", run, "--batch-size", 4, "--json").figures
    assert set(figures) <= documented("info")
    mib = 4 * figures["parameters"] / 2**20
    assert figures["estimate"]["memory_parts_mib"]["gradient"] == pytest.approx(mib)
    assert "estimate" in lambent("info", plain, "--batch-size", 4, "--json").figures


def test_check_on_the_models_own_draws(lambent: Run, run: Path) -> None:
    said = lambent("info", run, "--check", "--n", 10, "--json")
    assert said.code == 0, said.err
    figures = said.figures
    assert set(figures) <= documented("info")
    assert (figures["verdict"], figures["suspicious"]) == ("clean", [])
    assert (figures["events"], figures["exact_events"]) == (10, 10)
    assert figures["inputs"] == "draws from the model itself at temperature 0.7"
    assert figures["gradient"]["events"] == 4
    paths = [layer["path"] for layer in figures["layers"]]
    assert paths[:3] == ["context_encoder", "quantise", "dequantise"]
    assert paths[-2:] == ["scales.level1.prior", "base"]
    mix = figures["layers"][paths.index("scales.level0.step0.mix")]
    assert 1 <= mix["condition"] < 10
    again = lambent("info", run, "--check", "--n", 10, "--json").figures
    assert again == figures
    assert lambent("info", run, "--check", "--json").figures["events"] == 64


def test_check_on_what_the_run_held_out(lambent: Run, run: Path, plain: Path) -> None:
    held_out = ("--check", "--data", "digits", "--json")
    figures = lambent("info", run, *held_out, "--n", 500).figures
    assert figures["inputs"] == "digits, validation"
    expected = load_images("digits", DataConfig(split="validation", validation=0.2))
    assert figures["events"] == len(expected) == 359
    assert figures["verdict"] == "clean"
    assert lambent("info", plain, *held_out, "--n", 500).figures["events"] == 180
    other = lambent("info", run, *held_out, "--data-split", "train", "--n", 3).figures
    assert other["inputs"] == "digits, train"


def test_check_as_a_table(
    lambent: Run, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    flow = load(run)
    with torch.no_grad():
        flow.get_parameter("transform.scales.levels.1.step0.actnorm.affine.raw_log_scale").data[
            0
        ] = 5
    save(flow, tmp_path / "m")
    said = lambent("info", tmp_path / "m", "--check", "--n", 4)
    assert said.code == 0  # it is the words that say so
    lines = said.out.splitlines()
    assert lines[0].split()[:3] == ["layer", "round", "trip,"]
    (row,) = (line for line in lines if line.startswith("scales.level1.step0.actnorm "))
    assert row.endswith("!")
    assert "3.3e+06" in row
    assert "verdict                suspicious" in lines
    (words,) = (line for line in lines if "largest scale 3.3e+06, above 1.7e+03" in line)
    assert words.split()[:2] == ["1", "scales.level1.step0.actnorm:"]
    assert all(line == line.rstrip() for line in lines)
    assert len(lines[0]) > 80  # as wide as it needs


def test_check_of_a_model_that_cannot_be_drawn_from(lambent: Run, tmp_path: Path) -> None:
    with seeded(0):
        flow = glow(GlowConfig(shape=(1, 8, 8), grey_levels=17, steps=1, width=8))
    with torch.no_grad():
        # Weights that are not finite are refused by load; these make the outputs so.
        flow.get_parameter("transform.scales.levels.0.step0.coupling.net.second.weight").fill_(3e38)
    save(flow, tmp_path / "m")
    said = lambent("info", tmp_path / "m", "--check", "--json")
    assert said.code == 0
    assert said.figures["inputs"].startswith("random noise, for the model cannot be drawn from")
    assert said.figures["suspicious"][0].startswith("gradient: error in float32")


def test_check_of_weights_that_are_not_finite(lambent: Run, tmp_path: Path) -> None:
    """The one line names the tensor, and so the layer."""
    flow = glow(GlowConfig(shape=(1, 8, 8), grey_levels=17, steps=1, width=8))
    name = "transform.scales.levels.0.step0.coupling.net.second.weight"
    with torch.no_grad():
        flow.get_parameter(name)[0] = torch.nan
    save(flow, tmp_path / "m")
    said = lambent("info", tmp_path / "m", "--check")
    assert said.code == 2
    assert f"'{name}' with numbers that are not finite" in said.err


CASES = {
    "check of a preset": (
        ("glow_laptop", "--check"),
        "check: expected a run folder, got 'glow_laptop', which names no trained model",
    ),
    "check of nothing": (
        ("{tmp}/no", "--check"),
        "what: expected a run folder, pretrained model, preset or family",
    ),
    "check of a folder": (("{tmp}", "--check"), "expected a folder with a trained model"),
    "check of no images": (("{plain}", "--check", "--n", "0"), "n: expected at least 1, got 0"),
    "check on data that does not fit": (
        ("{plain}", "--check", "--data", "digits", "--data-size", "16"),
        "data: the model expects images of 1 channel, 8 x 8",
    ),
    "check on data that is not there": (
        ("{plain}", "--check", "--data", "{tmp}/no"),
        "data: expected 'digits', a folder",
    ),
    "data without check": (
        ("{plain}", "--data", "digits"),
        "data: read with --check or --conditioning alone, got 'digits' without",
    ),
    "batch size": (
        ("glow_cifar10", "--model.steps=1", "--batch-size", "0"),
        "batch-size: expected at least 1, got 0",
    ),
    "batch size of a run": (("{plain}", "--batch-size", "-1"), "batch-size: expected at least 1"),
    "batch size, no number": (("glow_cifar10", "--batch-size", "many"), "batch_size: expected"),
    "batch size without a shape": (
        ("glow_laptop", "--batch-size", "4"),
        "data-size: expected with --batch-size, for glow_laptop leaves the shape to the data",
    ),
    "data size": (("glow_laptop", "--data-size", "-3"), "data-size: expected a positive number"),
    "data size, three": (
        ("glow_laptop", "--data-size", "[3,4,5]"),
        "data-size: expected",
    ),
    "data size of no level": (("glow_laptop", "--data-size", "10"), "levels: expected a height"),
    "channels": (
        ("glow_laptop", "--data-size", "8", "--channels", "0"),
        "channels: expected at least 1, got 0",
    ),
    "channels alone": (
        ("glow_laptop", "--channels", "1"),
        "data-size: expected with --channels 1, got none",
    ),
    "model option of a run": (("{plain}", "--model.steps=2"), "unknown '--model.steps'"),
    "model option": (
        ("glow_laptop", "--model.stepz=2"),
        "unknown '--model.stepz'; did you mean '--model.steps'",
    ),
    "model value": (
        ("glow_laptop", "--data-size=8", "--model.width=0"),
        "width: expected at least 1, got 0",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_was_wrong(case: str, lambent: Run, plain: Path, tmp_path: Path) -> None:
    arguments, words = CASES[case]
    said = lambent("info", *(a.format(plain=plain, tmp=tmp_path) for a in arguments))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("lambent info: error: ")
    assert said.err.count("\n") == 1
    assert words in said.err
