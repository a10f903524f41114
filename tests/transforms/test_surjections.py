"""What surjections add to the likelihood, against brute force and known numbers."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from lambent.core import Compose, Flow, Transform, trace
from lambent.distributions import (
    Bernoulli,
    ConditionalNormal,
    HalfNormal,
    PlackettLuce,
    StandardNormal,
    StudentT,
)
from lambent.errors import DomainError
from lambent.flows import noise_flow
from lambent.nn import First, VectorEncoder
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
    Whole,
)
from lambent.types import Context, PerSample, X, Z

from ..networks import Dense


def learned_signs(*, context: int = 0) -> Abs:
    return Abs(Bernoulli((2,), Dense(2, 2, context=context)))


def symmetric(signs: Transform) -> Flow:
    """A flow of two numbers after their absolute values."""
    steps = Compose(signs, Softplus().inv, ActNorm(2), Coupling(Dense(1, 2), Affine()))
    return perturbed(Flow(steps, StandardNormal((2,))), 0.3, seed=1)


@pytest.mark.parametrize("signs", [Abs(), learned_signs()], ids=["fair", "learned"])
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
    fair, learned = symmetric(Abs()), symmetric(learned_signs())
    torch.testing.assert_close(fair.log_prob(x), fair.log_prob(-x))
    assert (learned.log_prob(x) - learned.log_prob(-x)).abs().max() > 0.05


def test_signs_of_all_kinds_add_up_to_one() -> None:
    """Given the absolute values and the caller's context, and drawn as often as they say."""
    layer = perturbed(learned_signs(context=1), 1.0, seed=9)
    z = torch.rand(1, 2, dtype=torch.float64)
    signs = torch.cartesian_prod(*[torch.tensor([1.0, -1.0], dtype=torch.float64)] * 2)
    for given in (torch.zeros(1, 1).double(), torch.ones(1, 1).double()):
        value = layer(signs * z, given.expand(4, -1))[1].exp()
        assert value.sum().item() == pytest.approx(1.0, abs=1e-12)
        assert value.std() > 0.05
        with torch.no_grad():
            x, minus = layer.inverse(z.expand(20_000, -1), given.expand(20_000, -1))
        torch.testing.assert_close(minus, -layer(x, given.expand(20_000, -1))[1])
        counts = (x[:, None].sign() == signs).all(2).double().mean(0)
        torch.testing.assert_close(counts, value, rtol=0, atol=0.02)
        assert torch.equal(layer.decode(z, given).sign()[0], signs[value.argmax()])


def test_orders_of_all_kinds_add_up_to_one() -> None:
    layer = perturbed(Sort(PlackettLuce(3, Dense(3, 3, context=1))), 1.0, seed=10)
    z = torch.tensor([[-1.0, 0.5, 2.0]], dtype=torch.float64)
    orders = torch.tensor(list(itertools.permutations(range(3))))
    for given in (torch.zeros(1, 1).double(), torch.ones(1, 1).double()):
        value = layer(z[0][orders], given.expand(6, -1))[1].exp()
        assert value.sum().item() == pytest.approx(1.0, abs=1e-12)
        assert value.std() > 0.05
        with torch.no_grad():
            x, minus = layer.inverse(z.expand(20_000, -1), given.expand(20_000, -1))
        torch.testing.assert_close(minus, -layer(x, given.expand(20_000, -1))[1])
        counts = (x[:, None] == z[0][orders]).all(2).double().mean(0)
        torch.testing.assert_close(counts, value, rtol=0, atol=0.02)
        first = z[0][orders[value.argmax()]][0]  # the first of the most probable order comes first
        assert layer.decode(z, given)[0, 0] == first


@pytest.mark.parametrize(
    "sort", [Sort(), Sort(PlackettLuce(2, Dense(2, 2)))], ids=["all alike", "learned"]
)
def test_sorted_numbers_have_a_normalised_density(sort: Sort) -> None:
    alike = sort.orders is None
    sort = perturbed(Compose(sort, Gaps(), ActNorm(2)), 0.3, seed=2)
    x = torch.randn(4, 2, dtype=torch.float64)
    flow = Flow(sort, StandardNormal((2,)))
    assert flow.likelihood == "exact"
    turned = (flow.log_prob(x) - flow.log_prob(x.flip(1))).abs().max()
    assert turned < 1e-9 if alike else turned > 0.05
    apart = perturbed(ActNorm(2), 0.3, seed=3)  # after it no two numbers of the grid are equal
    flow = Flow(Compose(apart, sort), StandardNormal((2,)))
    check_normalised(flow, -20.0, 20.0, points=800, tolerance=5e-3)


def test_a_slice_has_a_normalised_density() -> None:
    dropped = ConditionalNormal((1,), Dense(1, 2))
    steps = Compose(Coupling(Dense(1, 2), Affine()), slice=Slice(dropped))
    flow = perturbed(Flow(steps, StandardNormal((1,))), 0.3, seed=3)
    assert flow.likelihood == "exact"
    check_normalised(flow, -20.0, 20.0, points=1000)


def sliced(net: nn.Module) -> Flow:
    """Two numbers given one, the second dropped by a normal that a network finds."""
    dropped = ConditionalNormal((1,), net)
    steps = Compose(Coupling(Dense(1, 2), Affine()), slice=Slice(dropped))
    flow = Flow(steps, StandardNormal((1,)), context_encoder=nn.Identity())
    return perturbed(flow, 0.3, seed=3)


@pytest.mark.parametrize("given", [-1.0, 2.0])
def test_a_slice_of_a_conditional_flow_has_a_density_for_every_context(given: float) -> None:
    flow = sliced(Dense(1, 2, context=1))
    context = torch.tensor([[given]], dtype=torch.float64)
    check_normalised(flow, -20.0, 20.0, context=context, points=1000)
    x = torch.randn(3, 2, dtype=torch.float64)
    here, there = (flow.log_prob(x, c.expand(3, 1)) for c in (context, context + 1))
    assert (here - there).abs().min() > 1e-3
    parts = [
        {e.path: e.log_likelihood for e in trace(flow, x, c.expand(3, 1))}
        for c in (context, context + 1)
    ]
    changed = {path for path in parts[0] if not torch.equal(parts[0][path], parts[1][path])}
    assert changed == {"slice"}


def test_a_conditional_without_a_context_takes_no_notice_of_the_callers() -> None:
    x = torch.randn(3, 2, dtype=torch.float64)
    flow = sliced(Dense(1, 2))
    context = torch.randn(3, 1, dtype=torch.float64)
    torch.testing.assert_close(flow.log_prob(x, context), flow.log_prob(x, context + 1))
    drawn = flow.sample(2, context)
    assert drawn.shape == (6, 2)
    own = Flow(Coupling(Dense(0, 2, context=1), Affine(), Whole()), StandardNormal((1,)))
    only = Flow(own.transform, own.base, context_encoder=First(VectorEncoder(1)))
    kept = Slice(only).double()
    torch.testing.assert_close(kept(x, context)[1], Slice(own).double()(x)[1])
    with pytest.raises(ValueError, match="context: expected one row for each of the 3 events"):
        kept(x, context[:1])


def test_what_is_dropped_by_a_bound_makes_a_bound() -> None:
    dropped = Flow(Augment(StandardNormal((1,))), StandardNormal((2,)))
    assert Slice(dropped).likelihood == "bound"
    differences = Flow(
        Compose(Softplus().inv, Augment(StandardNormal((1, 1, 1)))), StandardNormal((4, 1, 1))
    )
    assert MaxPool(differences).likelihood == "bound"
    lifted_signs = Flow(BinaryArgmax(2, StandardNormal((2,))), StandardNormal((2,)))
    assert Abs(lifted_signs).likelihood == "bound"
    orders = Flow(Argmax(2, StandardNormal((4,))), StandardNormal((4,)))
    assert Sort(orders).likelihood == "bound"


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
    (lambda: ConditionalNormal((1,), Dense(1, 2)).sample(1), "context: expected a row for each"),
    (
        lambda: Abs(Bernoulli((3,)))(torch.zeros(1, 2)),
        r"signs: expected a density over events of shape \(2,\), got \(3,\)",
    ),
    (
        lambda: Sort(PlackettLuce(3)).inverse(torch.zeros(1, 2)),
        r"orders: expected a density over events of shape \(2,\), got \(3,\)",
    ),
    (
        lambda: ConditionalNormal((2,), Dense(1, 2)).sample(1, torch.zeros(1, 1)),
        r"net: expected an output of shape \(4,\) for each event, got \(2,\)",
    ),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_bad_arguments_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
