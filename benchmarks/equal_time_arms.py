"""The two models of ``equal_time.py``, each trained the way its own project says.

Both are measured in bits per dimension of the 8-bit image x given its label, D values an image:

- lambent: ``-log p(x + u) / (D ln 2)``. The flow starts from pixels and does the division by 256
  itself, so its log-determinant holds the ``-D ln 256``.
- normflows: ``-log p((x + u) / 256) / (D ln 2) + 8``. Its example turns pixels into ``x / 255``,
  times ``255 / 256``, plus jitter in [0, 1 / 256), which is ``(x + u) / 256``; the 8 is
  ``log2 256``.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from importlib.resources import files
from typing import ClassVar

import torch
import yaml
from peer import normflows_glow
from torch import Tensor

import lambent
from lambent.core import Flow
from lambent.data import Images, ShuffledBatches

NORMFLOWS = {  # its example, examples/glow_colab.ipynb
    "levels": 3,
    "steps": 16,
    "width": 256,
    "conditioning": "base",
    "batch_size": 128,
    "optimizer": "adamax",
    "learning_rate": 1e-3,
    "weight_decay": 1e-5,
}


def endless(images: Images, batch_size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled batches for ever."""
    batches = ShuffledBatches(len(images), batch_size, seed)
    while True:
        for index in batches:
            yield images[index]
        batches.set_epoch(batches.epoch + 1)


class Lambent:
    """The preset ``glow_laptop``, given the label in the top prior, with its averaged weights."""

    changes: ClassVar[dict[str, object]] = {}

    def __init__(self, train: Images, seed: int) -> None:
        settings = yaml.safe_load((files("lambent") / "configs/glow_laptop.yaml").read_text())
        fields = {k: v for k, v in settings["model"].items() if k != "family"}
        fields |= {"conditioning": "top", "classes": train.classes, "shape": train.shape}
        fields |= self.changes
        self.config = lambent.TrainConfig(**settings["train"])
        chosen = ("batch_size", "learning_rate", "beta2", "weight_decay", "warmup_steps")
        chosen += ("clip_norm", "ema_decay", "initialization_batch")
        self.settings = {
            **{k: v for k, v in fields.items() if k != "shape"},
            "optimizer": "adam, fused",
            **{name: getattr(self.config, name) for name in chosen},
        }
        torch.manual_seed(seed)
        self.train, self.seed = train, seed
        self.flow: Flow = lambent.glow(lambent.GlowConfig(grey_levels=256, **fields))
        self.parameters = list(self.flow.parameters())
        self.optimizer = torch.optim.AdamW(
            self.parameters,
            lr=self.config.learning_rate,
            betas=(0.9, self.config.beta2),
            weight_decay=self.config.weight_decay,
            fused=True,
        )
        self.batch_size = self.config.batch_size
        self.batches = endless(train, self.batch_size, seed)
        self.averaged: Flow | None = None
        self.steps = 0
        self.dropped = 0

    def begin(self) -> None:
        """Set the data-initialised layers; on the clock."""
        first = next(endless(self.train, self.config.initialization_batch, self.seed))
        lambent.initialize(self.flow, *first)

    def step(self) -> None:
        """One step of training."""
        x, y = next(self.batches)
        rate = min(1.0, (self.steps + 1) / (self.config.warmup_steps + 1))
        self.optimizer.param_groups[0]["lr"] = rate * self.config.learning_rate
        loss = -self.flow.log_prob(x, y).mean() / (math.prod(x.shape[1:]) * math.log(2))
        if not torch.isfinite(loss):
            raise FloatingPointError(f"step {self.steps}: the loss is not finite")
        self.optimizer.zero_grad()
        loss.backward()
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        self.optimizer.step()
        self._average()
        self.steps += 1

    def _average(self) -> None:
        """Move the averaged weights, as ``lambent.fit`` does."""
        if self.config.ema_decay is None:
            return
        if self.averaged is None:
            self.averaged = copy.deepcopy(self.flow)
            return
        keep = min(self.config.ema_decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), self.parameters, 1 - keep)

    @torch.no_grad()
    def bits(self, x: Tensor, y: Tensor) -> Tensor:
        """Bits per dimension of each image; noise is drawn from torch's generator."""
        flow = (self.averaged or self.flow).eval()
        return -flow.log_prob(x, y) / (math.prod(x.shape[1:]) * math.log(2))


class Variational(Lambent):
    """The same with noise that a small conditional flow learns, in place of uniform noise."""

    changes: ClassVar[dict[str, object]] = {"dequantisation": "variational"}


class Normflows:
    """normflows' Glow with the settings of its own example, batches looked up in memory.

    The example decodes and scales each image in a loader; here that costs it nothing.
    """

    def __init__(self, train: Images, seed: int) -> None:
        self.settings = NORMFLOWS
        torch.manual_seed(seed)
        self.model = normflows_glow(
            train.shape,
            NORMFLOWS["levels"],
            NORMFLOWS["steps"],
            NORMFLOWS["width"],
            train.classes,
        )
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.Adamax(
            self.parameters, lr=NORMFLOWS["learning_rate"], weight_decay=NORMFLOWS["weight_decay"]
        )
        self.batch_size = NORMFLOWS["batch_size"]
        self.batches = endless(train, self.batch_size, seed)
        self.steps = 0
        self.dropped = 0

    def begin(self) -> None:
        """Nothing: the first batch sets its actnorms."""

    def step(self) -> None:
        """One step of training; like the example, drop a loss that is not finite."""
        x, y = next(self.batches)
        self.optimizer.zero_grad()
        loss = self.model.forward_kld(jittered(x), y)
        if torch.isfinite(loss):
            loss.backward()
            self.optimizer.step()
        else:
            self.dropped += 1
        self.steps += 1

    @torch.no_grad()
    def bits(self, x: Tensor, y: Tensor) -> Tensor:
        """Bits per dimension of each image; noise is drawn from torch's generator."""
        return normflows_bits(self.model, x, y)


def jittered(x: Tensor) -> Tensor:
    """Pixels as the peer's example prepares them: ``(x + u) / 256``."""
    scaled = x.float() / 255 * (255 / 256)
    return scaled + torch.rand_like(scaled) / 256


def normflows_bits(model: torch.nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Bits per dimension of each image, by the formula at the top."""
    nats = model(jittered(x), y)
    return nats / (math.prod(x.shape[1:]) * math.log(2)) + 8


ARMS = {"lambent": Lambent, "normflows": Normflows}


@torch.no_grad()
def accounting_difference(images: Tensor, labels: Tensor, classes: int) -> float:
    """How far apart the two accounts are of one density, in bits per dimension.

    The density is a standard normal around the middle of the range, which an untrained Glow of
    ours is, and the peer's without blocks once its bases are moved there.
    """
    shape = tuple(images.shape[1:])
    ours = lambent.glow(
        lambent.GlowConfig(
            shape=shape, grey_levels=256, levels=3, steps=1, width=8, conditioning="top",
            classes=classes,
        )
    )  # fmt: skip
    peer = normflows_glow(shape, 3, 0, 8, classes)
    for base in peer.q0:
        base.loc.fill_(0.5)
    dims = math.prod(shape)
    with lambent.seeded(0):
        ours_bits = -ours.log_prob(images, labels) / (dims * math.log(2))
    with lambent.seeded(0):
        peer_bits = normflows_bits(peer, images, labels)
    return float((ours_bits - peer_bits).abs().max())
