"""The examples that use a flow as a sampler, run small."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from lambent import DataConfig, load_images, seeded

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str) -> None:
    script = EXAMPLES / name
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(script), run_name="__main__")


@pytest.mark.slow
def test_an_iaf_learns_a_density_known_up_to_a_factor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("reverse_kl.py", "--steps", "400", "--out", str(tmp_path / "picture.png"))
    exact, by_weights, least = map(float, re.findall(r"(\d\.\d+) by", capsys.readouterr().out))
    assert exact == pytest.approx(1.878, abs=0.002)
    assert by_weights == pytest.approx(exact, abs=0.1)
    assert exact - 0.3 < least < exact
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_vae_is_no_worse_with_an_iaf_as_posterior(capsys: pytest.CaptureFixture[str]) -> None:
    run("vae_posterior.py", "--steps", "600", "--seeds", "1")
    normal, iaf = map(float, re.findall(r": (-\d+\.\d+) nats", capsys.readouterr().out))
    assert -40 < normal <= iaf < 0


@pytest.mark.slow
def test_calibration_is_pictured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("calibration.py", "--quick", "--out", str(tmp_path / "picture.png"))
    accuracy, off = map(float, re.findall(r"(?:^accuracy|most) (\d\.\d+)", capsys.readouterr().out))
    assert accuracy > 0.65
    assert off < 0.3
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.slow
def test_outliers_are_pictured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("outliers.py", "--quick", "--out", str(tmp_path / "picture.png"))
    alarms = float(re.findall(r"^FlowOutlierDetector: (\d\.\d+)", capsys.readouterr().out)[0])
    assert alarms < 0.2
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_flow_is_a_better_guide_than_a_normal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("pyro_guide.py", "--steps", "200", "--out", str(tmp_path / "picture.png"))
    normal, flow = map(float, re.findall(r"': (\d+\.\d+)", capsys.readouterr().out))
    assert flow < normal
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.slow
def test_joint_flows_of_toys_are_pictured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("joint_toys.py", "--steps", "60", "--only", "sectors", "--out", str(tmp_path))
    off = float(re.findall(r'"rule_error": ([\d.e-]+)', capsys.readouterr().out)[0])
    assert off < 0.05
    assert (tmp_path / "joint-sectors.png").stat().st_size > 10_000


@pytest.mark.slow
def test_finer_images_keep_to_the_coarse_ones_and_differ_at_edges() -> None:
    """From 4 x 4 to 8 x 8 pixels, held-out images."""
    example = runpy.run_path(str(EXAMPLES / "joint_digits.py"))
    unit, pooled = example["unit"], example["pooled"]
    train, held_out = (
        load_images("digits", DataConfig(split=split)) for split in ("train", "validation")
    )
    with seeded(0):
        flow, _ = example["stage"](unit(train[:][0]), steps=200)
        images, found = example["finer"](flow, pooled(unit(held_out[:32][0])), 64)
    assert images.shape == (32 * 64, 1, 8, 8)
    assert found["psnr_of_pooled"] > 40
    assert found["block_sum"] < 0.02
    assert 0 < found["deviation_in_flat_quarter"] < 0.8 * found["deviation_elsewhere"]
    assert found["condition_error_of_draws"] < 1e-3
