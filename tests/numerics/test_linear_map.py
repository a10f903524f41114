"""Linear maps as couplings: the construction, step by step and whole."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from lambent.numerics import LinearCoupling, linear_couplings, product
from lambent.numerics.linear_coupling import merged, opposite, opposite_first
from lambent.numerics.positive_factors import positive_factors


def gaussian(n: int, seed: int) -> Tensor:
    """Standard normal entries, the first row turned where the determinant was negative."""
    t = torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    if torch.linalg.det(t) < 0:
        t[0] *= -1
    return t


def error(couplings: list[LinearCoupling], target: Tensor) -> float:
    return float((product(couplings) - target).abs().max())


def alternate(couplings: list[LinearCoupling]) -> bool:
    return all(a.changed != b.changed for a, b in itertools.pairwise(couplings))


def test_a_coupling_as_a_matrix() -> None:
    weight = torch.tensor([[2.0, 3.0], [5.0, 7.0]])
    a, b, scale = torch.randn(2), torch.randn(2), torch.tensor([0.5, 4.0])
    x = torch.cat((a, b))
    second = LinearCoupling(1, weight, scale).matrix() @ x
    assert torch.allclose(second, torch.cat((a, scale * b + weight @ a)))
    first = LinearCoupling(0, weight).matrix() @ x
    assert torch.allclose(first, torch.cat((a + weight @ b, b)))


def test_neighbours_of_one_half_are_merged() -> None:
    torch.manual_seed(0)
    parts = [
        LinearCoupling(half, torch.randn(2, 2).double(), torch.rand(2).double() if s else None)
        for half, s in ((0, 0), (0, 1), (0, 0), (1, 1), (1, 1), (0, 0), (0, 0))
    ]
    few = merged(parts)
    assert [c.changed for c in few] == [0, 1, 0]
    assert [c.scale is None for c in few] == [False, False, True]
    assert error(few, product(parts)) < 1e-14


@pytest.mark.parametrize("d", [1, 4])
def test_a_matrix_and_its_inverse_are_four_additive_couplings(d: int) -> None:
    x = gaussian(d, 3)
    expected = torch.block_diag(x, torch.linalg.inv(x))
    assert error(opposite(x), expected) < 1e-12
    assert error(opposite_first(x), torch.linalg.inv(expected)) < 1e-12
    assert [c.changed for c in opposite(x)] == [1, 0, 1, 0]
    assert [c.changed for c in opposite_first(x)] == [0, 1, 0, 1]
    assert all(c.scale is None for c in opposite(x))


@pytest.mark.parametrize("d", [2, 3, 5])
def test_factors_of_positive_eigenvalues(d: int) -> None:
    generator = torch.Generator().manual_seed(0)
    for seed in range(10):
        m = gaussian(d, seed)
        factors = positive_factors(m, 1.0, generator)
        assert factors is not None
        whole = torch.eye(d, dtype=torch.float64)
        for basis, values in factors:
            assert (values > 0).all()
            assert len(values.unique()) == d
            whole = whole @ basis @ torch.diag(values) @ torch.linalg.inv(basis)
        assert torch.allclose(whole, m, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("n", [4, 6])
def test_sixteen_couplings_are_a_linear_map(n: int) -> None:
    for seed in range(10):
        target = gaussian(n, seed)
        couplings = linear_couplings(target, seed=seed)
        assert len(couplings) == 16
        assert [c.changed for c in couplings] == 8 * [0, 1]
        scales = [c.scale for c in couplings if c.scale is not None]
        assert len(scales) == 2
        assert all((scale > 0).all() for scale in scales)
        assert error(couplings, target) <= 2e-11
        log_det = torch.cat(scales).log().sum()
        assert float(log_det) == pytest.approx(float(torch.logdet(target)), abs=1e-9)


@pytest.mark.parametrize(("n", "bound"), [(8, 1e-10), (16, 1e-7)])
def test_larger_maps_are_less_exact(n: int, bound: float) -> None:
    target = gaussian(n, 1)
    one, best = (error(linear_couplings(target, bases=bases), target) for bases in (1, 30))
    assert best <= one
    assert best < bound


def test_two_numbers_take_six() -> None:
    target = torch.tensor([[1.0, 2.0], [-1.0, 0.5]], dtype=torch.float64)
    couplings = linear_couplings(target)
    assert len(couplings) == 6
    assert error(couplings, target) < 1e-14
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    three = [LinearCoupling(half, turn[half, 1 - half].reshape(1, 1)) for half in (0, 1, 0)]
    assert torch.equal(product(three), turn)


def test_every_even_permutation_of_four() -> None:
    unit, counts = torch.eye(4, dtype=torch.float64), []
    for order in itertools.permutations(range(4)):
        target = unit[list(order)]
        if torch.linalg.det(target) > 0:
            couplings = linear_couplings(target)
            assert error(couplings, target) < 1e-12
            assert alternate(couplings)
            counts.append(len(couplings))
    assert len(counts) == 12
    assert set(counts) == {6, 17}


def test_maps_that_no_draw_makes_generic_at_first() -> None:
    """A block without an inverse, and ``M`` a negative multiple of the identity."""
    unit = torch.eye(2, dtype=torch.float64)
    nothing, a = torch.zeros(2, 2, dtype=torch.float64), gaussian(2, 5)
    half_turn = torch.block_diag(a, -2 * torch.linalg.inv(a))
    swap = torch.cat((torch.cat((nothing, unit), 1), torch.cat((unit, nothing), 1)))
    for target in (half_turn, swap):
        couplings = linear_couplings(target)
        assert len(couplings) == 17
        assert alternate(couplings)
        assert error(couplings, target) < 1e-12
    minus = linear_couplings(-torch.eye(4, dtype=torch.float64))
    assert error(minus, -torch.eye(4, dtype=torch.float64)) < 1e-14


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (torch.diag(torch.tensor([-1.0, 1.0])), "target: expected a determinant above 0, got -1;"),
        (torch.zeros(2, 2), "target: expected a determinant above 0, got 0;"),
        (torch.eye(3), "target: expected an even size, for two halves, got 3"),
        (torch.full((2, 2), torch.nan), "target: expected finite numbers"),
    ],
)
def test_what_is_out_of_reach(target: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}"):
        linear_couplings(target)


def test_no_bases() -> None:
    with pytest.raises(ValueError, match=r"^bases: expected at least 1, got 0"):
        linear_couplings(torch.eye(2), bases=0)
