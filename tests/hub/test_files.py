"""Files of weights, and that nothing in them runs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lambent import import_weights
from lambent.hub.files import read_weights

from .flownets import Model


@pytest.fixture(scope="module")
def model() -> Model:
    return Model("chaiyujin", steps=1)


def same(path: Path, model: Model) -> None:
    found = read_weights(path)
    assert found.keys() == model.state.keys()
    assert all(torch.equal(found[key], model.state[key]) for key in found)


def test_state_dict(model: Model, tmp_path: Path) -> None:
    torch.save(model.state, tmp_path / "model.pt")
    same(tmp_path / "model.pt", model)


def test_old_format_of_torch(model: Model, tmp_path: Path) -> None:
    torch.save(model.state, tmp_path / "model.pkg", _use_new_zipfile_serialization=False)
    same(tmp_path / "model.pkg", model)


def test_safetensors(model: Model, tmp_path: Path) -> None:
    tensors = {key: value.contiguous() for key, value in model.state.items()}
    save_file(tensors, tmp_path / "model.safetensors")
    same(tmp_path / "model.safetensors", model)


def test_checkpoint_with_an_optimiser(model: Model, tmp_path: Path) -> None:
    """As that code writes it."""
    optimiser = torch.optim.Adam([torch.nn.Parameter(v) for v in model.state.values()])
    content = {
        "global_step": 5,
        "graph": model.state,
        "optim": optimiser.state_dict(),
        "criterion": {},
    }
    torch.save(content, tmp_path / "trained.pkg")
    same(tmp_path / "trained.pkg", model)
    flow = import_weights(tmp_path / "trained.pkg")
    expected = import_weights(model.state).state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in flow.state_dict().items())


class Harmful:
    """Makes a folder where it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    torch.save({"graph": Harmful(mark)}, tmp_path / "bad.pt")
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(Harmful(mark)))
    for name in ("bad.pt", "bad.pkl"):
        with pytest.raises(ValueError, match=rf"^source: expected readable weights in .*{name}"):
            read_weights(tmp_path / name)
    assert not mark.exists()


def test_unreadable(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^source: expected a file of weights, got '.*none.pt'"):
        read_weights(tmp_path / "none.pt")
    for name in ("text.pt", "text.safetensors"):
        (tmp_path / name).write_text("no weights")
        with pytest.raises(ValueError, match=rf"^source: expected readable weights in .*{name}"):
            read_weights(tmp_path / name)
    (tmp_path / "empty.pt").write_bytes(b"")
    with pytest.raises(ValueError, match=r"^source: expected readable weights in .*empty.pt"):
        read_weights(tmp_path / "empty.pt")
    torch.save(model.state, tmp_path / "whole.pt")
    whole = (tmp_path / "whole.pt").read_bytes()
    (tmp_path / "half.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"^source: expected readable weights in .*half.pt"):
        read_weights(tmp_path / "half.pt")


def test_no_state_dict_or_two(model: Model, tmp_path: Path) -> None:
    for name, content in (
        ("one.pt", torch.zeros(3)),
        ("two.pt", {"model": model.state, "average": model.state}),
    ):
        torch.save(content, tmp_path / name)
        with pytest.raises(ValueError, match=r"^source: expected one mapping of names to tensors"):
            read_weights(tmp_path / name)
