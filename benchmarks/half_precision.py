"""What conditioners in bfloat16 do to bits per dimension, and to the time of a training step.

Trains a small Glow on scikit-learn's digits in float32, then measures the same weights on the
held-out digits with float32 and with bfloat16 conditioners under the same noise, and takes training
steps of either kind in turn; those in float32 on the plain path too, which is the one that bfloat16
takes. Two more models are trained for fewer steps under the same seed, one in bfloat16, and both
are measured in float32.

    python benchmarks/half_precision.py [--steps 300] [--fewer 60] [--device cpu] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from emit import emit

import lambent
from lambent.core.device import pick_device
from lambent.data import DataConfig, Images, load_images
from lambent.nn.fast import plain
from lambent.nn.precision import Precision, conditioner_precision, gains_from_bfloat16
from lambent.train.objectives import MaximumLikelihood, bits_per_dim

SPLIT = {"validation": 0.2, "seed": 0}
KINDS: tuple[Precision, ...] = ("float32", "bfloat16")
STEPS = ("float32", "float32_plain", "bfloat16")
PRODUCT = 1024
"""Side of the matrices whose product says what the machine gains."""


def trained(
    train: Images,
    held_out: Images,
    precision: Precision,
    steps: int,
    options: argparse.Namespace,
) -> lambent.Flow:
    """A flow with the weights that its run found best."""
    with lambent.seeded(0):
        flow = lambent.glow(
            lambent.GlowConfig(
                shape=tuple(train.shape), grey_levels=17, levels=2, steps=4, width=options.width
            )
        )
    config = lambent.TrainConfig(
        batch_size=64,
        max_steps=steps,
        validate_every=100,
        warmup_steps=20,
        patience=None,
        precision=precision,
    )
    fitted = lambent.fit(flow, train, held_out, config=config, seed=0, device=options.device)
    assert fitted.precision == precision
    return flow.to(pick_device(options.device))


@torch.no_grad()
def bits(flow: lambent.Flow, images: Images, precision: Precision) -> float:
    """Bits per dimension under one noise."""
    device = next(flow.parameters()).device
    with lambent.seeded(0), conditioner_precision(device, precision):
        log_prob = flow(images.images.to(device))
    return float(bits_per_dim(flow, log_prob))


def step_seconds(flow: lambent.Flow, x: torch.Tensor, kind: str) -> float:
    """Of a loss and its gradients; the optimiser's part does not depend on the precision."""
    flow.zero_grad()
    start = time.perf_counter()
    with plain() if kind == "float32_plain" else nullcontext():
        loss, _ = MaximumLikelihood()(flow, x, None, kind.removesuffix("_plain"))
        loss.backward()
    if x.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def product_seconds(device: torch.device, dtype: torch.dtype) -> float:
    """Of one product of square matrices."""
    a = torch.randn(PRODUCT, PRODUCT, device=device, dtype=dtype)
    start = time.perf_counter()
    for _ in range(5):
        a @ a
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / 5


def in_turn(rounds: int, *runs: Callable[[], float]) -> list[list[float]]:
    """The times of several things done in turn, the first round dropped."""
    times = [[run() for run in runs] for _ in range(rounds + 1)]
    return [list(column) for column in zip(*times[1:], strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--fewer", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    train = load_images("digits", DataConfig(split="train", **SPLIT))
    held_out = load_images("digits", DataConfig(split="validation", **SPLIT))

    flow = trained(train, held_out, "float32", options.steps, options)
    found = {kind: bits(flow, held_out, kind) for kind in KINDS}
    learned = {
        kind: bits(trained(train, held_out, kind, options.fewer, options), held_out, "float32")
        for kind in KINDS
    }
    x = train.images[:64].to(device)
    flow.train()
    steps = in_turn(
        options.rounds, *(lambda kind=kind: step_seconds(flow, x, kind) for kind in STEPS)
    )
    best = {kind: min(times) for kind, times in zip(STEPS, steps, strict=True)}
    wide, narrow = in_turn(
        options.rounds,
        *(lambda t=t: product_seconds(device, t) for t in (torch.float32, torch.bfloat16)),
    )
    capabilities = torch.cpu.get_capabilities()
    emit(
        {
            "device": device.type,
            "threads": torch.get_num_threads(),
            "avx512_bf16": bool(capabilities.get("avx512_bf16")),
            "amx_bf16": bool(capabilities.get("amx_bf16")),
            "auto": "bfloat16" if gains_from_bfloat16(device) else "float32",
            "width": options.width,
            "steps": options.steps,
            "images": len(held_out),
            "bits_per_dim": {kind: round(v, 6) for kind, v in found.items()},
            "shift_of_the_same_weights": round(found["bfloat16"] - found["float32"], 6),
            "fewer_steps": options.fewer,
            "bits_per_dim_trained_in": {kind: round(v, 6) for kind, v in learned.items()},
            "shift_of_training": round(learned["bfloat16"] - learned["float32"], 6),
            "step_ms": {
                kind: round(1e3 * statistics.median(times), 2)
                for kind, times in zip(STEPS, steps, strict=True)
            },
            "time_ratios_of_best": {
                "bfloat16_to_float32": round(best["bfloat16"] / best["float32"], 2),
                "bfloat16_to_float32_plain": round(best["bfloat16"] / best["float32_plain"], 2),
                "products": round(min(narrow) / min(wide), 2),
            },
        },
        options.out,
    )


if __name__ == "__main__":
    main()
