"""What a Glow's config refuses, and what its choices change."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch

from lambent.core import Compose, Flow
from lambent.flows import GlowConfig, glow
from lambent.testing import perturbed, pixels
from lambent.transforms import InvertibleConv1x1, Permute, PLUConv1x1

SMALL = {"shape": (1, 8, 8), "grey_levels": 256, "levels": 2, "steps": 1, "width": 4}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": None}, "shape: expected"),
        ({"shape": (0, 8, 8)}, "shape: expected three positive numbers"),
        ({"grey_levels": None}, "grey_levels: expected 2 to 256, got None"),
        ({"grey_levels": 1}, "grey_levels: expected 2 to 256, got 1"),
        ({"grey_levels": 257}, "grey_levels: expected 2 to 256, got 257"),
        ({"levels": 0}, "levels: expected at least 1, got 0"),
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"width": 0}, "width: expected at least 1, got 0"),
        ({"scale_bound": 0.0}, "scale_bound: expected more than 0"),
        ({"prior_bound": -1.0}, "prior_bound: expected more than 0"),
        ({"log_scale_factor": 0.0}, "log_scale_factor: expected more than 0"),
        ({"dropout": 1.0}, "dropout: expected 0 up to 1"),
        ({"levels": 4}, "got 8 x 8; levels 1 to 3 would fit"),
        ({"shape": (1, 6, 8)}, "got 6 x 8; levels 1 would fit"),
        ({"shape": (1, 7, 8)}, "got 7 x 8; no levels fit"),
        ({"conditioning": "top"}, "classes: conditioning 'top' expects at least 1 class, got None"),
        ({"conditioning": "strong", "classes": 0}, "classes: conditioning 'strong'"),
        ({"conditioning": "strong", "classes": 2, "class_features": 0}, "class_features: expected"),
    ],
)
def test_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        glow(GlowConfig(**SMALL | settings))


@pytest.mark.parametrize(
    ("name", "value", "choices"),
    [
        ("scale", "loose", "bounded or released"),
        ("permutation", "pluu", "plu or conv or shuffle or reverse"),
        ("first_squeeze", 3, "2 or 4"),
    ],
)
def test_words_that_are_no_choice_are_refused(name: str, value: object, choices: str) -> None:
    config = GlowConfig(**SMALL)
    object.__setattr__(config, name, value)  # past the types that tests check
    with pytest.raises(ValueError, match=f"{name}: expected {choices}, got '{value}'"):
        glow(config)


def test_config_is_a_value() -> None:
    config = GlowConfig(**SMALL)
    assert config == GlowConfig(**SMALL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.steps = 3


@pytest.mark.parametrize(
    ("permutation", "kind"),
    [
        ("plu", PLUConv1x1),
        ("conv", InvertibleConv1x1),
        ("shuffle", Permute),
        ("reverse", Permute),
    ],
)
def test_permutation(permutation: str, kind: type) -> None:
    flow = glow(GlowConfig(**SMALL, permutation=permutation))
    mixes = [m for name, m in flow.named_modules() if name.endswith("mix")]
    assert len(mixes) == 2
    assert all(type(m) is kind for m in mixes)


def test_quantise_stands_first_only_where_it_has_work() -> None:
    def first(grey_levels: int) -> list[str]:
        transform = glow(GlowConfig(**SMALL | {"grey_levels": grey_levels})).transform
        return [name for name, _ in transform.named_children()]

    assert first(256) == ["dequantise", "rescale", "scales"]
    assert first(255) == ["quantise", "dequantise", "rescale", "scales"]


def moved(settings: dict[str, object]) -> Flow:
    return perturbed(glow(GlowConfig(**SMALL | settings)), 0.2, seed=1)


def test_label_at_the_top_moves_only_the_top() -> None:
    flow = moved({"conditioning": "top", "classes": 3})
    x = pixels()((1, 1, 8, 8))
    a = flow.encode(x, torch.tensor([0]))
    b = flow.encode(x, torch.tensor([1]))
    assert isinstance(flow.transform, Compose)
    fine_a, top_a = flow.transform["scales"].latents(a)
    fine_b, top_b = flow.transform["scales"].latents(b)
    assert torch.equal(fine_a, fine_b)
    assert (top_a != top_b).all()


def test_strong_label_moves_every_level() -> None:
    flow = moved({"conditioning": "strong", "classes": 3})
    x = pixels()((1, 1, 8, 8))
    assert isinstance(flow.transform, Compose)
    one, other = (
        flow.transform["scales"].latents(flow.encode(x, torch.tensor([label]))) for label in (0, 1)
    )
    for a, b in zip(one, other, strict=True):
        assert (a != b).any()


def test_strong_label_enters_every_network() -> None:
    flow = moved({"conditioning": "strong", "classes": 3})
    x, labels = (
        torch.randn(2, 4, 4, 4, dtype=torch.float64),
        flow.encode_context(torch.tensor([0, 1])),
    )
    x[1] = x[0]
    level = flow.transform["scales"].levels[0]
    for layer in (level["step0"]["coupling"], level["prior"]):
        z, value = layer(x, labels)
        assert torch.equal(z[0, :2], z[1, :2])
        assert (z[0, 2:] != z[1, 2:]).all()
        assert value[0] != value[1]


def test_bounds_of_the_config_reach_the_layers() -> None:
    """However wild the parameters, a bounded Glow's couplings and priors keep their scales."""
    flow = glow(GlowConfig(**SMALL, scale_bound=0.5, prior_bound=0.25, permutation="reverse"))
    with torch.no_grad():
        for name, parameter in flow.named_parameters():
            if "last" in name or "prior" in name:
                parameter.normal_(std=30.0).clamp_(-3, 30)
    scales = flow.transform["scales"]
    for _, value in [
        level["step0"]["coupling"](torch.randn(2, 4, 4, 4)) for level in scales.levels[:1]
    ]:
        assert value.abs().max() <= 0.5 * 2 * 16 * (1 + 1e-5)
        assert value.abs().max() > 1
    x = torch.randn(2, 4, 4, 4)
    _, value = scales.levels[0]["prior"](x)
    assert 0.1 < value.abs().max() <= 0.25 * 2 * 16 * (1 + 1e-5)
