"""Does a class-conditional flow draw the digit asked for? A calibrated classifier says.

Trains an RBF support-vector classifier with calibrated probabilities on the real digits, checks it
on held-out digits and on uniform noise, and asks it about 500 samples of a run.

    python benchmarks/digits_agreement.py RUN [--temperature 0.7] [--out FILE.json]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from emit import emit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

import lambent
from lambent.data import DataConfig, level_of, load_images
from lambent.store import RunFolder

DRAWS_PER_CLASS = 50
NOISE_IMAGES = 2000


def features(images: torch.Tensor) -> np.ndarray:
    """The grey level of each pixel, 0 to 1: what scikit-learn's digits hold, divided by 16."""
    return level_of(images, 17).flatten(1).numpy() / 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    recorded = RunFolder(options.run).read_config()["data"]
    split = {"validation": recorded["validation"], "seed": recorded["seed"]}
    train = load_images("digits", DataConfig(split="train", **split))
    held_out = load_images("digits", DataConfig(split="validation", **split))
    classifier = CalibratedClassifierCV(
        OneVsRestClassifier(SVC(C=10, gamma=0.2)), cv=5, ensemble=False
    )
    classifier.fit(features(train.images), train.labels.numpy())
    with lambent.seeded(options.seed):
        noise = torch.randint(0, 256, (NOISE_IMAGES, *train.shape), dtype=torch.uint8)
        labels = torch.arange(10).repeat_interleave(DRAWS_PER_CLASS)
        draws = lambent.load(options.run).sample(None, labels, temperature=options.temperature)
    asked = labels.numpy()
    probabilities = classifier.predict_proba(features(draws))
    confidence = probabilities[np.arange(len(asked)), asked]
    figures = {
        "temperature": options.temperature,
        "samples": len(asked),
        "agreement": float((probabilities.argmax(1) == asked).mean()),
        "agreement_above_0.9": float((confidence > 0.9).mean()),
        "classifier_accuracy": float(
            classifier.score(features(held_out.images), held_out.labels.numpy())
        ),
        "noise_above_0.9": float((classifier.predict_proba(features(noise)).max(1) > 0.9).mean()),
    }
    emit(figures, options.out)


if __name__ == "__main__":
    main()
