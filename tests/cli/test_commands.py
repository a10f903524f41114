from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from lambent import GlowConfig, glow, load, load_images, measure, reconstruct, save, seeded
from lambent.data import DataConfig, grid, to_picture

from .conftest import TINY, Run, Trained

DOCS = Path(__file__).parents[2] / "docs/command-line.md"


def documented(command: str, *, tables: bool = False) -> set[str]:
    """The keys that the table of figures in the documentation gives a command, of images or all."""
    keys: set[str] = set()
    table = DOCS.read_text().split("| key | commands | meaning |")[1].split("\n\n")[0]
    for line in table.splitlines()[2:]:
        names, commands = line.split("|")[1:3]
        if re.search(rf"\b{command}\b", commands) and (tables or "of tables" not in commands):
            keys |= set(re.findall(r"`(\w+)`", names))
    return keys


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture)


def held_out() -> DataConfig:
    """What the run did not train on."""
    return DataConfig(split="validation", validation=0.2)


def test_train_says_what_it_reached(trained: Trained) -> None:
    figures = trained.answer.figures
    assert set(figures) <= documented("train")
    assert figures["steps"] == 30
    assert figures["images"] == 359
    assert figures["given"] == "label"
    assert figures["grey_levels"] == 17
    flow = load(trained.path)
    assert figures["parameters"] == sum(p.numel() for p in flow.parameters())
    expected = measure(flow, load_images("digits", held_out()))
    assert figures["bits_per_dim"] == pytest.approx(expected.bits_per_dim, abs=1e-6)
    assert figures["bits_per_dim"] < 4.4
    assert figures["standard_error"] == pytest.approx(expected.standard_error, abs=1e-6)
    assert sum(figures["parts"].values()) == pytest.approx(figures["bits_per_dim"], abs=1e-5)
    assert figures["reading"] == (
        f"≤ {expected.bits_per_dim:.4f} ± {expected.standard_error:.4f} bits/dim, "
        "of the image at 17 grey levels, given the label"
    )
    assert figures["out"] == str(trained.path)
    progress = trained.answer.err.splitlines()
    assert len(progress) == 2  # one line a validation, where there is no terminal
    assert all(
        re.match(r"step \d+: .* bits/dim.* images/s, \d:\d\d:\d\d left, validation \d", p)
        for p in progress
    )


def test_train_records_what_was_asked_for(run: Path) -> None:
    settings = yaml.safe_load((run / "config.yaml").read_text())
    assert settings["model"]["conditioning"] == "strong"
    assert (settings["model"]["classes"], settings["model"]["grey_levels"]) == (10, 17)
    assert settings["train"]["max_steps"] == 30
    assert settings["data"]["name"] == "digits"
    assert settings["data"]["validation"] == 0.2
    assert settings["seed"] == 0


def test_evaluate_takes_the_runs_own_data_settings(lambent: Run, run: Path) -> None:
    said = lambent("evaluate", run, "--data", "digits", "--json")
    assert said.code == 0, said.err
    figures = said.figures
    assert set(figures) <= documented("evaluate")
    assert figures["images"] == 359
    result = measure(load(run), load_images("digits", held_out()))
    assert figures["bits_per_dim"] == pytest.approx(result.bits_per_dim, abs=1e-6)
    assert figures["parts"] == pytest.approx(result.parts, abs=1e-6)
    assert list(figures["levels"].values()) == pytest.approx(result.levels, abs=1e-6)
    other = lambent("evaluate", run, "--data", "digits", "--data-validation", 0.5, "--json")
    assert other.figures["images"] == 898
    default = lambent("evaluate", run, "--data", "digits", "--data-validation", 0.1, "--json")
    assert default.figures["images"] == 180  # said, though it is what nobody needs to say
    train = lambent("evaluate", run, "--data", "digits", "--data-split", "train", "--json")
    assert train.figures["images"] == 1797 - 359


def test_evaluate_without_the_label_and_beside_yardsticks(lambent: Run, run: Path) -> None:
    arguments = ("evaluate", run, "--data", "digits", "--data-validation", 0.02)
    figures = lambent(*arguments, "--marginal", "--yardsticks", "--json").figures
    assert set(figures) <= documented("evaluate")
    assert list(figures["yardsticks"]) == ["uniform", "histogram", "gaussian", "png"]
    assert figures["yardsticks"]["histogram"] == pytest.approx(2.44, abs=0.1)
    few = load_images("digits", DataConfig(split="validation", validation=0.02))
    result = measure(load(run), few, marginal=True)
    assert figures["images"] == len(few) == 36
    assert figures["marginal_bits_per_dim"] == pytest.approx(result.marginal_bits_per_dim, abs=1e-6)
    assert figures["label_accuracy"] == pytest.approx(result.label_accuracy, abs=1e-6)


def test_evaluate_a_model_folder(lambent: Run, plain: Path) -> None:
    figures = lambent("evaluate", plain, "--data", "digits", "--json").figures
    assert figures["images"] == 180  # without a run, a tenth is held out
    assert "given" not in figures
    assert "marginal_bits_per_dim" not in figures
    assert figures["reading"].endswith("bits/dim, of the image at 17 grey levels")


def test_tables_do_not_wrap(lambent: Run, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    said = lambent("evaluate", run, "--data", "digits")
    lines = said.out.splitlines()
    assert lines[0] == f"{run} on digits, validation"
    (reading,) = (line for line in lines if line.startswith("reading"))
    pattern = r"reading +≤ \S+ ± \S+ bits/dim, of the image at 17 grey levels, given the label"
    assert re.fullmatch(pattern, reading)
    assert lines[1].startswith("bits per dim ")
    assert "images          359" in lines
    assert any(re.match(r"  rescale +4\.0875", line) for line in lines)
    assert "parts" in lines
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("label", [None, 3])
def test_sample(lambent: Run, run: Path, tmp_path: Path, label: int | None) -> None:
    out = tmp_path / "new/grid.png"
    asked = () if label is None else ("--label", label)
    said = lambent(
        "sample", run, "--n", 20, "--temperature", 0.7, *asked, "--seed", 5, "--out", out, "--json"
    )
    assert said.code == 0, said.err
    figures = said.figures
    of_tasks = {"inputs", "consistency_psnr"}
    absent = of_tasks | ({"label"} if label is None else set())
    assert set(figures) == documented("sample") - absent
    flow = load(run)
    labels = torch.arange(20) % 10 if label is None else torch.full((20,), label)
    with seeded(5):
        images = flow.sample(None, labels, temperature=0.7)
    expected = to_picture(grid(images, 10 if label is None else None))
    scale = pixels(out).shape[0] // expected.height
    assert np.array_equal(pixels(out)[::scale, ::scale], np.asarray(expected))
    assert figures["pixel_mean"] == pytest.approx(float(images.float().mean()), abs=1e-3)
    assert (figures["images"], figures["temperature"]) == (20, 0.7)
    assert figures.get("label") == label


def test_sample_without_classes(lambent: Run, plain: Path, tmp_path: Path) -> None:
    arguments = ("sample", plain, "--n", 6, "--columns", 3, "--json", "--out")
    first = lambent(*arguments, tmp_path / "a.png", "--seed", 1)
    assert "label" not in first.figures
    lambent(*arguments, tmp_path / "b.png", "--seed", 1)
    lambent(*arguments, tmp_path / "c.png", "--seed", 2)
    a, b, c = (pixels(tmp_path / f"{name}.png") for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    height, width = a.shape
    assert height * (3 * 9 + 1) == width * (2 * 9 + 1)  # 2 rows of 3, with lines between


def test_reconstruct(lambent: Run, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.png"
    arguments = ("reconstruct", run, "--data", "digits", "--n", 70, "--show", 4, "--out", out)
    said = lambent(*arguments, "--json")
    assert said.code == 0, said.err
    figures = said.figures
    assert set(figures) == documented("reconstruct")
    assert (figures["images"], figures["exact_images"]) == (70, 70)
    assert (figures["pixels_that_differ"], figures["largest_difference"]) == (0, 0)
    originals = load_images("digits", held_out()).images[:4]
    expected = np.asarray(to_picture(grid(torch.cat((originals, originals)), 4)))
    scale = pixels(out).shape[0] // expected.shape[0]
    assert np.array_equal(pixels(out)[::scale, ::scale], expected)


def test_reconstruct_at_the_models_grey_levels(
    lambent: Run, tmp_path: Path, pictures: Path
) -> None:
    with seeded(0):
        save(glow(GlowConfig(shape=(3, 8, 8), grey_levels=2, steps=1, width=8)), tmp_path / "m")
    out = tmp_path / "f.png"
    said = lambent(
        *("reconstruct", tmp_path / "m", "--data", pictures, "--data-split", "all"),
        *("--out", out, "--json"),
    )
    figures = said.figures
    assert (figures["images"], figures["exact_images"]) == (12, 12)
    x = load_images(str(pictures), DataConfig(split="all")).images[:10]
    expected = np.asarray(
        to_picture(grid(((x >= 128) * 128).to(torch.uint8).repeat(2, 1, 1, 1), 10))
    )
    scale = pixels(out).shape[0] // expected.shape[0]
    assert np.array_equal(pixels(out)[::scale, ::scale], expected)


def test_reconstruct_counts_what_differs(lambent: Run, plain: Path, tmp_path: Path) -> None:
    """A bias so large that float32 cannot hold a pixel beside it."""
    flow = load(plain)
    with torch.no_grad():
        flow.get_parameter("transform.scales.levels.0.step0.actnorm.affine.bias").fill_(1e6)
    save(flow, tmp_path / "m")
    figures = lambent(
        *("reconstruct", tmp_path / "m", "--data", "digits", "--n", 50),
        *("--out", tmp_path / "f.png", "--json"),
    ).figures
    x = load_images("digits", DataConfig(split="validation")).images[:50]
    difference = (reconstruct(flow, x).int() - x.int()).abs()
    assert figures["pixels_that_differ"] == int((difference > 0).sum()) > 0
    assert figures["largest_difference"] == int(difference.max()) > 0
    assert figures["exact_images"] == int((difference.flatten(1).sum(1) == 0).sum()) < 50


@pytest.mark.parametrize("label", [None, 3])
def test_interpolate(
    lambent: Run, run: Path, tmp_path: Path, two_digits: tuple[Path, Path], label: int | None
) -> None:
    out = tmp_path / "f.png"
    asked = () if label is None else ("--label", label)
    said = lambent("interpolate", run, *two_digits, "--frames", 5, *asked, "--out", out, "--json")
    assert said.code == 0, said.err
    figures = said.figures
    assert set(figures) == documented("interpolate")
    assert (figures["frames"], figures["ends_exact"]) == (5, True)
    assert label is None or figures["label"] == label
    assert 0 <= figures["label"] < 10
    drawn = pixels(out)
    scale = drawn.shape[0] // 10
    assert drawn.shape == (10 * scale, 46 * scale)  # five frames of 8 x 8, with lines between
    small = drawn[::scale, ::scale]
    for index, picture in ((0, two_digits[0]), (4, two_digits[1])):
        left = 1 + 9 * index
        assert np.array_equal(small[1:9, left : left + 8], pixels(picture))


def test_info(lambent: Run, run: Path, plain: Path) -> None:
    figures = lambent("info", run, "--json").figures
    assert set(figures) <= documented("info")
    settings = yaml.safe_load((run / "config.yaml").read_text())
    assert figures["family"] == "glow"
    assert figures["likelihood"] == "bound"
    assert figures["parameters"] == sum(p.numel() for p in load(run).parameters())
    assert figures["model"] == {k: v for k, v in settings["model"].items() if k != "family"}
    for part in ("train", "data", "seed", "versions"):
        assert figures[part] == settings[part]
    model = lambent("info", plain, "--json").figures
    assert "train" not in model
    assert model["model"]["conditioning"] == "none"
    table = lambent("info", run).out
    assert "  max steps" in table
    assert "conditioning" in table


def test_info_of_names(lambent: Run) -> None:
    family = lambent("info", "glow", "--json").figures
    assert set(family) <= documented("info")
    assert family["config"] == "GlowConfig"
    assert family["defaults"]["levels"] == GlowConfig().levels
    assert family["about"].startswith("Build a Glow")
    preset = lambent("info", "glow_digits", "--json").figures
    assert set(preset) <= documented("info")
    assert preset["settings"]["model"]["conditioning"] == "strong"


def test_train_by_a_settings_file(lambent: Run, tmp_path: Path, pictures: Path) -> None:
    """Preset, then file, then options; a tuple, a word that YAML quotes, and a shorthand."""
    file = tmp_path / "settings.yaml"
    file.write_text(
        f"""
model: {{family: glow, levels: 3, steps: 1, width: 9, norm: bias}}
train: {{max_steps: 2, learning_rate: 1.0e-05, batch_size: 4, ema_decay: null}}
data: {{name: {pictures}, size: [8, 16], validation: 0.25}}
seed: 4
"""
    )
    out = tmp_path / "run"
    said = lambent(
        *("train", "--config", file, "--model.width=8", "--out", out, "--json", "--device", "cpu"),
        *("--train.max_steps", 3),
    )
    assert said.code == 0, said.err
    settings = yaml.safe_load((out / "config.yaml").read_text())
    model, train = settings["model"], settings["train"]
    assert (model["levels"], model["width"], model["norm"]) == (3, 8, "bias")
    assert model["shape"] == [3, 8, 16]
    assert (train["max_steps"], train["learning_rate"], train["ema_decay"]) == (3, 1e-5, None)
    assert settings["data"]["size"] == [8, 16]
    assert settings["seed"] == 4
    assert said.figures["images"] == 3


def test_a_preset_is_overridden(lambent: Run, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(
        "model: glow_digits\ntrain: {max_steps: 1, weight_decay: 0.5, batch_size: 32}\n"
    )
    out = tmp_path / "run"
    said = lambent(
        *("train", "--config", file, "--data", "digits", "--out", out, *TINY, "--json"),
        *("--train.batch_size=16", "--train.validation_images=8", "--train.max_minutes=null"),
    )
    assert said.code == 0, said.err
    settings = yaml.safe_load((out / "config.yaml").read_text())
    assert settings["model"]["conditioning"] == "strong"  # the preset's
    assert settings["train"]["weight_decay"] == 0.5  # the file's
    assert settings["train"]["batch_size"] == 16  # the option's


def test_resume(lambent: Run, tmp_path: Path) -> None:
    """By the same options, or by the run's own config.yaml."""
    out = tmp_path / "run"
    data = ("--data", "digits", "--data-size", "[4,4]", "--data-crop", "true")
    arguments = ("train", "--model", "glow", *data, "--out", out, *TINY, "--model.levels=1")
    few = ("--train.validation_images=8", "--json")
    assert lambent(*arguments, *few, "--train.max_steps=2").figures["steps"] == 2
    again = lambent(*arguments, *few, "--train.max_steps=3", "--resume")
    assert again.code == 0, again.err
    assert again.figures["steps"] == 3
    own = ("train", "--config", out / "config.yaml", "--out", out, "--resume", "--device", "cpu")
    assert lambent(*own, "--json", "--train.max_steps=4").figures["steps"] == 4
    refused = lambent(*own, "--model.steps=2")
    assert refused.code == 2
    assert "resume: expected the run's own settings: model." in refused.err


def test_seed_and_workers(lambent: Run, tmp_path: Path) -> None:
    arguments = ("train", "--data", "digits", *TINY, "--train.max_steps=2", "--json")
    few = ("--train.validation_images=16", "--train.initialization_batch=64")
    bits = [
        lambent(*arguments, *few, "--out", tmp_path / str(i), *more).figures["bits_per_dim"]
        for i, more in enumerate([(), ("--workers", 1), ("--seed", 1)])
    ]
    assert bits[0] == bits[1] != bits[2]
