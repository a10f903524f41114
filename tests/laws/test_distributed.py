"""The distributed law: two processes, each with half of a batch, give the gradients of one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed
import torch.multiprocessing
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from lambent.core import Compose, Flow
from lambent.flows import GlowConfig, glow
from lambent.testing import perturbed


def build() -> Flow:
    """A class-conditional Glow without its dequantisation, so that nothing is drawn."""
    torch.manual_seed(0)
    config = GlowConfig(shape=(1, 8, 8), grey_levels=256, steps=2, width=8)
    settings = {**vars(config), "conditioning": "strong", "classes": 4}
    whole = glow(GlowConfig(**settings))
    assert isinstance(whole.transform, Compose)
    flow = Flow(whole.transform["scales"], whole.base, context_encoder=whole.context_encoder)
    return perturbed(flow, 0.1, seed=1).double().train()


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(6, 1, 8, 8, generator=generator, dtype=torch.float64), torch.arange(6) % 4


def gradients(flow: Flow) -> dict[str, Tensor]:
    return {k: p.grad for k, p in flow.named_parameters() if p.grad is not None}


def one_of_two(rank: int, folder: str) -> None:
    """One process: half of the batch, the gradients averaged with the other's."""
    rendezvous = f"file://{folder}/rendezvous"
    torch.distributed.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2)
    flow = build()
    x, labels = (part[rank * 3 : rank * 3 + 3] for part in batch())
    shared = DistributedDataParallel(flow)  # named, for it to live through the backward pass
    (-shared(x, labels).mean()).backward()
    torch.save(gradients(flow), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_the_gradients_of_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(one_of_two, (str(tmp_path),), nprocs=2)
    flow = build()
    x, labels = batch()
    (-flow(x, labels).mean()).backward()
    expected = gradients(flow)
    assert len(expected) > 20
    assert max(float(g.abs().max()) for g in expected.values()) > 0.1
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert found.keys() == expected.keys()
        for name, gradient in expected.items():
            torch.testing.assert_close(
                found[name],
                gradient,
                rtol=1e-10,
                atol=1e-12,
                msg=lambda m, name=name: f"{name}: {m}",
            )
