"""From import to a trained, measured, sampled and saved flow."""

from __future__ import annotations

import argparse
import math
import sys

import torch

import lambent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", default="digits-model")
    options = parser.parse_args()

    data = lambent.load_images("digits", lambent.DataConfig(validation=0.2))
    flow = lambent.glow(lambent.GlowConfig(shape=data.shape, grey_levels=data.grey_levels))
    lambent.fit(flow, data, config=lambent.TrainConfig(max_steps=options.steps))
    images, _ = data[:16]
    bits = -flow.log_prob(images).mean().item() / (math.prod(data.shape) * math.log(2))
    samples = flow.sample(16, temperature=0.7)
    exact = torch.equal(flow.decode(flow.encode(images)), images)
    lambent.save(flow, options.out)
    flow = lambent.load(options.out)
    sys.stdout.write(
        f"{bits:.2f} bits/dim, samples {tuple(samples.shape)}, decodes exactly: {exact}\n"
    )


if __name__ == "__main__":
    main()
