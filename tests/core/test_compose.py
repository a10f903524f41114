"""Compose: order, names, flags, and the likelihood of the whole."""

from __future__ import annotations

import pytest
import torch

from lambent.core import Compose, Transform
from lambent.core.compose import worst
from lambent.core.transform import zero_log_det
from lambent.transforms import ActNorm, Dequantise, Permute, Quantise, Rescale, Squeeze
from lambent.types import Context, Likelihood, PerSample, X, Z


class Flagged(Transform):
    """The identity, with flags."""

    def __init__(self, *, likelihood: Likelihood = "exact", **flags: bool) -> None:
        super().__init__()
        self._likelihood = likelihood
        for name, value in flags.items():
            setattr(self, name, value)

    @property
    def likelihood(self) -> Likelihood:
        return self._likelihood

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        return x, zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        return z, zero_log_det(z)


def test_runs_left_to_right_and_back() -> None:
    steps = Compose(Rescale(2.0), Rescale(1.0, shift=3.0))
    x = torch.tensor([[1.0]])
    assert steps(x)[0].item() == 5.0
    assert steps.inverse(torch.tensor([[5.0]]))[0].item() == 1.0
    assert steps.encode(x).item() == 5.0
    assert steps.decode(torch.tensor([[5.0]])).item() == 1.0


def test_steps_are_reached_by_position_and_by_name() -> None:
    first, last = ActNorm(2), Permute.reverse(2)
    steps = Compose(first, last=last)
    assert list(steps) == [first, last]
    assert len(steps) == 2
    assert steps[0] is first
    assert steps["0"] is first
    assert steps[1] is steps[-1] is steps["last"] is last
    assert [name for name, _ in steps.named_children()] == ["0", "last"]


@pytest.mark.parametrize(
    ("flag", "whole"),
    [
        ("stochastic_forward", True),
        ("stochastic_inverse", True),
        ("discrete", False),
        ("cheap_inverse", False),
        ("compiles", False),
    ],
)
def test_flags_of_a_mixture(flag: str, *, whole: bool) -> None:
    """One step that draws makes the whole draw; a promise has to be kept by every step."""
    assert getattr(Compose(Flagged(**{flag: True}), Flagged(**{flag: False})), flag) is whole
    assert getattr(Compose(Flagged(**{flag: True}), Flagged(**{flag: True})), flag) is True
    assert getattr(Compose(Flagged(**{flag: False})), flag) is False


def test_bijective() -> None:
    assert Compose(ActNorm(2)).bijective
    assert not Compose(ActNorm(2), Dequantise()).bijective
    assert not Compose(Quantise(4)).bijective


def test_likelihood_is_the_worst_of_the_parts() -> None:
    order: list[Likelihood] = ["exact", "unbiased", "bound", "approximate"]
    for i, better in enumerate(order):
        for kind in order[i:]:
            assert worst(better, kind) == worst(kind, better) == kind
            steps = Compose(Flagged(likelihood=kind), Flagged(likelihood=better))
            assert steps.likelihood == kind
    assert worst() == "exact"
    assert Compose(Dequantise(), ActNorm(2)).likelihood == "bound"


def test_inverse_of_an_approximate_bijection_is_approximate() -> None:
    assert Flagged(likelihood="approximate").inv.likelihood == "approximate"
    assert Compose(Dequantise(), Flagged(likelihood="approximate")).inv.likelihood == "approximate"
    assert Dequantise().inv.likelihood == "exact"
    assert Quantise(4).inv.likelihood == "bound"


def test_shapes_are_followed_through() -> None:
    steps = Compose(Squeeze(), Squeeze())
    assert steps.forward_shape((1, 8, 4)) == (16, 2, 1)
    assert steps.inverse_shape((16, 2, 1)) == (1, 8, 4)


def test_inverse_of_an_inverse_is_the_transform_itself() -> None:
    steps = Compose(ActNorm(2))
    assert steps.inv.inv is steps
    assert list(steps.inv.parameters()) == list(steps.parameters())


def test_integers_keep_a_wide_log_det() -> None:
    """The sum starts before the integers become floats, and still ends as wide as they."""
    steps = Compose(Quantise(16), Dequantise(16), Rescale(0.5)).double()
    x = torch.randint(0, 256, (2, 3), dtype=torch.uint8)
    assert steps(x)[1].dtype == torch.float64
    assert Compose(Quantise(16))(x)[1].dtype == torch.float32
