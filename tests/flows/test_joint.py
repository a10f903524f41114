"""The joint flow: round trips, Jacobians, and what it says of a condition."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

import lambent
from lambent import (
    JointConfig,
    conditional_log_prob,
    initialize,
    joint,
    joint_sample,
    rule_error,
)
from lambent.core import Flow
from lambent.distributions import NormalAndRule
from lambent.flows.joint import masks
from lambent.testing import perturbed
from lambent.transforms import Affine, Anneal, Chosen, Coupling, Haar, anneal

from ..networks import Dense

PAIR = JointConfig(shape=(2,), context_features=1, couplings=12, width=16)
IMAGES = JointConfig(shape=(1, 4, 4), conditioning="label", classes=3, couplings=10, width=4)


def moved(config: JointConfig = PAIR) -> Flow:
    with lambent.seeded(0):
        return perturbed(joint(config), spread=0.1, seed=1)


def linear(n: int) -> tuple[Tensor, Tensor]:
    """``x | y ~ N(2 y, 1/4)``, ``y ~ N(0, 1)``."""
    y = torch.randn(n, 1)
    return 2 * y + 0.5 * torch.randn(n, 1), y


def test_every_mask_of_three_has_a_turn_in_each_group() -> None:
    every = {kept for size in (1, 2) for kept in itertools.combinations(range(3), size)}
    orders = [tuple(masks(3, 24, 0)[i : i + 6]) for i in range(0, 24, 6)]
    assert all(set(order) == every for order in orders)
    assert len(set(orders)) > 1
    assert masks(3, 24, 0) == masks(3, 24, 0) != masks(3, 24, 1)


def test_masks_of_many_are_halves_and_their_complements() -> None:
    for first, second in (masks(7, 6, 0)[i : i + 2] for i in (0, 2, 4)):
        assert sorted((*first, *second)) == list(range(7))
        assert len(first) == 3


def test_chosen_channels_return_to_their_places() -> None:
    x = torch.arange(10.0).reshape(2, 5)
    a, b = Chosen((3, 1)).split(x)
    assert a.tolist() == [[3.0, 1.0], [8.0, 6.0]]
    assert torch.equal(Chosen((3, 1)).merge(a, b), x)


def test_the_pair_goes_round_and_its_log_det_is_the_jacobians() -> None:
    flow = moved()
    x, y = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 1, dtype=torch.float64)
    couplings = flow.transform["couplings"]  # type: ignore[index]
    pair = torch.cat((x, y), 1)
    u, log_det = couplings(pair)
    torch.testing.assert_close(couplings.inverse(u)[0], pair, atol=1e-9, rtol=0)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda v: couplings(v[None])[0][0]))(pair)
    torch.testing.assert_close(log_det, torch.linalg.slogdet(jacobian).logabsdet)
    assert bool((log_det.abs() > 1e-3).all())


def test_the_objective_is_the_published_one() -> None:
    flow = moved()
    x, y = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 1, dtype=torch.float64)
    asked = flow.encode_context(y)
    u, log_det = flow.transform(x, asked)
    normal = -0.5 * u[:, :2].square().sum(1) - math.log(2 * math.pi)
    expected = normal - 100 * (u[:, 2] - asked[:, 0]).abs() + log_det
    torch.testing.assert_close(flow.log_prob(x, y), expected)


def test_the_rule_is_a_sum_over_the_condition() -> None:
    base = NormalAndRule((2, 2, 2), 1, 3.0)
    y = torch.zeros(1, 1, 2, 2)
    kept, off = (base(torch.cat((torch.zeros(1, 1, 2, 2), y + d), 1), y) for d in (0.0, 0.5))
    assert float(kept - off) == pytest.approx(3 * 4 * 0.5)


def test_the_rule_is_a_laplace_density_but_for_its_constant() -> None:
    base = NormalAndRule((2,), 1, 10.0)
    y = torch.linspace(-3, 3, 60_001, dtype=torch.float64)[:, None]
    u = torch.cat((torch.zeros_like(y), y), 1)
    density = (base(u, torch.full_like(y, 0.3)) + 0.5 * math.log(2 * math.pi)).exp()
    assert float(torch.trapezoid(density, y[:, 0])) == pytest.approx(2 / 10, rel=1e-4)


def test_conditional_likelihood_is_the_likelihood_where_the_rule_is_kept() -> None:
    """Couplings that leave the condition alone make an ordinary conditional flow."""
    flow = joint(JointConfig(shape=(2,), context_features=1, couplings=6, width=8))
    keeping = [((0, 2), 1), ((1, 2), 1)]
    steps = [Coupling(Dense(2, 2), Affine(), Chosen(kept)) for kept, _ in keeping]
    flow.transform.couplings = lambent.Compose(*steps)  # type: ignore[assignment]
    flow = perturbed(flow, spread=0.1, seed=1)
    x, y = torch.randn(4, 2, dtype=torch.float64), torch.randn(4, 1, dtype=torch.float64)
    torch.testing.assert_close(conditional_log_prob(flow, x, y), flow.log_prob(x, y))
    assert float(rule_error(flow, x, y).max()) < 1e-12


def test_conditional_likelihood_is_the_block_of_the_jacobian() -> None:
    flow = moved()
    x, y = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 1, dtype=torch.float64)
    found = conditional_log_prob(flow, x, y).detach()
    asked = flow.encode_context(y).detach()
    for i in range(3):
        step = 1e-6 * torch.eye(2, dtype=torch.float64)
        at = asked[i : i + 1].expand(2, 1)
        ahead, behind = (flow.transform(x[i] + s * step, at)[0][:, :2].detach() for s in (1, -1))
        block = (ahead - behind) / 2e-6
        z = flow.transform(x[i : i + 1], asked[i : i + 1])[0][0, :2].detach()
        expected = -0.5 * z.square().sum() - math.log(2 * math.pi) + block.det().abs().log()
        assert float(found[i]) == pytest.approx(float(expected), abs=1e-6)
    assert not torch.allclose(found, flow.log_prob(x, y))


def test_conditional_likelihood_is_refused_where_it_is_not_computable() -> None:
    wide = joint(JointConfig(shape=(17,), context_features=1, couplings=2, width=4))
    with pytest.raises(ValueError, match=r"x: expected events of at most 16 real numbers"):
        conditional_log_prob(wide, torch.randn(2, 17), torch.randn(2, 1))
    pixels = joint(JointConfig(**{**vars(IMAGES), "grey_levels": 16}))
    with pytest.raises(ValueError, match=r"uint8"):
        conditional_log_prob(pixels, torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.arange(2))
    other = lambent.nice(lambent.NICEConfig(shape=(2,)))
    with pytest.raises(ValueError, match="flow: expected a joint flow"):
        conditional_log_prob(other, torch.randn(2, 2), torch.randn(2, 1))


def test_draws_are_those_of_sample_with_the_error_of_the_condition() -> None:
    flow = moved()
    y = torch.tensor([[0.3], [-1.0]], dtype=torch.float64)
    with lambent.seeded(0):
        drawn = joint_sample(flow, y, 3)
    with lambent.seeded(0):
        torch.testing.assert_close(drawn.x, flow.sample(3, y))
    with torch.no_grad(), lambent.seeded(0):
        one_each = flow.encode_context(y)
        u = flow.base.rsample(3, one_each)
        back = flow.transform["couplings"].inverse(u)[0]  # type: ignore[index]
    asked = one_each.repeat_interleave(3, 0)
    torch.testing.assert_close(drawn.condition_error, (back[:, 2:] - asked).abs().mean(1))
    assert float(drawn.condition_error.min()) > 0


def test_encode_and_decode_return_the_event() -> None:
    for config, y in ((PAIR, torch.randn(3, 1).double()), (IMAGES, torch.arange(3))):
        flow = moved(config)
        x = torch.randn(3, *flow.event_shape, dtype=torch.float64)
        torch.testing.assert_close(flow.decode(flow.encode(x, y), y), x, atol=1e-8, rtol=0)


def test_noise_is_on_the_condition_in_training_alone_and_the_rule_asks_for_the_same() -> None:
    flow = joint(JointConfig(shape=(2,), conditioning="label", classes=2, condition_noise=0.1))
    encoder = flow.eval().context_encoder
    labels = torch.arange(2).repeat(20_000)
    assert torch.equal(encoder(labels[:2]), torch.tensor([[-1.0], [1.0]]))
    noisy = encoder.train()(labels)
    assert float((noisy - encoder.eval()(labels)).std()) == pytest.approx(0.2, rel=0.03)
    assert float(rule_error(flow.train(), torch.randn(2, 2), labels[:2]).max()) < 0.3


def test_annealing_mixes_noise_in_training_alone() -> None:
    layer = Anneal()
    x = torch.full((50_000, 1), 2.0)
    anneal(layer, 0.25)
    mixed = layer.train()(x)[0]
    assert float(mixed.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(mixed.std()) == pytest.approx(0.75, rel=0.02)
    assert torch.equal(layer.eval()(x)[0], x)
    with pytest.raises(ValueError, match=r"alpha: expected 0 to 1, got 2"):
        anneal(layer, 2.0)


def test_units_come_from_the_data_and_are_not_trained() -> None:
    flow = joint(PAIR)
    x, y = 5 + 3 * torch.randn(500, 2), 100 + 20 * torch.randn(500, 1)
    initialize(flow, x, y)
    standard = flow.eval().context_encoder(y)
    assert float(standard.mean()) == pytest.approx(0, abs=1e-4)
    assert float(standard.std()) == pytest.approx(1, rel=1e-2)
    frozen = [name for name, p in flow.named_parameters() if not p.requires_grad]
    assert sorted({name.rsplit(".", 1)[0] for name in frozen}) == [
        "context_encoder.units.affine",
        "transform.standardise.affine",
    ]


def test_blocks_have_a_unit_for_their_sums_and_one_for_each_difference() -> None:
    flow = joint(JointConfig(shape=(1, 4, 4), context_shape=(1, 4, 4), width=4, haar=True))
    scale = torch.tensor([1e-3, 0.1, 1.0, 10.0])[:, None, None]
    x = Haar().inverse(scale * torch.randn(500, 4, 2, 2))[0]
    initialize(flow, x, torch.randn(500, 1, 4, 4))
    z = flow.transform["standardise"](x)[0]  # type: ignore[index]
    assert z.shape == x.shape
    blocks = Haar()(z)[0].transpose(0, 1).flatten(1)
    torch.testing.assert_close(blocks.std(1), torch.ones(4), atol=1e-2, rtol=0)
    covariance = torch.cov(z[:, 0, :2, :2].flatten(1).T)
    torch.testing.assert_close(covariance, torch.eye(4), atol=0.2, rtol=0)


def test_a_saved_flow_comes_back(tmp_path: Path) -> None:
    flow = joint(PAIR)
    initialize(flow, 3 * torch.randn(50, 2), 7 + torch.randn(50, 1))
    lambent.save(flow, tmp_path / "model")
    again = lambent.load(tmp_path / "model")
    x, y = torch.randn(4, 2), torch.randn(4, 1)
    torch.testing.assert_close(again.log_prob(x, y), flow.eval().log_prob(x, y))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"context_features": None}, "conditioning: expected one of .* got none"),
        ({"conditioning": "label", "classes": 2}, "conditioning: expected one of"),
        ({"context_features": 0}, "context_features: expected at least 1, got 0"),
        ({"rule_weight": 0.0}, "rule_weight: expected more than 0, got 0"),
        ({"scale_bound": -1.0}, "scale_bound: expected more than 0, got -1"),
        ({"condition_noise": -0.1}, "condition_noise: expected at least 0, got -0.1"),
        ({"couplings": 0}, "couplings: expected at least 1, got 0"),
        ({"shape": None}, "shape: expected"),
        (
            {"context_features": None, "conditioning": "label", "classes": 1},
            "classes: expected at least 2, got 1",
        ),
        (
            {"shape": (1, 4, 4), "context_features": None, "context_shape": (1, 2, 2)},
            "context_shape: expected images of the events' height and width",
        ),
        ({"haar": True}, "haar: expected false without a condition of images"),
        (
            {
                "shape": (1, 4, 3),
                "context_features": None,
                "context_shape": (1, 4, 3),
                "haar": True,
            },
            r"haar: expected images of even sides, got events of shape \(1, 4, 3\)",
        ),
    ],
)
def test_bad_settings_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        joint(JointConfig(**{**vars(PAIR), **fields}))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (torch.zeros(3, 2), r"context: expected shape \(b, \*\(1,\)\), got \(3, 2\)"),
        (None, "conditional"),
    ],
)
def test_conditions_of_another_shape_are_refused(y: Tensor | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        joint(PAIR).log_prob(torch.zeros(3, 2), y)
