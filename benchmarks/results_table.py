"""Writes the results on the Glow page from the files in ``benchmarks/results``.

python benchmarks/results_table.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "families" / "glow.md"
RUNS = {"digits": "digits 8x8", "mnist": "MNIST part 28x28", "cifar10": "CIFAR-10 part 32x32"}
BLOCK = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)


def read(name: str) -> dict:
    return json.loads((RESULTS / f"{name}.json").read_text())


def runs_table() -> list[str]:
    lines = [
        "| | digits | MNIST | CIFAR-10 |",
        "|---|---|---|---|",
    ]
    runs = {name: read(name) for name in RUNS}
    rows = {
        "images (training, held out)": lambda r: f"{r['train_images']:,}, {r['images']:,}",
        "grey levels": lambda r: str(r["grey_levels"] or 256),
        "parameters": lambda r: f"{r['parameters']:,}",
        "training": lambda r: (
            f"{r['max_minutes']:g} minutes at most, {r['steps']:,} steps of {r['batch_size']}"
        ),
        "**validation bits/dim**": lambda r: (
            f"**≤ {r['bits_per_dim']:.3f}** "
            f"± {r['standard_error']:.3f}" + (" given the label" if r["given"] else "")
        ),
        "without the label": lambda r: (
            "" if r["marginal_bits_per_dim"] is None else f"≤ {r['marginal_bits_per_dim']:.3f}"
        ),
        "label read off the likelihood": lambda r: (
            "" if r["label_accuracy"] is None else f"{100 * r['label_accuracy']:.1f} %"
        ),
        "uniform": lambda r: f"{r['yardsticks']['uniform']:.3f}",
        "per-pixel histogram": lambda r: f"{r['yardsticks']['histogram']:.3f}",
        "full Gaussian": lambda r: f"≤ {r['yardsticks']['gaussian']:.3f}",
        "PNG of those levels": lambda r: f"{r['yardsticks']['png']:.3f}",
        "decoded exactly": lambda r: f"{r['decoded_exactly']} of {r['decoded_images']}",
    }
    for name, cell in rows.items():
        lines.append(f"| {name} | " + " | ".join(cell(run) for run in runs.values()) + " |")
    return lines


def agreement_lines() -> list[str]:
    digits, mnist = read("digits_agreement"), read("mnist_agreement")
    by_temperature = ", ".join(
        f"{100 * share:.1f} % at temperature {t}"
        for t, share in mnist["agreement_by_temperature"].items()
    )
    return [
        f"Asked for a digit, the digits model draws it: of {digits['samples']} samples at "
        f"temperature {digits['temperature']:g}, an RBF support-vector classifier "
        f"({100 * digits['classifier_accuracy']:.1f} % on held-out digits, above 0.9 on "
        f"{100 * digits['noise_above_0.9']:.1f} % of noise images) agrees on "
        f"{100 * digits['agreement']:.1f} %, with a probability above 0.9 on "
        f"{100 * digits['agreement_above_0.9']:.1f} %.",
        "",
        f"The MNIST model, at {mnist['grey_levels']} grey levels: a convolutional classifier "
        f"({100 * mnist['classifier_test_accuracy']:.1f} % on the test digits) agrees with the "
        f"label asked for on {by_temperature}, of {mnist['samples']} samples each.",
    ]


def main() -> None:
    text = "\n".join([*runs_table(), "", *agreement_lines()])
    page = PAGE.read_text()
    filled, count = BLOCK.subn(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)
    if count != 1:
        raise SystemExit(f"{PAGE}: expected one results block, found {count}")
    PAGE.write_text(filled)


if __name__ == "__main__":
    main()
