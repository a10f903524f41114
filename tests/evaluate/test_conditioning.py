"""Singular values of Jacobians: of what is known, and by products as by the whole matrix."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import lambent.flows  # noqa: F401, registers the families
from lambent import Compose, Flow, GlowConfig, glow
from lambent.core.registry import build, families
from lambent.distributions import ConditionalNormal, StandardNormal
from lambent.evaluate import measure_conditioning
from lambent.evaluate.bijective_part import bijective_part
from lambent.evaluate.lanczos import largest_singular
from lambent.flows import linear_map
from lambent.nn import MLP
from lambent.transforms import ActNorm, Augment, Dequantise, InvertibleConv1x1, Slice

FEW = {"exact_dims": 2, "extremes": 1}
"""By products whatever the size."""


def matrix(n: int) -> Tensor:
    t = torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return t if torch.linalg.det(t) > 0 else -t[torch.tensor([1, 0, *range(2, n)])]


def shaken(flow: Flow, seed: int = 0) -> Flow:
    """With parameters away from the identity that most layers are at first."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for p in flow.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return flow.eval()


def test_of_a_linear_map() -> None:
    t = matrix(6)
    expected = torch.linalg.svd(t)
    flow = Flow(linear_map(t), StandardNormal((6,)))
    found = measure_conditioning(flow, torch.randn(3, 6))
    assert (found.method, found.dims, found.of) == ("exact", 6, "all steps")
    assert torch.allclose(found.singular_values, expected.S.expand(3, 6))
    assert torch.allclose(found.condition, torch.linalg.cond(t).expand(3))
    for direction, vector in (
        (found.most_stretched, expected.Vh[0]),
        (found.least_stretched, expected.Vh[-1]),
    ):
        assert torch.allclose((direction @ vector).abs(), torch.ones(3, dtype=torch.float64))
    some = measure_conditioning(flow, torch.randn(3, 6), exact_dims=4, extremes=2)
    assert some.method == "lanczos"
    assert torch.allclose(some.singular_values, expected.S[[0, 1, 4, 5]].expand(3, 4))
    assert torch.allclose((some.most_stretched @ expected.Vh[0]).abs(), torch.ones(3).double())
    assert torch.allclose((some.least_stretched @ expected.Vh[-1]).abs(), torch.ones(3).double())


def test_the_logs_sum_to_the_log_determinant() -> None:
    flow = shaken(build("realnvp", {"shape": [4], "norm": "actnorm"})).double()
    x = torch.randn(5, 4, dtype=torch.float64)
    found = measure_conditioning(flow, x)
    assert torch.allclose(found.singular_values.log().sum(1), flow.transform(x)[1])
    assert (found.singular_values.diff(dim=1) <= 0).all()
    assert (found.condition > 1.1).all()


@pytest.mark.parametrize("name", sorted(set(families()) - {"glow", "joint"}))
def test_products_agree_with_the_matrix(name: str) -> None:
    """Both modes through both directions of every family of vectors."""
    flow = shaken(build(name, {"shape": [4]}))
    x = torch.randn(2, 4)
    whole, some = measure_conditioning(flow, x), measure_conditioning(flow, x, **FEW)
    assert torch.allclose(some.singular_values, whole.singular_values[:, [0, -1]], rtol=1e-5)
    for a, b in (
        (some.most_stretched, whole.most_stretched),
        (some.least_stretched, whole.least_stretched),
    ):
        assert torch.allclose((a * b).sum(1).abs(), torch.ones(2).double(), atol=1e-4)


@pytest.mark.parametrize("recompute", ["never", "checkpoint", "inverse"])
def test_of_images(recompute: str) -> None:
    """After the noise, in the middle of the bins, and with the class as it is given."""
    torch.manual_seed(0)
    config = GlowConfig(
        shape=(1, 4, 4), grey_levels=4, levels=2, steps=1, width=4, recompute=recompute,
        conditioning="strong", classes=3,
    )  # fmt: skip
    flow = shaken(glow(config))
    x, y = flow.sample(None, torch.arange(3)), torch.arange(3)
    state = {name: value.clone() for name, value in flow.state_dict().items()}
    found = measure_conditioning(flow, x, y)
    assert found.of == "the steps after Dequantise"
    assert found.most_stretched.shape == (3, 1, 4, 4)
    assert found.singular_values.shape == (3, 16)
    some = measure_conditioning(flow, x, y, exact_dims=8, extremes=2)
    ends = found.singular_values[:, [0, 1, -2, -1]]
    assert torch.allclose(some.singular_values, ends, rtol=1e-6)
    other = measure_conditioning(flow, x, y.flip(0)).condition
    assert not torch.allclose(other, found.condition)
    assert all(torch.equal(value, state[name]) for name, value in flow.state_dict().items())
    assert next(flow.parameters()).dtype == torch.float32


def test_the_jacobian_is_that_of_the_steps_after_the_noise() -> None:
    inner = Compose(Dequantise(4), ActNorm(2))
    flow = shaken(Flow(Compose(inner, InvertibleConv1x1(2)), StandardNormal((2,))))
    x = torch.tensor([[0, 3]], dtype=torch.uint8)
    part = bijective_part(flow, x)
    assert len(part.transform) == 2
    assert part.points.tolist() == [[0.5, 3.5]]
    scale = inner[1].affine.log_scale.exp()  # type: ignore[union-attr]
    expected = torch.linalg.svdvals((flow.transform[1].matrix * scale).double())  # type: ignore[index]
    assert torch.allclose(measure_conditioning(flow, x).singular_values[0], expected)


def test_an_augmented_flow_is_measured_beside_what_it_adds() -> None:
    steps = Compose(Augment(ConditionalNormal((1,), MLP(2, 2, width=4))), ActNorm(3))
    flow = shaken(Flow(steps, StandardNormal((3,))))
    found = measure_conditioning(flow, torch.randn(2, 2))
    assert (found.dims, found.of) == (3, "the steps after Augment")


class Squares(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.square()


def test_values_and_vectors_of_a_function() -> None:
    point = torch.tensor([[1.0, 3.0, 2.0]], dtype=torch.float64)
    found = largest_singular(Squares(), point, 2)
    assert torch.allclose(found.values, torch.tensor([6.0, 4.0], dtype=torch.float64))
    unit = torch.eye(3, dtype=torch.float64)[[1, 2]]
    assert torch.allclose(found.inputs.abs(), unit, atol=1e-9)
    assert torch.allclose(found.outputs.abs(), unit, atol=1e-9)


class Overflows(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (1000 * x).exp()


def test_a_jacobian_that_is_not_finite() -> None:
    point = torch.ones(1, 4, dtype=torch.float64)
    with pytest.raises(FloatingPointError, match=r"^singular values: .* not finite"):
        largest_singular(Overflows(), point, 1)


def test_what_is_refused() -> None:
    flow = Flow(Compose(ActNorm(4)), StandardNormal((4,)))
    x = torch.zeros(2, 4)
    for words, given, settings in (
        ("x: expected at least one event, got none", x[:0], {}),
        ("x: expected a batch of events of shape", torch.zeros(2, 3), {}),
        ("extremes: expected at least 1, got 0", x, {"extremes": 0}),
        ("exact_dims: expected at least 2 x 4 extremes, got 7", x, {"exact_dims": 7}),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            measure_conditioning(flow, given, **settings)
    sliced = Flow(Compose(ActNorm(4), Slice(StandardNormal((2,)))), StandardNormal((2,)))
    with pytest.raises(ValueError, match=r"^flow: expected a bijection after .* got Slice"):
        measure_conditioning(sliced, x)
