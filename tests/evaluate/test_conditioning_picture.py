"""Pictures of singular values, with and without images beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lambent import Compose, Flow
from lambent.distributions import StandardNormal
from lambent.evaluate import draw_conditioning, measure_conditioning
from lambent.transforms import Flatten, InvertibleConv1x1, Scale


def flow(channels: int) -> Flow:
    steps = Compose(InvertibleConv1x1(channels), Flatten((channels, 4, 4)), Scale((16 * channels,)))
    return Flow(steps, StandardNormal((16 * channels,)))


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_images_have_directions_beside_the_values(channels: int, tmp_path: Path) -> None:
    x = torch.rand(2, channels, 4, 4)
    for settings in ({}, {"exact_dims": 8, "extremes": 2}):
        found = measure_conditioning(flow(channels), x, **settings)
        draw_conditioning(found, tmp_path / "c.png")
        with Image.open(tmp_path / "c.png") as picture:
            assert (picture.width > 1.4 * picture.height) == (channels != 2)
            assert np.asarray(picture.convert("L")).std() > 10
