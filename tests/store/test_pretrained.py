from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lambent import DataConfig, GlowConfig, glow, load, load_images, measure, save
from lambent.store import RunFolder, find_run, pretrained


def test_the_names() -> None:
    assert list(pretrained()) == ["digits-demo"]
    files = [p for p in pretrained()["digits-demo"].rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 1_500_000


def test_a_folder_of_the_name_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load("digits-demo").context_encoder is not None
    with pytest.raises(ValueError, match=r"models of the package: digits-demo"):
        load("./digits-demo/")
    save(
        glow(GlowConfig(shape=(1, 4, 4), grey_levels=17, levels=1, steps=1, width=4)), "digits-demo"
    )
    assert load("digits-demo").event_shape == (1, 4, 4)


def test_it_is_as_good_as_its_card_says() -> None:
    flow = load("digits-demo")
    held_out = RunFolder(find_run("digits-demo")).read_config()["data"]
    assert held_out["validation"] == 0.2
    images = load_images("digits", DataConfig(split="validation", validation=0.2))
    bits = measure(flow, images, seed=0).bits_per_dim
    card = (pretrained()["digits-demo"] / "README.md").read_text()
    assert f"{bits:.2f} bits/dim" in card
    drawn = flow.sample(None, torch.arange(10), temperature=0.7)
    assert drawn.shape == (10, 1, 8, 8)
