"""Invertible 1x1 convolutions: what they compute, where they start, how exact they are."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from lambent.testing import perturbed
from lambent.transforms import InvertibleConv1x1, PLUConv1x1

KINDS = [InvertibleConv1x1, PLUConv1x1]


@pytest.mark.parametrize("kind", KINDS)
def test_is_a_1x1_convolution(kind: type[PLUConv1x1]) -> None:
    layer = perturbed(kind(5), 0.1, seed=1)
    x = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    expected = F.conv2d(x, layer.weight()[:, :, None, None])
    torch.testing.assert_close(layer(x)[0], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_starts_as_a_rotation(kind: type[PLUConv1x1]) -> None:
    layer = kind(16)
    weight = layer.weight()
    torch.testing.assert_close(weight @ weight.T, torch.eye(16), rtol=0, atol=1e-5)
    assert (weight - torch.eye(16)).abs().max() > 0.3
    torch.testing.assert_close(
        layer(torch.randn(2, 16, 3, 3))[1], torch.zeros(2), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
def test_two_of_them_differ(kind: type[PLUConv1x1]) -> None:
    assert not torch.allclose(kind(4).weight(), kind(4).weight())


@pytest.mark.parametrize("kind", KINDS)
def test_log_det_counts_every_place(kind: type[PLUConv1x1]) -> None:
    layer = perturbed(kind(4), 0.2, seed=2)
    one = layer(torch.randn(1, 4, dtype=torch.float64))[1]
    many = layer(torch.randn(1, 4, 3, 5, dtype=torch.float64))[1]
    assert one.abs() > 1e-3
    torch.testing.assert_close(many, 15 * one)


@pytest.mark.parametrize("kind", KINDS)
def test_wide_ones_stay_exact_in_float32(kind: type[PLUConv1x1]) -> None:
    """The inverse weight and the determinant of 384 channels are found in float64."""
    torch.manual_seed(1)
    layer = kind(384)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.005 * torch.randn_like(parameter))
    x = torch.randn(1, 384, 4, 4)
    z, log_det = layer(x)
    assert (layer.inverse(z)[0] - x).abs().max() < 2e-3
    expected = 16 * torch.linalg.slogdet(layer.weight().double())[1]
    assert log_det.item() == pytest.approx(expected.item(), rel=1e-4, abs=2e-2)


def test_inverse_weight_is_found_in_float64() -> None:
    """Of a weight with condition number 1e5 a float32 inverse keeps two digits."""
    left, right = torch.linalg.qr(torch.randn(2, 8, 8, dtype=torch.float64))[0]
    layer = InvertibleConv1x1(8)
    with torch.no_grad():
        layer.matrix.copy_(left @ torch.diag(torch.logspace(0, -5, 8).double()) @ right)
    z = torch.randn(4, 8)
    exact = torch.linalg.solve(layer.matrix.double(), z.double().mT).mT
    error = (layer.inverse(z)[0] - exact).norm() / exact.norm()
    assert error < 1e-5


def test_plu_learns_its_triangles_alone() -> None:
    """The permutation and the signs are kept in the state dict and never move."""
    layer = PLUConv1x1(6)
    assert set(dict(layer.named_parameters())) == {"lower", "upper", "log_scale"}
    assert {"permutation", "sign"} <= set(layer.state_dict())
    moved = perturbed(layer, 0.3, seed=3)
    assert torch.equal(moved.permutation, layer.permutation.double())
    weight = moved.weight()
    sign, log_abs_det = torch.linalg.slogdet(weight)
    torch.testing.assert_close(log_abs_det, moved.log_scale.sum())
    assert sign.abs() == 1


def test_reflections_are_welcome() -> None:
    """Only |det W| counts; what starts with determinant -1 keeps it."""
    signs = [torch.linalg.slogdet(PLUConv1x1(c).weight())[0].item() for c in range(2, 8)]
    assert set(signs) == {-1.0, 1.0}
    for channels in range(2, 8):
        layer = PLUConv1x1(channels)
        torch.testing.assert_close(
            layer(torch.randn(1, channels))[1], torch.zeros(1), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("kind", KINDS)
def test_another_number_of_channels_is_refused(kind: type[PLUConv1x1]) -> None:
    with pytest.raises(RuntimeError):
        kind(4)(torch.randn(2, 3, 2, 2))
