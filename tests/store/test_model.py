from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lambent import Flow, GlowConfig, glow, initialize, load, save, seeded
from lambent.distributions import StandardNormal
from lambent.transforms import ActNorm

FORMS: dict[str, dict[str, Any]] = {
    "default": {},
    "released": {"scale": "released", "permutation": "conv", "norm": "bias", "border": False},
    "additive": {"coupling": "additive", "permutation": "shuffle", "learn_top": False},
    "reverse": {"permutation": "reverse", "levels": 1, "grey_levels": 17},
    "top": {"conditioning": "top", "classes": 3},
    "strong": {"conditioning": "strong", "classes": 3, "class_features": 5, "dropout": 0.5},
}


def build(**settings: Any) -> Flow:
    """A Glow that is the same for the same settings, with no parameter at its initial value."""
    sizes = {"shape": (3, 4, 8), "grey_levels": 256, "levels": 2, "steps": 1, "width": 8}
    with seeded(1):
        flow = glow(GlowConfig(**{**sizes, **settings}))
        x = torch.randint(0, 256, (32, 3, 4, 8), dtype=torch.uint8)
        initialize(flow, x, torch.arange(32) % 3 if flow.context_encoder else None)
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter += 0.05 * torch.randn_like(parameter)
    return flow


def answers(flow: Flow) -> list[torch.Tensor]:
    """What a flow says of images, and draws."""
    with seeded(2), torch.no_grad():
        x = torch.randint(0, 256, (4, 3, 4, 8), dtype=torch.uint8)
        context = torch.tensor([0, 1, 2, 1]) if flow.context_encoder else None
        n = None if flow.context_encoder else 4
        return [flow.log_prob(x, context), flow.encode(x, context), flow.sample(n, context)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS)
def test_rebuilds_the_same_function(form: str, dtype: torch.dtype, tmp_path: Path) -> None:
    flow = build(**FORMS[form]).to(dtype).eval()
    generator = torch.get_rng_state()
    save(flow, tmp_path)
    loaded = load(tmp_path)
    assert torch.equal(torch.get_rng_state(), generator)
    assert loaded.recipe == flow.recipe
    assert not loaded.training
    assert all(module.training is False for module in loaded.modules())
    for found, expected in zip(answers(loaded), answers(flow), strict=True):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
    assert {p.dtype for p in loaded.parameters()} == {dtype}
    state, again = flow.state_dict(), loaded.state_dict()
    assert state.keys() == again.keys()
    assert all(torch.equal(state[key], again[key]) for key in state)


def test_a_loaded_flow_is_not_initialised_again(tmp_path: Path) -> None:
    save(build(), tmp_path)
    loaded = load(tmp_path)
    before = answers(loaded)
    initialize(loaded, torch.zeros(8, 3, 4, 8, dtype=torch.uint8))
    assert all(torch.equal(a, b) for a, b in zip(answers(loaded), before, strict=True))


def test_two_plain_files(tmp_path: Path) -> None:
    """JSON and safetensors only: nothing that unpickles."""
    save(build(), tmp_path / "model")
    files = sorted(p.name for p in (tmp_path / "model").rglob("*"))
    assert files == ["config.json", "model.safetensors"]
    facts = json.loads((tmp_path / "model/config.json").read_text())
    assert list(facts) == ["format", "family", "config", "dtype"]
    assert (facts["format"], facts["family"], facts["dtype"]) == (1, "glow", "float32")
    assert facts["config"]["shape"] == [3, 4, 8]
    weights = (tmp_path / "model/model.safetensors").read_bytes()
    length = int.from_bytes(weights[:8], "little")
    assert all("dtype" in entry for entry in json.loads(weights[8 : 8 + length]).values())
    with safe_open(tmp_path / "model/model.safetensors", "pt") as tensors:
        assert set(tensors.keys()) == set(build().state_dict())


def test_a_run_folder_stands_for_its_model(tmp_path: Path) -> None:
    flow = build().eval()
    save(flow, tmp_path / "run/model")
    assert torch.equal(answers(load(tmp_path / "run"))[0], answers(flow)[0])


def test_saving_again_replaces(tmp_path: Path) -> None:
    save(build(), tmp_path)
    other = build(width=4, levels=1).eval()
    save(other, tmp_path)
    assert torch.equal(answers(load(tmp_path))[1], answers(other)[1])


def test_a_save_that_fails_leaves_the_old_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = build().eval()
    save(flow, tmp_path)

    def half(tensors: dict[str, torch.Tensor], path: Path) -> None:
        path.write_bytes(b"half a file")
        raise OSError("the disk is full")

    monkeypatch.setattr("lambent.store.model.save_file", half)
    with pytest.raises(OSError, match="the disk is full"):
        save(build(width=4), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    assert torch.equal(answers(load(tmp_path))[0], answers(flow)[0])


def test_a_flow_put_together_by_hand_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^flow: expected one built by a registered family"):
        save(Flow(ActNorm(2), StandardNormal((2,))), tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(build(), tmp_path)
    return tmp_path


def test_folders_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "run/model").mkdir(parents=True)
    for folder in (tmp_path / "nowhere", tmp_path, tmp_path / "run"):
        with pytest.raises(ValueError, match=r"expected a folder with a trained model"):
            load(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", r"config\.json: expected JSON, got: "),
        ("[1, 2]", r"config\.json: expected an object, got list"),
        ('{"format": 2, "layers": []}', "expected model format 1, got 2; a newer version"),
        ('{"family": "glow", "config": {}}', "expected model format 1, got None"),
        ('{"format": 1, "config": {}}', "expected 'family' to be a str"),
        ('{"format": 1, "family": "glow", "config": []}', "expected 'config' to be a dict"),
        (
            '{"format": 1, "family": "glow", "config": {}, "dtype": "float16"}',
            "expected dtype float32 or float64, got 'float16'",
        ),
    ],
)
def test_facts_of_another_form(text: str, expected: str, saved: Path) -> None:
    (saved / "config.json").write_text(text)
    with pytest.raises(ValueError, match=expected):
        load(saved)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"family": "glwo"}, r"config\.json: model: unknown 'glwo'; did you mean 'glow'"),
        ({"config": {"widths": 8}}, r"config\.json: .*unknown 'widths'; did you mean 'width'"),
        ({"config": {"levels": 3}}, r"config\.json: levels: expected"),
        ({"config": {"width": 16}}, r"model\.safetensors: expected the weights of this glow"),
        ({"config": {"steps": 2}}, r"model\.safetensors: expected the weights of this glow"),
    ],
)
def test_facts_that_do_not_fit(change: dict[str, Any], expected: str, saved: Path) -> None:
    facts = json.loads((saved / "config.json").read_text())
    config = {**facts["config"], **change.get("config", {})}
    (saved / "config.json").write_text(json.dumps({**facts, **change, "config": config}))
    with pytest.raises(ValueError, match=expected):
        load(saved)


def test_weights_that_are_not_right(saved: Path) -> None:
    path = saved / "model.safetensors"
    whole = load_file(path)
    name = next(iter(whole))
    bad: list[dict[str, torch.Tensor] | bytes | None] = [
        {k: v for k, v in whole.items() if k != name},
        {**whole, "another": torch.zeros(1)},
        {**whole, name: torch.zeros(7, 7)},
        path.read_bytes()[:-100],
        b"not safetensors",
        b"",
        None,
    ]
    for content in bad:
        if content is None:
            path.unlink()
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            save_file(content, path)
        with pytest.raises(ValueError, match=r"model\.safetensors: expected the weights"):
            load(saved)


def test_a_pickle_is_not_opened(saved: Path) -> None:
    torch.save(build().state_dict(), saved / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors: expected the weights"):
        load(saved)
