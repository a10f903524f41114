from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent import seeded
from lambent.nn import Beside, Pooled, Pyramid, ZeroConv2d

SIZES = [(8, 4), (4, 2)]


@pytest.mark.parametrize("image", [(2, 2, 1), (1, 4, 2), (3, 8, 4), (1, 16, 8)])
def test_planes_have_the_resolution_of_every_level(image: tuple[int, int, int]) -> None:
    planes = Pyramid(image, SIZES, features=5)(torch.rand(2, *image))
    assert [tuple(p.shape) for p in planes] == [(2, 5, *size) for size in SIZES]


@pytest.mark.parametrize("image", [(1, 2, 1), (1, 16, 8)])
def test_every_pixel_reaches_every_level(image: tuple[int, int, int]) -> None:
    with seeded(0):
        net = Pyramid(image, SIZES, features=6, blocks=3).double()
        x = torch.rand(1, *image, dtype=torch.float64, requires_grad=True)
    for planes in net(x):
        (grad,) = torch.autograd.grad(planes.square().sum(), x, retain_graph=True)
        assert (grad != 0).all()


def test_bytes_are_read_as_fractions() -> None:
    net = Pyramid((1, 4, 2), SIZES)
    x = torch.randint(256, (2, 1, 4, 2), dtype=torch.uint8)
    for planes, same in zip(net(x), net(x.float() / 255 - 0.5), strict=True):
        torch.testing.assert_close(planes, same)


def test_a_label_is_read_too() -> None:
    net = Pyramid((1, 4, 2), SIZES, classes=3)
    x = torch.rand(1, 1, 4, 2)
    first, other = (net((torch.tensor([k]), x)) for k in (0, 2))
    assert all(not torch.equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    "context",
    [torch.rand(2, 1, 4, 4), torch.rand(2, 8), (torch.tensor([0]), torch.rand(1, 1, 4, 2))],
)
def test_another_context_is_refused(context: Tensor | tuple[Tensor, ...]) -> None:
    with pytest.raises(ValueError, match=r"^context: expected images \(b, \*\(1, 4, 2\)\), got"):
        Pyramid((1, 4, 2), SIZES)(context)


def test_a_label_alone_or_none_is_refused() -> None:
    net = Pyramid((1, 4, 2), SIZES, classes=3)
    for context in (torch.tensor([0]), torch.rand(1, 1, 4, 2)):
        with pytest.raises(ValueError, match=r"^context: expected labels \(b,\) and images"):
            net(context)


@pytest.mark.parametrize("image", [(1, 3, 2), (1, 4, 4), (1, 16, 4)])
def test_sizes_that_do_not_fit_are_refused(image: tuple[int, int, int]) -> None:
    with pytest.raises(
        ValueError, match=r"^context_shape: expected a height and width that divide"
    ):
        Pyramid(image, SIZES)


@pytest.mark.parametrize(
    "context",
    [None, torch.rand(2, 3), torch.rand(2, 3, 4, 5), torch.rand(2, 2, 4, 4), (torch.rand(1),)],
)
def test_networks_refuse_other_planes(context: Tensor | tuple[Tensor, ...] | None) -> None:
    with pytest.raises(ValueError, match=r"^context: expected feature planes"):
        Beside(ZeroConv2d(4, 2), 3)(torch.rand(2, 1, 4, 4), context)


def test_pooled_refuses_other_planes() -> None:
    with pytest.raises(ValueError, match=r"^context: expected feature planes"):
        Pooled(3, 2)(torch.rand(2, 4, 2, 2))
