"""Each layout on random weights, against its formulas: likelihood, latents, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lambent import Flow, import_weights, seeded
from lambent.core import Compose
from lambent.flows import GlowConfig

from . import rosinality
from .flownets import Model

Likelihood = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]
Preprocess = Callable[[Tensor, Tensor | float], Tensor]


def config_of(flow: Flow) -> GlowConfig:
    assert flow.recipe is not None
    config = flow.recipe[1]
    assert isinstance(config, GlowConfig)
    return config


def agrees(
    flow: Flow,
    likelihood: Likelihood,
    preprocess: Preprocess,
    scale: float,
    labels: Tensor | None = None,
) -> None:
    """The flow's likelihood, latents and inverse are those of the formulas.

    ``preprocess`` takes grey levels and noise in [0, 1); a level is ``1 / scale`` wide after it.
    """
    config = config_of(flow)
    assert config.shape is not None
    assert config.grey_levels is not None
    assert config.scale == "released"
    x = torch.randint(0, 256, (3, *config.shape), dtype=torch.uint8)
    levels = torch.div(x.double(), 256 // config.grey_levels, rounding_mode="floor")
    with seeded(5):
        u = torch.rand(x.shape, dtype=torch.float64) * (1 - 2.0**-16)
    with seeded(5), torch.no_grad():
        log_prob = flow.log_prob(x, labels)
    value, _ = likelihood(preprocess(levels, u), labels)
    expected = value - math.prod(config.shape) * math.log(scale)
    torch.testing.assert_close(log_prob, expected, rtol=1e-9, atol=1e-9)

    middle = preprocess(levels, 0.5)
    _, latents = likelihood(middle, labels)
    with torch.no_grad():
        z = flow.encode(x, labels)
        back = flow.decode(z, labels)
        assert isinstance(flow.transform, Compose)
        scales = flow.transform["scales"]
        context = None if labels is None else torch.eye(config.classes or 0).double()[labels]
        again = scales.decode(z, context)
    torch.testing.assert_close(z, latents, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(again, preprocess_ours(levels, config), rtol=1e-9, atol=1e-9)
    assert torch.equal(back.double(), levels * (256 // config.grey_levels))


def preprocess_ours(levels: Tensor, config: GlowConfig) -> Tensor:
    assert config.grey_levels is not None
    return (levels + 0.5) / config.grey_levels - 0.5


@pytest.mark.parametrize("bits", [5, 8])
@pytest.mark.parametrize("coupling", ["affine", "additive"])
@pytest.mark.parametrize("permutation", ["plu", "conv"])
def test_rosinality(permutation: str, coupling: str, bits: int) -> None:
    affine = coupling == "affine"
    p = rosinality.state_dict(3, affine=affine, lu=permutation == "plu")
    flow = import_weights(p, shape=(3, 4, 8), grey_levels=2**bits)
    config = config_of(flow)
    assert (config.levels, config.steps, config.width) == (2, 2, rosinality.WIDTH)
    assert (config.coupling, config.permutation) == (coupling, permutation)
    agrees(
        flow,
        lambda x, labels: rosinality.likelihood(p, x, affine=affine),
        lambda levels, u: (levels + u) / 2**bits - 0.5,
        2**bits,
    )


@pytest.mark.parametrize(("blocks", "flows", "channels"), [(1, 3, 1), (3, 1, 2)])
def test_rosinality_of_other_sizes(blocks: int, flows: int, channels: int) -> None:
    p = rosinality.state_dict(channels, blocks, flows)
    flow = import_weights(p, "rosinality", shape=(channels, 16, 8), grey_levels=256)
    assert (config_of(flow).levels, config_of(flow).steps) == (blocks, flows)
    agrees(
        flow,
        lambda x, labels: rosinality.likelihood(p, x, blocks, flows),
        lambda levels, u: (levels + u) / 256 - 0.5,
        256,
    )


def of_y0ast(levels: Tensor, u: Tensor | float) -> Tensor:
    return (levels + u) / 256 - 0.5


def of_chaiyujin(levels: Tensor, u: Tensor | float) -> Tensor:
    """Pixels at x / 255 in the middle of a bin, whose noise is about 0 there."""
    return (levels + u - 0.5) / 255


PREPROCESS: dict[str, tuple[Preprocess, int]] = {
    "y0ast": (of_y0ast, 256),
    "chaiyujin": (of_chaiyujin, 255),
}
FORMS: dict[str, dict[str, Any]] = {
    "affine, by factors": {},
    "affine, free": {"permutation": "conv"},
    "additive": {"coupling": "additive"},
    "reverse": {"permutation": "reverse"},
    "shuffle": {"permutation": "shuffle", "coupling": "additive"},
    "fixed top": {"learn_top": False},
    "class": {"classes": 4},
    "class, else a fixed top": {"classes": 3, "learn_top": False, "permutation": "conv"},
    "one level": {"levels": 1, "steps": 3},
    "three levels, grey": {"levels": 3, "steps": 1, "shape": (1, 8, 16)},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", PREPROCESS)
def test_y0ast_and_chaiyujin(layout: str, form: str) -> None:
    model = Model(layout, **FORMS[form])
    permutation: Any = {"reverse": "reverse", "shuffle": model.orders}.get(model.permutation)
    flow = import_weights(model.state, permutation=permutation)
    config = config_of(flow)
    assert config.shape == model.shape
    assert (config.levels, config.steps) == (model.levels, model.steps)
    assert (config.coupling, config.permutation) == (model.coupling, model.permutation)
    assert (config.learn_top, config.classes) == (model.learn_top, model.classes)
    labels = torch.tensor([2, 0, 1]) if model.classes else None
    preprocess, scale = PREPROCESS[layout]
    agrees(flow, model.likelihood, preprocess, scale, labels)


def test_layouts_are_told_apart() -> None:
    """A wrong name is refused, so agreement under no name means the right one was found."""
    y0ast, chaiyujin = Model("y0ast"), Model("chaiyujin")
    with pytest.raises(ValueError, match="layout 'chaiyujin'"):
        import_weights(y0ast.state, "chaiyujin")
    with pytest.raises(ValueError, match="layout 'y0ast'"):
        import_weights(chaiyujin.state, "y0ast")


@pytest.mark.parametrize("layout", ["rosinality", "y0ast", "chaiyujin"])
def test_prefix_of_data_parallel(layout: str) -> None:
    state = rosinality.state_dict() if layout == "rosinality" else Model(layout).state
    asked: Any = {"shape": (3, 4, 8), "grey_levels": 256}
    plain = import_weights(state, **asked).state_dict()
    wrapped = import_weights({f"module.{k}": v for k, v in state.items()}, **asked).state_dict()
    assert plain.keys() == wrapped.keys()
    assert all(torch.equal(plain[key], wrapped[key]) for key in plain)


def test_dtype_mode_and_generator() -> None:
    """The weights' own dtype; eval mode; nothing drawn; float32 close to float64."""
    p = rosinality.state_dict()
    before = torch.get_rng_state()
    wide = import_weights(p, shape=(3, 4, 8), grey_levels=32)
    halved = {k: v.float() if v.is_floating_point() else v for k, v in p.items()}
    flow = import_weights(halved, shape=(3, 4, 8), grey_levels=32)
    assert torch.equal(torch.get_rng_state(), before)
    assert {q.dtype for q in wide.parameters()} == {torch.float64}
    assert {q.dtype for q in flow.parameters()} == {torch.float32}
    assert not flow.training
    x = torch.randint(0, 256, (2, 3, 4, 8), dtype=torch.uint8)
    torch.testing.assert_close(flow.encode(x).double(), wide.encode(x), rtol=1e-3, atol=1e-3)


def test_reader_leaves_the_state_dict_alone() -> None:
    p = rosinality.state_dict()
    before = {key: value.clone() for key, value in p.items()}
    flow = import_weights(p, shape=(3, 4, 8), grey_levels=32)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 1.0
    assert p.keys() == before.keys()
    assert all(torch.equal(p[key], before[key]) for key in p)


def test_actnorms_count_as_initialised() -> None:
    for flow in (
        import_weights(rosinality.state_dict(), shape=(3, 4, 8), grey_levels=32),
        import_weights(Model("y0ast").state),
    ):
        flags = [v for k, v in flow.state_dict().items() if k.endswith("initialized")]
        assert flags
        assert all(flags)
