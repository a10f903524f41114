"""Does a class-conditional flow draw the digit asked for? A convolutional classifier says.

Trains a small convolutional network on real digits at the run's grey levels, checks it on the test
digits, and asks it about 500 samples of a run.

    python benchmarks/mnist_agreement.py RUN DATA [--temperature 0.6] [--out FILE.json]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from emit import emit
from torch import Tensor, nn

import lambent
from lambent.data import DataConfig, ShuffledBatches, level_of, load_images

DRAWS_PER_CLASS = 50


def classifier() -> nn.Module:
    """A network of some 200,000 weights that reaches 98 % in a minute or two."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, stride=2, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Linear(64 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def shifted(x: Tensor) -> Tensor:
    """Each batch moved by up to two pixels: the classifier's only augmentation."""
    dx, dy = torch.randint(-2, 3, (2,)).tolist()
    return x.roll((dy, dx), (2, 3))


def train(network: nn.Module, x: Tensor, y: Tensor, epochs: int) -> None:
    """Adam with a step size that falls to 0."""
    batches = ShuffledBatches(len(x), 64, seed=0)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, epochs * len(batches))
    network.train()
    for epoch in range(epochs):
        batches.set_epoch(epoch)
        for index in batches:
            loss = F.cross_entropy(network(shifted(x[index])), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("data")
    parser.add_argument("--temperature", type=float, nargs="+", default=[0.6])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    flow = lambent.load(options.run)
    grey_levels = flow.recipe[1].grey_levels

    def features(images: Tensor) -> Tensor:
        return level_of(images, grey_levels).float() / (grey_levels - 1)

    real = load_images(options.data, DataConfig(split="train", validation=0.0))
    test = load_images(options.data, DataConfig(split="test"))
    torch.manual_seed(options.seed)
    network = classifier()
    train(network, features(real.images), real.labels, options.epochs)
    labels = torch.arange(10).repeat_interleave(DRAWS_PER_CLASS)
    agreement = {}
    with torch.no_grad():
        guesses = torch.cat([network(features(x)).argmax(1) for x in test.images.split(500)])
        for temperature in options.temperature:
            with lambent.seeded(options.seed):
                draws = flow.sample(None, labels, temperature=temperature)
            right = network(features(draws)).argmax(1) == labels
            agreement[f"{temperature:g}"] = float(right.float().mean())
    figures = {
        "grey_levels": grey_levels,
        "samples": len(labels),
        "agreement_by_temperature": agreement,
        "classifier_test_accuracy": float((guesses == test.labels).float().mean()),
    }
    emit(figures, options.out)


if __name__ == "__main__":
    main()
