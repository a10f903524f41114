from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lambent import Compose, Flow, GlowConfig, check_numerics, glow, initialize, seeded, trace
from lambent.core import Transform
from lambent.distributions import StandardNormal
from lambent.errors import DomainError
from lambent.evaluate import LayerCheck, NumericsCheck, check_limits
from lambent.evaluate.check_gradient import SameDraws, check_gradients
from lambent.transforms import (
    ActNorm,
    Additive,
    Affine,
    Coupling,
    InvertibleConv1x1,
    Permute,
    Rescale,
    SigmoidAffine,
)
from lambent.types import Context, PerSample, X, Z

FIRST = "transform.scales.levels.0."
SECOND = "transform.scales.levels.1."


def flow_and_pixels(**settings: Any) -> tuple[Flow, Tensor]:
    """A tiny Glow, its layers set by a batch and moved off their start."""
    sizes = {"shape": (1, 8, 8), "grey_levels": 32, "levels": 2, "steps": 2, "width": 8}
    flow = glow(GlowConfig(**{**sizes, **settings}))
    x = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8)
    initialize(flow, x)
    with torch.no_grad():
        for name, p in flow.named_parameters():
            if "last" in name or "prior" in name:
                p.add_(0.02 * torch.randn_like(p))
    return flow, x


def layer(found: NumericsCheck, path: str) -> LayerCheck:
    (one,) = (part for part in found.layers if part.path == path)
    return one


@pytest.mark.parametrize("recompute", ["never", "checkpoint", "inverse"])
@pytest.mark.parametrize("permutation", ["plu", "conv"])
def test_a_small_model_is_clean(recompute: str, permutation: str) -> None:
    flow, x = flow_and_pixels(recompute=recompute, permutation=permutation)
    found = check_numerics(flow, x)
    assert found.suspicious == ()
    assert found.clean
    assert (found.events, found.exact_events, found.largest_difference) == (12, 12, 0)
    assert [part.path for part in found.layers] == [entry.path for entry in trace(flow, x)]
    gradient = found.gradient
    assert gradient is not None
    assert (gradient.recompute, gradient.events) == (recompute, 4)
    assert 0 < gradient.error_float32 < 1e-3
    if recompute == "never":
        assert gradient.error_float32 == gradient.error_float32_never
        assert gradient.difference_float64 == 0
    if recompute == "inverse":
        assert 0 < gradient.difference_float64 < 1e-10


def test_each_layer_is_measured_where_it_stands() -> None:
    flow, x = flow_and_pixels(permutation="conv")
    found = check_numerics(flow, x)
    actnorm = layer(found, "scales.level0.step1.actnorm")
    scale = flow.get_submodule(f"{FIRST}step1.actnorm.affine").log_scale.detach().exp()  # type: ignore[operator]
    assert actnorm.smallest_scale == pytest.approx(float(scale.min()))
    assert actnorm.largest_scale == pytest.approx(float(scale.max()))
    assert actnorm.condition is None
    assert actnorm.round_trip_float32 is not None
    assert actnorm.round_trip_float64 is not None
    assert 1e-9 < actnorm.round_trip_float32 < 1e-5
    assert 1e-18 < actnorm.round_trip_float64 < 1e-13
    mix = layer(found, "scales.level1.step0.mix")
    matrix = flow.get_parameter(f"{SECOND}step0.mix.matrix")
    assert mix.condition == pytest.approx(float(torch.linalg.cond(matrix.detach().double())))
    assert mix.layer == "InvertibleConv1x1"
    with torch.no_grad(), seeded(0):  # the noise of the check
        entries = {entry.path: entry for entry in trace(flow, x)}
    given = entries["scales.level1.step0.mix"].z
    coupling = layer(found, "scales.level1.step0.coupling")
    module = flow.get_submodule(f"{SECOND}step0.coupling")
    assert isinstance(module, Coupling)
    a, b = module.partition.split(given)
    expected = module.elementwise.forward(b, module.params(a, b, None))[1].detach().exp()
    assert coupling.smallest_scale == pytest.approx(float(expected.min()), rel=1e-5)
    assert coupling.largest_scale == pytest.approx(float(expected.max()), rel=1e-5)
    assert coupling.largest_scale != pytest.approx(1, abs=1e-3)
    assert layer(found, "rescale").largest_scale == pytest.approx(1 / 32)
    assert layer(found, "quantise").round_trip_float32 is None  # it throws away, on purpose
    assert layer(found, "dequantise").round_trip_float32 == 0
    assert layer(found, "base").layer == "StandardNormal"


@pytest.mark.parametrize("permutation", ["plu", "conv"])
def test_an_ill_conditioned_weight(permutation: str) -> None:
    flow, x = flow_and_pixels(permutation=permutation)
    with torch.no_grad():
        if permutation == "plu":
            flow.get_parameter(f"{SECOND}step1.mix.log_scale")[0] -= 16
        else:
            matrix = flow.get_parameter(f"{SECOND}step1.mix.matrix")
            matrix[0] = (1 - 1e-6) * matrix[1] + 1e-6 * matrix[0]
    found = check_numerics(flow, x)
    path = "scales.level1.step1.mix"
    condition = layer(found, path).condition
    assert condition is not None
    assert condition > 1e5
    assert any(line.startswith(f"{path}: condition number ") for line in found.suspicious)
    assert not any("condition" in line for line in found.suspicious if path not in line)


def test_a_saturated_coupling() -> None:
    """The released scale can fall to nothing; what it multiplied is then lost."""
    flow, x = flow_and_pixels(scale="released")
    with torch.no_grad():
        flow.get_parameter(f"{FIRST}step0.coupling.net.last.conv.bias")[1] = -30.0
    found = check_numerics(flow, x)
    coupling = layer(found, "scales.level0.step0.coupling")
    assert coupling.smallest_scale is not None
    assert 0 < coupling.smallest_scale < 1e-10
    lines = [line for line in found.suspicious if "scale" in line.split(":")[1]]
    assert len(lines) == 1
    assert lines[0].startswith("scales.level0.step0.coupling: smallest scale ")


def test_a_saturated_actnorm_and_prior() -> None:
    flow, x = flow_and_pixels(scale="released")
    with torch.no_grad():
        flow.get_parameter(f"{SECOND}step0.actnorm.affine.raw_log_scale")[1] = 5.0
        flow.get_parameter(f"{FIRST}prior.net.conv.conv.bias")[1] = -12.0
    lines = check_numerics(flow, x).suspicious
    assert any(s.startswith("scales.level1.step0.actnorm: largest scale 3.3e+06") for s in lines)
    assert any(s.startswith("scales.level0.prior: largest scale ") for s in lines)


def test_a_weight_that_is_not_a_number() -> None:
    flow, x = flow_and_pixels()
    with torch.no_grad():
        flow.get_parameter(f"{FIRST}step1.coupling.net.second.weight")[0, 0] = torch.nan
    found = check_numerics(flow, x)
    path = "scales.level0.step1.coupling"
    assert found.suspicious == (f"{path}: not finite: net.second.weight, output",)
    assert layer(found, path).not_finite == ("net.second.weight", "output")
    assert layer(found, "scales.level0.prior").not_finite == ("input",)
    assert layer(found, "base").not_finite == ("input",)
    assert layer(found, "scales.level0.step1.mix").round_trip_float32 is not None
    assert (found.gradient, found.exact_events) == (None, None)


def test_an_infinity_in_a_label_vector() -> None:
    flow = glow(
        GlowConfig(
            shape=(1, 4, 4), grey_levels=4, levels=1, steps=1, width=4,
            conditioning="strong", classes=3,
        )
    )  # fmt: skip
    x, y = flow.sample(None, torch.arange(6) % 3), torch.arange(6) % 3
    clean = check_numerics(flow, x, y)
    assert clean.clean
    assert clean.layers[0].path == "context_encoder"
    with torch.no_grad():
        flow.get_parameter("context_encoder.table")[1] = torch.inf
    found = check_numerics(flow, x, y)
    assert found.suspicious[0] == "context_encoder: not finite: table"


def test_a_singular_weight_is_reported_and_not_raised() -> None:
    flow, x = flow_and_pixels(permutation="conv")
    with torch.no_grad():
        matrix = flow.get_parameter(f"{FIRST}step0.mix.matrix")
        matrix[0] = matrix[1]
    found = check_numerics(flow, x)
    assert any(s.startswith("scales.level0.step0.mix: ") for s in found.suspicious)


@pytest.mark.parametrize("seed", [0, 1])
def test_any_flow_of_public_layers(seed: int) -> None:
    """By hand, over floats, with a layer read backwards and one within another."""
    torch.manual_seed(seed)
    transform = Compose(
        first=InvertibleConv1x1(4),
        turned=ActNorm(4).inv,
        inner=Compose(Permute.reverse(4), Rescale(2.0)),
        coupling=Coupling(Halver(), Affine()),
        shift=Coupling(Halver(1), Additive()),
        squash=Coupling(Halver(), SigmoidAffine()),
    )
    flow = Flow(transform, StandardNormal((4,)))
    found = check_numerics(flow, torch.randn(20, 4))
    assert found.suspicious == ()
    paths = ["first", "turned", "inner.0", "inner.1", "coupling", "shift", "squash", "base"]
    assert [part.path for part in found.layers] == paths
    assert layer(found, "turned").layer == "Inverse"
    assert layer(found, "turned").smallest_scale is None
    assert layer(found, "turned").round_trip_float64 is not None
    assert layer(found, "shift").largest_scale == 1
    assert found.exact_events is None
    assert found.largest_difference is not None
    assert found.largest_difference < 1e-5
    assert found.gradient is not None
    assert found.gradient.recompute is None


class Halver(nn.Module):
    """A conditioner of two numbers."""

    def __init__(self, params: int = 2) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2 * params)

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        return self.linear(a)


class WrongWayBack(Transform):
    """A layer whose inverse is not one."""

    def __init__(self, error: float) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        return x, x.new_zeros(len(x))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        return z + self.error, z.new_zeros(len(z))


def test_a_wrong_inverse() -> None:
    flow = Flow(Compose(a=ActNorm(2), b=WrongWayBack(1e-6)), StandardNormal((2,)))
    found = check_numerics(flow, torch.rand(5, 2))
    assert found.suspicious == ("b: round trip in float64 off by 1e-06, above 1e-10",)
    worse = Flow(Compose(a=ActNorm(2), b=WrongWayBack(0.1)), StandardNormal((2,)))
    x = torch.tensor([[20.0, 0.0], [0.0, 1.0]])
    found = check_numerics(worse, x)
    assert layer(found, "b").round_trip_float32 == pytest.approx(0.1 / 20, rel=1e-4)
    assert found.suspicious[-1].startswith("flow: round trip off by 0.005, above 0.001")


class Refuses(WrongWayBack):
    """A layer that takes only what is above 0."""

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        if bool((x < 0).any()):
            raise DomainError("x: expected positive numbers")
        return super().forward(x, context)


def test_a_layer_that_refuses_its_input() -> None:
    flow = Flow(Compose(a=ActNorm(2), b=Refuses(0.0)), StandardNormal((2,)))
    found = check_numerics(flow, torch.tensor([[1.0, -1.0]]))
    assert found.suspicious == (
        "a: what comes next refused its input: x: expected positive numbers",
    )
    assert [part.path for part in found.layers] == ["a"]
    assert found.gradient is None


class WrongGradient(torch.autograd.Function):
    """The identity, with a gradient that is off by a share."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, error: float) -> Tensor:
        ctx.error = error
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return grad * (1 + ctx.error), None


def test_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recomputation that is off by a share of the gradient, in both precisions."""
    flow, x = flow_and_pixels(recompute="inverse")
    build = Flow.log_prob
    inverse = {"error": 1e-3}

    def log_prob(self: Flow, x: Tensor, context: Context | None = None) -> Tensor:
        own = getattr(self.recipe[1], "recompute", None) if self.recipe else None
        value = build(self, x, context)
        return WrongGradient.apply(value, inverse["error"] if own == "inverse" else 0.0)  # type: ignore[no-untyped-call, no-any-return]

    monkeypatch.setattr(Flow, "log_prob", log_prob)
    lines = check_numerics(flow, x).suspicious
    assert len(lines) == 2
    assert lines[0].startswith("gradient: error in float32 with recompute inverse 0.001, above 2 ")
    assert lines[1].startswith("gradient: recompute inverse differs from never in float64 by 0.001")
    inverse["error"] = 0.5
    assert any("error in float32 0.5, above 0.01" in s for s in check_numerics(flow, x).suspicious)


def test_gradients_are_of_the_same_noise() -> None:
    with SameDraws():
        for draw in (torch.rand, torch.randn):
            drawn = []
            for dtype in (torch.float32, torch.float64):
                torch.manual_seed(0)
                drawn.append(draw(3, 5, dtype=dtype))
                assert drawn[-1].dtype == dtype
            assert torch.equal(drawn[0].double(), drawn[1])
        wide = torch.rand_like(torch.zeros(4, dtype=torch.float64))
        assert wide.dtype == torch.float64
        assert torch.equal(wide, wide.float().double())
    assert torch.rand(4, dtype=torch.float64).frac().mul(2**30).frac().any()


def test_gradients_leave_the_flow_alone() -> None:
    flow, x = flow_and_pixels(recompute="checkpoint")
    flow.eval()
    state = torch.get_rng_state()
    assert check_gradients(flow, x) is not None
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None and p.dtype == torch.float32 for p in flow.parameters())
    assert check_numerics(flow, x, gradient_events=0).gradient is None


def test_a_flow_that_learns_nothing_has_no_gradient() -> None:
    flow = Flow(Compose(Rescale(2.0)), StandardNormal((2,)))
    found = check_numerics(flow, torch.randn(3, 2))
    assert found.gradient is None
    assert found.clean


def test_a_flow_in_float64() -> None:
    flow, x = flow_and_pixels()
    found = check_numerics(flow.double(), x)
    assert found.clean
    mix = layer(found, "scales.level0.step0.mix")
    assert mix.round_trip_float32 is not None
    assert mix.round_trip_float64 is not None
    assert mix.round_trip_float64 < 1e-12 < 1e-9 < mix.round_trip_float32


def test_no_hook_is_left_behind() -> None:
    flow, x = flow_and_pixels()
    check_numerics(flow, x)
    assert not any(m._forward_hooks for m in flow.modules())
    assert not flow.training


@pytest.mark.parametrize("shape", [(0, 1, 8, 8), (2, 1, 4, 4)])
def test_events_that_do_not_fit(shape: tuple[int, ...]) -> None:
    flow, _ = flow_and_pixels()
    with pytest.raises(ValueError, match=r"^x: expected"):
        check_numerics(flow, torch.zeros(shape, dtype=torch.uint8))


def test_limits_hang_together() -> None:
    """Each comes from one: what a layer may be off so that a hundred still decode a pixel."""
    layers = 100
    assert layers**0.5 * check_limits.ROUND_TRIP_FLOAT32 < 0.5 / 256
    assert torch.finfo(torch.float32).eps / 2 == check_limits.ROUNDING
    assert check_limits.CONDITION * check_limits.ROUNDING == check_limits.ROUND_TRIP_FLOAT32
    assert pytest.approx(1) == check_limits.SMALLEST_SCALE * check_limits.LARGEST_SCALE
    bounds = GlowConfig(shape=(1, 2, 2), grey_levels=2)
    widest = torch.tensor([bounds.prior_bound, bounds.scale_bound]).exp().max()
    assert (
        widest < check_limits.LARGEST_SCALE
    )  # what the default form cannot exceed is not suspicious
