"""What cannot be read is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lambent import import_weights

from . import rosinality
from .flownets import Model

State = dict[str, Tensor]
ASKED: dict[str, Any] = {"shape": (3, 4, 8), "grey_levels": 32}


def state_of(layout: str, permutation: str = "plu") -> State:
    if layout == "rosinality":
        return rosinality.state_dict(lu=permutation == "plu")
    return dict(Model(layout, permutation=permutation, classes=3).state)


def asked_of(layout: str) -> dict[str, Any]:
    return ASKED if layout == "rosinality" else {}


LAYOUTS = ["rosinality", "y0ast", "chaiyujin"]


@pytest.mark.parametrize("permutation", ["plu", "conv"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_key_counts(layout: Any, permutation: str) -> None:
    """Without any one of them, the message names it; with one of another shape, it is refused."""
    state = state_of(layout, permutation)
    optional = re.compile(r"u_mask|l_mask|l_eye|initialized|project_class")
    needed = [key for key in state if not optional.search(key)]
    assert len(needed) > 40
    for key in needed:
        without = {k: v for k, v in state.items() if k != key}
        with pytest.raises(ValueError, match=rf"^{re.escape(key)}: expected in the layout"):
            import_weights(without, layout, **asked_of(layout))
        if key != "prior_h":  # whose first axis is a batch
            longer = {**state, key: torch.cat((state[key], state[key][:1]), 0)}
            with pytest.raises(ValueError, match=": expected shape"):
                import_weights(longer, layout, **asked_of(layout))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_key_too_many(layout: str) -> None:
    state = {**state_of(layout), "blocks.9.more": torch.zeros(1), "extra": torch.zeros(1)}
    message = rf"^blocks.9.more and 1 more: not expected in the layout '{layout}'"
    with pytest.raises(ValueError, match=message):
        import_weights(state, **asked_of(layout))


def changed(layout: str, key: str, change: Callable[[Tensor], Any], **form: Any) -> State:
    state = state_of(layout, **form)
    return {**state, key: change(state[key].clone())}


FLOW, LAYER = "blocks.1.flows.0", "flow.layers.2"

REFUSED: dict[str, tuple[str, State | Callable[[], State], dict[str, Any], str]] = {
    "not a number": (
        "rosinality",
        lambda: changed("rosinality", f"{FLOW}.actnorm.loc", lambda t: t.fill_(torch.nan)),
        ASKED,
        rf"^{FLOW}.actnorm.loc: expected finite numbers",
    ),
    "scale 0": (
        "rosinality",
        lambda: changed(
            "rosinality", f"{FLOW}.actnorm.scale", lambda t: t.index_fill(1, torch.tensor(0), 0)
        ),
        ASKED,
        rf"^{FLOW}.actnorm.scale: expected numbers other than 0, got 0",
    ),
    "never initialised": (
        "rosinality",
        lambda: changed("rosinality", f"{FLOW}.actnorm.initialized", torch.zeros_like),
        ASKED,
        rf"^{FLOW}.actnorm.initialized: expected a trained model",
    ),
    "not a permutation": (
        "rosinality",
        lambda: changed("rosinality", f"{FLOW}.invconv.w_p", lambda t: t * 2),
        ASKED,
        rf"^{FLOW}.invconv: expected a permutation matrix",
    ),
    "one row twice": (
        "y0ast",
        lambda: changed("y0ast", f"{LAYER}.invconv.p", lambda t: t[[0, 0, *range(2, 12)]]),
        {},
        rf"^{LAYER}.invconv: expected a permutation matrix",
    ),
    "not signs": (
        "chaiyujin",
        lambda: changed("chaiyujin", f"{LAYER}.invconv.sign_s", torch.zeros_like),
        {},
        rf"^{LAYER}.invconv: expected signs 1 and -1",
    ),
    "singular": (
        "y0ast",
        lambda: changed("y0ast", f"{LAYER}.invconv.weight", torch.zeros_like, permutation="conv"),
        {},
        rf"^{LAYER}.invconv.weight: expected an invertible matrix",
    ),
    "a top that does not start from zeros": (
        "chaiyujin",
        lambda: changed("chaiyujin", "prior_h", torch.ones_like),
        {},
        r"^prior_h: expected zeros",
    ),
    "not a tensor": (
        "y0ast",
        lambda: changed("y0ast", "prior_h", lambda t: t.tolist()),
        {},
        r"^prior_h: expected a tensor, got list",
    ),
    "sizes of another model": (
        "y0ast",
        lambda: changed("y0ast", "prior_h", lambda t: t[:, :4]),
        {},
        r"^prior_h: expected 48 channels at 2 levels, got 4",
    ),
    "no shape": ("rosinality", {}, {"grey_levels": 32}, r"^shape: expected \(channels, height,"),
    "no grey levels": ("rosinality", {}, {"shape": (3, 4, 8)}, r"^grey_levels: expected a number"),
    "other channels": (
        "rosinality",
        {},
        {"shape": (1, 4, 8), "grey_levels": 32},
        r"^shape: these weights are of 12 / 4 channels, got \(1, 4, 8\)",
    ),
    "a size that does not divide": (
        "rosinality",
        {},
        {"shape": (3, 6, 8), "grey_levels": 32},
        r"^levels: expected a height and width that 2 levels divide",
    ),
    "no size": (
        "rosinality",
        {},
        {"shape": (3, 0, 8), "grey_levels": 32},
        r"^shape: expected three positive numbers, got \(3, 0, 8\)",
    ),
    "another shape": (
        "y0ast",
        {},
        {"shape": (3, 8, 8)},
        r"^shape: expected \(3, 4, 8\), as these weights say, got \(3, 8, 8\)",
    ),
    "other grey levels": ("chaiyujin", {}, {"grey_levels": 32}, r"^grey_levels: this layout is of"),
    "grey levels out of range": ("y0ast", {}, {"grey_levels": 300}, r"^grey_levels: expected 2 to"),
    "an order too many": (
        "y0ast",
        {},
        {"permutation": "reverse"},
        r"^permutation: expected none, for these weights have 1x1",
    ),
    "an order for none": (
        "rosinality",
        {},
        {**ASKED, "permutation": "reverse"},
        r"^permutation: expected none, for this layout always",
    ),
    "no order": ("y0ast", lambda: state_of("y0ast", "reverse"), {}, r"^permutation: expected 're"),
    "an unknown order": (
        "y0ast",
        lambda: state_of("y0ast", "reverse"),
        {"permutation": "shuffle"},
        r"^permutation: expected 'reverse' or the order of each step, got 'shuffle'",
    ),
    "too few orders": (
        "chaiyujin",
        lambda: state_of("chaiyujin", "shuffle"),
        {"permutation": [torch.arange(12)]},
        r"^permutation: expected an order for each of 4 steps, got 1",
    ),
    "no orders": (
        "chaiyujin",
        lambda: state_of("chaiyujin", "shuffle"),
        {"permutation": [torch.zeros(12)] * 4},
        r"^permutation: expected the numbers 0 to 11 for step 0, got \[0, 0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    layout, state, asked, message = REFUSED[case]
    given = state() if callable(state) else state_of(layout)
    with pytest.raises(ValueError, match=message):
        import_weights(given, **asked)


def test_factors_without_their_permutation() -> None:
    """Which an early version of that code did not keep."""
    state = state_of("chaiyujin")
    early = {k: v for k, v in state.items() if not k.endswith((".p", ".sign_s"))}
    with pytest.raises(ValueError, match=r"^flow.layers.1.invconv.p: expected in the layout"):
        import_weights(early)


def test_what_is_optional_may_be_missing() -> None:
    """Masks, and the flags that early versions had none of."""
    state = state_of("rosinality")
    names = ("u_mask", "l_mask", "l_eye", "initialized")
    fewer = {k: v for k, v in state.items() if not k.endswith(names)}
    assert len(fewer) < len(state)
    found = import_weights(fewer, **ASKED).state_dict()
    expected = import_weights(state, **ASKED).state_dict()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_layout_of_nobody() -> None:
    with pytest.raises(ValueError, match=r"^source: expected a Glow in the layout of rosinality, "):
        import_weights({"layer.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"^layout: unknown 'y0st'; did you mean 'y0ast'"):
        import_weights(state_of("y0ast"), "y0st")
