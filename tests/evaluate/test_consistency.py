from __future__ import annotations

import math

import pytest
import torch

from lambent import GlowConfig, Images, glow, measure
from lambent.evaluate import measure_consistency, psnr_of

SMALL = GlowConfig(shape=(1, 8, 8), grey_levels=256, steps=1, width=8)
TASK = GlowConfig(
    **{**vars(SMALL), "conditioning": "image", "task": "inpaint:4", "context_features": 4}
)


@pytest.fixture
def images() -> Images:
    generator = torch.Generator().manual_seed(0)
    return Images(torch.randint(256, (20, 1, 8, 8), dtype=torch.uint8, generator=generator))


def test_psnr() -> None:
    assert psnr_of(torch.tensor([255.0**2, 255.0**2])) == 0
    assert psnr_of(torch.tensor([0.0, 2 * 2.55**2])) == pytest.approx(40)
    assert psnr_of(torch.zeros(2)) == math.inf


def test_draws_of_an_untrained_flow_hardly_agree(images: Images) -> None:
    found = measure_consistency(glow(TASK), images, batch_size=8)
    assert found.images == 20
    assert 0 < found.psnr < 20
    assert measure_consistency(glow(TASK), images, seed=1).psnr != found.psnr


def test_it_takes_a_task(images: Images) -> None:
    with pytest.raises(ValueError, match=r"^task: expected a flow with an image-to-image task"):
        measure_consistency(glow(SMALL), images)


def test_likelihood_is_said_to_be_given_the_image(images: Images) -> None:
    assert measure(glow(TASK), images, bootstrap=1).given == "image"
    with pytest.raises(ValueError, match=r"^marginal: expected .* got one of the image"):
        measure(glow(TASK), images, marginal=True)
