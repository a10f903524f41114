from __future__ import annotations

from pathlib import Path

import pytest
import torch

import lambent
from lambent import DataConfig, Flow, GlowConfig, glow, load, load_images, measure, save
from lambent.store import RunFolder, folder_named, pretrained


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tiny() -> Flow:
    return glow(GlowConfig(shape=(1, 4, 4), levels=1, steps=1, width=4, grey_levels=4))


def test_every_pretrained_model_has_its_files_and_loads(here: Path) -> None:
    assert "digits-demo" in pretrained()
    for name, folder in pretrained().items():
        assert {"config.json", "model.safetensors", "config.yaml", "README.md"} <= {
            path.name for path in folder.iterdir()
        }
        flow = load(name)
        assert not flow.training
        assert all(torch.isfinite(p).all() for p in flow.parameters())


def test_the_demo_fits_the_digits_it_held_out(here: Path) -> None:
    recorded = RunFolder(folder_named("digits-demo")).read_config()["data"]
    data = DataConfig(split="validation", validation=recorded["validation"], seed=recorded["seed"])
    held_out = load_images(recorded["name"], data)
    flow = lambent.load("digits-demo")
    result = measure(flow, held_out)
    card = (folder_named("digits-demo") / "README.md").read_text()
    assert len(held_out) == 359
    assert result.bits_per_dim == pytest.approx(2.043, abs=0.005)
    assert "≤ 2.043 ± 0.018 bits/dim" in card
    assert f"{sum(p.numel() for p in flow.parameters()):,} parameters" in card


def test_a_folder_of_the_name_comes_first(here: Path) -> None:
    assert folder_named("digits-demo") == pretrained()["digits-demo"]
    save(tiny(), here / "digits-demo")
    assert folder_named("digits-demo") == Path("digits-demo")
    assert load("digits-demo").event_shape == (1, 4, 4)


@pytest.mark.parametrize("model", ["./digits-demo", Path("digits-demo"), "digits-demo/"])
def test_only_a_bare_name_is_a_pretrained_model(here: Path, model: str | Path) -> None:
    with pytest.raises(ValueError, match="expected a folder with a trained model"):
        load(model)
    save(tiny(), here / "digits-demo")
    assert load(model).event_shape == (1, 4, 4)


def test_an_unknown_name_lists_the_pretrained_ones(here: Path) -> None:
    with pytest.raises(ValueError, match=r"^digts: expected a folder .* \(digits-demo\)"):
        load("digts")
