from __future__ import annotations

import copy

import pytest
import torch

from lambent.nn import MADE
from lambent.testing import perturbed


def made(features: int, context: int | None = None, **settings: int) -> MADE:
    torch.manual_seed(0)
    sizes = {"width": 11, "layers": 3, **settings}
    net = MADE(features, 2, **sizes, activation="tanh", context_features=context)
    return perturbed(net, 0.5, seed=1).double()


@pytest.mark.parametrize("features", [1, 2, 5, 20])
def test_an_output_reads_what_is_before_it_and_nothing_else(features: int) -> None:
    net = made(features)
    x = torch.randn(features, dtype=torch.float64)
    matrix = torch.autograd.functional.jacobian(lambda x: net(x[None])[0], x)
    reads = matrix.reshape(features, 2, features).abs().amax(1) > 0
    allowed = torch.ones(features, features).tril(-1) > 0
    assert not bool((reads & ~allowed).any())
    if features <= net.hidden[0].out_features:  # else some degrees have no unit
        assert torch.equal(reads, allowed)


@pytest.mark.parametrize("features", [1, 2, 5, 20])
@pytest.mark.parametrize("context", [None, 3])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("recorded", [False, True])
def test_steps_give_what_one_pass_does(
    features: int, context: int | None, layers: int, *, recorded: bool
) -> None:
    net = made(features, context, layers=layers)
    x = torch.randn(4, features, dtype=torch.float64)
    y = None if context is None else torch.randn(4, context, dtype=torch.float64)
    whole = net(x, y).reshape(4, features, 2)
    with torch.set_grad_enabled(recorded):
        so_far, previous = net.start(y, x), None
    for i in range(features):
        with torch.set_grad_enabled(recorded):
            params, so_far = net.step(i, previous, so_far)
        previous = x[:, i]
        torch.testing.assert_close(params, whole[:, i], rtol=1e-12, atol=1e-12)


def test_starts_at_zero_and_refuses_sizes() -> None:
    assert not bool(MADE(3, 2)(torch.randn(2, 3)).any())
    with pytest.raises(ValueError, match=r"^width: expected at least 1, got 0"):
        MADE(3, 2, width=0)
    with pytest.raises(ValueError, match=r"^context: expected vectors of shape \(b, 4\)"):
        MADE(3, 2, context_features=4)(torch.randn(2, 3))


def random_degrees(features: int, seed: int = 0) -> MADE:
    torch.manual_seed(seed)
    net = MADE(features, 2, width=11, layers=2, activation="tanh", degrees="random")
    return perturbed(net, 0.5, seed=1).double()


@pytest.mark.parametrize("features", [1, 2, 5, 20])
def test_random_degrees_read_what_is_before_and_step_as_one_pass(features: int) -> None:
    net = random_degrees(features)
    x = torch.randn(4, features, dtype=torch.float64)
    matrix = torch.autograd.functional.jacobian(lambda x: net(x[None])[0], x[0])
    reads = matrix.reshape(features, 2, features).abs().amax(1) > 0
    assert not bool((reads & ~(torch.ones(features, features).tril(-1) > 0)).any())
    whole = net(x).reshape(4, features, 2)
    so_far, previous = net.start(None, x), None
    for i in range(features):
        params, so_far = net.step(i, previous, so_far)
        previous = x[:, i]
        torch.testing.assert_close(params, whole[:, i], rtol=1e-12, atol=1e-12)


def test_random_degrees_differ_and_are_kept() -> None:
    net, other, x = random_degrees(6), random_degrees(6, seed=5), torch.randn(4, 6).double()
    assert net.ends != other.ends
    other.load_state_dict(net.state_dict())
    assert other.ends == net.ends
    assert torch.equal(other(x), net(x))
    copied = copy.deepcopy(net)
    copied.load_state_dict(random_degrees(6, seed=5).state_dict())
    assert copied.ends != net.ends  # a copy keeps its own
    assert not any("units" in key for key in made(4).state_dict())


def test_random_degrees_from_a_file_are_checked() -> None:
    net = random_degrees(6)
    net.check_state()
    for units in ([9] * 11, [0] * 11, list(range(5, 0, -1)) + [1] * 6):
        state = {**net.state_dict(), "units": torch.tensor(units)}
        net.load_state_dict(state)
        with pytest.raises(ValueError, match=r"^units: expected sorted degrees of 1 to 5"):
            net.check_state()
