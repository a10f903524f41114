"""The optimiser of a run, and its step size."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lambent.train.adamax import ReleasedAdamax
from lambent.train.config import TrainConfig
from lambent.train.in_backward import AdamWInBackward

Check = Callable[[Sequence[nn.Parameter]], None]


def optimizer_for(module: nn.Module, config: TrainConfig, check: Check) -> torch.optim.Optimizer:
    """The optimiser of a module's parameters; only networks' weight matrices decay.

    Adam runs in one fused kernel where torch has that for the parameters.

    Args:
        module: Holds the parameters.
        config: Settings.
        check: Called with the parameters of an update that happens inside the backward pass.

    Returns:
        The optimiser.
    """
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        (decayed if name.endswith("weight") else plain).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    rate, betas = config.learning_rate, (config.momentum, config.beta2)
    if config.optimizer != "adam":
        return _other(groups, config)
    fused = fuses(module.parameters())
    optimizer: torch.optim.Optimizer
    if config.optimizer_in_backward:
        optimizer = AdamWInBackward(groups, lr=rate, betas=betas, fused=fused, check=check)
    else:
        optimizer = torch.optim.AdamW(groups, lr=rate, betas=betas, fused=fused)
    optimizer.register_load_state_dict_pre_hook(_keep_fused)
    return optimizer


def _other(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """An optimiser beside Adam."""
    rate, momentum, beta2 = config.learning_rate, config.momentum, config.beta2
    if config.optimizer == "adamax":
        return torch.optim.Adamax(groups, lr=rate, betas=(momentum, beta2))
    if config.optimizer == "adamax_released":
        return ReleasedAdamax(groups, lr=rate, betas=(momentum, beta2))
    if config.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate, alpha=beta2, momentum=momentum)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=momentum)
    from pytorch_optimizer import Lamb  # seconds to import

    lamb: torch.optim.Optimizer = Lamb(groups, lr=rate, betas=(momentum, beta2))
    return lamb


def rate_of(config: TrainConfig, step: int) -> float:
    """The step size as a share of ``learning_rate``.

    Args:
        config: Settings.
        step: Steps taken before.

    Returns:
        The share, 0 to 1.
    """
    warm = min(1.0, (step + 1) / (config.warmup + 1))
    if config.schedule == "constant":
        return warm
    return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, step / config.max_steps)))


def fuses(parameters: Iterable[Tensor]) -> bool:
    """Whether torch's fused Adam is there, and right, for some parameters.

    It walks through memory from end to end, so a parameter with gaps in it would be updated by the
    wrong numbers.

    Args:
        parameters: The parameters.

    Returns:
        Whether it serves all of them.
    """
    return all(_has_fused(p.device.type, p.dtype) and _dense(p) for p in parameters)


@functools.cache
def _has_fused(device: str, dtype: torch.dtype) -> bool:
    """Whether a fused step of one number works."""
    number = nn.Parameter(torch.zeros(1, dtype=dtype, device=device))
    number.grad = torch.zeros_like(number)
    try:
        torch.optim.AdamW([number], fused=True).step()
    except RuntimeError:
        return False
    return True


def _dense(p: Tensor) -> bool:
    """Whether its numbers fill a stretch of memory, in whatever order."""
    return torch.empty_like(p, device="meta").stride() == p.stride()


def _keep_fused(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """A loaded state goes on with the kernel of this device, not of the one it was saved on."""
    fused = optimizer.defaults["fused"]
    return {**state, "param_groups": [{**group, "fused": fused} for group in state["param_groups"]]}
