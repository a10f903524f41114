"""A conditional flow with a pyramid of contexts: each level of a MultiScale reads its own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core import Compose, Flow, trace
from lambent.distributions import StandardNormal
from lambent.testing import check_flow, check_transform, perturbed, pixels
from lambent.transforms import ActNorm, Affine, Coupling, Dequantise, MultiScale, Rescale, Squeeze
from lambent.types import Context

from ..networks import Planes

SHAPES = ((2, 2, 4), (3, 1, 2))  # of the context of each level


class Pyramid(nn.Module):
    """A small picture ``(b, 1, 2, 4)`` as one context for each level."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 3, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        return self.fine(picture), self.coarse(F.avg_pool2d(picture, 2))


def scales() -> MultiScale:
    return MultiScale(
        Compose(Squeeze(), ActNorm(4), Coupling(Planes(2, 4, context=2), Affine())),
        Compose(Squeeze(), ActNorm(8), Coupling(Planes(4, 8, context=3), Affine())),
        shape=(1, 4, 8),
    )


def build() -> Flow:
    return Flow(scales(), StandardNormal((32,)), context_encoder=Pyramid())


def contexts(rows: int = 3) -> tuple[Tensor, Tensor]:
    return torch.randn(rows, *SHAPES[0]), torch.randn(rows, *SHAPES[1])


def test_laws_of_the_scales() -> None:
    check_transform(
        scales(), torch.randn(3, 1, 4, 8), contexts(), float32_tolerance=1e-3, skip=["compile"]
    )


@pytest.mark.compile
def test_compiles() -> None:
    check_transform(scales(), torch.randn(3, 1, 4, 8), contexts(), float32_tolerance=1e-3)


def test_laws_of_the_flow() -> None:
    picture = torch.randn(3, 1, 2, 4)
    check_flow(build(), torch.randn(3, 1, 4, 8), picture, rebuild=build, skip=["compile"])


def test_laws_of_a_flow_over_pixels() -> None:
    transform = Compose(Dequantise(), Rescale(1 / 256, shift=-128.0), scales=scales())
    flow = Flow(transform, StandardNormal((32,)))
    check_flow(flow, pixels()((3, 1, 4, 8)), contexts(), skip=["compile"])


def test_each_level_reads_its_own() -> None:
    transform = perturbed(scales(), 0.3, seed=1)
    x = torch.randn(2, 1, 4, 8, dtype=torch.float64)
    fine, coarse = (part.double() for part in contexts(2))
    first, last = transform.latents(transform.encode(x, (fine, coarse)))
    other_first, other_last = transform.latents(transform.encode(x, (fine, coarse + 1)))
    assert torch.equal(first, other_first)
    assert not torch.equal(last, other_last)
    other_first, _ = transform.latents(transform.encode(x, (fine + 1, coarse)))
    assert not torch.equal(first, other_first)


def wrong_pyramids() -> dict[str, Context]:
    fine, coarse = contexts()
    return {
        "too few": (fine,),
        "too many": (fine, coarse, coarse),
        "none": (),
        "swapped": (coarse, fine),
        "a plain tensor": fine,
        "one part of another batch": (fine, coarse[:2]),
        "one row for all": (fine[:1], coarse[:1]),
    }


@pytest.mark.parametrize("name", wrong_pyramids())
def test_wrong_pyramid_raises(name: str) -> None:
    wrong = wrong_pyramids()[name]
    flow = Flow(scales(), StandardNormal((32,)))
    with pytest.raises(ValueError, match="context: expected"):
        flow.log_prob(torch.randn(3, 1, 4, 8), wrong)
    with pytest.raises(ValueError, match="context: expected"):
        scales().inverse(torch.randn(3, 32), wrong)


def test_draws_are_context_major() -> None:
    flow = perturbed(build(), 0.3, seed=2)
    picture = torch.randn(2, 1, 2, 4, dtype=torch.float64)
    x = flow.sample(3, picture, temperature=0.0)
    assert x.shape == (6, 1, 4, 8)
    torch.testing.assert_close(x[0:1].expand(3, -1, -1, -1), x[:3])
    torch.testing.assert_close(x[3:4].expand(3, -1, -1, -1), x[3:])
    assert not torch.allclose(x[0], x[3])


def test_ledger_names_every_level() -> None:
    flow = perturbed(build(), 0.3, seed=2)
    x, picture = torch.randn(2, 1, 4, 8).double(), torch.randn(2, 1, 2, 4).double()
    paths = [entry.path for entry in trace(flow, x, picture)]
    assert paths == [f"level{i}.{k}" for i in range(2) for k in range(3)] + ["base"]
