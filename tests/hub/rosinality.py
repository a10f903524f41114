"""A synthetic state dict in the layout of rosinality/glow-pytorch, and its likelihood."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .formulas import State, coupled, mixed, noise, product, rotation, squeeze, standardised

WIDTH = 5


def state_dict(
    channels: int = 3, blocks: int = 2, flows: int = 2, *, affine: bool = True, lu: bool = True
) -> State:
    """Random weights. Without ``lu`` the last block has factors still, as in that code."""
    p: State = {}
    for i in range(blocks):
        c = channels * 2 ** (i + 2)
        last = i + 1 == blocks
        for k in range(flows):
            _flow(p, f"blocks.{i}.flows.{k}", c, affine=affine, lu=lu or last)
        into, out = (c, 2 * c) if last else (c // 2, c)
        _zero_conv(p, f"blocks.{i}.prior", into, out)
    return p


def _flow(p: State, key: str, c: int, *, affine: bool, lu: bool) -> None:
    p[f"{key}.actnorm.loc"] = noise(1, c, 1, 1)
    sign = torch.where(torch.rand(1, c, 1, 1) < 0.5, -1.0, 1.0)
    p[f"{key}.actnorm.scale"] = sign * noise(1, c, 1, 1).exp()
    p[f"{key}.actnorm.initialized"] = torch.tensor(1, dtype=torch.uint8)
    if lu:
        permutation, lower, upper = torch.linalg.lu(rotation(c))
        p[f"{key}.invconv.w_p"] = permutation
        p[f"{key}.invconv.u_mask"] = torch.ones_like(upper).triu(1)
        p[f"{key}.invconv.l_mask"] = torch.ones_like(upper).tril(-1)
        p[f"{key}.invconv.s_sign"] = upper.diagonal().sign()
        p[f"{key}.invconv.l_eye"] = torch.eye(c, dtype=torch.float64)
        p[f"{key}.invconv.w_l"] = lower + noise(
            c, c, scale=0.05
        )  # what the masks hide may be anything
        p[f"{key}.invconv.w_s"] = upper.diagonal().abs().log() + noise(c)
        p[f"{key}.invconv.w_u"] = upper + noise(c, c, scale=0.05)
    else:
        p[f"{key}.invconv.weight"] = (rotation(c) + noise(c, c, scale=0.05))[:, :, None, None]
    p[f"{key}.coupling.net.0.weight"] = noise(WIDTH, c // 2, 3, 3)
    p[f"{key}.coupling.net.0.bias"] = noise(WIDTH)
    p[f"{key}.coupling.net.2.weight"] = noise(WIDTH, WIDTH, 1, 1)
    p[f"{key}.coupling.net.2.bias"] = noise(WIDTH)
    _zero_conv(p, f"{key}.coupling.net.4", WIDTH, c if affine else c // 2)


def _zero_conv(p: State, key: str, into: int, out: int) -> None:
    p[f"{key}.scale"] = noise(1, out, 1, 1)
    p[f"{key}.conv.weight"] = noise(out, into, 3, 3, scale=0.1)
    p[f"{key}.conv.bias"] = noise(out)


def zero_convolve(p: State, key: str, x: Tensor) -> Tensor:
    """Padded with ones, in every channel."""
    x = F.pad(x, (1, 1, 1, 1), value=1.0)
    y = F.conv2d(x, p[f"{key}.conv.weight"], p[f"{key}.conv.bias"])
    return y * torch.exp(3 * p[f"{key}.scale"])


def weight(p: State, key: str) -> Tensor:
    if f"{key}.weight" in p:
        return p[f"{key}.weight"][:, :, 0, 0]
    names = ("w_p", "w_l", "w_u", "s_sign", "w_s")
    return product(*(p[f"{key}.{name}"] for name in names))


def network(p: State, key: str, x: Tensor) -> Tensor:
    h = F.relu(F.conv2d(x, p[f"{key}.0.weight"], p[f"{key}.0.bias"], padding=1))
    h = F.relu(F.conv2d(h, p[f"{key}.2.weight"], p[f"{key}.2.bias"]))
    return zero_convolve(p, f"{key}.4", h)


def likelihood(
    p: State, x: Tensor, blocks: int = 2, flows: int = 2, *, affine: bool = True
) -> tuple[Tensor, Tensor]:
    """Log-density of ``x`` in [-1/2, 1/2), and the standardised latents, finest first."""
    total = x.new_zeros(len(x))
    latents = []
    for i in range(blocks):
        x = squeeze(x)
        for k in range(flows):
            key = f"blocks.{i}.flows.{k}"
            scale = p[f"{key}.actnorm.scale"]
            x = scale * (x + p[f"{key}.actnorm.loc"])
            total = total + x.shape[2] * x.shape[3] * scale.abs().log().sum()
            x, log_det = mixed(x, weight(p, f"{key}.invconv"))
            total = total + log_det
            h = network(p, f"{key}.coupling.net", x.chunk(2, 1)[0])
            raw, shift = h.chunk(2, 1) if affine else (None, h)
            x, log_det = coupled(x, shift, raw)
            total = total + log_det
        last = i + 1 == blocks
        x, z = (torch.zeros_like(x), x) if last else x.chunk(2, 1)
        mean, log_sd = zero_convolve(p, f"blocks.{i}.prior", x).chunk(2, 1)
        latent, log_p = standardised(z, mean, log_sd)
        latents.append(latent)
        total = total + log_p
    return total, torch.cat(latents, 1)
