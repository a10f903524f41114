"""encode, decode and score: every pixel, and every image's bits, through files."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pyarrow import parquet

from lambent import load, load_images, measure, seeded
from lambent.cli.progress import progress
from lambent.data import DataConfig
from lambent.evaluate import score

from .conftest import Run
from .test_commands import documented, held_out

SUFFIXES = ("npz", "parquet")


def columns_of(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found}
    table = parquet.read_table(path)
    return {name: np.array(table.column(name).to_pylist()) for name in table.column_names}


@pytest.mark.parametrize("latents", SUFFIXES)
@pytest.mark.parametrize("out", SUFFIXES)
def test_every_pixel_comes_back(
    lambent: Run, run: Path, tmp_path: Path, latents: str, out: str
) -> None:
    """Of a class-conditional flow, whose labels travel along."""
    z, x = tmp_path / f"new/z.{latents}", tmp_path / f"x.{out}"
    said = lambent("encode", run, "--data", "digits", "--out", z, "--batch-size", 100, "--json")
    assert said.code == 0, said.err
    assert said.err == ""
    assert set(said.figures) == documented("encode")
    assert (said.figures["images"], said.figures["dims"]) == (359, 64)
    images = load_images("digits", held_out())
    assert images.labels is not None
    found = columns_of(z)
    assert np.array_equal(found["index"], np.arange(359))
    assert np.array_equal(found["label"], images.labels)
    expected = load(run).encode(images.images, images.labels)
    np.testing.assert_allclose(found["latent"], expected, atol=1e-5)
    said = lambent("decode", run, "--latents", z, "--out", x, "--batch-size", 77, "--json")
    assert said.code == 0, said.err
    assert set(said.figures) == documented("decode")
    if out == "npz":
        decoded = columns_of(x)
        pixels, labels = decoded["images"], decoded["labels"]
    else:
        back = load_images(str(x), DataConfig(split="all"))
        assert back.labels is not None
        pixels, labels = back.images.numpy(), back.labels.numpy()
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, images.images)
    assert np.array_equal(labels, images.labels)


def test_labels_keep_their_numbers(lambent: Run, run: Path, tmp_path: Path) -> None:
    """Where some classes have no image, a reader would number the others anew."""
    labels = np.array([3, 7, 7])
    np.savez(tmp_path / "z.npz", latent=np.zeros((3, 64)), label=labels)
    lambent("decode", run, "--latents", tmp_path / "z.npz", "--out", tmp_path / "x.parquet")
    back = load_images(str(tmp_path / "x.parquet"), DataConfig(split="all"))
    assert np.array_equal(back.labels, labels)
    assert back.classes == 10


def test_without_classes(lambent: Run, plain: Path, tmp_path: Path) -> None:
    """Labels are kept where known, and not needed; latents of one's own need no more."""
    z, x = tmp_path / "z.npz", tmp_path / "x.npz"
    lambent("encode", plain, "--data", "digits", "--out", z)
    assert sorted(columns_of(z)) == ["index", "label", "latent"]
    with seeded(0):
        own = torch.randn(5, 64)
    np.savez(z, latent=own.double().numpy())
    said = lambent("decode", plain, "--latents", z, "--out", x)
    assert said.code == 0, said.err
    found = columns_of(x)
    assert sorted(found) == ["images"]
    assert np.array_equal(found["images"], load(plain).decode(own))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_score(lambent: Run, run: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"s.{suffix}"
    arguments = ("score", run, "--data", "digits", "--out", out, "--seed", 3, "--json")
    said = lambent(*arguments)
    assert said.code == 0, said.err
    assert set(said.figures) <= documented("score")
    images = load_images("digits", held_out())
    found = columns_of(out)
    assert sorted(found) == ["bits_per_dim", "index", "label"]
    assert np.array_equal(found["index"], np.arange(359))
    assert np.array_equal(found["label"], images.labels)
    parts: list[torch.Tensor] = []
    score(load(run), images, parts.append, seed=3)
    assert np.array_equal(found["bits_per_dim"], torch.cat(parts))
    whole = measure(load(run), images, seed=3)
    assert said.figures["bits_per_dim"] == pytest.approx(whole.bits_per_dim, abs=1e-6)
    assert found["bits_per_dim"].mean() == pytest.approx(whole.bits_per_dim, abs=1e-6)
    lambent(*arguments)
    assert np.array_equal(columns_of(out)["bits_per_dim"], found["bits_per_dim"])
    lambent(*arguments, "--importance-samples", 4)
    assert columns_of(out)["bits_per_dim"].mean() < found["bits_per_dim"].mean()


def test_evaluate_by_several_draws(lambent: Run, run: Path) -> None:
    arguments = ("evaluate", run, "--data", "digits", "--json", "--bootstrap", 200)
    one = lambent(*arguments).figures
    several = lambent(*arguments, "--importance-samples", 3).figures
    assert set(several) <= documented("evaluate")
    assert several["importance_samples"] == 3
    assert several["reading"].endswith(", importance-weighted over 3 draws of the noise")
    assert "importance_samples" not in one
    result = measure(
        load(run), load_images("digits", held_out()), importance_samples=3, bootstrap=200
    )
    assert several["bits_per_dim"] == pytest.approx(result.bits_per_dim, abs=1e-6)
    assert several["bits_per_dim"] < one["bits_per_dim"]
    assert result.interval is not None
    assert several["interval"] == pytest.approx(list(result.interval), abs=1e-6)
    low, high = several["interval"]
    assert low < several["bits_per_dim"] < high
    assert high - low == pytest.approx(4 * several["standard_error"], rel=0.3)


def test_evaluate_weights_of_checkpoints(lambent: Run, run: Path) -> None:
    arguments = ("evaluate", run, "--data", "digits", "--json", "--weights")
    names = ("model", "best-averaged", "best-raw", "last-averaged", "last-raw")
    found = {name: lambent(*arguments, name).figures for name in names}
    bits = {name: figures["bits_per_dim"] for name, figures in found.items()}
    assert bits["best-averaged"] == bits["model"]
    assert bits["best-raw"] != bits["model"]
    assert bits["last-raw"] != bits["last-averaged"]
    assert found["best-raw"]["weights"] == "best-raw"
    assert "weights" not in found["model"]


def test_export(lambent: Run, plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "encode.pt2"
    said = lambent("export", plain, "--what", "encode", "--out", out, "--json")
    assert said.code == 0, said.err
    assert said.err == ""
    figures = said.figures
    assert set(figures) == documented("export")
    assert figures["inputs"] == {"images": "uint8 (b, 1, 8, 8)"}
    assert figures["outputs"] == {"latents": "float32 (b, 64)"}
    assert figures["largest_difference"] < 1e-4
    assert figures["bytes"] == out.stat().st_size
    images = load_images("digits", held_out())
    program = torch.export.load(out).module()
    expected = load(plain).encode(images.images)
    torch.testing.assert_close(program(images=images.images), expected, rtol=0, atol=1e-5)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    with progress("score", 10) as done:
        done(4)
    assert "score" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with progress("score", 10) as done:
        done(4)
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]
