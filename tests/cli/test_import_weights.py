from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lambent import import_weights, load

from ..hub import rosinality
from ..hub.flownets import Model
from .conftest import Run


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights in each layout, and some that are none."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    save_file(rosinality.state_dict(1, flows=1), folder / "rosinality.safetensors")
    for layout in ("y0ast", "chaiyujin"):
        model = Model(layout, shape=(1, 8, 8), steps=1)
        torch.save({"model": model.state}, folder / f"{layout}.pt")
    reverse = Model("y0ast", shape=(1, 8, 8), steps=1, permutation="reverse")
    torch.save(reverse.state, folder / "reverse.pt")
    classes = Model("y0ast", shape=(1, 8, 8), steps=1, classes=3)
    torch.save(classes.state, folder / "classes.pt")
    (folder / "text.pt").write_text("no weights")
    torch.save({"weight": torch.zeros(1)}, folder / "other.pt")
    lacking = Model("chaiyujin", steps=1).state
    del lacking["flow.layers.1.actnorm.logs"]
    torch.save(lacking, folder / "lacking.pt")
    return folder


SIZE = ("--shape", "1,8,8", "--grey-levels", "32")


@pytest.mark.parametrize(
    ("name", "layout", "options"),
    [
        ("rosinality.safetensors", "rosinality", SIZE),
        ("y0ast.pt", "y0ast", ("--layout", "y0ast")),
        ("chaiyujin.pt", "chaiyujin", ("--shape", "[1, 8, 8]")),
        ("reverse.pt", "y0ast", ("--permutation", "reverse")),
        ("classes.pt", "y0ast", ()),
    ],
)
def test_a_folder_that_every_command_takes(
    name: str, layout: str, options: tuple[str, ...], files: Path, lambent: Run, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    figures = lambent("import-weights", files / name, "--out", out, *options, "--json").figures
    flow = load(out)
    assert figures["out"] == str(out)
    assert figures["layout"] == layout
    assert figures["parameters"] == sum(p.numel() for p in flow.parameters())
    assert (figures["shape"], figures["levels"], figures["steps"]) == ([1, 8, 8], 2, 1)
    about = lambent("info", out, "--json").figures
    assert about["family"] == "glow"
    assert about["model"]["scale"] == "released"
    said = lambent("sample", out, "--n", 3, "--out", tmp_path / "grid.png", "--json")
    assert said.figures["images"] == 3


def test_folder_holds_what_the_function_returns(files: Path, lambent: Run, tmp_path: Path) -> None:
    said = lambent("import-weights", files / "chaiyujin.pt", "--out", tmp_path / "model")
    assert said.code == 0
    assert said.err == ""
    assert "layout" in said.out
    assert "chaiyujin" in said.out
    found = load(tmp_path / "model").state_dict()
    expected = import_weights(files / "chaiyujin.pt").state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


BAD: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no file": (("{files}/none.pt",), ("source: expected a file of weights, got", "none.pt'")),
    "a folder": (("{files}",), ("source: expected a file of weights",)),
    "no weights": (("{files}/text.pt",), ("source: expected readable weights in", "text.pt")),
    "other weights": (("{files}/other.pt",), ("source: expected a Glow in the layout of",)),
    "a key missing": (
        ("{files}/lacking.pt",),
        ("flow.layers.1.actnorm.logs: expected in the layout 'chaiyujin', not found",),
    ),
    "no shape": (("{files}/rosinality.safetensors",), ("shape: expected (channels, height",)),
    "no grey levels": (
        ("{files}/rosinality.safetensors", "--shape", "1,8,8"),
        ("grey_levels: expected a number",),
    ),
    "shape": (
        ("{files}/y0ast.pt", "--shape", "8x8"),
        ("shape: expected channels,height,width, such as 3,32,32, got '8x8'",),
    ),
    "layout": (
        ("{files}/y0ast.pt", "--layout", "openai"),
        ("layout: expected one of 'rosinality', 'y0ast', 'chaiyujin', got 'openai'",),
    ),
    "layout of another": (
        ("{files}/y0ast.pt", "--layout", "chaiyujin"),
        ("expected in the layout 'chaiyujin', not found",),
    ),
    "no order": (("{files}/reverse.pt",), ("permutation: expected 'reverse', or the order",)),
    "option": (("{files}/y0ast.pt", "--greylevels", "3"), ("did you mean '--grey-levels'",)),
}


@pytest.mark.parametrize("case", BAD)
def test_one_line_says_what_was_wrong(case: str, files: Path, lambent: Run, tmp_path: Path) -> None:
    arguments, words = BAD[case]
    given = [argument.format(files=files) for argument in arguments]
    said = lambent("import-weights", *given, "--out", tmp_path / "model")
    assert said.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("lambent import-weights: error: ")
    for word in words:
        assert word in said.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(files: Path, lambent: Run, plain: Path, tmp_path: Path) -> None:
    before = (plain / "config.json").read_text()
    said = lambent("import-weights", files / "y0ast.pt", "--out", plain)
    assert said.code == 2
    assert f"out: {plain} holds a model already; choose another folder" in said.err
    assert (plain / "config.json").read_text() == before
    (tmp_path / "file").write_text("mine")
    for out, words in (
        ("file", "out: expected a folder, got the file"),
        ("file/in", "out: expected a folder that can be written, got"),
    ):
        said = lambent("import-weights", files / "y0ast.pt", "--out", tmp_path / out)
        assert said.code == 2
        assert words in said.err
    assert (tmp_path / "file").read_text() == "mine"
