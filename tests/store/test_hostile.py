"""Model folders made to do harm, or of absurd sizes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lambent import GlowConfig, glow, load, save, seeded

ROOT = Path(__file__).parents[2]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    with seeded(0):
        save(glow(GlowConfig(shape=(1, 8, 8), grey_levels=17, steps=1, width=4)), tmp_path / "m")
    return tmp_path / "m"


def change(folder: Path, **fields: Any) -> None:
    facts = json.loads((folder / "config.json").read_text())
    facts["config"].update(fields)
    (folder / "config.json").write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("settings", "name", "value", "said"),
    [
        (
            {"permutation": "reverse"},
            "order",
            torch.tensor([3, 2, 1, 7]),
            "expected a permutation of",
        ),
        (
            {"permutation": "reverse"},
            "order",
            torch.tensor([3, 2, 1, 1]),
            "expected a permutation of",
        ),
        ({"permutation": "plu"}, "permutation", torch.ones(4, 4), "expected a permutation matrix"),
        ({"permutation": "plu"}, "sign", torch.zeros(4), "expected 1 or -1"),
    ],
)
def test_buffers_that_cannot_be(
    settings: dict[str, Any], name: str, value: torch.Tensor, said: str, tmp_path: Path
) -> None:
    save(
        glow(GlowConfig(shape=(1, 4, 4), grey_levels=17, levels=1, steps=1, width=4, **settings)),
        tmp_path,
    )
    tensors = load_file(tmp_path / "model.safetensors")
    (key,) = (k for k in tensors if k.endswith(f".{name}"))
    assert tensors[key].shape == value.shape
    load(tmp_path)
    save_file({**tensors, key: value.to(tensors[key].dtype)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=rf"model\.safetensors: .*\..*{said}"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": 10**7}, r"safetensors: .* tensors, too few for what config\.json asks for"),
        ({"levels": 10**9}, r"levels: expected .*multiples of 2 to the 1000000000"),
        ({"levels": 10**9, "shape": [1, 2**40, 2**40]}, r"config\.json: levels"),
        ({"width": 10**6}, r"safetensors: .* of shape"),
        ({"width": 10**12}, r"config\.json|safetensors"),
        ({"width": 10**30}, r"config\.json: expected a config that can be built"),
        ({"width": "8"}, r"config\.json: width: expected int, got '8'"),
        ({"width": True}, r"config\.json: width: expected int, got True"),
        ({"width": None}, r"config\.json: width: expected int, got None"),
        ({"scale_bound": float("nan")}, r"config\.json: scale_bound: expected float, got nan"),
        ({"scale_bound": 10**400}, r"config\.json: scale_bound: expected float, got 1000"),
        ({"shape": [10**9, 8, 8]}, r"config\.json|safetensors"),
        ({"shape": [1, 2**20, 2**20]}, r"config\.json: expected events of at most 268435456"),
        ({"shape": [1, 8]}, r"config\.json: shape: expected .*got \(1, 8\)"),
        ({"shape": {"a": 1}}, r"config\.json: shape: expected .*got \{'a': 1\}"),
        ({"conditioning": "top", "classes": 10**6}, r"config\.json: .* bytes beside the weights"),
        ({"coupling": ["affine"]}, r"config\.json: coupling: expected Literal"),
    ],
)
def test_absurd_configs(fields: dict[str, Any], said: str, saved: Path) -> None:
    change(saved, **fields)
    with pytest.raises(ValueError, match=said) as caught:
        load(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[" * 10**6, "expected JSON of a few levels"),
        (b" " * (2**20 + 1), "expected at most 1048576 bytes"),
        (b"\xff\xfe\x00", "expected JSON"),
        (b"", "expected JSON"),
        (b'{"format": [1]}', r"expected model format 1, got \[1\]"),
        (b'{"format": 1, "family": "glow", "config": {}, "dtype": []}', "expected dtype"),
    ],
)
def test_texts_that_are_no_config(text: bytes, said: str, saved: Path) -> None:
    (saved / "config.json").write_bytes(text)
    with pytest.raises(ValueError, match=rf"config\.json: {said}"):
        load(saved)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(value: float, saved: Path) -> None:
    tensors = load_file(saved / "model.safetensors")
    name = next(k for k, v in tensors.items() if v.is_floating_point())
    tensors[name].flatten()[0] = value
    save_file(tensors, saved / "model.safetensors")
    with pytest.raises(ValueError, match=f"'{name}' with numbers that are not finite"):
        load(saved)


def test_weights_of_another_type(saved: Path) -> None:
    tensors = {k: v.double() for k, v in load_file(saved / "model.safetensors").items()}
    save_file(tensors, saved / "model.safetensors")
    with pytest.raises(ValueError, match="of type F64 where it has"):
        load(saved)


def test_a_header_longer_than_any(saved: Path) -> None:
    (saved / "model.safetensors").write_bytes((2**40).to_bytes(8, "little") + b"{}")
    with pytest.raises(ValueError, match="a header of 1099511627776 bytes; at most"):
        load(saved)


class Payload:
    """Unpickled, it would leave a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.mark,)


def test_pickles_in_a_folder_are_not_opened(saved: Path, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    harm = pickle.dumps(Payload(mark))
    for name in ("pytorch_model.bin", "model.pt", "checkpoint.ckpt", "model.pkl"):
        (saved / name).write_bytes(harm)
    load(saved)
    (saved / "model.safetensors").write_bytes(harm)
    with pytest.raises(ValueError, match=r"model\.safetensors: expected the weights"):
        load(saved)
    torch.save(Payload(mark), saved / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors: expected the weights"):
        load(saved)
    assert not mark.exists()
    pickle.loads(harm)
    assert mark.exists()


def fuzz(count: int, seed: int) -> dict[str, Any]:
    script = ROOT / "benchmarks" / "fuzz_models.py"
    done = subprocess.run(
        [sys.executable, script, "--n", str(count), "--seed", str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_spoilt_files() -> None:
    """Each is refused with a reason, or is a working flow; the script fails on anything else."""
    counts = fuzz(250, 1)
    assert sum(counts["outcomes"].values()) == 250
    assert set(counts["outcomes"]) == {
        "loaded",
        "refused for config.json",
        "refused for the weights",
    }


@pytest.mark.slow
def test_two_thousand_spoilt_files() -> None:
    assert sum(fuzz(2000, 0)["outcomes"].values()) == 2000
