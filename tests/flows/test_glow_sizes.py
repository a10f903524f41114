"""Parameter counts to the unit and latent shapes, for the sizes of the paper."""

from __future__ import annotations

import math

import pytest
import torch

from lambent.core import Compose, Flow
from lambent.flows import GlowConfig, glow
from lambent.transforms import MultiScale

RELEASED = {"width": 512, "permutation": "conv", "scale": "released"}
CIFAR10 = RELEASED | {"shape": (3, 32, 32), "grey_levels": 256, "levels": 3, "steps": 32}
FACES = RELEASED | {
    "shape": (3, 256, 256),
    "grey_levels": 32,
    "levels": 6,
    "steps": 32,
    "coupling": "additive",
}


def on_meta(settings: dict[str, object]) -> Flow:
    with torch.device("meta"):
        return glow(GlowConfig(**settings))


def scales(flow: Flow) -> MultiScale:
    assert isinstance(flow.transform, Compose)
    found = flow.transform["scales"]
    assert isinstance(found, MultiScale)
    return found


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (CIFAR10, 44_603_604),
        (CIFAR10 | {"coupling": "additive"}, 38_395_668),
        (CIFAR10 | {"steps": 48}, 66_861_588),
        (CIFAR10 | {"shape": (3, 64, 64), "levels": 4, "steps": 48}, 112_377_540),
        (FACES, 175_099_620),
    ],
    ids=["cifar-10 affine", "cifar-10 additive", "imagenet 32", "imagenet 64", "celeba-hq 256"],
)
def test_parameter_counts(settings: dict[str, object], count: int) -> None:
    assert sum(p.numel() for p in on_meta(settings).parameters()) == count


def test_bounded_scale_costs_no_parameters() -> None:
    bounded = on_meta(CIFAR10 | {"scale": "bounded"})
    assert sum(p.numel() for p in bounded.parameters()) == 44_603_604


@pytest.mark.parametrize("permutation", ["plu", "conv", "shuffle", "reverse"])
def test_every_permutation_builds_on_the_meta_device(permutation: str) -> None:
    flow = on_meta(CIFAR10 | {"permutation": permutation, "steps": 2})
    assert all(value.is_meta for value in flow.state_dict().values())


def test_latent_shapes_of_faces() -> None:
    expected = (
        (6, 128, 128),
        (12, 64, 64),
        (24, 32, 32),
        (48, 16, 16),
        (96, 8, 8),
        (384, 4, 4),
    )
    transform = scales(on_meta(FACES | {"steps": 1}))
    assert transform.latent_shapes == expected
    assert sum(math.prod(shape) for shape in expected) == 3 * 256 * 256 == 196_608


def test_latent_shapes_of_small_images() -> None:
    transform = scales(on_meta(CIFAR10 | {"steps": 1}))
    assert transform.latent_shapes == ((6, 16, 16), (12, 8, 8), (48, 4, 4))


@pytest.mark.parametrize(
    ("shape", "levels", "first_squeeze"),
    [((3, 32, 32), 3, 2), ((1, 4, 8), 2, 2), ((5, 4, 4), 1, 2), ((3, 64, 32), 4, 4)],
)
def test_latent_is_as_large_as_the_image(
    shape: tuple[int, int, int], levels: int, first_squeeze: int
) -> None:
    settings = {"shape": shape, "grey_levels": 256, "levels": levels, "steps": 1, "width": 4}
    flow = on_meta(settings | {"first_squeeze": first_squeeze})
    assert flow.base.event_shape == (math.prod(shape),)
    assert sum(math.prod(part) for part in scales(flow).latent_shapes) == math.prod(shape)
    assert flow.event_shape == shape
