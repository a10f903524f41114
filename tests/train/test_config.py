from __future__ import annotations

import math
from typing import Any

import pytest

from lambent import TrainConfig

BAD: list[tuple[str, Any, str]] = [
    ("batch_size", 0, "at least 1"),
    ("max_steps", -1, "at least 1"),
    ("initialization_batch", 0, "at least 1"),
    ("validate_every", 0, "at least 1"),
    ("patience", 0, "at least 1"),
    ("validation_images", 0, "at least 1"),
    ("max_minutes", 0.0, "more than 0"),
    ("learning_rate", 0.0, "more than 0"),
    ("learning_rate", math.nan, "more than 0"),
    ("clip_norm", -1.0, "more than 0"),
    ("clip_value", 0.0, "more than 0"),
    ("warmup_images", -1, "at least 0"),
    ("momentum", 1.0, "0 up to 1"),
    ("weight_decay", -0.1, "at least 0"),
    ("warmup_steps", -1, "at least 0"),
    ("class_weight", -0.1, "at least 0"),
    ("temperature", -1.0, "at least 0"),
    ("beta2", 1.0, "0 up to 1"),
    ("ema_decay", 1.0, "0 up to 1"),
    ("ema_decay", -0.1, "0 up to 1"),
]


@pytest.mark.parametrize(("name", "value", "expected"), BAD)
def test_refuses(name: str, value: object, expected: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected {expected}, got .*{value}"):
        TrainConfig(**{name: value})


def test_refuses_other_words() -> None:
    """Past the annotations, which are checked at run time only in these tests."""
    config = TrainConfig()
    object.__setattr__(config, "schedule", "linear")
    with pytest.raises(ValueError, match=r"^schedule: expected constant or cosine, got 'linear'"):
        config.__post_init__()
    config = TrainConfig()
    object.__setattr__(config, "optimizer", "adagrad")
    with pytest.raises(ValueError, match=r"^optimizer: expected adam or .* or lamb, got 'adagrad'"):
        config.__post_init__()
    config = TrainConfig()
    object.__setattr__(config, "precision", "half")
    with pytest.raises(ValueError, match=r"^precision: expected auto or float32 or bfloat16, got"):
        config.__post_init__()


def test_what_updates_inside_the_backward_pass_rule_out() -> None:
    config = TrainConfig(optimizer_in_backward=True, clip_norm=None)
    assert config.optimizer_in_backward
    with pytest.raises(ValueError, match=r"^clip_norm: expected null .*, got 100.0"):
        TrainConfig(optimizer_in_backward=True)
    with pytest.raises(ValueError, match=r"^clip_value: expected null .*, got 1.0"):
        TrainConfig(optimizer_in_backward=True, clip_norm=None, clip_value=1.0)
    with pytest.raises(ValueError, match=r"^optimizer_in_backward: .* adam, got adamax"):
        TrainConfig(optimizer_in_backward=True, clip_norm=None, optimizer="adamax")


def test_what_may_be_left_out() -> None:
    names = ("max_minutes", "clip_norm", "ema_decay", "patience", "validation_images")
    config = TrainConfig(**dict.fromkeys(names), warmup_steps=0, weight_decay=0.0, temperature=0.0)
    assert all(getattr(config, name) is None for name in names)
