"""Every case keeps every law its flags promise, and every public transform has a case."""

from __future__ import annotations

import functools
import inspect

import pytest

import lambent.core
import lambent.flows
import lambent.transforms
from lambent.core import Flow, Transform
from lambent.core.registry import families
from lambent.testing import Case, Law, Subject, laws_for

from .cases import FLOWS, TRANSFORMS

CASES = {f"{name} transform": case for name, case in TRANSFORMS.items()}
CASES |= {f"{name} flow": case for name, case in FLOWS.items()}


@functools.cache
def subject_of(name: str) -> Subject:
    return CASES[name].subject()


@functools.cache
def laws_of(name: str) -> dict[str, Law]:
    case: Case = CASES[name]
    conditional = case.context_shape is not None
    return {law.name: law for law in laws_for(case.build(), conditional=conditional)}


PAIRS = [(name, law) for name in CASES for law in laws_of(name)]


@pytest.mark.parametrize(("name", "law"), [pair for pair in PAIRS if pair[1] != "compile"])
def test_law(name: str, law: str) -> None:
    laws_of(name)[law](subject_of(name))


def marked(name: str) -> object:
    """A case to compile; of Glow's two directions only a few, the density is compiled for all."""
    fast = ("glow affine transform", "glow additive transform", "glow class everywhere transform")
    slow = name.startswith("glow") and name.endswith("transform") and name not in fast
    return pytest.param(name, marks=pytest.mark.slow if slow else ())


@pytest.mark.compile
@pytest.mark.parametrize("name", [marked(name) for name, law in PAIRS if law == "compile"])
def test_compile(name: str) -> None:
    laws_of(name)["compile"](subject_of(name))


def public_transforms() -> list[type[Transform]]:
    members = [*vars(lambent.transforms).values(), *vars(lambent.core).values()]
    classes = [m for m in members if inspect.isclass(m) and issubclass(m, Transform)]
    return [c for c in classes if not inspect.isabstract(c)]


def test_every_public_transform_has_a_case() -> None:
    covered = {type(case.build()) for case in TRANSFORMS.values()}
    missing = {c.__name__ for c in public_transforms() if c not in covered}
    assert len(public_transforms()) >= 11
    assert not missing, f"without a case in tests/laws/cases.py: {sorted(missing)}"


def test_every_family_has_a_case() -> None:
    recipes = {flow.recipe[0] for case in FLOWS.values() if (flow := case.build()).recipe}
    assert set(families()) == recipes


def test_transform_cases_are_transforms_and_flow_cases_flows() -> None:
    assert all(isinstance(case.build(), Transform) for case in TRANSFORMS.values())
    assert all(isinstance(case.build(), Flow) for case in FLOWS.values())
