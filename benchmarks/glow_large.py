"""Training steps of the CelebA-HQ preset at batch 1, and the memory they take; prints JSON.

The data-dependent layers are set from 4 images without gradient; optimiser and step sizes are the
preset's. The figure is the peak resident memory of the whole process, Python and torch included.

    python benchmarks/glow_large.py inverse [--steps 2]
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from importlib.resources import files

import torch
import yaml
from competitors import pictures

import lambent
from lambent.train import TrainConfig
from lambent.train.optimizers import optimizer_for, rate_of

PRESET = "glow_celebahq256"


def peak_mib() -> float:
    """The most this process has had resident so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recompute", choices=["never", "checkpoint", "inverse"])
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--depth", type=int, help="steps of flow a level, for a short trial")
    options = parser.parse_args()
    text = (files("lambent") / f"configs/{PRESET}.yaml").read_text()
    settings = yaml.safe_load(text)
    fields = {k: v for k, v in settings["model"].items() if k != "family"}
    fields |= {"recompute": options.recompute, "shape": tuple(fields["shape"])}
    fields |= {"steps": options.depth} if options.depth else {}
    torch.manual_seed(0)
    flow = lambent.glow(lambent.GlowConfig(**fields))
    images = pictures(fields["shape"], 4)
    lambent.initialize(flow, images)
    initialised = peak_mib()
    config = TrainConfig(**settings["train"])
    optimizer = optimizer_for(flow, config, lambda _: None)
    bits, seconds = [], []
    for step in range(options.steps):
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * rate_of(config, step)
        optimizer.zero_grad()
        loss = -flow.log_prob(images[step % 4 :][:1]).mean() / images[0].numel()
        loss.backward()
        optimizer.step()
        seconds.append(round(time.perf_counter() - start, 1))
        bits.append(round(float(loss) / 0.6931471805599453, 4))
    parameters = sum(p.numel() for p in flow.parameters())
    figures = {
        "recompute": options.recompute,
        "parameters": parameters,
        "state_mib": round(4 * 4 * parameters / 2**20, 1),
        "peak_resident_mib": peak_mib(),
        "peak_of_initialisation_mib": initialised,
        "bits_per_dim": bits,
        "seconds": seconds,
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
