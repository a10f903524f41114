"""The ledger: one line for each step, in order, with gradients."""

from __future__ import annotations

import math

import torch

from lambent.core import Compose, Flow, seeded, trace
from lambent.distributions import StandardNormal
from lambent.flows import GlowConfig, glow
from lambent.testing import perturbed, pixels
from lambent.transforms import ActNorm, Permute, Rescale


def small_glow() -> Flow:
    config = GlowConfig(shape=(1, 4, 4), grey_levels=32, levels=2, steps=1, width=4)
    return perturbed(glow(config), 0.1, seed=1)


def test_lines_of_a_glow() -> None:
    flow, x = small_glow(), pixels()((3, 1, 4, 4))
    with seeded(1):
        entries = trace(flow, x)
    parts = ("squeeze", "step0.actnorm", "step0.mix", "step0.coupling", "prior")
    levels = [f"scales.level{i}.{part}" for i in range(2) for part in parts]
    paths = ["quantise", "dequantise", "rescale", *levels, "base"]
    assert [entry.path for entry in entries] == paths
    with seeded(1):
        log_prob = flow.log_prob(x)
    total = sum(entry.log_likelihood.double() for entry in entries)
    torch.testing.assert_close(total, log_prob)


def test_known_lines() -> None:
    flow, x = small_glow(), pixels()((3, 1, 4, 4))
    entries = {entry.path: entry for entry in trace(flow, x)}
    assert entries["quantise"].log_likelihood.tolist() == [0.0] * 3
    assert entries["dequantise"].log_likelihood.tolist() == [0.0] * 3
    torch.testing.assert_close(
        entries["rescale"].log_likelihood.double(),
        torch.full((3,), -16 * math.log(32), dtype=torch.float64),
    )
    assert torch.equal(entries["quantise"].z, (x >> 3))
    assert entries["base"].z.shape == (3, 16)
    assert entries["scales.level0.step0.mix"].z.shape == (3, 4, 2, 2)


def test_without_states_the_contributions_are_the_same() -> None:
    flow, x = small_glow(), pixels()((3, 1, 4, 4))
    with seeded(1):
        full = trace(flow, x)
    with seeded(1):
        light = trace(flow, x, states=False)
    assert [entry.path for entry in light] == [entry.path for entry in full]
    for entry, whole in zip(light, full, strict=True):
        assert torch.equal(entry.log_likelihood, whole.log_likelihood)
    assert all(entry.z.shape == (3, 0) for entry in light[:-1])
    assert torch.equal(light[-1].z, full[-1].z)


def test_a_step_that_stands_twice_has_two_lines() -> None:
    layer = perturbed(ActNorm(2), 0.5, seed=1)
    flow = Flow(Compose(layer, Permute.reverse(2), layer), StandardNormal((2,))).double()
    x = torch.randn(3, 2, dtype=torch.float64)
    entries = trace(flow, x)
    assert [entry.path for entry in entries] == ["0", "1", "2", "base"]
    assert torch.equal(entries[0].log_likelihood, entries[2].log_likelihood)
    assert entries[0].log_likelihood.abs().min() > 1e-3
    torch.testing.assert_close(sum(e.log_likelihood for e in entries), flow.log_prob(x))


def test_an_inner_step_can_be_trained_from_its_line() -> None:
    flow = Flow(Compose(first=ActNorm(2), second=ActNorm(2)), StandardNormal((2,)))
    entries = {entry.path: entry for entry in trace(flow, torch.randn(3, 2))}
    entries["first"].z.square().sum().backward()
    assert isinstance(flow.transform, Compose)
    assert flow.transform["first"].affine.bias.grad is not None
    assert flow.transform["second"].affine.bias.grad is None


def test_a_single_step_and_a_flow_in_the_base() -> None:
    inner = Flow(ActNorm(2), StandardNormal((2,)))
    flow = perturbed(Flow(Rescale(2.0), inner), 0.3, seed=2)
    x = torch.randn(3, 2, dtype=torch.float64)
    step, base = trace(flow, x)
    torch.testing.assert_close(step.log_likelihood + base.log_likelihood, flow.log_prob(x))
    assert base.path == "base"
