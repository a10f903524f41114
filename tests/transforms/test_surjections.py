"""What surjections add to the likelihood, against brute force and known numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Flow, Transform
from lambent.distributions import ConditionalNormal, HalfNormal, StandardNormal, StudentT
from lambent.errors import DomainError
from lambent.flows import noise_flow
from lambent.testing import (
    check_bound,
    check_normalised,
    check_total,
    enumerated_log_prob,
    perturbed,
)
from lambent.transforms import (
    Abs,
    ActNorm,
    Affine,
    Argmax,
    Augment,
    BinaryArgmax,
    Coupling,
    Gaps,
    MaxPool,
    Rescale,
    Slice,
    Softplus,
    Sort,
    StochasticPermutation,
    VariationalDequantise,
)
from lambent.types import Context, PerSample, X, Z

from ..networks import Dense


def symmetric(signs: Transform) -> Flow:
    """A flow of two numbers after their absolute values."""
    steps = Compose(signs, Softplus().inv, ActNorm(2), Coupling(Dense(1, 2), Affine()))
    return perturbed(Flow(steps, StandardNormal((2,))), 0.3, seed=1)


@pytest.mark.parametrize("signs", [Abs(), Abs(Dense(2, 2))], ids=["fair", "learned"])
def test_absolute_values_have_a_normalised_density(signs: Abs) -> None:
    flow = symmetric(signs)
    assert flow.likelihood == "exact"
    check_normalised(flow, -20.0, 20.0, points=1200, tolerance=5e-3)


class ForgetsTheSigns(Abs):
    """Says that dropping signs costs nothing."""

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        z, value = super().forward(x)
        return z, 0 * value


def test_the_law_of_normalisation_catches_forgotten_signs() -> None:
    with pytest.raises(AssertionError, match="the density integrates to"):
        check_normalised(symmetric(ForgetsTheSigns()), -20.0, 20.0, points=800)


def test_fair_signs_over_a_half_normal_are_a_normal() -> None:
    x = torch.randn(5, 3, dtype=torch.float64)
    folded = Flow(Abs(), HalfNormal((3,)).double())
    torch.testing.assert_close(folded.log_prob(x), StandardNormal((3,)).log_prob(x))


def test_fair_signs_are_symmetric_and_learned_ones_are_not() -> None:
    x = torch.randn(6, 2, dtype=torch.float64)
    fair, learned = symmetric(Abs()), symmetric(Abs(Dense(2, 2)))
    torch.testing.assert_close(fair.log_prob(x), fair.log_prob(-x))
    assert (learned.log_prob(x) - learned.log_prob(-x)).abs().max() > 0.05


def test_sorted_numbers_have_a_normalised_density() -> None:
    sort = perturbed(Compose(Sort(), Gaps(), ActNorm(2)), 0.3, seed=2)
    x = torch.randn(4, 2, dtype=torch.float64)
    flow = Flow(sort, StandardNormal((2,)))
    torch.testing.assert_close(flow.log_prob(x), flow.log_prob(x.flip(1)))
    apart = perturbed(ActNorm(2), 0.3, seed=3)  # after it no two numbers of the grid are equal
    flow = Flow(Compose(apart, sort), StandardNormal((2,)))
    check_normalised(flow, -20.0, 20.0, points=800, tolerance=5e-3)


def test_a_slice_has_a_normalised_density() -> None:
    dropped = ConditionalNormal((1,), Dense(1, 2))
    steps = Compose(Coupling(Dense(1, 2), Affine()), slice=Slice(dropped))
    flow = perturbed(Flow(steps, StandardNormal((1,))), 0.3, seed=3)
    assert flow.likelihood == "exact"
    check_normalised(flow, -20.0, 20.0, points=1000)


def test_what_is_dropped_by_a_bound_makes_a_bound() -> None:
    dropped = Flow(Augment(StandardNormal((1,))), StandardNormal((2,)))
    assert Slice(dropped).likelihood == "bound"
    differences = Flow(
        Compose(Softplus().inv, Augment(StandardNormal((1, 1, 1)))), StandardNormal((4, 1, 1))
    )
    assert MaxPool(differences).likelihood == "bound"


def test_the_largest_of_four() -> None:
    pool = MaxPool(HalfNormal((3, 1, 1)))
    z, value = pool(torch.tensor([[[[1.0, 0.0], [0.5, 0.0]]]]))
    assert z.item() == 1.0
    torch.testing.assert_close(value, torch.tensor([-3.18867]), rtol=0, atol=1e-5)


def test_max_pooling_has_a_normalised_density() -> None:
    flow = Flow(Compose(MaxPool(HalfNormal((3, 1, 1)))), StandardNormal((1, 1, 1)))
    flow = perturbed(flow, 0.3, seed=4)
    wide = Flow(Rescale(0.7), StudentT((1, 2, 2), degrees=4.0)).double()
    check_total(flow, wide)


def test_the_place_of_the_largest_is_drawn() -> None:
    pool = MaxPool(HalfNormal((3, 1, 1)))
    places = pool.inverse(torch.zeros(4000, 1, 1, 1))[0].flatten(1).argmax(1)
    counts = torch.bincount(places, minlength=4)
    assert counts.min() > 850
    assert counts.max() < 1150


def lifted(kind: type[Argmax] | type[BinaryArgmax], classes: int, numbers: int) -> Flow:
    """A flow over one category, with two latent numbers."""
    noise = ConditionalNormal((numbers,), Dense(numbers, 2 * numbers))
    return perturbed(Flow(Compose(kind(classes, noise)), StandardNormal((numbers,))), 0.3, seed=5)


@pytest.mark.parametrize(
    ("kind", "classes", "numbers"),
    [(Argmax, 2, 2), (BinaryArgmax, 4, 2), (BinaryArgmax, 3, 2), (BinaryArgmax, 2, 1)],
)
def test_categories_are_bounded_from_below(
    kind: type[Argmax] | type[BinaryArgmax], classes: int, numbers: int
) -> None:
    flow = lifted(kind, classes, numbers)
    x = torch.arange(classes)[:, None].to(torch.uint8)
    exact = enumerated_log_prob(flow, x, -8.0, 8.0, points=800)
    assert exact.exp().sum().item() == pytest.approx(1.0, abs=1e-6)
    covered = x[: classes - 1] if classes == 3 else x  # the last also has the bits of no category
    gap = check_bound(flow, covered, exact[: len(covered)], draws=20_000)
    assert gap.min() > 0.01


class ForgetsTheBend(BinaryArgmax):
    """Leaves the log-determinant of the softplus out."""

    def _bend(self, u: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        z, log_det = super()._bend(u, code)
        return z, 0 * log_det


def test_the_law_of_bounds_catches_a_forgotten_term() -> None:
    flow = lifted(ForgetsTheBend, 4, 2)
    x = torch.arange(4)[:, None].to(torch.uint8)
    exact = enumerated_log_prob(flow, x, -8.0, 8.0, points=400)
    with pytest.raises(AssertionError, match="above the exact value"):
        check_bound(flow, x, exact)


def test_the_law_of_bounds_catches_a_wrong_claim() -> None:
    with pytest.raises(AssertionError, match="likelihood is 'exact'"):
        check_bound(StandardNormal((1,)), torch.zeros(2, 1), torch.zeros(2))


def test_an_augmented_density_is_bounded_from_below() -> None:
    net = Dense(1, 2)
    torch.nn.init.constant_(net.layers[2].bias, 0.7)  # wider than what it stands for
    noise = ConditionalNormal((1,), net)
    steps = Compose(Augment(noise), coupling=Coupling(Dense(1, 2), Affine()))
    flow = perturbed(Flow(steps, StandardNormal((2,))), 0.3, seed=6)
    x = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    exact = marginal(flow, x)
    gap = check_bound(flow, x, exact, draws=20_000)
    assert gap.max() > 0.01


def marginal(flow: Flow, x: Tensor) -> Tensor:
    """The density of one number of an augmented flow, added up over the number beside it."""
    step = 0.01
    beside = torch.arange(-12.0, 12.0, step, dtype=torch.float64)[:, None]
    rest = Flow(flow.transform["coupling"], flow.base)
    rows = [torch.cat((one.expand_as(beside), beside), 1) for one in x]
    return torch.stack([(rest.log_prob(row).exp().sum() * step).log() for row in rows])


def test_a_random_order_bounds_a_symmetric_density() -> None:
    steps = Compose(StochasticPermutation(), rest=Coupling(Dense(1, 2), Affine()))
    flow = perturbed(Flow(steps, StandardNormal((2,))), 0.3, seed=7)
    rest = Flow(flow.transform["rest"], flow.base)
    x = torch.randn(4, 2, dtype=torch.float64)
    exact = torch.stack((rest.log_prob(x), rest.log_prob(x.flip(1)))).logsumexp(0) - math.log(2)
    check_bound(flow, x, exact)


def test_rounding_is_dequantisation_read_backwards() -> None:
    """Real data of whole and broken part: ``log p(x) = log P(floor x) + log p(x - floor x)``."""
    rounding = perturbed(
        VariationalDequantise(4, noise_flow((1,), couplings=1, width=4)).inv, 0.3, seed=8
    )
    assert rounding.likelihood == "exact"
    step = 1e-3
    x = torch.arange(2.0, 3.0, step, dtype=torch.float64)[:, None] + step / 2
    z, value = rounding(x)
    assert z.unique().tolist() == [2]
    assert (value.exp().sum() * step).item() == pytest.approx(1.0, abs=1e-3)
    assert value.std() > 0.01


def test_the_scale_of_a_conditional_normal_has_a_floor() -> None:
    net = Dense(1, 2)
    torch.nn.init.constant_(net.layers[2].bias, -1000.0)
    normal = ConditionalNormal((1,), net)
    value = normal.log_prob(
        normal.sample(None, torch.zeros(1, 1), temperature=0.0), torch.zeros(1, 1)
    )
    expected = 7 - 0.5 * math.log(2 * math.pi)
    assert value.item() == pytest.approx(expected, abs=1e-3)


BAD = [
    (lambda: Abs().inverse(torch.tensor([[-1.0]])), "z: expected numbers of at least 0"),
    (lambda: Softplus().inverse(torch.tensor([[0.0]])), "z: expected numbers above 0"),
    (lambda: Sort().inverse(torch.tensor([[1.0, 0.0]])), "z: expected numbers in rising order"),
    (lambda: Gaps()(torch.tensor([[1.0, 1.0]])), "x: expected numbers in strictly rising order"),
    (lambda: HalfNormal((1,)).log_prob(torch.tensor([[-1.0]])), "x: a half-normal expects"),
    (
        lambda: Argmax(3, StandardNormal((3,)))(torch.tensor([[3]])),
        "x: expected integers 0 to 2",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_lies_outside_is_refused(call: object, message: str) -> None:
    with pytest.raises(DomainError, match=message):
        call()  # type: ignore[operator]


WRONG = [
    (lambda: Argmax(1, StandardNormal((1,))), "classes: expected 2 to 256, got 1"),
    (lambda: BinaryArgmax(0, StandardNormal((1,))), "classes: expected 2 to 256, got 0"),
    (
        lambda: Argmax(3, StandardNormal((2,)))(torch.tensor([[1]])),
        r"noise: expected a density over events of shape \(3,\), got \(2,\)",
    ),
    (
        lambda: Slice(StandardNormal((2,)))(torch.zeros(1, 2)),
        "x: expected more than the 2 channels that are dropped, got 2",
    ),
    (
        lambda: MaxPool(HalfNormal((3, 1, 1)))(torch.zeros(1, 1, 3, 2)),
        "x: expected an even height and width, got 3 x 2",
    ),
    (
        lambda: MaxPool(HalfNormal((1, 1, 1)))(torch.zeros(1, 1, 2, 2)),
        r"differences: expected a density over events of shape \(3, 1, 1\), got \(1, 1, 1\)",
    ),
    (lambda: HalfNormal((1,), std=0.0), "std: expected a number above 0, got 0"),
    (lambda: ConditionalNormal((1,), Dense(1, 2)).sample(1), "context: a conditional normal"),
    (
        lambda: ConditionalNormal((2,), Dense(1, 2)).sample(1, torch.zeros(1, 1)),
        r"net: expected an output of shape \(4,\) for each event, got \(2,\)",
    ),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_bad_arguments_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
