"""How a flow is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lambent.core.registry import check_choices


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of :func:`lambent.fit`."""

    batch_size: int = 64
    """Images in a step."""
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
    ema_decay: float | None = 0.998
    """Decay of the averaged weights that are validated and kept; none without it."""
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
    temperature: float = 0.7
    """Temperature of the sample grids."""

    def __post_init__(self) -> None:
        check_choices(self)
        at_least_one = (
            "batch_size",
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
            "class_weight",
            "temperature",
        ):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name}: expected at least 0, got {value}")
        for name in ("momentum", "beta2", "ema_decay"):
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
    def warmup(self) -> float:
        """Steps of the warm-up, however it was given."""
        if self.warmup_images is None:
            return float(self.warmup_steps)
        return self.warmup_images / self.batch_size
