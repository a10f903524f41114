"""The presets in the package: every one builds, and those of the paper have its sizes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
import yaml

from lambent import Flow, GlowConfig
from lambent.cli.options import Options, config_of, settings_as_options
from lambent.cli.presets import preset_or_family, presets
from lambent.core.registry import complete, family
from lambent.train.config import TrainConfig

PAPER = {
    "glow_cifar10": 44_603_604,
    "glow_cifar10_additive": 38_395_668,
    "glow_imagenet32": 66_861_588,
    "glow_imagenet64": 112_377_540,
    "glow_lsun64": 66_861_588,  # as ImageNet 32: nothing learned has the size of the picture
    "glow_celebahq256": 175_099_620,
    "glow_cifar10_class": None,
    "glow_imagenet32_class": None,
}
LEFT_TO_PICTURES = {"shape": (3, 32, 32), "grey_levels": 256, "classes": 10}
LEFT_TO_ROWS = {"shape": (6,)}


def on_meta(name: str) -> Flow:
    family_name, settings = preset_or_family(name)
    chosen = family(family_name)
    fields = {k: v for k, v in settings["model"].items() if k != "family"}
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    facts = LEFT_TO_ROWS if name.endswith("_table") else LEFT_TO_PICTURES
    with torch.device("meta"):
        return chosen.build(complete(chosen.config_type(**values), facts))


def model(name: str) -> dict[str, Any]:
    found = yaml.safe_load(presets()[name])["model"]
    assert isinstance(found, dict)
    return found


def train(name: str) -> TrainConfig:
    """As the command line reads them."""
    parser = Options("train", "")
    parser.add_fields(TrainConfig, "--train.", "training")
    settings = yaml.safe_load(presets()[name])["train"]
    if "max_minutes" in settings:
        settings["max_minutes"] = float(settings["max_minutes"])
    options = parser.read(settings_as_options({"train": settings}))
    return config_of(options, TrainConfig, "train.")


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_builds(name: str) -> None:
    flow = on_meta(name)
    assert all(p.is_meta for p in flow.parameters())
    expected = PAPER.get(name)
    if expected is not None:
        assert sum(p.numel() for p in flow.parameters()) == expected


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_trains_by_settings_there_are(name: str) -> None:
    settings = yaml.safe_load(presets()[name])
    assert set(settings) <= {"model", "train", "data"}
    config = dataclasses.asdict(train(name))
    assert {key: config[key] for key in settings["train"]} == settings["train"]
    config_type = family(model(name)["family"]).config_type
    assert set(model(name)) - {"family"} <= {f.name for f in dataclasses.fields(config_type)}
    assert presets()[name].splitlines()[0].startswith("# ")


@pytest.mark.parametrize("name", sorted(PAPER))
def test_the_papers_form(name: str) -> None:
    """The released code's, to the letter: width, permutation, scale, and what is at its default."""
    found = {**dataclasses.asdict(GlowConfig()), **model(name)}
    released = {
        "width": 512,
        "permutation": "conv",
        "scale": "released",
        "norm": "actnorm",
        "border": True,
        "learn_top": True,
        "log_scale_factor": 3.0,
        "first_squeeze": 2,
    }
    assert {key: found[key] for key in released} == released
    faces = name == "glow_celebahq256"
    assert found["recompute"] == ("inverse" if faces else "checkpoint")
    five_bits = faces or name.endswith("class")
    assert found["grey_levels"] == (32 if five_bits else 256)
    assert found["coupling"] == ("additive" if five_bits or "additive" in name else "affine")


@pytest.mark.parametrize("name", sorted(PAPER))
def test_the_papers_training(name: str) -> None:
    """64 pictures of 32x32 for each of 8 processes (40 for faces), fewer where they are large."""
    config = train(name)
    side = model(name)["shape"][1]
    processes = 40 if side == 256 else 8
    share = (32 / side) ** 2
    assert config.batch_size == processes * max(1, int(64 * share))
    epoch = 50_000 / (64 * processes)  # steps, counted at 32x32
    assert config.warmup_steps == round(10 * epoch)
    assert config.beta2 == pytest.approx(1 - 1 / -(-epoch // 1), abs=5e-5)
    assert config.initialization_batch == int(256 * share)
    assert (config.optimizer, config.learning_rate, config.schedule) == (
        "adamax_released",
        1e-3,
        "constant",
    )
    assert (config.weight_decay, config.clip_norm, config.ema_decay) == (0, None, None)
    assert (config.shift, config.flip) == (0.1 if "cifar10" in name else 0, False)
    assert config.random_crop == ("lsun" in name)
    assert config.class_weight == (0.01 if name.endswith("class") else 0)


@pytest.mark.parametrize(("name", "classes"), [("cifar10", 10), ("imagenet32", 1000)])
def test_classes_enter_at_the_top(name: str, classes: int) -> None:
    found = model(f"glow_{name}_class")
    assert (found["conditioning"], found["classes"]) == ("top", classes)
    additive = {**found, "conditioning": "none", "classes": None}
    channels = 48
    label = 2 * channels * (classes + 2)  # weight, bias and scale of a linear map of the label
    with torch.device("meta"):
        fields = {k: v for k, v in additive.items() if k != "family"}
        plain = family("glow").build(GlowConfig(**{**fields, "shape": tuple(fields["shape"])}))
    count = sum(p.numel() for p in plain.parameters())
    assert sum(p.numel() for p in on_meta(f"glow_{name}_class").parameters()) == count + label


def test_the_package_holds_them_all() -> None:
    assert set(PAPER) <= set(presets())
    small = {"glow_laptop", "glow_digits", "glow_mnist", "nice_digits", "realnvp_digits"}
    assert small <= set(presets())
