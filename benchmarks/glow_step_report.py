"""The ratios and the tables of ``glow_step.py``."""

from __future__ import annotations

RATIOS = {  # name: section, setting, the peer, which of ours divides its best time
    "train_h512_k4": ("train", "h512_k4", "normflows", "ours"),
    "train_h512_k16": ("train", "h512_k16", "normflows", "ours"),
    "train_h512_k32": ("train", "h512_k32", "normflows", "ours"),
    "train_h128_k32": ("train", "h128_k32", "normflows", "ours_bias"),
    "train_h128_k32_channels_last": ("train", "h128_k32", "normflows_channels_last", "ours_bias"),
    "checkpoint_h512_k32": ("train", "h512_k32", "normflows", "ours_checkpoint"),
    "log_prob_h512_k16": ("log_prob", "h512_k16", "normflows", "ours"),
    "sample_h512_k16": ("sample", "h512_k16", "normflows", "ours"),
}
LABELS = {
    "ours": "ours, `never`",
    "ours_checkpoint": "ours, `checkpoint`",
    "ours_checkpoint_in_backward": "ours, `checkpoint`, optimiser in backward",
    "ours_inverse": "ours, `inverse`",
    "ours_bias": "ours, `never`, the peer's network",
    "normflows": "normflows",
    "normflows_channels_last": "normflows, channels_last",
}
TITLES = {"train": "Training step", "log_prob": "`log_prob`", "sample": "Sampling 16 images"}
MEMORY = {
    "kept_by_forward": "kept by forward",
    "activations": "activations",
    "activations_resident": "activations, resident",
    "step": "Adam step",
    "step_resident": "Adam step, resident",
}

MEMORY_NOTE = (
    "Memory comes from fresh processes: bytes of live tensors, and resident memory. "
    "Activations are the peak of forward and backward over what is there once the model is built, "
    "minus one copy of the gradients; for those who keep everything that says too little, since "
    "the peak comes before the gradients are there. The Adam step counts parameters and state."
)


def ratios(times: dict) -> dict[str, float]:
    """Best time over best time, for the settings that were measured."""
    return {
        name: round(
            times[section][setting][peer]["best"] / times[section][setting][ours]["best"], 3
        )
        for name, (section, setting, peer, ours) in RATIOS.items()
        if setting in times.get(section, {})
    }


def table(result: dict) -> str:
    """The page."""
    lines = ["# A step of Glow on the CPU", ""]
    if "rounds" in result:
        lines += [
            f"3x32x32, L = 3, batch 16, torch's threads: {result['threads']}, rounds in turn, at "
            f"least: {result['rounds']}; h is the coupling networks' width. Milliseconds, best "
            "(median).",
            "",
        ]
    for section, by_setting in result.get("times_ms", {}).items():
        lines += times_table(TITLES[section], by_setting)
    if result["ratios"]:
        lines += ["| ratio, peer's best over ours | |", "|---|---|"]
        lines += [f"| `{name}` | {value:.2f} |" for name, value in result["ratios"].items()]
        lines.append("")
    if "ceiling" in result:
        lines += ceiling_table(result["ceiling"])
    if "memory_mib" in result or "large_mib" in result:
        lines += [MEMORY_NOTE, ""]
    for setting, rows in result.get("memory_mib", {}).items():
        lines += memory_table(setting, rows)
    for setting, rows in result.get("large_mib", {}).items():
        lines += large_table(setting, rows)
    return "\n".join(lines)


def heading(setting: str) -> str:
    """``h512_k4`` as it is read."""
    return setting.replace("_", " ").replace("h", "h ", 1).replace("k", "K ", 1)


def times_table(title: str, by_setting: dict) -> list[str]:
    names = dict.fromkeys(name for figures in by_setting.values() for name in figures)
    lines = [f"| {title} | " + " | ".join(map(heading, by_setting)) + " |"]
    lines.append("|---" * (1 + len(by_setting)) + "|")
    for name in names:
        cells = [
            f"{t[name]['best']:,.0f} ({t[name]['median']:,.0f})" if name in t else ""
            for t in by_setting.values()
        ]
        lines.append(f"| {LABELS[name]} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def ceiling_table(ceiling: dict) -> list[str]:
    lines = [
        "The ceiling is what plain float32 matrix products of the coupling networks' sizes reach, "
        "forward and both gradients, weighted by their FLOPs; the share is that of a training "
        "step's coupling networks in its whole time.",
        "",
        "| Share of the ceiling | " + " | ".join(map(heading, ceiling)) + " |",
        "|---" * (1 + len(ceiling)) + "|",
        "| ceiling, GFLOP/s | " + " | ".join(f"{c['gflops']:.0f}" for c in ceiling.values()) + " |",
    ]
    for name in dict.fromkeys(n for c in ceiling.values() for n in c["share_of_ceiling"]):
        shares = [f"{100 * c['share_of_ceiling'][name]:.0f} %" for c in ceiling.values()]
        lines.append(f"| {LABELS[name]} | " + " | ".join(shares) + " |")
    return [*lines, ""]


def memory_table(setting: str, rows: dict) -> list[str]:
    kinds = [kind for kind in MEMORY if any(kind in row for row in rows.values())]
    title = heading(setting.removesuffix("_per_k"))
    title += ", a step more at each level" if setting.endswith("_per_k") else ""
    lines = [f"| MiB, {title} | " + " | ".join(MEMORY[kind] for kind in kinds) + " |"]
    lines.append("|---" * (1 + len(kinds)) + "|")
    for name, row in rows.items():
        cells = [f"{row[kind]:,.1f}" if kind in row else "" for kind in kinds]
        lines.append(f"| {LABELS[name]} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def large_table(setting: str, rows: dict) -> list[str]:
    if not setting.startswith("celebahq256"):
        title = "h512_k" + setting.partition("_k")[2].partition("_")[0]
        lines = memory_table(title, rows)
        return [lines[0].replace("MiB,", "MiB, 3x128x128, L = 5, batch 8,"), *lines[1:]]
    lines = [
        "| `glow_celebahq256`, batch 1 | peak resident, MiB | of which state "
        "| seconds a step | threads |",
        "|---|---|---|---|---|",
    ]
    for recompute, row in rows.items():
        if "failed_with" in row:
            lines.append(f"| `{recompute}` | did not fit | | | |")
        else:
            lines.append(
                f"| `{recompute}` | {row['peak_resident_mib']:,.0f} | {row['state_mib']:,.0f} "
                f"| {row['seconds'][-1]:.1f} | {row['threads']} |"
            )
    return [*lines, ""]
