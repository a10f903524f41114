"""Laws of flows: the ledger, the density, the draws."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import Tensor, nn

from lambent.core.distribution import repeat_context
from lambent.core.flow import Flow
from lambent.core.ledger import trace
from lambent.core.seed import seeded
from lambent.testing.compiling import run_compiled
from lambent.testing.context import wrong_batches
from lambent.testing.gradient import expect_gradients
from lambent.testing.law import expect, expect_close
from lambent.testing.precision import is_wide
from lambent.testing.purity import expect_pure
from lambent.testing.round_trip import expect_round_trip
from lambent.testing.subject import Subject, cast_context, context_rows
from lambent.types import Context, X


def run_log_prob(flow: Flow, x: X, context: Context | None, seed: int = 0) -> Tensor:
    """The log-likelihood under a seed."""
    with seeded(seed):
        return flow.log_prob(x, context)


def density(subject: Subject) -> None:
    """``log_prob`` gives one finite wide float for each event, and refuses other events."""
    flow, x = subject.flow, subject.x
    log_prob = run_log_prob(flow, x, subject.context, subject.seed)
    expect(tuple(flow.event_shape) == tuple(x.shape[1:]), "event_shape is not the events' shape")
    expect(log_prob.shape == (len(x),), f"log_prob has shape {tuple(log_prob.shape)}")
    wide = (torch.float64,) if x.dtype == torch.float64 else (torch.float32, torch.float64)
    expect(log_prob.dtype in wide, f"log_prob is {log_prob.dtype}, expected {wide}")
    expect(bool(torch.isfinite(log_prob).all()), "log_prob is not finite")
    with seeded(subject.seed):
        expect_close(flow(x, subject.context), log_prob, 0.0, "forward and log_prob")
    for wrong in (x[..., :-1], x[0], x[:, None]):
        try:
            flow.log_prob(wrong, subject.context)
        except ValueError:
            continue
        raise AssertionError(f"log_prob took events of shape {tuple(wrong.shape[1:])}")


def ledger(subject: Subject) -> None:
    """The entries of the ledger have names of their own and sum to ``log_prob``."""
    flow, x, context = subject.flow, subject.x, subject.context
    with seeded(subject.seed):
        entries = trace(flow, x, context)
    paths = [entry.path for entry in entries]
    expect(len(set(paths)) == len(paths), f"two entries share a name: {paths}")
    expect(all(paths) or len(paths) == 2, f"an entry has no name: {paths}")
    expect(paths[-1] == "base", f"the last entry is '{paths[-1]}', expected 'base'")
    for entry in entries:
        expect(
            entry.log_likelihood.shape == (len(x),),
            f"'{entry.path}' has a log_likelihood of shape {tuple(entry.log_likelihood.shape)}",
        )
    total = torch.stack([entry.log_likelihood.double() for entry in entries]).sum(0)
    log_prob = run_log_prob(flow, x, context, subject.seed)
    expect_close(total, log_prob, subject.tolerance, "sum of the ledger and log_prob")


def draws(subject: Subject) -> None:
    """Draws have the events' shape and dtype, context-major, and their log-density is right."""
    flow, x, context = subject.flow, subject.x, subject.context
    rows = 1 if context is None else len(x)
    for n in (None, 1, 3):
        with seeded(subject.seed):
            sample = flow.sample(n, context)
        expected = (rows * (n or 1), *x.shape[1:])
        expect(tuple(sample.shape) == expected, f"sample({n}) has shape {tuple(sample.shape)}")
        expect(sample.dtype == x.dtype, f"sample({n}) is {sample.dtype}, events are {x.dtype}")
        expect(not sample.requires_grad, "sample has a gradient")
    if flow.one_centre and not flow.transform.stochastic_inverse:
        with seeded(subject.seed):
            cold = flow.sample(2, context, temperature=0.0)
        with seeded(subject.seed + 1):
            again = flow.sample(2, context, temperature=0.0)
        expect_close(again, cold, 0.0, "two draws at temperature 0")
        expect_close(cold[1::2], cold[::2], subject.tolerance, "two of one context, temperature 0")
    with seeded(subject.seed):
        sample, log_prob = flow.rsample_and_log_prob(2, context)
    if flow.transform.onto and flow.likelihood in ("exact", "approximate"):
        expected_log_prob = run_log_prob(flow, sample, repeat_context(context, 2), subject.seed)
        expect_close(
            log_prob, expected_log_prob, subject.tolerance, "rsample_and_log_prob and log_prob"
        )


def flow_code(subject: Subject) -> None:
    """``decode(encode(x)) = x`` where nothing is lost; ``encode`` forgets nothing more twice."""
    flow, x, context = subject.flow, subject.x, subject.context
    z = flow.encode(x, context)
    expect_close(flow.encode(x, context), z, 0.0, "two calls of encode")
    decoded = flow.decode(z, context)
    if flow.transform.stochastic_inverse:
        z = flow.encode(decoded, context)
        expect_close(flow.decode(z, context), decoded, subject.tolerance, "a decoded event, again")
    else:
        expect_close(decoded, x, subject.tolerance, "decode(encode(x)) and x")


def flow_context(subject: Subject) -> None:
    """Another context gives another density; a missing or wrong one raises."""
    flow, x, context = subject.flow, subject.x, subject.context
    if context is None:
        raise AssertionError("the law of the context needs a context")
    here = run_log_prob(flow, x, context, subject.seed)
    other = context_rows(context, torch.arange(-1, len(x) - 1))
    there = run_log_prob(flow, x, other, subject.seed)
    expect(not torch.equal(here, there), "log_prob does not change with the context")
    wrong: list[Context | None] = [None, *wrong_batches(context)]
    calls = itertools.product((flow.log_prob, flow.encode), wrong)
    for call, given in calls:
        try:
            call(x, given)
        except ValueError:
            continue
        raise AssertionError(f"{call.__name__} took a missing or wrong context")


def flow_gradient(subject: Subject) -> None:
    """Every parameter, but those declared, gets a gradient from ``log_prob``."""
    log_prob = run_log_prob(subject.flow, subject.x, subject.context, subject.seed)
    expect_gradients(subject, subject.flow, (log_prob,), "log_prob")


def flow_purity(subject: Subject) -> None:
    """``log_prob`` changes nothing, and two seeded calls are equal."""

    def run(x: Tensor, context: Context | None) -> tuple[Tensor, ...]:
        return (subject.flow.log_prob(x, context),)

    expect_pure(subject, "log_prob", run, subject.x)


def flow_autocast(subject: Subject) -> None:
    """Under autocast ``log_prob`` stays float32 or wider."""
    flow = copy.deepcopy(subject.flow).float()
    x = subject.x.float() if subject.x.is_floating_point() else subject.x
    with torch.autocast("cpu", torch.bfloat16):
        log_prob = run_log_prob(flow, x, cast_context(subject.context, torch.float32))
    expect(is_wide(log_prob), f"under autocast log_prob is {log_prob.dtype}")


def flow_round_trip(subject: Subject) -> None:
    """A flow rebuilt from its state dict, and a deep copy, have the same density and draws."""

    def results(module: nn.Module) -> list[Tensor]:
        if not isinstance(module, Flow):
            raise AssertionError(f"rebuild gave a {type(module).__name__}, expected a Flow")
        with seeded(subject.seed):
            sample = module.sample(1, subject.context)
        return [run_log_prob(module, subject.x, subject.context, subject.seed), sample]

    expect_round_trip(subject, results)


def flow_compile(subject: Subject) -> None:
    """``torch.compile(fullgraph=True)`` takes the density and changes no value."""
    expected = run_log_prob(subject.flow, subject.x, subject.context, subject.seed)
    found = run_compiled(subject.flow, subject.x, subject.context, subject.seed)
    expect_close(found, expected, subject.tolerance, "log_prob compiled and plain")
