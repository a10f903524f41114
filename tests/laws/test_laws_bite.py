"""Each law catches the transform that breaks it; the laws need no test runner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lambent.core import Flow, Transform
from lambent.testing import Law, check_flow, check_transform, laws_for, prepare

from . import mutants as m


def law_named(module: Transform | Flow, name: str, *, conditional: bool = False) -> Law:
    return {law.name: law for law in laws_for(module, conditional=conditional)}[name]


def small(rows: int = 3) -> Tensor:
    return torch.randn(rows, 2) / 10


BREACHES: list[tuple[str, Callable[[], Transform], str]] = [
    ("shapes and dtypes", m.ScalarLogDet, "log_det of shape"),
    ("shapes and dtypes", m.HalfLogDet, "log_det of torch.float16"),
    ("shapes and dtypes", m.WrongShape, "forward_shape says"),
    ("shapes and dtypes", m.NotFinite, "not finite"),
    ("left inverse", m.WrongInverse, "differ by up to"),
    ("right inverse", m.Clamped, "differ by up to"),
    ("sign", m.WrongSign, "minus the inverse's"),
    ("jacobian", m.NoLogDet, "the autograd Jacobian's"),
    ("jacobian", m.MeanLogDet, "the autograd Jacobian's"),
    ("jacobian", m.BiasedEstimate, "standard errors"),
    ("likelihood", m.ClaimsExact, "likelihood is 'exact'"),
    ("batch", m.CoupledRows, "forward of row 0, alone"),
    ("batch", m.NeedsTwo, "shapes"),
    ("encode and decode", m.NoisyEncode, "two calls of encode"),
    ("encode and decode", m.OtherDecode, "encode(decode(z)) and z"),
    ("backwards", m.InvIsItself, "inv.forward"),
    ("gradcheck", m.DetachedEvent, "gradcheck of forward"),
    ("gradcheck", m.DetachedParameter, "gradcheck of forward"),
    ("gradient", m.UnusedParameter, "'unused' gets no gradient"),
    ("fast and plain", m.FastDiffers, "of the fast path and the plain one"),
    ("rebuild", m.HalfGradient, "the gradient of 'bias' that invert_and_vjp finds"),
    ("purity", m.InPlace, "argument 0 of forward was changed"),
    ("purity", m.RunningState, "buffer 'calls' was changed"),
    ("purity", m.Undeclared, "draws random numbers"),
    ("purity", m.OwnSeed, "two calls of forward"),
    ("float32", m.LosesDigits, "forward in float32"),
    ("autocast", m.HalfTrunk, "gives torch.bfloat16"),
    ("round trip", m.SharedCopy, "rebuilt from the state dict"),
    ("round trip", m.Nameless, "repr does not name"),
]


@pytest.mark.parametrize(
    ("name", "build", "message"), BREACHES, ids=[f"{b[1].__name__} {b[0]}" for b in BREACHES]
)
def test_law_catches(name: str, build: Callable[[], Transform], message: str) -> None:
    subject = prepare(build(), small())
    with pytest.raises(AssertionError, match="breaks the law") as caught:
        law_named(subject.module, name)(subject)
    assert message in str(caught.value)
    assert f"{build.__name__} breaks the law '{name}'" in str(caught.value)


def test_left_inverse_alone_does_not_see_a_clamp() -> None:
    subject = prepare(m.Clamped(), small())
    law_named(subject.module, "left inverse")(subject)


def test_settings_are_caught() -> None:
    before = torch.get_float32_matmul_precision()
    subject = prepare(m.Settings(), small(), z=small())
    try:
        with pytest.raises(AssertionError, match="changed torch's global settings"):
            law_named(subject.module, "purity")(subject)
    finally:
        torch.set_float32_matmul_precision(before)


def test_round_trip_needs_rebuild_to_see_what_the_state_dict_lacks() -> None:
    law = law_named(m.Forgetful(), "round trip")
    law(prepare(m.Forgetful(), small()))
    with pytest.raises(AssertionError, match="rebuilt from the state dict"):
        law(prepare(m.Forgetful(), small(), rebuild=m.Forgetful))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (m.DeafToContext, "does not change with the context"),
        (m.BroadcastsContext, "took a context of"),
    ],
)
def test_law_of_the_context_catches(build: Callable[[], Transform], message: str) -> None:
    subject = prepare(build(), small(), small())
    with pytest.raises(AssertionError, match=message):
        law_named(subject.module, "context", conditional=True)(subject)


def test_purity_sees_a_changed_context() -> None:
    subject = prepare(m.InPlaceContext(), small(), small())
    with pytest.raises(AssertionError, match="argument 1 of forward was changed"):
        law_named(subject.module, "purity")(subject)


@pytest.mark.parametrize(
    ("build", "name"), [(m.LeakyIntegers, "discrete"), (m.RoundsOff, "left inverse")]
)
def test_laws_of_integers_catch(build: Callable[[], Transform], name: str) -> None:
    subject = prepare(build(), torch.tensor([[1, 2**24 + 2], [5, 7]]))
    with pytest.raises(AssertionError, match=f"breaks the law '{name}'"):
        law_named(subject.module, name)(subject)


FLOW_BREACHES: list[tuple[str, Callable[[], Flow], str]] = [
    ("density", lambda: m.flow(m.MeanDensity), "log_prob has shape"),
    ("density", lambda: m.flow(m.ForgivingDensity), "log_prob took events of shape"),
    ("ledger", lambda: m.flow(transform=m.ForgetsAnEntry(m.Good(), m.Good())), "sum of the ledger"),
    ("draws", lambda: m.flow(m.HalfDensity), "rsample_and_log_prob and log_prob"),
    ("gradient", lambda: m.flow(transform=m.UnusedParameter()), "'transform.unused' gets no"),
    ("purity", lambda: m.flow(transform=m.RunningState()), "was changed in place"),
    ("encode and decode", lambda: m.flow(transform=m.NoisyEncode()), "two calls of encode"),
]


@pytest.mark.parametrize(("name", "build", "message"), FLOW_BREACHES)
def test_law_of_flows_catches(name: str, build: Callable[[], Flow], message: str) -> None:
    subject = prepare(build(), small())
    with pytest.raises(AssertionError, match="breaks the law") as caught:
        law_named(subject.module, name)(subject)
    assert message in str(caught.value)


def test_law_of_draws_catches_the_wrong_order() -> None:
    subject = prepare(m.flow(m.ShuffledDraws), small(), small())
    with pytest.raises(AssertionError, match="breaks the law 'draws'"):
        law_named(subject.module, "draws")(subject)


def test_a_good_transform_keeps_every_law() -> None:
    check_transform(m.Good(), small(), rebuild=m.Good, skip=["compile"])
    check_transform(m.NoisyEstimate(), small(), skip=["compile"])
    check_flow(m.flow(), small(), rebuild=m.flow, skip=["compile"])


def test_the_subject_is_left_as_it_is() -> None:
    transform = m.Good().train()
    check_transform(transform, small(), skip=["compile"])
    assert transform.training
    assert transform.bias.dtype == torch.float32
    assert not transform.bias.any()


def test_skip_names_a_law() -> None:
    with pytest.raises(ValueError, match="no such law here: jacobean"):
        check_transform(m.Good(), small(), skip=["jacobean"])


def test_one_event_is_not_enough() -> None:
    with pytest.raises(ValueError, match="at least two events"):
        check_transform(m.Good(), small(1))


def test_other_errors_say_which_law_raised_them() -> None:
    subject = prepare(m.ScalarLogDet(), small())
    with pytest.raises(IndexError) as caught:
        law_named(subject.module, "batch")(subject)
    assert "raised by ScalarLogDet under the law 'batch'" in caught.value.__notes__


def test_flags_choose_the_laws() -> None:
    names = {law.name for law in laws_for(m.Good())}
    assert {"left inverse", "right inverse", "jacobian", "sign"} <= names
    assert "context" not in names
    assert "discrete" not in names
    assert "jacobian" not in {law.name for law in laws_for(m.ClaimsExact())}
    assert "right inverse" not in {law.name for law in laws_for(m.ClaimsExact())}
    assert "left inverse" not in {law.name for law in laws_for(m.ClaimsExact().inv)}
    assert {"discrete", "left inverse"} <= {law.name for law in laws_for(m.LeakyIntegers())}
    assert "gradcheck" not in {law.name for law in laws_for(m.LeakyIntegers())}


@pytest.mark.compile
def test_law_of_compilation_catches_a_graph_break() -> None:
    subject = prepare(m.GraphBreak(), small())
    with pytest.raises(AssertionError, match="does not compile whole"):
        law_named(subject.module, "compile")(subject)
