"""What backward passes rebuild: the gradients are the same, and memory does not grow with depth."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

import lambent
from lambent.core import Compose, Flow
from lambent.core.recompute import set_recompute
from lambent.flows import GlowConfig, glow
from lambent.nn import CouplingNet
from lambent.testing import perturbed
from lambent.transforms import ActNorm, Additive, Coupling, Dequantise, PLUConv1x1


def small(steps: int, **settings: Any) -> Flow:
    config = GlowConfig(shape=(1, 16, 16), grey_levels=256, levels=2, steps=steps, width=64)
    torch.manual_seed(0)
    flow = glow(dataclasses.replace(config, **settings))
    return perturbed(flow, 0.02, seed=1).float().train()


def images() -> Tensor:
    return torch.randint(0, 256, (8, 1, 16, 16), generator=torch.Generator().manual_seed(0)).byte()


def held(flow: Flow) -> tuple[int, int]:
    """Bytes kept for the backward pass: by the hooks for saved tensors, and by live tensors."""
    parameters = {p.untyped_storage().data_ptr() for p in flow.parameters()}
    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    before = live_bytes()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        log_prob = flow(images())
    after = live_bytes()
    del log_prob
    return sum(saved.values()), after - before


def live_bytes() -> int:
    gc.collect()
    found = [o for o in gc.get_objects() if issubclass(type(o), Tensor)]
    tensors = [t for t in found if not issubclass(type(t), FakeTensor)]  # those hold no memory
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())


def growth(**settings: Any) -> tuple[float, float]:
    """Bytes for each further step of both levels, in states of the first level."""
    state = images().numel() * 4
    few, many = held(small(2, **settings)), held(small(6, **settings))
    saved, live = ((b - a) / 4 / state for a, b in zip(few, many, strict=True))
    return saved, live


def test_nothing_kept_grows_with_depth_where_states_are_rebuilt() -> None:
    saved, live = growth(recompute="inverse")
    assert saved < 0.01
    assert live < 0.01


def test_checkpoints_keep_a_few_states_and_nothing_wide() -> None:
    saved, live = growth(recompute="checkpoint")
    assert 1 < saved < 4
    assert live < 4
    kept, _ = growth(recompute="never")
    assert kept > 20


def test_anchors_are_kept_every_so_many_steps() -> None:
    saved, _ = growth(recompute="inverse", anchor_every=2)
    assert 0.4 < saved < 1.1


def gradients(flow: Flow, x: Tensor) -> list[Tensor]:
    with lambent.seeded(1):
        loss = -flow(x).mean()
    return list(torch.autograd.grad(loss, list(flow.parameters())))


MODES: list[dict[str, Any]] = [
    {"recompute": "checkpoint"},
    {"recompute": "inverse"},
    {"recompute": "inverse", "anchor_every": 3},
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", ["bounded", "released"])
def test_gradients_agree_in_float64(mode: dict[str, Any], scale: str) -> None:
    reference = small(4, scale=scale).double()
    other = small(4, scale=scale, **mode).double()
    other.load_state_dict(reference.state_dict())
    for a, b in zip(gradients(reference, images()), gradients(other, images()), strict=True):
        assert (a - b).norm() <= 1e-10 * max(1e-3, float(a.norm()))


def relative_error(found: list[Tensor], exact: list[Tensor]) -> float:
    return float(
        torch.stack([(f.double() - e).norm() for f, e in zip(found, exact, strict=True)]).norm()
        / torch.stack([e.norm() for e in exact]).norm()
    )


def errors_in_float32(flow: Flow, x: Tensor) -> dict[str, float]:
    """Error of each mode's float32 gradients against those of float64 with everything kept."""
    assert flow.recipe is not None
    config: Any = flow.recipe[1]
    double = glow(config).double()
    double.load_state_dict(flow.state_dict())
    exact = gradients(double, x)
    found = {}
    for mode in ("never", "checkpoint", "inverse"):
        other = glow(dataclasses.replace(config, recompute=mode))
        other.load_state_dict(flow.state_dict())
        found[mode] = relative_error(gradients(other, x), exact)
    return found


def trained(steps: int) -> Flow:
    torch.manual_seed(0)
    flow = glow(GlowConfig(shape=(1, 8, 8), grey_levels=17, levels=2, steps=16, width=32))
    from sklearn.datasets import load_digits

    data = torch.tensor(load_digits().images * 15.9).clamp(0, 255).byte()[:, None]
    lambent.initialize(flow, data[:256])
    optimizer = torch.optim.Adam(flow.parameters(), 1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        (-flow(data[torch.randint(len(data), (32,))]).mean() / 64).backward()
        optimizer.step()
    return flow


def check_errors(flow: Flow) -> None:
    from sklearn.datasets import load_digits

    x = torch.tensor(load_digits().images[:32] * 15.9).clamp(0, 255).byte()[:, None]
    errors = errors_in_float32(flow, x)
    assert errors["checkpoint"] <= 2 * errors["never"] + 1e-7
    assert errors["inverse"] <= 2 * errors["never"] + 1e-7


def test_errors_in_float32_stay_within_twice_those_of_never_near_initialisation() -> None:
    check_errors(trained(2))


@pytest.mark.slow
def test_errors_in_float32_stay_within_twice_those_of_never_after_training() -> None:
    check_errors(trained(500))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Compose(Dequantise(), ActNorm(2), recompute="inverse"),
        lambda: Compose(ActNorm(2), recompute="inverse", every=0),
        lambda: small(1, anchor_every=2),
        lambda: small(1, anchor_every=0, recompute="inverse"),
        lambda: small(1, dropout=0.1, recompute="inverse"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"recompute|every|mode"):
        build()


def test_set_recompute_reaches_chains_and_networks() -> None:
    flow = small(2, recompute="inverse")
    expected = gradients(flow, images())
    set_recompute(flow, "checkpoint")
    chains = [m for m in flow.modules() if isinstance(m, Compose)]
    nets = [m for m in flow.modules() if isinstance(m, CouplingNet)]
    assert {chain.recompute for chain in chains} == {"never"}
    assert {net.recompute for net in nets} == {"checkpoint"}
    for a, b in zip(gradients(flow, images()), expected, strict=True):
        assert (a - b).norm() <= 1e-3 * (1 + b.norm())


def test_borrowed_parameters_are_refused_where_states_are_rebuilt() -> None:
    chain = Compose(ActNorm(2), PLUConv1x1(2), recompute="inverse")
    lent = {name: p.detach().clone().requires_grad_() for name, p in chain.named_parameters()}
    z, _ = torch.func.functional_call(chain, lent, (torch.randn(3, 2),))
    with pytest.raises(RuntimeError, match=r"lambent\.plain"):
        z.sum().backward()
    with lambent.plain():
        z, _ = torch.func.functional_call(chain, lent, (torch.randn(3, 2),))
    z.sum().backward()
    assert all(value.grad is not None for value in lent.values())


def test_parameters_changed_before_the_backward_pass_are_noticed() -> None:
    chain = Compose(ActNorm(2), PLUConv1x1(2), recompute="inverse")
    z, _ = chain(torch.randn(3, 2))
    with torch.no_grad():
        next(chain.parameters()).add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_a_second_derivative_is_refused_and_plain_has_it() -> None:
    layer = Coupling(CouplingNet(1, 1, width=4), Additive())
    x = torch.randn(2, 2, 3, 3, requires_grad=True)
    (first,) = torch.autograd.grad(layer(x)[0].square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
    with lambent.plain():
        (first,) = torch.autograd.grad(layer(x)[0].square().sum(), x, create_graph=True)
    first.sum().backward()
    assert x.grad is not None
