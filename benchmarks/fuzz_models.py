"""Load spoilt copies of a model's two files: each is refused with a reason, or is a working flow.

Anything else (another exception, a reason that does not name a file, a process started, memory that
grows with what a file claims) ends the script with an error that names the mutant.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from emit import emit
from mutations import OF_CONFIG, OF_WEIGHTS

from lambent import Flow, GlowConfig, glow, load, save, seeded

FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
)
FORBIDDEN += ("pickle.find_class", "import")  # what a model needs was imported for the originals
MEMORY_MIB = 256
SECONDS = 10.0
FORMS: tuple[dict[str, Any], ...] = (
    {},
    {"permutation": "shuffle", "coupling": "additive"},
    {"permutation": "conv", "conditioning": "top", "classes": 3},
    {"conditioning": "strong", "classes": 3, "class_features": 4},
)


def peak_mib() -> float:
    """Largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def works(flow: Flow) -> None:
    """The likelihood of two blank images, one row each."""
    if math.prod(flow.event_shape) > 2**16:
        return  # a legal config of larger pictures
    labels = torch.zeros(2, dtype=torch.long) if flow.context_encoder else None
    with torch.no_grad():
        value = flow.log_prob(torch.zeros(2, *flow.event_shape, dtype=torch.uint8), labels)
    assert value.shape == (2,), value.shape


def outcome(folder: Path) -> str:
    """What came of loading a folder."""
    try:
        flow = load(folder)
    except ValueError as error:
        said = str(error)
        assert said.startswith(str(folder)), said
        assert "\n" not in said, said
        assert len(said) < 1500, said
        return "refused for config.json" if "config.json: " in said else "refused for the weights"
    works(flow)
    return "loaded"


def fuzz(count: int, seed: int) -> dict[str, Any]:
    """Spoil, load, count."""
    draw = random.Random(seed)
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        originals = []
        for index, form in enumerate(FORMS):
            original = Path(scratch) / f"original{index}"
            sizes = {"shape": (1, 8, 8), "grey_levels": 17, "steps": 1, "width": 4}
            with seeded(index):
                save(glow(GlowConfig(**{**sizes, **form})), original)
            works(load(original))
            originals.append({p.name: p.read_bytes() for p in original.iterdir()})
        guard: dict[str, bool] = {"on": True}

        def watch(event: str, _: Any) -> None:
            if guard["on"] and event in FORBIDDEN:
                raise AssertionError(f"loading a model led to {event}")

        sys.addaudithook(watch)
        before = peak_mib()
        folder = Path(scratch) / "spoilt"
        folder.mkdir()
        for number in range(count):
            files = dict(draw.choice(originals))
            name = ("config.json", "model.safetensors")[number % 2]
            mutation = draw.choice(OF_WEIGHTS if number % 2 else OF_CONFIG)
            files[name] = mutation(files[name], draw)
            for file, content in files.items():
                (folder / file).write_bytes(content)
            start = time.monotonic()
            try:
                found = outcome(folder)
            except BaseException as error:
                raise RuntimeError(
                    f"mutant {number} ({mutation.__name__}) of seed {seed}"
                ) from error
            slowest = max(slowest, time.monotonic() - start)
            outcomes[found] += 1
            kinds[mutation.__name__] += 1
        guard["on"] = False
        grown = peak_mib() - before
    assert slowest < SECONDS, slowest
    assert grown < MEMORY_MIB, grown
    return {
        "mutants": count,
        "seed": seed,
        "outcomes": dict(sorted(outcomes.items())),
        "mutations": dict(sorted(kinds.items())),
        "peak_memory_grew_mib": round(grown, 1),
        "slowest_seconds": round(slowest, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a JSON file to write")
    options = parser.parse_args()
    emit(fuzz(options.n, options.seed), options.out)


if __name__ == "__main__":
    main()
