"""The picture and the table of ``equal_time.py``."""

from __future__ import annotations

import json
from pathlib import Path

from emit import write_json, write_text
from matplotlib.figure import Figure

from lambent.files import replacing

COLOURS = {"lambent": "C0", "normflows": "C1"}
TITLES = {"cifar10": "CIFAR-10 part", "mnist": "MNIST part, padded to 32x32"}
SHOWN_FROM = 60.0  # CPU seconds; what comes before would stretch the picture


def draw(files: list[Path], out: Path) -> None:
    """Write ``equal_time.json``, ``.md`` and ``.png`` from the files of the arms."""
    runs = [json.loads(path.read_text()) for path in files]
    order = list(TITLES)
    runs.sort(key=lambda r: (order.index(r["data"]), r["arm"], r["seed"]))
    pairs = compare(runs)
    write_json(out / "equal_time.json", {"pairs": pairs, "runs": runs})
    write_text(out / "equal_time.md", table(pairs, runs))
    picture(runs, out / "equal_time.png")


def last(run: dict) -> dict:
    return run["points"][-1]


def compare(runs: list[dict]) -> list[dict]:
    """One row for each set and seed that both arms have run."""
    by_key = {(r["data"], r["seed"], r["arm"]): r for r in runs}
    rows = []
    for data, seed in dict.fromkeys((r["data"], r["seed"]) for r in runs):
        ours, peer = by_key.get((data, seed, "lambent")), by_key.get((data, seed, "normflows"))
        if ours is None or peer is None:
            continue
        # One step of the peer takes longer than the clock's grain: a small overrun is no lead.
        end = 1.05 * min(last(ours)["cpu_seconds"], last(peer)["cpu_seconds"])
        mine, theirs = (
            [p for p in r["points"] if p["cpu_seconds"] <= end][-1] for r in (ours, peer)
        )
        reached = theirs["bits_per_dim"]
        passed = [p["cpu_seconds"] for p in ours["points"] if p["bits_per_dim"] <= reached]
        rows.append(
            {
                "data": data,
                "seed": seed,
                "cpu_seconds": theirs["cpu_seconds"],
                "lambent": mine["bits_per_dim"],
                "normflows": reached,
                "difference": mine["bits_per_dim"] - reached,
                "lambent_reaches_it_at": min(passed, default=None),
                "lower": mine["bits_per_dim"] < reached,
            }
        )
    return rows


def table(pairs: list[dict], runs: list[dict]) -> str:
    """The page: what was run, and the last validation of every arm."""
    first = runs[0]
    lines = [
        "# Equal time",
        "",
        "Two Glows train for the same CPU time, each with its own settings: ours by the preset "
        "`glow_laptop`, given the label in the top prior; normflows' by its own example. The clock "
        "is the process's CPU time, which stands still during validation.",
        "",
        "![Validation bits per dimension against CPU seconds](equal_time.png)",
        "",
        f"Validation bits/dim given the label, on {first['validation_images']} held-out images, "
        "after the CPU time that both arms of a pair reached; torch's threads: "
        f"{first['threads']}. Both are upper bounds, under the same noise.",
        "",
        "| set | seed | CPU minutes | lambent | normflows | difference | lambent there at |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in pairs:
        at = row["lambent_reaches_it_at"]
        lines.append(
            f"| {TITLES[row['data']]} | {row['seed']} | {row['cpu_seconds'] / 60:.0f} "
            f"| {row['lambent']:.3f} "
            f"| {row['normflows']:.3f} | {row['difference']:+.3f} "
            f"| {'never' if at is None else f'{at:.0f} CPU seconds'} |"
        )
    lines += [
        "",
        "| arm | set | seed | steps | images seen | parameters |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['arm']} | {TITLES[r['data']]} | {r['seed']} | {last(r)['steps']:,} "
        f"| {last(r)['images']:,} | {r['parameters']:,} |"
        for r in runs
    ]
    return "\n".join(lines) + "\n"


def picture(runs: list[dict], path: Path) -> None:
    """Validation bits/dim against CPU seconds, a panel for each set."""
    sets = list(dict.fromkeys(r["data"] for r in runs))
    figure = Figure(figsize=(4.8 * len(sets), 3.8), layout="constrained")
    for axes, data in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets, strict=True):
        shown = []
        for run in (r for r in runs if r["data"] == data):
            points = [(p["cpu_seconds"], p["bits_per_dim"]) for p in run["points"]]
            points = [p for p in points if p[1] is not None]
            shown += [bits for seconds, bits in points if seconds >= SHOWN_FROM]
            axes.plot(
                *zip(*points, strict=True),
                color=COLOURS[run["arm"]],
                linestyle="-" if run["seed"] == 0 else "--",
                marker=".",
                label=f"{run['arm']}, seed {run['seed']}",
            )
        if shown:
            margin = 0.05 * (max(shown) - min(shown)) + 0.05
            axes.set_ylim(min(shown) - margin, max(shown) + margin)
        axes.set(title=TITLES[data], xlabel="CPU seconds of training")
        axes.set_ylabel("validation bits/dim given the label")
        axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
