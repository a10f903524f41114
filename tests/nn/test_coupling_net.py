"""Glow's coupling network, against the plain composition of its parts."""

from __future__ import annotations

import itertools

import pytest
import torch

from lambent.core import Flow, initialize
from lambent.core.seed import seeded
from lambent.distributions import StandardNormal
from lambent.nn import CouplingNet, wide
from lambent.nn.fast import plain
from lambent.testing import perturbed
from lambent.transforms import Affine, Coupling

from .reference import composition

FORMS = list(itertools.product(["actnorm", "bias"], [True, False], [None, 3]))


@pytest.mark.parametrize(("norm", "border", "context_features"), FORMS)
def test_is_the_composition_of_its_parts(
    norm: str, context_features: int | None, *, border: bool
) -> None:
    net = CouplingNet(2, 5, width=6, norm=norm, border=border, context_features=context_features)
    net = perturbed(net, 0.3, seed=1)
    a = torch.randn(3, 2, 3, 4, dtype=torch.float64)
    context = None if context_features is None else torch.randn(3, 3, dtype=torch.float64)
    expected, *_ = composition(net, a, context)
    found = net(a, context)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert found.abs().min() > 0


@pytest.mark.parametrize(("norm", "border", "context_features"), FORMS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_by_pieces_of_the_batch_it_is_the_same(
    norm: str,
    context_features: int | None,
    dropout: float,
    monkeypatch: pytest.MonkeyPatch,
    *,
    border: bool,
) -> None:
    """Five pictures of 12 places, two at a time; values and every gradient."""
    monkeypatch.setattr(wide, "PIECE", 30)
    net = CouplingNet(
        2, 5, width=6, norm=norm, border=border, context_features=context_features,
        dropout=dropout, recompute="checkpoint",
    )  # fmt: skip
    net = perturbed(net, 0.3, seed=1).train()
    a = torch.randn(5, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    inputs = [a, *net.parameters()]
    context = None
    if context_features is not None:
        context = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
        inputs.append(context)
    weight = torch.randn(5, 5, 3, 4, dtype=torch.float64)
    with seeded(3):
        found = net(a, context)
    with seeded(3), plain():
        expected = net(a, context)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    grads, wanted = (torch.autograd.grad((y * weight).sum(), inputs) for y in (found, expected))
    torch.testing.assert_close(grads, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("context_features", [None, 3])
def test_initialisation_standardises_each_norms_output(context_features: int | None) -> None:
    net = CouplingNet(2, 4, width=6, context_features=context_features, dropout=0.5).double()
    flow = Flow(Coupling(net, Affine()), StandardNormal((4, 3, 3)))
    x = 3 * torch.randn(40, 4, 3, 3, dtype=torch.float64) + 1
    context = None if context_features is None else torch.randn(40, 3, dtype=torch.float64)
    assert not any(norm.initialized for norm in net.norms)
    initialize(flow, x, context)
    assert flow.training
    assert all(norm.initialized for norm in net.norms)
    _, *inputs = composition(net, x[:, :2], context)
    for norm, h in zip(net.norms, inputs, strict=True):
        y = norm(h).movedim(1, -1).flatten(0, -2)
        assert y.mean(0).abs().max() < 1e-5
        assert (y.square().mean(0) - 1).abs().max() < 1e-4


@pytest.mark.parametrize("recompute", ["never", "checkpoint"])
def test_no_gradient_holds_on_to_more_than_itself(recompute: str) -> None:
    net = perturbed(CouplingNet(2, 4, width=8, recompute=recompute), 0.3, seed=1)
    net(torch.randn(2, 2, 3, 3, dtype=torch.float64)).sum().backward()
    for p in net.parameters():
        assert p.grad is not None
        assert p.grad.untyped_storage().nbytes() == p.numel() * p.element_size()


@pytest.mark.parametrize("bad", [torch.inf, torch.nan])
def test_a_picture_that_is_not_finite_leaves_its_neighbours_alone(bad: float) -> None:
    net = perturbed(CouplingNet(2, 4, width=8), 0.3, seed=1)
    a = torch.randn(4, 2, 3, 5, dtype=torch.float64)
    a[1, 0, 2, 4] = a[2, 1, 0, 0] = bad
    y = net(a)
    assert y[[0, 3]].isfinite().all()
    torch.testing.assert_close(y[[0, 3]], net(a[[0, 3]]), rtol=1e-12, atol=1e-12)
    assert not y[1].isfinite().all()


def test_an_empty_batch_stays_empty() -> None:
    net = CouplingNet(2, 4, width=8)
    assert net(torch.zeros(0, 2, 3, 4)).shape == (0, 4, 3, 4)


def test_starts_at_zero() -> None:
    assert not CouplingNet(2, 4, width=8)(torch.randn(2, 2, 3, 3)).any()


def test_dropout_drops_channels_of_each_event_in_training_alone() -> None:
    """Over a constant picture, places that see no edge stay equal: whole channels are dropped."""
    net = perturbed(CouplingNet(2, 4, width=16, dropout=0.5), 0.3, seed=1)
    a = torch.ones(2, 2, 7, 7, dtype=torch.float64)
    expected, *_ = composition(net, a)
    torch.testing.assert_close(net(a), expected)
    net.train()
    draws = [net(a) for _ in range(5)]
    for y in draws:
        inner = y[:, :, 2:5, 2:5]
        torch.testing.assert_close(inner, inner[:, :, :1, :1].expand_as(inner))
        assert not torch.allclose(y[0], y[1])
        assert not torch.allclose(y, expected)
    assert not torch.allclose(draws[0], draws[1])


@pytest.mark.parametrize("context", [None, torch.randn(2, 4), torch.randn(2), (torch.randn(2, 3),)])
def test_context_must_be_vectors_of_its_size(context: object) -> None:
    net = CouplingNet(2, 4, width=8, context_features=3)
    with pytest.raises(ValueError, match=r"context: expected vectors of shape \(b, 3\)"):
        net(torch.randn(2, 2, 3, 3), context)


def test_input_is_left_alone() -> None:
    net = perturbed(CouplingNet(2, 4, width=8, norm="bias"), 0.3, seed=1)
    a = torch.randn(2, 2, 3, 3, dtype=torch.float64)
    before = a.clone()
    net(a)
    assert torch.equal(a, before)


def saved_bytes(net: CouplingNet, a: torch.Tensor) -> tuple[torch.Tensor, int]:
    saved: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        y = net(a)
    return y, sum(saved.values())


def test_checkpoint_holds_on_the_plain_path_too() -> None:
    """As on a GPU, or in half precision: autocast takes the plain path."""
    never = perturbed(CouplingNet(2, 4, width=32), 0.1, seed=1).float()
    rebuilt = perturbed(CouplingNet(2, 4, width=32, recompute="checkpoint"), 0.1, seed=1).float()
    rebuilt.load_state_dict(never.state_dict())
    a = torch.randn(4, 2, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        kept, bytes_kept = saved_bytes(never, a)
        again, bytes_again = saved_bytes(rebuilt, a)
    assert torch.equal(kept, again)
    assert bytes_again < bytes_kept / 4
    grads = torch.autograd.grad(kept.float().square().sum(), list(never.parameters()))
    found = torch.autograd.grad(again.float().square().sum(), list(rebuilt.parameters()))
    assert all(torch.equal(g, f) for g, f in zip(grads, found, strict=True))
