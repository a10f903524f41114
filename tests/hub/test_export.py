"""Programs give what the flow gives: in torch.export, and through ONNX in onnxruntime."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lambent import Flow, GlowConfig, export_program, glow, seeded
from lambent.core import Compose
from lambent.distributions import StandardNormal
from lambent.errors import MissingExtraError
from lambent.hub import run_program
from lambent.hub.programs import PROGRAMS, Task
from lambent.transforms import Dequantise, Permute, Rescale

SIZES = {"shape": (3, 8, 8), "grey_levels": 32, "levels": 2, "steps": 1, "width": 8}
FORMS: dict[str, dict[str, Any]] = {
    "plu": {},
    "free, additive, 256 levels": {
        "permutation": "conv",
        "coupling": "additive",
        "grey_levels": 256,
        "levels": 1,
    },
    "released, shuffled, classes of the top": {
        "permutation": "shuffle",
        "scale": "released",
        "conditioning": "top",
        "classes": 5,
    },
    "classes": {"conditioning": "strong", "classes": 5, "class_features": 4},
}


def small(form: str, noise: float = 0.05, **settings: Any) -> Flow:
    """A Glow so far away from its initial values; much further, a deep one overflows."""
    flow = glow(GlowConfig(**{**SIZES, **FORMS[form], **settings}))
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(noise * torch.randn_like(parameter))
    return flow.eval()


def case(flow: Flow, task: Task, n: int) -> tuple[dict[str, Tensor], Tensor]:
    """Inputs of a program, and what the flow itself makes of them under the same draws."""
    inputs: dict[str, Tensor] = {}
    labels = None
    if flow.context_encoder is not None:
        labels = torch.randint(5, (n,))
    if task == "sample":
        inputs["latents"] = 0.7 * torch.randn(n, *flow.base.event_shape)
        expected = flow.decode(inputs["latents"], labels)
    else:
        images = torch.randint(256, (n, *flow.event_shape), dtype=torch.uint8)
        inputs["images"] = images
        if task == "encode":
            expected = flow.encode(images, labels)
        else:
            with seeded(3), torch.no_grad():
                expected = flow.log_prob(images, labels)
            with seeded(3):
                inputs["noise"] = torch.rand(images.shape)
    return inputs if labels is None else {**inputs, "labels": labels}, expected


def check(flow: Flow, task: Task, path: Path) -> None:
    """The file, on one event and on seven, against the flow."""
    said = export_program(flow, path, task)
    assert said.events == 4
    for n in (1, 7):
        inputs, expected = case(flow, task, n)
        assert list(said.inputs) == list(inputs)
        found = run_program(path, inputs)
        assert found.dtype == expected.dtype
        if task == "sample":
            assert len(expected.unique()) > 5
            assert torch.equal(found, expected)
        else:
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=2e-5)
    assert said.largest_difference < 5e-4


@pytest.mark.parametrize("task", PROGRAMS)
@pytest.mark.parametrize("form", FORMS)
def test_the_modules_are_the_flow(form: str, task: Task) -> None:
    flow = small(form)
    inputs, expected = case(flow, task, 6)
    with torch.no_grad():
        found = PROGRAMS[task](flow)(**inputs)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=2e-5)


@pytest.mark.parametrize(
    "task",
    ["log_prob", *(pytest.param(task, marks=pytest.mark.slow) for task in ("encode", "sample"))],
)
def test_torch_export(task: Task, tmp_path: Path) -> None:
    flow = small("classes", levels=1)
    path = tmp_path / "new" / "program.pt2"
    check(flow, task, path)
    nodes = torch.export.load(path).graph.nodes
    names = {str(node.target) for node in nodes if node.op == "call_function"}
    assert not any("linalg" in name or "rand" in name for name in names)


def test_onnx(tmp_path: Path) -> None:
    check(small("plu", levels=1), "log_prob", tmp_path / "program.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["program.onnx"]


@pytest.mark.slow
@pytest.mark.parametrize("task", PROGRAMS)
@pytest.mark.parametrize("form", FORMS)
def test_onnx_of_every_form(form: str, task: Task, tmp_path: Path) -> None:
    check(small(form), task, tmp_path / "program.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("task", PROGRAMS)
def test_onnx_of_a_larger_glow(task: Task, tmp_path: Path) -> None:
    sizes = {"shape": (3, 32, 32), "levels": 3, "steps": 8, "width": 64}
    flow = small("plu", noise=0.02, **sizes)
    path = tmp_path / "program.onnx"
    export_program(flow, path, task)
    inputs, expected = case(flow, task, 5)
    found = run_program(path, inputs)
    if task == "sample":
        assert torch.equal(found, expected)
    else:
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=2e-4)


def test_the_noise_counts() -> None:
    program = PROGRAMS["log_prob"](small("plu"))
    inputs, first = case(small("plu"), "log_prob", 3)
    with torch.no_grad():
        other = program(inputs["images"], torch.zeros_like(inputs["noise"]))
    assert not torch.allclose(first, other)


def test_the_flow_is_left_as_it_is(tmp_path: Path) -> None:
    flow = small("plu", levels=1)
    before = {k: v.clone() for k, v in flow.state_dict().items()}
    shown = repr(flow)
    export_program(flow, tmp_path / "program.pt2", "encode")
    assert repr(flow) == shown
    assert all(torch.equal(v, before[k]) for k, v in flow.state_dict().items())


def test_what_cannot_be_exported_is_named(tmp_path: Path) -> None:
    class Odd(Rescale):
        """Registered nowhere, but a kind of what is."""

    flow = small("plu")
    path = tmp_path / "program.pt2"
    kinds = export_program(
        Flow(Compose(Dequantise(), Odd(0.5)), StandardNormal((2,))), path, "encode"
    )
    assert kinds.inputs == {"images": "uint8 (b, 2)"}
    path.unlink()
    inverse = Compose(dequantise=Dequantise(), back=Rescale(0.5).inv)
    with pytest.raises(
        ValueError, match=r"layers that can be exported, got Inverse at 'transform.back'"
    ):
        export_program(Flow(inverse, StandardNormal((2,))), path, "encode")
    exact = Compose(Permute.reverse(2))
    with pytest.raises(ValueError, match="flow: expected a chain of layers with a Dequantise"):
        export_program(Flow(exact, StandardNormal((2,))), path, "encode")
    with pytest.raises(ValueError, match="flow: expected a standard normal base, got Flow"):
        export_program(Flow(Compose(Dequantise()), flow), path, "encode")
    labelled = Flow(Compose(Dequantise()), StandardNormal((2,)), context_encoder=torch.nn.ReLU())
    with pytest.raises(ValueError, match="flow: expected a context of labels or none, got ReLU"):
        export_program(labelled, path, "encode")
    with pytest.raises(ValueError, match=r"out: expected a name that ends in .onnx or .pt2, got"):
        export_program(flow, tmp_path / "program.pt", "encode")
    with pytest.raises(ValueError, match="flow: expected float32 for ONNX, got 'transform"):
        export_program(flow.double(), tmp_path / "program.onnx", "encode")
    assert list(tmp_path.iterdir()) == []


def test_float64(tmp_path: Path) -> None:
    flow = small("plu", levels=1).double()
    said = export_program(flow, tmp_path / "program.pt2", "log_prob")
    assert said.inputs["noise"] == "float64 (b, 3, 8, 8)"
    assert said.output == {"log_prob": "float64 (b)"}
    assert said.largest_difference < 1e-10


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"'onnxscript'.*lambent\[export\]"):
        export_program(small("plu", levels=1), tmp_path / "program.onnx", "encode")
    assert list(tmp_path.iterdir()) == []
