"""Linear maps and permutations as a chain of the library's own couplings."""

from __future__ import annotations

import pytest
import torch

from lambent.flows import linear_map, permutation_map
from lambent.testing import check_transform
from lambent.transforms import Additive, Affine, Coupling, Permute


def target(n: int, seed: int = 0) -> torch.Tensor:
    t = torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return t if torch.linalg.det(t) > 0 else t[torch.tensor([1, 0, *range(2, n)])]


def test_a_linear_map_is_a_chain_of_couplings() -> None:
    t = target(6)
    chain = linear_map(t)
    maps = [step.elementwise for step in chain if isinstance(step, Coupling)]
    assert len(maps) == len(chain) == 16
    assert maps.count(Additive()) == 14
    assert maps.count(Affine(bound=None)) == 2
    x = torch.randn(5, 6, dtype=torch.float64)
    with torch.no_grad():
        z, log_det = chain(x)
        back, minus = chain.inverse(z)
    assert torch.allclose(z, x @ t.T, atol=1e-10)
    assert torch.allclose(log_det, torch.logdet(t).expand(5), atol=1e-10)
    assert torch.allclose(back, x, atol=1e-9)
    assert torch.allclose(minus, -log_det)


def test_it_keeps_the_laws() -> None:
    x = torch.randn(4, 4, dtype=torch.float64)
    check_transform(linear_map(target(4)), x, skip=("compile",))


def test_a_permutation_is_one_too() -> None:
    order = torch.tensor([3, 0, 4, 1, 5, 2])
    x = torch.randn(5, 6, dtype=torch.float64)
    z, log_det = permutation_map(order)(x)
    assert torch.allclose(z, Permute(order)(x)[0], atol=1e-12)
    assert torch.allclose(log_det, torch.zeros(5, dtype=torch.float64), atol=1e-12)


def test_the_type_is_the_targets() -> None:
    chain = linear_map(target(4).float())
    assert {p.dtype for p in chain.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ([1, 0, 2, 3], "order: expected an even permutation"),
        ([0, 0, 1, 2], "order: expected a permutation of 0 ... n - 1"),
        ([1, 2, 0], "target: expected an even size"),
    ],
)
def test_orders_that_are_refused(order: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}"):
        permutation_map(torch.tensor(order))


def test_a_mirror_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^target: expected a determinant above 0, got -1;"):
        linear_map(torch.diag(torch.tensor([1.0, -1.0])))
