"""The processes that train one flow together, as torchrun or SLURM started them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist

if TYPE_CHECKING:
    from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment


@dataclass(frozen=True)
class Processes:
    """How many processes train together, and which of them this one is."""

    size: int = 1
    """Number of processes, on all machines."""
    rank: int = 0
    """Number of this one; the first writes the files."""
    nodes: int = 1
    """Number of machines."""
    environment: ClusterEnvironment | None = None
    """What Lightning asks for the other processes; none for a process alone."""

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0


ALONE = Processes()
"""One process."""


def processes() -> Processes:
    """The processes that a launcher started: torchrun's or SLURM's, else this one alone.

    Returns:
        How many there are and which one this is.

    Raises:
        ValueError: If the machines have unequal numbers of them.
    """
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    environment: ClusterEnvironment
    if TorchElasticEnvironment.detect():
        environment, per_node = TorchElasticEnvironment(), int(os.environ["LOCAL_WORLD_SIZE"])
    elif SLURMEnvironment.detect():
        # A requeued job is resumed by --resume in its script, as after any other interruption.
        environment = SLURMEnvironment(auto_requeue=False)
        per_node = environment.world_size() // int(os.environ.get("SLURM_NNODES", "1"))
    else:
        return ALONE
    size = environment.world_size()
    if size == 1:
        return ALONE
    if per_node < 1 or size % per_node:
        raise ValueError(f"devices: expected as many on every machine, got {size} in all")
    return Processes(size, environment.global_rank(), size // per_node, environment)


def any_of(here: bool, device: torch.device) -> bool:  # noqa: FBT001 - the fact, not a switch
    """Whether something is so in any of the processes; each has to ask.

    Args:
        here: Whether it is so in this one.
        device: Where the processes exchange numbers.

    Returns:
        The same in all of them.
    """
    if not dist.is_initialized():
        return here
    flag = torch.tensor(float(here), device=device)
    dist.all_reduce(flag, dist.ReduceOp.MAX)
    return bool(flag)


def of_all(state: torch.Tensor, device: torch.device) -> list[torch.Tensor]:
    """A tensor of each process, in their order; each has to ask.

    Args:
        state: This process's; the others' have its shape.
        device: Where the processes exchange numbers.

    Returns:
        One a process, on the CPU.
    """
    if not dist.is_initialized():
        return [state]
    here = state.to(device)
    found = [torch.empty_like(here) for _ in range(dist.get_world_size())]
    dist.all_gather(found, here)
    return [tensor.cpu() for tensor in found]


def from_first(tensors: list[torch.Tensor], device: torch.device) -> None:
    """Overwrite tensors by those of the first process; each has to ask.

    Args:
        tensors: As many of the same shapes in each.
        device: Where the processes exchange numbers.
    """
    if not dist.is_initialized():
        return
    for tensor in tensors:
        held = tensor.detach().to(device, copy=True)
        dist.broadcast(held, 0)
        tensor.detach().copy_(held)
