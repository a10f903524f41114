"""What one Glow holds in memory, measured in a process of its own and printed as JSON.

Activations are the peak of a forward and backward pass over what is there once the model is built,
minus one copy of the gradients. The step is a whole step of Adam, its parameters and state counted.
Each is given as bytes of live tensors and as resident memory, in MiB.

    python benchmarks/glow_memory.py ours_checkpoint pass --steps 32 --width 512
"""

from __future__ import annotations

import argparse
import json
import time

import torch
from competitors import NAMES, Competitor, competitor
from memory_probe import MIB, LiveBytes, resident, resident_peak, size_of


def one_pass(made: Competitor) -> dict[str, float]:
    """Activations of forward and backward, and what the forward pass leaves for the backward."""
    parameters = list(made.model.parameters())
    before = resident()
    peak = resident_peak(made.backward) - before
    made.model.zero_grad()
    with LiveBytes([*parameters, *made.model.buffers(), made.x]) as live:
        loss = made.nats().mean()
        kept = live.now
        loss.backward()
    gradients = size_of(parameters)
    return {
        "kept_by_forward": kept / MIB,
        "activations": (live.peak - gradients) / MIB,
        "activations_resident": (peak - gradients) / MIB,
    }


def one_step(made: Competitor, before: int) -> dict[str, float]:
    """The peak of steps of Adam, over the process without the model."""
    made.train()  # makes the optimiser's state
    peak = resident_peak(made.train) - before
    made.model.zero_grad()
    state = [v for s in made.optimizer.state.values() for v in s.values()]
    there = [*made.model.parameters(), *made.model.buffers(), made.x, *state]
    with LiveBytes(there) as live:
        made.train()
    return {"step": (size_of(there) + live.peak) / MIB, "step_resident": peak / MIB}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("measure", choices=["pass", "step"])
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--levels", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    competitor(options.name, steps=1, width=16).train()  # load the code before counting
    before = resident()
    sizes = {"steps": options.steps, "width": options.width, "batch": options.batch}
    shape = (3, options.side, options.side)
    made = competitor(options.name, shape=shape, levels=options.levels, **sizes)
    start = time.perf_counter()
    figures = one_pass(made) if options.measure == "pass" else one_step(made, before)
    figures = {name: round(value, 1) for name, value in figures.items()}
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({**figures, "seconds": seconds, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
