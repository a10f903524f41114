"""How a flow is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lambent.errors import check_choices


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of :func:`lambent.fit`."""

    batch_size: int = 64
    """Images in a step, of all parts and all processes together."""
    accumulate: int = 1
    """Parts that a step takes its images in, one after the other: less memory, the same step."""
    max_steps: int = 10_000
    """Steps of the optimiser, at most."""
    max_minutes: float | None = None
    """Minutes of training in all, at most."""
    optimizer: Literal["adam", "adamax", "adamax_released", "rmsprop", "sgd", "lamb"] = "adam"
    """Adam with decoupled weight decay, Adamax as published or as the Glow code has it, RMSprop,
    stochastic gradient descent, or LAMB for large batches."""
    learning_rate: float = 1e-3
    """Step size after the warm-up."""
    momentum: float = 0.9
    """Decay of the optimiser's first moment; rmsprop's and sgd's momentum."""
    beta2: float = 0.999
    """Decay of the optimiser's second moment; sgd has none."""
    weight_decay: float = 0.0
    """Decay of the networks' weight matrices; decoupled but with adamax, rmsprop and sgd."""
    warmup_steps: int = 100
    """Steps over which the step size grows linearly from 0."""
    warmup_images: int | None = None
    """The same counted in images, in place of ``warmup_steps``."""
    schedule: Literal["constant", "cosine"] = "constant"
    """What the step size does after the warm-up; cosine reaches 0 at ``max_steps``."""
    clip_norm: float | None = 100.0
    """Gradients of a larger norm are scaled down to it."""
    clip_value: float | None = None
    """Numbers of a gradient that are larger in size are cut to it, before its norm is taken."""
    optimizer_in_backward: bool = False
    """Update weights inside the backward pass, which frees each gradient at once: less memory, the
    same weights. It needs adam, and ``clip_norm: null``."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What the networks compute in, in training; the flow around them stays in float32. ``auto`` is
    bfloat16 where the hardware gains from it, as found when the run starts."""
    averaging: Literal["ema", "polyak"] = "ema"
    """What average of the weights is validated and kept: an exponential moving one, or the plain
    mean of all iterates."""
    ema_decay: float | None = 0.998
    """Decay of the exponential moving average; null for no average of this kind."""
    average_after: int = 0
    """Steps that are left out of the average; until then the weights themselves stand for it."""
    initialization_batch: int = 512
    """Images that set the data-initialised layers."""
    validate_every: int = 200
    """Steps between validations; each writes the checkpoints and a grid of samples.

    The last step is followed by one too.
    """
    patience: int | None = 10
    """Validations without a better bits/dim after which training stops."""
    validation_images: int | None = None
    """Validate on this many of the held-out images, chosen by seed; on all if not given."""
    class_weight: float = 0.0
    """Weight of a class head's bits in the loss (the paper's ``weight_y``, there 0.01)."""
    random_crop: bool = False
    """Take images that are larger than the flow's events, and cut them at a random place each time
    they are read; at their centre in validations."""
    shift: float = 0.0
    """Largest random shift of an image in each direction, as a share of its size; 0.1 in the paper
    for CIFAR-10. Whole pixels; the border's are repeated."""
    flip: bool = False
    """Mirror every second image, by chance, left to right."""
    deterministic: bool = False
    """Have torch refuse operations whose results differ from run to run, as some are on GPUs."""
    loggers: tuple[Literal["tensorboard", "wandb"], ...] = ("tensorboard",)
    """Where figures go beside ``metrics.csv``: tensorboard, wandb (Weights & Biases), or both."""
    anneal_steps: int = 0
    """Of a joint flow: steps over which data comes in for the noise that training begins with."""
    one_class_batches: bool = False
    """Take the images of each step from one class, chosen by chance."""
    temperature: float = 0.7
    """Temperature of the sample grids."""

    def __post_init__(self) -> None:
        check_choices(self)
        at_least_one = (
            "batch_size",
            "accumulate",
            "max_steps",
            "initialization_batch",
            "validate_every",
            "patience",
            "validation_images",
        )
        for name in at_least_one:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        for name in ("max_minutes", "learning_rate", "clip_norm", "clip_value"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name}: expected more than 0, got {value}")
        for name in (
            "weight_decay",
            "warmup_steps",
            "warmup_images",
            "average_after",
            "anneal_steps",
            "class_weight",
            "temperature",
        ):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name}: expected at least 0, got {value}")
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"accumulate: expected a divisor of the batch size {self.batch_size}, "
                f"got {self.accumulate}"
            )
        for name in ("momentum", "beta2", "ema_decay", "shift"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise ValueError(f"{name}: expected 0 up to 1, got {value}")
        if self.optimizer_in_backward:
            self._check_in_backward()

    def _check_in_backward(self) -> None:
        """Refuse what an update of some weights before others rules out."""
        if self.optimizer != "adam":
            raise ValueError(
                f"optimizer_in_backward: expected the optimizer adam, got {self.optimizer}"
            )
        if self.accumulate > 1:
            raise ValueError(
                "accumulate: expected 1 with optimizer_in_backward, which updates in the one "
                f"backward pass of a step, got {self.accumulate}"
            )
        if self.clip_norm is not None:
            raise ValueError(
                "clip_norm: expected null with optimizer_in_backward, where no norm over all "
                f"gradients is known in time, got {self.clip_norm}"
            )
        if self.clip_value is not None:
            raise ValueError(
                "clip_value: expected null with optimizer_in_backward, which uses each gradient "
                f"at once, got {self.clip_value}"
            )

    @property
    def averages(self) -> bool:
        """Whether an average of the weights is kept."""
        return self.averaging == "polyak" or self.ema_decay is not None

    @property
    def warmup(self) -> float:
        """Steps of the warm-up, however it was given."""
        if self.warmup_images is None:
            return float(self.warmup_steps)
        return self.warmup_images / self.batch_size
