"""Read a folder of many small pictures as training does, and watch the memory of the process.

    python benchmarks/stream_pictures.py [--dir DIR] [--count 200000] [--out docs/benchmarks]

Draws ``--count`` PNG files of 32 x 32 in sub-folders, which are their classes, opens the folder as
a set on disk, and reads it whole in shuffled batches through the loader of training. Resident
memory may rise by less than ``MAY_RISE`` MiB after the first tenth. The files are deleted again.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from emit import write_json, write_text
from PIL import Image
from rich.progress import track

from lambent.data import DataConfig, ImageSet, load_images
from lambent.data.on_disk import OnDisk
from lambent.train.batches import training_batches
from lambent.train.config import TrainConfig
from lambent.train.processes import Processes

SIDE = 32
CLASSES = 20
BATCH = 64
MAY_RISE = 64
"""MiB: about a tenth of what 200,000 decoded pictures take."""

BLOCK = 4096
"""Bytes of disk that a small file takes."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, help="where the pictures are drawn for the while")
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        check_room(Path(folder), options.count)
        sample = draw(Path(folder), options.count)
        figures = measure(Path(folder), options.count, sample)
    write_json(options.out / "stream_pictures.json", figures)
    write_text(options.out / "stream_pictures.md", page(figures))
    assert figures["rise_mib"] < MAY_RISE, figures


def check_room(folder: Path, count: int) -> None:
    """Raise unless the disk takes so many files twice over."""
    room, files = shutil.disk_usage(folder).free, os.statvfs(folder).f_favail
    if room < 2 * BLOCK * count or files < 2 * count:
        raise ValueError(
            f"dir: expected room for {2 * count} small files, given {room} bytes and {files} files"
        )


def draw(folder: Path, count: int) -> dict[int, bytes]:
    """Write the pictures; return the pixels of a few, by their places in the sorted set."""
    generator = np.random.default_rng(0)
    tones = np.linspace(0, 200, SIDE, dtype=np.uint8)
    noise = generator.integers(0, 56, (256, SIDE, SIDE, 3), dtype=np.uint8)
    for label in range(CLASSES):
        (folder / f"{label:02}").mkdir()
    sample = {}
    for i in track(range(count), "pictures"):
        # All differ: a ramp turned by class and place, over one of 256 noises.
        ramp = np.roll(tones, i // 256)[None, :, None]
        pixels = noise[i % 256] + ramp
        pixels[0, :4, 0] = (i >> 24, i >> 16 & 255, i >> 8 & 255, i & 255)
        file = folder / f"{i * CLASSES // count:02}" / f"{i:07}.png"
        Image.fromarray(pixels).save(file, compress_level=1)
        if i % max(1, count // 100) == 0:
            sample[i] = pixels.tobytes()
    return sample


def measure(folder: Path, count: int, sample: dict[int, bytes]) -> dict:
    bare = resident()
    begin = time.perf_counter()
    images = load_images(str(folder), DataConfig(split="all", in_memory=False, check=False))
    opening = time.perf_counter() - begin
    assert isinstance(images, OnDisk), images
    assert len(images) == count
    check(images, sample)
    gc.collect()
    opened = resident()
    loader = training_batches(
        images,
        images.shape,
        TrainConfig(batch_size=BATCH),
        0,
        taken=0,
        workers=0,
        together=Processes(rank=0, size=1),
    )
    steps = count // BATCH
    marks = {steps * tenth // 10: tenth for tenth in range(1, 11)}
    along = {}
    seen = torch.zeros(count, dtype=torch.bool)
    begin = time.perf_counter()
    for step, (x, _) in enumerate(loader, 1):
        number = x[:, 0, 0, :4].long() * torch.tensor([2**24, 2**16, 2**8, 1])
        seen[number.sum(1)] = True
        if step in marks:
            along[f"{marks[step]}/10"] = round(resident(), 1)
        if step == steps:
            break
    seconds = time.perf_counter() - begin
    assert int(seen.sum()) == steps * BATCH, int(seen.sum())
    return {
        "count": count,
        "shape": list(images.shape),
        "decoded_mib": round(count * 3 * SIDE * SIDE / 2**20, 1),
        "batch_size": BATCH,
        "seconds_to_open": round(opening, 1),
        "images_per_second": round(steps * BATCH / seconds),
        "resident_mib": {"before": round(bare, 1), "opened": round(opened, 1), **along},
        "rise_mib": round(max(along.values()) - along["1/10"], 1),
        "may_rise_mib": MAY_RISE,
        "threads": 1,
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def check(images: ImageSet, sample: dict[int, bytes]) -> None:
    """Raise unless a few pictures read back as they were drawn, with their classes."""
    for i, expected in sample.items():
        pixels, label = images[i]
        assert pixels.permute(1, 2, 0).contiguous().numpy().tobytes() == expected, i
        assert label is not None
        assert int(label) == i * CLASSES // len(images), i


def resident() -> float:
    """Memory that this process has in use, MiB."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def page(figures: dict) -> str:
    rows = [f"| {where} | {mib:,.0f} |" for where, mib in figures["resident_mib"].items()]
    side = figures["shape"][1]
    return "\n".join(
        [
            "# Pictures from disk",
            "",
            f"A folder of {figures['count']:,} PNG files of {side} x {side} in colour, "
            f"{figures['decoded_mib']:,.0f} MiB when decoded, opened as a set on disk and read "
            f"whole, each picture once, in shuffled batches of {figures['batch_size']} through the "
            f"loader of training, on one thread ({figures['machine']}).",
            "",
            f"- To open it, which lists the files and looks at the first (`check: false`): "
            f"{figures['seconds_to_open']:.1f} s.",
            f"- To read it: {figures['images_per_second']:,} images a second.",
            f"- Resident memory after the first tenth rose by at most {figures['rise_mib']:.1f} "
            f"MiB; {figures['may_rise_mib']} are allowed.",
            "",
            "| images read | resident memory, MiB |",
            "|---|---|",
            *rows,
            "",
            "Before: PyTorch and this package alone. `python benchmarks/stream_pictures.py` "
            "measures this again.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
