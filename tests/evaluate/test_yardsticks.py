from __future__ import annotations

import math
import zlib

import pytest
import torch
from sklearn.datasets import load_digits

from lambent.data import DataConfig, Images, load_images
from lambent.evaluate import yardsticks


def draw(seed: int, n: int, grey_levels: int = 4, channels: int = 1) -> Images:
    """Images of 2 x 2 whose neighbours agree."""
    generator = torch.Generator().manual_seed(seed)
    common = torch.randn(n, 1, 1, 1, generator=generator)
    levels = (1.5 + common + 0.4 * torch.randn(n, channels, 2, 2, generator=generator)).round()
    pixels = (levels.clamp(0, grey_levels - 1) * 256 / grey_levels).ceil()
    return Images(pixels.to(torch.uint8), grey_levels=grey_levels)


def test_uniform_is_the_number_of_levels() -> None:
    assert yardsticks(draw(0, 5), draw(1, 5))["uniform"] == 2.0
    assert yardsticks(draw(0, 5, 17), draw(1, 5, 17))["uniform"] == math.log2(17)


def test_histogram_by_hand() -> None:
    """Two pixels, two levels: counts (3, 0) and (1, 2) become (4, 1) / 5 and (2, 3) / 5."""
    train = Images(
        torch.tensor([[0, 0], [0, 128], [127, 255]], dtype=torch.uint8).view(3, 1, 1, 2),
        grey_levels=2,
    )
    held_out = Images(
        torch.tensor([[0, 128], [200, 0]], dtype=torch.uint8).view(2, 1, 1, 2), grey_levels=2
    )
    expected = -(math.log2(4 / 5) + math.log2(3 / 5) + math.log2(1 / 5) + math.log2(2 / 5)) / 4
    assert yardsticks(train, held_out)["histogram"] == pytest.approx(expected, abs=1e-12)


def test_histogram_keeps_channels_apart_beyond_one_part() -> None:
    """Each of 2 x 50 x 50 = 5,000 dims is constant but its own: almost free only if kept apart."""
    pixels = torch.randint(0, 256, (1, 2, 50, 50), generator=torch.Generator().manual_seed(0))
    train = Images(pixels.to(torch.uint8).repeat(20, 1, 1, 1))
    result = yardsticks(train, train.subset(slice(0, 1)))
    assert result["histogram"] == pytest.approx(-math.log2(21 / 276), abs=1e-12)
    assert "gaussian" not in result  # more dimensions than it is fitted to
    assert "png" not in result  # two channels


@pytest.mark.parametrize("channels", [1, 3])
def test_gaussian_is_the_mean_density_of_dequantised_levels(channels: int) -> None:
    train, held_out = draw(0, 300, channels=channels), draw(1, 100, channels=channels)
    levels = [(images.images.flatten(1).long() * 4 // 256).double() for images in (train, held_out)]
    covariance = levels[0].T.cov(correction=0) + torch.eye(4 * channels).double() / 12
    scale = 0.999 + 0.001 * torch.eye(4 * channels).double()
    density = torch.distributions.MultivariateNormal(
        levels[0].mean(0) + 0.5, covariance_matrix=covariance * scale
    )
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(400, *levels[1].shape, generator=generator, dtype=torch.float64)
    bits = -density.log_prob(levels[1] + noise).mean(1) / (4 * channels * math.log(2))
    error = float(bits.std()) / math.sqrt(400)
    result = yardsticks(train, held_out)["gaussian"]
    assert 0 < error < 0.01
    assert abs(result - float(bits.mean())) < 4 * error
    # The mean over the noise in closed form: the density at the middle, less tr(S^-1) / 24.
    middle = density.log_prob(levels[1] + 0.5).mean() - density.precision_matrix.trace() / 24
    assert result == pytest.approx(-float(middle) / (4 * channels * math.log(2)), abs=1e-9)


def test_gaussian_is_a_bound() -> None:
    """A discrete code made from the same density, cell by cell, is no longer than the bound."""
    constant = Images(torch.full((10, 1, 1, 1), 128, dtype=torch.uint8), grey_levels=2)
    result = yardsticks(constant, constant)["gaussian"]
    sd = math.sqrt(1 / 12)
    inside = math.erf(0.5 / sd / math.sqrt(2))
    assert result == pytest.approx(0.5 * math.log2(2 * math.pi * math.e / 12), abs=1e-12)
    assert result > -math.log2(inside) > 0


def test_png_counts_whole_files() -> None:
    """A PNG is 57 bytes of frame and header around one zlib stream here."""
    pixels = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    stream = len(zlib.compress(b"\0" * 9 * 8, 9))
    result = yardsticks(Images(pixels, grey_levels=17), Images(pixels, grey_levels=17))
    assert result["png"] == pytest.approx(8 * (57 + stream) / 64, abs=8 * 3 / 64)
    loud = torch.randint(0, 256, (2, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    assert 8 < yardsticks(*[Images(loud.to(torch.uint8))] * 2)["png"] < 9


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    train, held_out = draw(0, 50), draw(1, 30)
    whole = yardsticks(train, held_out)
    monkeypatch.setitem(yardsticks.__globals__, "_BATCH", 7)
    monkeypatch.setitem(yardsticks.__globals__, "MOST_DIMS", 4)
    assert yardsticks(train, held_out) == pytest.approx(whole, abs=1e-12)


def test_digits() -> None:
    train = load_images("digits", DataConfig(validation=0.2))
    held_out = load_images("digits", DataConfig(validation=0.2, split="validation"))
    result = yardsticks(train, held_out)
    assert list(result) == ["uniform", "histogram", "gaussian", "png"]
    assert result["histogram"] == pytest.approx(2.439, abs=0.001)
    assert result["gaussian"] == pytest.approx(2.946, abs=0.001)
    assert len(load_digits().target) == len(train) + len(held_out)


def test_sets_must_match() -> None:
    with pytest.raises(ValueError, match=r"^held_out: expected shape \(1, 2, 2\).*given \(3, 2, 2"):
        yardsticks(draw(0, 5), draw(0, 5, channels=3))
    with pytest.raises(ValueError, match=r"^held_out: expected grey_levels 4 .*given 8"):
        yardsticks(draw(0, 5), draw(0, 5, 8))
