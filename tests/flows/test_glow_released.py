"""The released form, against its formulas written out in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lambent.core import Compose, Flow, seeded, trace
from lambent.flows import GlowConfig, glow
from lambent.nn import CouplingNet
from lambent.testing import perturbed, pixels
from lambent.transforms import MultiScale

Array = NDArray[np.float64]


def released(**settings: object) -> Flow:
    defaults = {
        "shape": (1, 4, 6),
        "grey_levels": 256,
        "levels": 1,
        "steps": 1,
        "width": 5,
        "permutation": "conv",
        "scale": "released",
    }
    return perturbed(glow(GlowConfig(**defaults | settings)), 0.2, seed=1)


def scales(flow: Flow) -> MultiScale:
    assert isinstance(flow.transform, Compose)
    found = flow.transform["scales"]
    assert isinstance(found, MultiScale)
    return found


def parameters(module: torch.nn.Module) -> dict[str, Array]:
    return {key: value.numpy() for key, value in module.state_dict().items()}


def convolve(x: Array, weight: Array) -> Array:
    """A valid convolution of the input padded with zeros and a channel of ones on the ring."""
    b, c, h, w = x.shape
    padded = np.zeros((b, c + 1, h + 2, w + 2))
    padded[:, :c, 1:-1, 1:-1] = x
    padded[:, c] = 1.0
    padded[:, c, 1:-1, 1:-1] = 0.0
    y = np.zeros((b, weight.shape[0], h, w))
    for r in range(3):
        for s in range(3):
            patch = padded[:, :, r : r + h, s : s + w]
            y += np.einsum("oc,bchw->bohw", weight[:, :, r, s], patch)
    return y


def per_channel(values: Array) -> Array:
    return values[:, None, None]


def actnorm(x: Array, bias: Array, logs: Array) -> Array:
    return (x + per_channel(bias)) * np.exp(3 * per_channel(logs))


def zero_convolve(x: Array, p: dict[str, Array], name: str) -> Array:
    y = convolve(x, p[f"{name}.conv.weight"]) + per_channel(p[f"{name}.conv.bias"])
    return y * np.exp(3 * per_channel(p[f"{name}.raw_log_scale"]))


def network(x: Array, p: dict[str, Array]) -> Array:
    """3x3, actnorm, ReLU, 1x1, actnorm, ReLU, zero 3x3."""
    h = convolve(x, p["first.weight"])
    h = np.maximum(actnorm(h, p["norms.0.bias"], p["norms.0.raw_log_scale"]), 0)
    h = np.einsum("oc,bchw->bohw", p["second.weight"], h)
    h = np.maximum(actnorm(h, p["norms.1.bias"], p["norms.1.raw_log_scale"]), 0)
    return zero_convolve(h, p, "last")


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def log_normal(z: Array, mean: Array, logs: Array) -> Array:
    """``-1/2 (ln 2 pi + 2 logs + (z - mean)^2 exp(-2 logs))``, summed over each image."""
    values = -0.5 * (math.log(2 * math.pi) + 2 * logs + (z - mean) ** 2 * np.exp(-2 * logs))
    return values.reshape(len(z), -1).sum(1)


def step(x: Array, p: dict[str, Array], *, additive: bool = False) -> tuple[Array, Array]:
    """Actnorm, 1x1 convolution, coupling; the log-determinant of each image."""
    places = x.shape[2] * x.shape[3]
    x = actnorm(x, p["actnorm.affine.bias"], p["actnorm.affine.raw_log_scale"])
    log_det = np.full(len(x), places * 3 * p["actnorm.affine.raw_log_scale"].sum())
    x = np.einsum("oc,bchw->bohw", p["mix.matrix"], x)
    log_det += places * np.log(abs(np.linalg.det(p["mix.matrix"])))
    half = x.shape[1] // 2
    z1, z2 = x[:, :half], x[:, half:]
    net = {key.removeprefix("coupling.net."): value for key, value in p.items()}
    h = network(z1, net)
    if additive:
        return np.concatenate((z1, z2 + h), 1), log_det
    shift, scale = h[:, 0::2], sigmoid(h[:, 1::2] + 2)
    log_det += np.log(scale).reshape(len(x), -1).sum(1)
    return np.concatenate((z1, (z2 + shift) * scale), 1), log_det


@pytest.mark.parametrize("coupling", ["affine", "additive"])
def test_one_step(coupling: str) -> None:
    layer = scales(released(coupling=coupling)).levels[0]["step0"]
    x = torch.randn(3, 4, 2, 3, dtype=torch.float64)
    z, log_det = layer(x)
    expected, expected_log_det = step(x.numpy(), parameters(layer), additive=coupling == "additive")
    np.testing.assert_allclose(z.detach().numpy(), expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(log_det.detach().numpy(), expected_log_det, rtol=1e-10)


def squeeze(x: Array) -> Array:
    b, c, h, w = x.shape
    cells = x.reshape(b, c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 5, 2, 4)
    return cells.reshape(b, 4 * c, h // 2, w // 2)


def test_whole_objective() -> None:
    """Nats of an image as the released code adds them up, over two levels of two steps."""
    flow = released(shape=(1, 8, 8), levels=2, steps=2)
    x = pixels()((3, 1, 8, 8))
    with seeded(5):
        noise = torch.rand(x.shape, dtype=torch.float64).numpy() * (1 - 2.0**-16)
    with seeded(5):
        log_prob = flow.log_prob(x).detach().numpy()
    h = (x.numpy() + noise) / 256 - 0.5
    objective = np.full(3, -64 * math.log(256))
    levels = scales(flow).levels
    for i, level in enumerate(levels):
        h = squeeze(h)
        for k in range(2):
            h, log_det = step(h, parameters(level[f"step{k}"]))
            objective += log_det
        prior = parameters(level["prior"].net)
        if i == 0:
            half = h.shape[1] // 2
            y = zero_convolve(h[:, :half], prior, "conv")
            objective += log_normal(h[:, half:], y[:, 0::2], y[:, 1::2])
            h = h[:, :half]
        else:
            y = zero_convolve(np.zeros((3, 2 * h.shape[1], *h.shape[2:])), prior, "conv")
            mean, logs = y[:, : h.shape[1]], y[:, h.shape[1] :]
            objective += log_normal(h, mean, logs)
    np.testing.assert_allclose(log_prob, objective, rtol=1e-10)


def test_label_speaks_at_the_top_by_first_half_and_second_half() -> None:
    flow = released(conditioning="top", classes=3)
    level = scales(flow).levels[0]
    prior = level["prior"]
    h, labels = torch.randn(3, 4, 2, 3, dtype=torch.float64), torch.tensor([0, 2, 1])
    one_hot = torch.eye(3, dtype=torch.float64)[labels]
    z, value = prior(h, one_hot)
    p = parameters(prior.net)
    y = zero_convolve(np.zeros((3, 8, 2, 3)), p, "conv")
    linear = one_hot.numpy() @ p["linear.linear.weight"].T + p["linear.linear.bias"]
    y = y + (linear * np.exp(3 * p["linear.raw_log_scale"]))[:, :, None, None]
    expected = log_normal(h.numpy(), y[:, :4], y[:, 4:])
    found = flow.base(z.flatten(1)) + value
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-10)


def test_untrained_affine_coupling_shrinks() -> None:
    """``ln sigmoid(2) = -0.126928`` for each changed value: half of the values of each level."""
    config = GlowConfig(
        shape=(3, 8, 8),
        grey_levels=256,
        levels=2,
        steps=3,
        width=4,
        permutation="conv",
        scale="released",
    )
    entries = trace(glow(config).double(), pixels()((2, 3, 8, 8)))
    couplings = {e.path: e.log_likelihood for e in entries if e.path.endswith("coupling")}
    assert len(couplings) == 6
    for path, log_likelihood in couplings.items():
        changed = {"0": 6 * 16, "1": 12 * 4}[path.split("level")[1][0]]
        for value in log_likelihood.tolist():
            assert value / changed == pytest.approx(-0.126928, abs=5e-7)


def test_untrained_additive_coupling_does_nothing() -> None:
    config = GlowConfig(
        shape=(1, 4, 4), grey_levels=256, levels=1, steps=2, width=4, coupling="additive"
    )
    entries = trace(glow(config), pixels()((2, 1, 4, 4)))
    previous = entries[0]
    for entry in entries:
        if entry.path.endswith("coupling"):
            assert torch.equal(entry.z, previous.z)
            assert not entry.log_likelihood.any()
        previous = entry


def test_hidden_weights_start_as_released() -> None:
    """Normal with standard deviation 0.05, no biases where an actnorm follows."""
    net = CouplingNet(64, 8, width=512)
    assert net.first.bias is None
    assert net.second.bias is None
    for weight in (net.first.weight, net.second.weight):
        assert weight.std().item() == pytest.approx(0.05, rel=0.02)
        assert abs(weight.mean().item()) < 1e-3
