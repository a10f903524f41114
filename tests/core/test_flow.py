"""Flow: a density to ask, to draw from, and to build upon."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Distribution, Flow, seeded
from lambent.core.distribution import repeat_context
from lambent.distributions import StandardNormal
from lambent.errors import DomainError
from lambent.flows import GlowConfig, glow
from lambent.nn import LabelEncoder
from lambent.testing import perturbed, pixels
from lambent.transforms import ActNorm, Affine, Coupling, PLUConv1x1

from ..networks import Dense


def steps(context: int = 0) -> Compose:
    return Compose(ActNorm(2), PLUConv1x1(2), Coupling(Dense(1, 2, context=context), Affine()))


def plain() -> Flow:
    return perturbed(Flow(steps(), StandardNormal((2,))), 0.3, seed=1)


def conditional() -> Flow:
    flow = Flow(steps(context=3), StandardNormal((2,)), context_encoder=LabelEncoder(4, 3))
    return perturbed(flow, 0.5, seed=1)


def images(**settings: object) -> Flow:
    defaults = {"shape": (1, 4, 4), "grey_levels": 256, "levels": 1, "steps": 2, "width": 4}
    return perturbed(glow(GlowConfig(**defaults | settings)), 0.1, seed=2).float()


LABELS = torch.tensor([0, 2, 3])


def test_log_prob_is_base_plus_value() -> None:
    flow, x = plain(), torch.randn(4, 2, dtype=torch.float64)
    z, value = flow.transform(x)
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1) + value
    torch.testing.assert_close(flow.log_prob(x), expected)
    torch.testing.assert_close(flow(x), expected)


@pytest.mark.parametrize(("n", "rows"), [(None, 1), (1, 1), (5, 5)])
def test_sample_shapes(n: int | None, rows: int) -> None:
    assert plain().sample(n).shape == (rows, 2)
    assert images().sample(n).shape == (rows, 1, 4, 4)
    assert images().sample(n).dtype == torch.uint8


@pytest.mark.parametrize(("n", "rows"), [(None, 3), (1, 3), (4, 12)])
def test_sample_shapes_with_contexts(n: int | None, rows: int) -> None:
    assert conditional().sample(n, LABELS).shape == (rows, 2)


def test_draws_are_context_major() -> None:
    """All draws of the first context, then all of the second."""
    flow = conditional()
    cold = flow.sample(2, LABELS, temperature=0.0)
    one_each = flow.sample(None, LABELS, temperature=0.0)
    torch.testing.assert_close(cold, one_each.repeat_interleave(2, 0))
    assert not torch.allclose(one_each[0], one_each[1])
    assert torch.equal(repeat_context(LABELS, 2), torch.tensor([0, 0, 2, 2, 3, 3]))


def test_context_encoder_runs_once_for_each_context_not_for_each_draw() -> None:
    flow, rows = conditional(), []
    flow.context_encoder.register_forward_hook(lambda _, args, out: rows.append(len(out)))
    flow.sample(10, LABELS)
    assert rows == [3]


def test_temperature_zero_gives_one_image() -> None:
    x = images().sample(3, temperature=0.0)
    assert torch.equal(x[0], x[1])
    assert torch.equal(x[0], x[2])
    assert not torch.equal(*images().sample(2, temperature=1.0))


def test_each_sample_may_have_its_temperature() -> None:
    flow = plain()
    temperature = torch.tensor([0.0, 0.5, 1.0])
    with seeded(1):
        x = flow.sample(3, temperature=temperature)
    with seeded(1):
        warm = flow.sample(3)
    z, warm_z = flow.encode(x), flow.encode(warm)
    torch.testing.assert_close(z, warm_z * temperature[:, None].double())


def test_temperature_reaches_conditional_flows() -> None:
    flow = conditional()
    with seeded(1):
        x = flow.sample(2, LABELS, temperature=torch.tensor([0.0, 1, 1, 0, 0.5, 2]))
    z = flow.encode(x, repeat_context(LABELS, 2))
    assert z[[0, 3]].abs().max() < 1e-9
    assert z[[1, 2, 4, 5]].abs().amin(1).min() > 1e-3


@pytest.mark.parametrize(
    ("temperature", "message"),
    [
        (-0.1, "temperature: expected at least 0"),
        (torch.tensor([1.0, -1.0]), "temperature: expected at least 0"),
        (torch.ones(3), "one for each of 2 events"),
        (torch.ones(2, 1), "one for each of 2 events"),
    ],
)
def test_wrong_temperature_is_refused(temperature: float | Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plain().sample(2, temperature=temperature)


@pytest.mark.parametrize("n", [0, -1])
def test_drawing_less_than_one_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"n: expected at least 1 sample, got {n}"):
        plain().sample(n)


@pytest.mark.parametrize("shape", [(3, 1, 4, 2), (3, 3, 4, 4), (1, 4, 4), (3, 16), (3,)])
def test_wrong_event_shape_is_refused(shape: tuple[int, ...]) -> None:
    x = pixels()(shape)
    with pytest.raises(ValueError, match=r"expected a batch of events of shape \(1, 4, 4\)"):
        images().log_prob(x)
    with pytest.raises(ValueError, match=r"expected a batch of events of shape \(1, 4, 4\)"):
        images().encode(x)


def test_wrong_latent_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"z: expected a batch of latents of shape \(16,\)"):
        images().decode(torch.randn(2, 15))


def test_contexts_are_counted_even_where_nothing_reads_them() -> None:
    flow, z = Flow(ActNorm(2), StandardNormal((2,))), torch.randn(4, 2)
    for call in (flow.log_prob, flow.encode, flow.decode):
        with pytest.raises(ValueError, match="one row for each of the 4 events, got a batch of 3"):
            call(z, torch.randn(3, 5))


def test_missing_context_is_refused() -> None:
    flow, x = conditional(), torch.randn(3, 2, dtype=torch.float64)
    message = "context: this flow is conditional"
    with pytest.raises(ValueError, match=message):
        flow.log_prob(x)
    with pytest.raises(ValueError, match=message):
        flow.sample(2)
    with pytest.raises(ValueError, match=message):
        flow.encode(x)
    with pytest.raises(ValueError, match=message):
        flow.decode(x)
    with pytest.raises(ValueError, match=message):
        flow.rsample_and_log_prob(2)


def test_wrong_number_of_contexts_is_refused() -> None:
    flow, x = conditional(), torch.randn(4, 2, dtype=torch.float64)
    for call in (flow.log_prob, flow.encode, flow.decode):
        with pytest.raises(ValueError, match="one row for each of the 4 events, got a batch of 3"):
            call(x, LABELS)


@pytest.mark.parametrize("label", [-1, 4, 100])
def test_label_out_of_range_is_refused(label: int) -> None:
    flow, labels = conditional(), torch.tensor([0, label])
    with pytest.raises(DomainError, match="label: expected 0 to 3"):
        flow.log_prob(torch.randn(2, 2, dtype=torch.float64), labels)
    with pytest.raises(DomainError, match="label: expected 0 to 3"):
        flow.sample(2, labels)


def test_rsample_and_log_prob_agree_with_log_prob() -> None:
    flow = conditional()
    with seeded(3):
        x, log_prob = flow.rsample_and_log_prob(4, LABELS)
    with seeded(3):
        assert torch.equal(flow.rsample(4, LABELS), x)
    torch.testing.assert_close(log_prob, flow.log_prob(x, repeat_context(LABELS, 4)))


def test_rsample_has_gradients_and_sample_has_none() -> None:
    flow = plain()
    x, log_prob = flow.rsample_and_log_prob(4)
    gradients = torch.autograd.grad(x.sum() + log_prob.sum(), list(flow.parameters()))
    assert all(bool(gradient.any()) for gradient in gradients)
    assert not flow.sample(4).requires_grad


def test_reparametrised_gradient_is_the_gradient_of_the_mean() -> None:
    """d/ds E[x^2] = 2 s for x = s e."""
    layer = ActNorm(1, log_scale_factor=1.0)
    flow = Flow(layer, StandardNormal((1,)))
    with torch.no_grad():
        layer.affine.raw_log_scale.fill_(-math.log(3.0))
    (gradient,) = torch.autograd.grad(
        flow.rsample(200_000).square().mean(), layer.affine.raw_log_scale
    )
    assert gradient.item() == pytest.approx(-2 * 9, rel=0.02)


def test_encode_and_decode_take_no_gradient_and_undo_each_other() -> None:
    flow, x = conditional(), torch.randn(3, 2, dtype=torch.float64)
    z = flow.encode(x, LABELS)
    assert not z.requires_grad
    torch.testing.assert_close(flow.decode(z, LABELS), x)


def test_samples_follow_the_density() -> None:
    """Over draws, ``-log p`` has the entropy as its mean: here that of scales 2 and 0.3."""
    layer = ActNorm(2, log_scale_factor=1.0)
    with torch.no_grad():
        layer.affine.raw_log_scale.copy_(torch.tensor([2.0, 0.3]).log())
    flow = Flow(layer.inv, StandardNormal((2,))).double()
    x = flow.sample(100_000)
    entropy = math.log(2 * math.pi * math.e) + math.log(2.0 * 0.3)
    assert -flow.log_prob(x).mean().item() == pytest.approx(entropy, abs=0.015)
    assert x.std(0).tolist() == pytest.approx([2.0, 0.3], rel=0.01)


def test_a_flow_as_base_is_the_composed_flow() -> None:
    first, second = perturbed(steps(), 0.3, seed=1), perturbed(steps(), 0.3, seed=2)
    nested = Flow(first, Flow(second, StandardNormal((2,)))).double()
    flat = Flow(Compose(first, second), StandardNormal((2,))).double()
    x = torch.randn(5, 2, dtype=torch.float64)
    torch.testing.assert_close(nested.log_prob(x), flat.log_prob(x))
    for temperature in (1.0, 0.3, torch.tensor([0.0, 1.0, 2.0])):
        with seeded(4):
            a = nested.sample(3, temperature=temperature)
        with seeded(4):
            b = flat.sample(3, temperature=temperature)
        torch.testing.assert_close(a, b)
    with seeded(4):
        a, log_prob = nested.rsample_and_log_prob(3)
    torch.testing.assert_close(log_prob, flat.log_prob(a))
    assert nested.likelihood == "exact"


def test_a_bound_in_the_base_makes_the_flow_a_bound() -> None:
    class Bounded(StandardNormal):
        @property
        def likelihood(self) -> str:
            return "bound"

    assert Flow(ActNorm(2), Bounded((2,))).likelihood == "bound"
    assert images().likelihood == "bound"
    assert plain().likelihood == "exact"


def test_a_conditional_base_gets_the_context() -> None:
    inner = Flow(steps(context=2), StandardNormal((2,)))
    flow = perturbed(Flow(ActNorm(2), inner), 0.4, seed=3)
    context = torch.randn(3, 2, dtype=torch.float64)
    x, log_prob = flow.rsample_and_log_prob(2, context)
    torch.testing.assert_close(log_prob, flow.log_prob(x, repeat_context(context, 2)))
    assert not torch.allclose(log_prob, flow.log_prob(x, repeat_context(context.flip(0), 2)))


def test_distribution_gives_samples_with_their_density_by_default() -> None:
    """What a subclass that implements only ``log_prob`` and ``rsample`` gets."""
    base: Distribution = StandardNormal((3,))
    x, log_prob = base.rsample_and_log_prob(4, torch.randn(2, 5))
    assert x.shape == (8, 3)
    torch.testing.assert_close(log_prob, base.log_prob(x))
