from __future__ import annotations

import pytest
import torch

from lambent.train.order import TrainingOrder


@pytest.mark.parametrize("taken", [0, 4])
def test_parts_and_processes_read_what_one_would(taken: int) -> None:
    """Three epochs of 3 batches of 12; each of 2 processes takes its half of a batch in 3 parts."""
    whole = TrainingOrder(40, 12, seed=5, taken=taken)
    shares = [TrainingOrder(40, 12, 5, taken=taken, parts=3, rank=r, ranks=2) for r in range(2)]
    for epoch in range(taken // 3, 3):
        for order in (whole, *shares):
            order.set_epoch(epoch)
        batches = list(whole)
        read = [list(share) for share in shares]
        assert len(shares[0]) == 9
        for step, batch in enumerate(batches):
            parts = [part for share in read for part in share[3 * step : 3 * step + 3]]
            assert [len(part) for part in parts] == [2] * 6
            assert sorted(torch.cat(parts).tolist()) == sorted(batch.tolist())


def test_draws_are_shared_as_images_are() -> None:
    def draw(index: torch.Tensor, epoch: int, step: int) -> torch.Tensor:
        return torch.stack([index, torch.arange(len(index)) + 1000 * epoch + 100 * step], 1)

    orders = [TrainingOrder(20, 8, 0, rank=r, ranks=2, draw=draw, taken=3) for r in range(2)]
    whole = TrainingOrder(20, 8, 0, taken=3)
    first, second, alone = (list(order) for order in (*orders, whole))
    assert len(first) == len(second) == len(alone) == 1  # the second epoch's last batch
    assert first[0][:, 1].tolist() == [1100, 1102, 1104, 1106]
    assert second[0][:, 1].tolist() == [1101, 1103, 1105, 1107]
    assert torch.equal(alone[0][::2], first[0][:, 0])
    assert torch.equal(alone[0][1::2], second[0][:, 0])


def test_refuses_uneven_shares() -> None:
    with pytest.raises(ValueError, match=r"^batch_size: .* 2 processes times 3 parts, .* of 8"):
        TrainingOrder(100, 8, 0, parts=3, ranks=2)


@pytest.mark.parametrize("taken", [0, 3])
def test_batches_of_one_class_in_a_mixed_order(taken: int) -> None:
    labels = torch.arange(3).repeat(20)
    order = TrainingOrder(60, 8, seed=5, taken=taken, labels=labels)
    fresh = TrainingOrder(60, 8, seed=5, labels=labels)
    assert len(order) == 6
    epochs = []
    for epoch in range(2):
        for each in (order, fresh):
            each.set_epoch(epoch)
        whole = list(fresh)
        assert [batch.tolist() for batch in order] == [b.tolist() for b in whole[-6:]][
            taken if epoch == 0 else 0 :
        ]
        assert all(len(labels[batch].unique()) == 1 for batch in whole)
        assert len(torch.cat(whole).unique()) == 48
        epochs.append([int(labels[batch[0]]) for batch in whole])
    assert all(sorted(epoch) == [0, 0, 1, 1, 2, 2] for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_refuses_a_class_smaller_than_a_batch() -> None:
    with pytest.raises(ValueError, match=r"^one_class_batches: .* batch of 8 .* one of 5"):
        TrainingOrder(25, 8, 0, labels=torch.tensor([0] * 20 + [1] * 5))
