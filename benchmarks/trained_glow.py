"""Does a trained flow stay sound? Unseen images decoded exactly, samples finite and in range.

python benchmarks/trained_glow.py RUN DATA [--samples 1000] [--out FILE.json]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from emit import emit
from torch import Tensor

import lambent
from lambent.core import Flow
from lambent.data import DataConfig, load_images
from lambent.evaluate.bits import grey_levels
from lambent.store import RunFolder
from lambent.transforms import Dequantise

BATCH = 50


def before_clipping(flow: Flow, context: Tensor | None, temperature: float) -> tuple[Tensor, int]:
    """Samples on the scale of grey levels, before they are rounded and clipped, and the levels."""
    encoded = flow.encode_context(context)
    count = BATCH if context is None else 1
    x = flow.base.rsample(count, encoded, temperature=temperature)
    for step in reversed(list(flow.transform)):
        if isinstance(step, Dequantise):
            return x, step.levels
        x, _ = step.inverse(x, encoded)
    raise ValueError("run: expected a flow that dequantises")


@torch.no_grad()
def sampled(flow: Flow, classes: int | None, samples: int, temperature: float) -> dict:
    """Count what is not finite and what is out of range."""
    values = not_finite = outside = 0
    with lambent.seeded(0):
        for start in range(0, samples, BATCH):
            labels = None if classes is None else torch.arange(start, start + BATCH) % classes
            x, levels = before_clipping(flow, labels, temperature)
            x = x[: samples - start]
            values += x.numel()
            not_finite += int((~x.isfinite()).sum())
            outside += int(((x < 0) | (x >= levels)).sum())
    return {
        "temperature": temperature,
        "samples": samples,
        "not_finite": not_finite,
        "out_of_range": outside / values,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("data")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--temperature", type=float, nargs="+", default=[1.0, 0.7])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/trained_glow.json"))
    options = parser.parse_args()

    run = RunFolder(options.run)
    settings = run.read_config()
    chosen = {k: settings["data"][k] for k in ("size", "crop", "validation", "seed")}
    held_out = load_images(options.data, DataConfig(split="validation", **chosen))
    flow = lambent.load(options.run)
    conditional = flow.context_encoder is not None
    images, labels = held_out[: options.images]
    back = lambent.reconstruct(flow, images, labels if conditional else None)
    expected = held_out.quantised(grey_levels(flow) or 256)[: options.images][0]
    classes = flow.context_encoder.classes if conditional else None
    figures = {
        "model": settings["model"],
        "steps": torch.load(run.last, weights_only=True)["global_step"],
        "decoded_images": len(images),
        "decoded_exactly": int(torch.eq(back, expected).flatten(1).all(1).sum()),
        "samples": [sampled(flow, classes, options.samples, t) for t in options.temperature],
    }
    emit(figures, options.out)


if __name__ == "__main__":
    main()
