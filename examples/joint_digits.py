"""Joint flows of digits: given the label, and twice as fine given a coarse image.

    python examples/joint_digits.py --data MNIST --out pictures [--minutes 3] [--only superres]

`--data` is any set of grey images of a side that 4 divides; MNIST's is 28. The class-conditional
flow is of scikit-learn's digits 0 and 1. Super-resolution has two stages, each trained on true
images: from a quarter of the side to half, and from half to the whole; y is the coarse image
enlarged, x what is missing. Every 2 x 2 block of a right x sums to 0: sums and differences have
units of their own (`haar`), or that narrow direction would be out of the couplings' reach.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent import DataConfig, Flow, JointConfig, joint, joint_sample, load_images, seeded
from lambent.data import grid, write_picture
from lambent.train import train_on_draws

RESIDUAL_NOISE = 0.004
"""Standard deviation of what is added to x, whose blocks else lie in a plane without volume."""


def pooled(images: Tensor, factor: int = 2) -> Tensor:
    return F.avg_pool2d(images, factor)


def enlarged(images: Tensor) -> Tensor:
    return F.interpolate(images, scale_factor=2, mode="nearest")


def of_two_classes(minutes: float, out: Path) -> dict:
    """Digits 0 and 1 given the label."""
    digits = load_images("digits", DataConfig(split="all"))
    assert digits.labels is not None
    chosen = digits.subset(digits.labels < 2)
    x, y = chosen[:]
    assert y is not None
    config = JointConfig(
        shape=(1, 8, 8),
        grey_levels=17,
        conditioning="label",
        classes=2,
        couplings=14,
        width=16,
    )
    with seeded(0):
        flow = joint(config)

        def draw(n: int) -> tuple[Tensor, Tensor]:
            rows = torch.randint(len(x), (min(n, 512),))
            return x[rows], y[rows]

        steps = train_on_draws(
            flow, draw, steps=10**6, batch_size=32, anneal_steps=50, max_seconds=60 * minutes
        )
        drawn = joint_sample(flow, torch.arange(2), 32, temperature=0.9)
    write_picture(out / "joint-digits.png", enlarge_for_show(grid(drawn.x, 16)))
    return {
        "images": len(x),
        "steps": steps,
        "parameters": parameters(flow),
        "condition_error_of_draws": float(drawn.condition_error.mean()),
    }


def stage(high: Tensor, minutes: float | None = None, steps: int = 10**6) -> tuple[Flow, int]:
    """A flow of what images (n, 1, s, s) with values in [0, 1] lack at half the side."""
    side = high.shape[-1]
    flow = joint(
        JointConfig(
            shape=(1, side, side),
            context_shape=(1, side, side),
            couplings=14,
            width=16,
            condition_noise=0.02,
            haar=True,
        )
    )

    def draw(n: int) -> tuple[Tensor, Tensor]:
        some = high[torch.randint(len(high), (min(n, 512),))]
        y = enlarged(pooled(some))
        return some - y + RESIDUAL_NOISE * torch.randn_like(y), y

    seconds = None if minutes is None else 60 * minutes
    steps = train_on_draws(
        flow, draw, steps=steps, batch_size=16, anneal_steps=50, max_seconds=seconds
    )
    return flow, steps


def finer(flow: Flow, low: Tensor, n: int) -> tuple[Tensor, dict]:
    """Draws of images twice as fine, and how well they keep to the coarse ones."""
    y = enlarged(low)
    drawn = joint_sample(flow, y, n)
    repeated = y.repeat_interleave(n, 0)
    images = drawn.x + repeated
    off = pooled(images) - low.repeat_interleave(n, 0)
    deviation = images.unflatten(0, (-1, n)).std(1, correction=0)
    flat = enlarged(span(low)) <= span(low).quantile(0.25)
    return images, {
        "block_sum": float(4 * pooled(drawn.x).abs().mean()),
        "psnr_of_pooled": -10 * math.log10(float(off.square().mean())),
        "deviation_of_draws": float(deviation.mean()),
        "deviation_in_flat_quarter": float(deviation[flat].mean()),
        "deviation_elsewhere": float(deviation[~flat].mean()),
        "condition_error_of_draws": float(drawn.condition_error.mean()),
    }


def span(low: Tensor) -> Tensor:
    """Greatest less least among each pixel and its neighbours: small where there is no edge."""
    near = F.pad(low, (1, 1, 1, 1), mode="replicate")
    return F.max_pool2d(near, 3, 1) + F.max_pool2d(-near, 3, 1)


def super_resolution(data: str, minutes: float, out: Path) -> dict:
    """Both stages, and both in a row from the coarsest images."""
    train = load_images(data, DataConfig(split="train"))
    held_out = load_images(data, DataConfig(split="validation"))
    with seeded(0):
        fine = unit(train[:20_000][0])
        half = pooled(fine)
        flows = [stage(half, minutes), stage(fine, 2 * minutes)]
        truth = unit(held_out[:64][0])
        first = finer(flows[0][0], pooled(truth, 4), 64)[1]
        second = finer(flows[1][0], pooled(truth), 64)[1]
        truth = truth[:8]
        low = pooled(truth, 4)
        chained = finer(flows[1][0], finer(flows[0][0], low, 6)[0], 1)[0]
    show = [
        F.interpolate(low, size=truth.shape[-2:], mode="nearest")[:, None],
        chained.unflatten(0, (8, 6)),
        truth[:, None],
    ]
    rows = torch.cat(show, 1).flatten(0, 1)
    pixels = (255 * rows.clamp(0, 1)).round().to(torch.uint8)
    write_picture(out / "joint-superres.png", grid(pixels, 8))
    return {
        "images": len(fine),
        "stages": [
            {"side": s, "steps": steps, "parameters": parameters(flow), **found}
            for (flow, steps), found, s in zip(
                flows, (first, second), (half.shape[-1], fine.shape[-1]), strict=True
            )
        ],
    }


def unit(pixels: Tensor) -> Tensor:
    """8-bit pixels with noise, in [0, 1]."""
    return (pixels.float() + torch.rand(pixels.shape)) / 256


def parameters(flow: Flow) -> int:
    return sum(p.numel() for p in flow.parameters() if p.requires_grad)


def enlarge_for_show(picture: Tensor) -> Tensor:
    return picture.repeat_interleave(4, -1).repeat_interleave(4, -2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=3.0, help="of each flow; the last has two")
    parser.add_argument("--only", choices=("label", "superres"), help="one of the two parts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.only != "superres":
        print(json.dumps({"digits": of_two_classes(options.minutes, options.out)}), flush=True)
    if options.only != "label":
        found = super_resolution(options.data, options.minutes, options.out)
        print(json.dumps({"super_resolution": found}), flush=True)


if __name__ == "__main__":
    main()
