"""What stands between couplings: nothing, a fixed order, a random order, or a learned matrix.

    python examples/studies/partitions.py [--quick] [--out FOLDER]

Rows are scikit-learn's digits, 64 pixels each. All arms have the same couplings; in the first the
two halves of the row change in turn, in the others what stands between is all that brings pixels
together.
"""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from study import begin, tidy
from torch import Tensor

import lambent
from lambent.core import Transform
from lambent.distributions import StandardNormal
from lambent.flows.mixing import mixing
from lambent.flows.pixels import from_pixels
from lambent.nn import MLP
from lambent.train import train_on_draws
from lambent.transforms import ActNorm, Affine, Complement, Coupling, Flatten, Halves

ARMS = {
    "fixed halves": None,
    "reversed": "reverse",
    "shuffled": "shuffle",
    "1x1 convolution": "linear",
}
PIXELS = 64
WIDTH = 64
SEEDS = 2


def flow_of(arm: str, couplings: int) -> lambent.Flow:
    steps: list[Transform] = []
    for i in range(couplings):
        kind = ARMS[arm]
        partition = Complement(Halves()) if kind is None and i % 2 else Halves()
        between = [] if kind is None else [mixing(kind, PIXELS)]
        net = MLP(PIXELS // 2, PIXELS, width=WIDTH)
        steps += [ActNorm(PIXELS), *between, Coupling(net, Affine(), partition)]
    pixels = from_pixels(17)
    return lambent.Flow(
        lambent.Compose(**pixels, rows=Flatten((1, 8, 8)), couplings=lambent.Compose(*steps)),
        StandardNormal((PIXELS,)),
    )


def main() -> None:
    study = begin(__doc__, __file__)
    depths, seeds, steps = ((2,), 1, 3) if study.quick else ((2, 4, 8), SEEDS, 300)
    config = {"validation": 0.2}
    train, held_out = (
        lambent.load_images("digits", lambent.DataConfig(split=split, **config))
        for split in ("train", "validation")
    )
    images = train[:][0]
    if study.quick:
        held_out = held_out.subset(slice(16))

    def draw(n: int) -> tuple[Tensor, None]:
        return images[torch.randint(len(images), (n,))], None

    arms = tuple(ARMS)[:: 3 if study.quick else 1]
    rows: dict[str, dict[int, list[float]]] = {arm: {} for arm in arms}
    for arm in arms:
        for depth in depths:
            rows[arm][depth] = []
            for seed in range(seeds):
                with lambent.seeded(seed):
                    flow = flow_of(arm, depth)
                    train_on_draws(flow, draw, steps=steps, batch_size=128)
                found = lambent.measure(flow, held_out, seed=0)
                rows[arm][depth].append(found.bits_per_dim)
            print(arm, depth, rows[arm][depth], flush=True)
    figure = Figure(figsize=(5.5, 4), layout="constrained")
    axes = figure.subplots()
    for i, arm in enumerate(arms):
        means = [sum(rows[arm][depth]) / seeds for depth in depths]
        axes.plot(depths, means, "-", color=f"C{i}", label=arm)
        for depth in depths:
            axes.plot(seeds * [depth], rows[arm][depth], "o", color=f"C{i}", markersize=4)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xticks(depths)
    axes.set(xlabel="couplings", ylabel="bits per dimension, held out (≤)")
    axes.legend(frameon=False)
    tidy(figure)
    study.save(figure, {"steps": steps, "width": WIDTH, "seeds": seeds, "bits_per_dim": rows})


if __name__ == "__main__":
    main()
