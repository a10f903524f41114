from __future__ import annotations

import contextlib
import inspect

import pytest
import torch
from torch import nn

from lambent.nn.precision import conditioner_dtype, conditioner_precision, gains_from_bfloat16

CPU = torch.device("cpu")


def test_auto_is_float32_on_every_cpu() -> None:
    """Products in bfloat16 may be faster; steps on the path that takes them are not."""
    assert conditioner_dtype(CPU) == torch.float32


@pytest.mark.parametrize("supported", [True, False])
def test_auto_on_cuda_asks_the_device(
    supported: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def answer(*, including_emulation: bool) -> bool:
        asked.append(including_emulation)
        return supported

    monkeypatch.setattr("torch.cuda.device", lambda device: contextlib.nullcontext())
    monkeypatch.setattr("torch.cuda.is_bf16_supported", answer)
    assert gains_from_bfloat16(torch.device("cuda")) is supported
    assert asked == [False]


def test_auto_elsewhere_is_float32() -> None:
    assert conditioner_dtype(torch.device("mps")) == torch.float32


def test_names() -> None:
    assert conditioner_dtype(CPU, "float32") == torch.float32
    assert conditioner_dtype(CPU, "bfloat16") == torch.bfloat16
    with pytest.raises(ValueError, match=r"^precision: expected auto, .* got 'half'"):
        inspect.unwrap(conditioner_dtype)(CPU, "half")  # past the annotations
    with pytest.raises(
        ValueError, match=r"^precision: expected float32 on 'meta'.* got 'bfloat16'"
    ):
        conditioner_precision(torch.device("meta"), "bfloat16")


def test_what_runs_in_it() -> None:
    """Products of float32, with float32 weights and gradients; float64 is left alone."""
    net, x = nn.Linear(8, 8), torch.randn(4, 8)
    with conditioner_precision(CPU, "float32"):
        exact = net(x)
    assert exact.dtype == torch.float32
    with conditioner_precision(CPU, "bfloat16"):
        y = net(x)
    assert y.dtype == torch.bfloat16
    assert 0 < (y - exact).abs().max() < 0.05
    y.float().sum().backward()
    assert net.weight.dtype == torch.float32
    assert net.weight.grad is not None
    assert net.weight.grad.dtype == torch.float32
    with conditioner_precision(CPU, "bfloat16"):
        assert net.double()(x.double()).dtype == torch.float64
