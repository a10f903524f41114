"""The page of ``tabular.py``."""

from __future__ import annotations

from typing import Any

NAMES = {"maf": "MAF", "nsf": "NSF, autoregressive", "nsf_coupling": "NSF, couplings"}
AIMS = (
    ("eager", "maf", "train", None, 1.3),
    ("eager", "maf", "sample", 43, 20.0),
    ("eager", "nsf", "train", None, 1.2),
    ("eager", "nsf", "sample", None, 10.0),
    ("eager", "nsf_coupling", "train", None, 1.1),
    ("eager", "nsf_coupling", "sample", None, 1.1),
    ("compiled", "nsf", "train", None, 1.4),
    ("compiled", "nsf_coupling", "train", None, 1.1),
)
"""How many times as long the fastest other package should take."""
WHAT = {"train": "training step", "log_prob": "density", "sample": "draws"}


def page(whole: dict[str, Any]) -> str:
    """Tables of ratios, then of what they are made of."""
    lines = [
        "# Flows of vectors beside other packages",
        "",
        f"{whole['layers']} layers, networks of two hidden layers of {whole['width']}, "
        f"{whole['bins']} bins, equal parameters, float32, one thread, torch {whole['torch']}; "
        "zuko 1.6.0, nflows 0.14, normflows 1.7.3. All take turns, round by round; processor time. "
        "A training step is a density, its gradient, and a step of fused Adam, the same for all.",
        "",
        "Each figure is how many times as long the fastest other package takes: above 1, this one "
        "is faster. Medians, and in brackets the same of each one's best round.",
    ]
    for kind, title in (("eager", "Eager"), ("compiled", "Under torch.compile")):
        if whole.get(kind):
            lines += ["", f"## {title}", "", *_ratios(whole[kind])]
    lines += ["", *_aims(whole)]
    if "profile" in whole:
        lines += ["", *_profile(whole["profile"])]
    lines += ["", "## Milliseconds", "", *_medians(whole)]
    lines += [
        "",
        "normflows' MAF is turned round here, so that its density costs one pass; as it comes, its "
        "density goes feature by feature. Draws that take more than 10 s are taken once. "
        "Compiled passes stand beside zuko alone; what compiling takes, half a minute for a step "
        "of the largest here, is left out. Absolute "
        "times are of a machine with other work on it; only the ratios are meant to be read.",
        "",
        "`python benchmarks/tabular.py` measures this again, `--only nsf:43:512` one cell of it.",
        "",
    ]
    return "\n".join(lines)


def _aims(whole: dict[str, Any]) -> list[str]:
    lines = [
        "## What was aimed at",
        "",
        "| | wanted | lowest cell | cells that reach it |",
        "|---|---|---|---|",
    ]
    for kind, family, what, features, wanted in AIMS:
        places = {
            key: cell[what]["ratio"]
            for key, cell in whole.get(kind, {}).items()
            if key.split(":")[0] == family
            and features in (None, int(key.split(":")[1]))
            and "ratio" in cell.get(what, {})
        }
        if places:
            lowest = min(places, key=lambda key: places[key])
            _, d, batch = lowest.split(":")
            reached = sum(ratio >= wanted for ratio in places.values())
            lines.append(
                f"| {NAMES[family]}, {WHAT[what]}, {kind} | {wanted:g} | {places[lowest]:.2f} "
                f"({d} features, batch {batch}) | {reached} of {len(places)} |"
            )
    return [
        *lines,
        "",
        "The profile below says why the others are missed. Half of a MAF's training step is matrix "
        "products, which every package hands to the same routines; at batches of 512 the rest is "
        "too little to win more. Its draws, and those of splines at few features, are hundreds of "
        "small steps: their time goes to elementwise operations and views, and not to the products "
        "that the cache saves.",
    ]


def _ratios(cells: dict[str, Any]) -> list[str]:
    lines = [
        "| family | features | batch | training step | density | draws |",
        "|---|---|---|---|---|---|",
    ]
    for key, cell in cells.items():
        shown = [_ratio(cell.get(what, {})) for what in WHAT]
        lines.append(f"| {_place(key)} | {' | '.join(shown)} |")
    return lines


def _profile(found: dict[str, Any]) -> list[str]:
    lines = [
        "## Where a training step and draws of ours go",
        "",
        f"Percent of processor time, {found['features']} features, batches of {found['batch']}, "
        "eager (`benchmarks/tabular_profile.py`).",
        "",
    ]
    for what, title in {"train": "training step", "sample": "draws"}.items():
        families = [name for name in NAMES if name in found[what]]
        kinds = dict.fromkeys(kind for name in families for kind in found[what][name])
        lines += [
            f"| {title} | {' | '.join(NAMES[name] for name in families)} |",
            f"|---|{'---|' * len(families)}",
        ]
        for kind in kinds:
            row = [str(found[what][name].get(kind, "")) for name in families]
            lines.append(f"| {kind} | {' | '.join(row)} |")
        lines.append("")
    return lines[:-1]


def _place(key: str) -> str:
    family, features, batch = key.split(":")
    return f"{NAMES[family]} | {features} | {batch}"


def _ratio(found: dict[str, Any]) -> str:
    if "ratio" not in found:
        return ""
    return f"{found['ratio']:.2f} ({found['ratio_of_bests']:.2f}, {found['fastest']})"


def _medians(whole: dict[str, Any]) -> list[str]:
    packages = ("ours", "zuko", "nflows", "normflows")
    lines = [
        f"| family | features | batch | | parameters | {' | '.join(packages)} |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, note in (("eager", ""), ("compiled", ", compiled")):
        for key, cell in whole.get(kind, {}).items():
            size = " or ".join(f"{n:,}" for n in dict.fromkeys(cell["parameters"].values()))
            for what, title in WHAT.items():
                medians = cell.get(what, {}).get("median_ms", {})
                row = " | ".join(str(medians.get(name, "")) for name in packages)
                if medians:
                    lines.append(f"| {_place(key)} | {title}{note} | {size} | {row} |")
    return lines
