from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lambent.data import DataConfig
from lambent.data.prepare import prepare

Noise = Callable[..., npt.NDArray[np.uint8]]


def prepared(array: npt.NDArray[np.uint8], **settings: object) -> npt.NDArray[np.uint8]:
    return np.asarray(prepare(Image.fromarray(array), DataConfig(**settings)))  # type: ignore[arg-type]


def test_shrinking_by_whole_factors_averages(noise: Noise) -> None:
    array = noise(0, 6, 8)
    means = array.reshape(2, 3, 4, 2).mean((1, 3))
    for resample in ("auto", "area"):
        result = prepared(array, size=(2, 4), resample=resample)
        assert np.abs(result - means).max() <= 1  # LANCZOS is off by 20


@pytest.mark.parametrize("size", [(4, 4), (12, 16), (6, 7)], ids=["shrink", "grow", "one side"])
def test_other_resizes_use_lanczos_unless_told(size: tuple[int, int], noise: Noise) -> None:
    array = noise(0, 6, 8)
    image = Image.fromarray(array)
    lanczos = np.asarray(image.resize(size[::-1], Image.Resampling.LANCZOS))
    box = np.asarray(image.resize(size[::-1], Image.Resampling.BOX))
    assert np.array_equal(prepared(array, size=size), lanczos)
    assert np.array_equal(prepared(array, size=size, resample="lanczos"), lanczos)
    assert np.array_equal(prepared(array, size=size, resample="area"), box)


def test_halving_averages_and_rounds_down_each_time(noise: Noise) -> None:
    array = noise(0, 8, 16, 3)
    once = array.reshape(4, 2, 8, 2, 3).astype(int).sum((1, 3)) // 4
    twice = once.reshape(2, 2, 4, 2, 3).sum((1, 3)) // 4
    assert np.array_equal(prepared(array, size=(2, 4), resample="halve"), twice)
    with pytest.raises(ValueError, match=r"^resample: .* halving 8 x 16 leads to, given 3 x 4"):
        prepared(array, size=(3, 4), resample="halve")


def test_same_size_is_untouched(noise: Noise) -> None:
    array = noise(0, 6, 8, 3)
    for resample in ("auto", "area", "lanczos", "halve"):
        assert np.array_equal(prepared(array, size=(6, 8), resample=resample), array)


def test_crop_takes_the_centre(noise: Noise) -> None:
    array = noise(0, 6, 10)
    assert np.array_equal(prepared(array, crop=True), array[:, 2:8])
    assert np.array_equal(prepared(array, size=6, crop=True), array[:, 2:8])
    assert np.array_equal(prepared(array, size=(2, 10), crop=True), array[2:4])
    assert np.array_equal(prepared(array.T.copy(), crop=True), array.T[2:8])


def test_the_shorter_side_decides(noise: Noise) -> None:
    array = noise(0, 6, 9)
    assert prepared(array, shorter_side=4).shape == (4, 6)
    assert prepared(array.T.copy(), shorter_side=4).shape == (6, 4)
    assert np.array_equal(prepared(array, shorter_side=6), array)


def test_padding_is_black_and_windows_are_central(noise: Noise) -> None:
    array = noise(0, 4, 5, 3)
    padded = prepared(array, pad=2)
    assert padded.shape == (8, 9, 3)
    assert np.array_equal(padded[2:6, 2:7], array)
    assert padded.sum() == array.sum()
    assert np.array_equal(prepared(array, window=(2, 3)), array[1:3, 1:4])
    with pytest.raises(ValueError, match=r"^window: .* at least 5 x 5 .*, given 4 x 5"):
        prepared(array, window=5)


def test_grey_by_luma_and_colour_by_repeating(noise: Noise) -> None:
    colour = noise(0, 4, 5, 3)
    luma = colour @ np.array([0.299, 0.587, 0.114])
    grey = prepared(colour, channels=1)
    assert grey.shape == (4, 5)
    assert np.abs(grey - luma).max() <= 1
    back = prepared(grey, channels=3)
    assert np.array_equal(back, np.repeat(grey[..., None], 3, 2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pad": -1}, "pad: expected a number from 0, given -1"),
        ({"window": 0}, "window: expected a positive number of pixels"),
        ({"shorter_side": 4, "size": 4}, "shorter_side: .* no size, given 4 and size 4"),
        ({"grey_levels": 300}, "grey_levels: expected 2 to 256, given 300"),
    ],
)
def test_refuses(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataConfig(**settings)  # type: ignore[arg-type]
