"""Synthetic state dicts in the layouts of y0ast's and chaiyujin's Glow, and their likelihood."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from .formulas import State, coupled, mixed, noise, product, rotation, squeeze, standardised

WIDTH = 5


@dataclass
class Model:
    """A foreign model: what its constructor was told, and its weights."""

    layout: str
    coupling: str = "affine"
    permutation: str = "plu"
    learn_top: bool = True
    classes: int | None = None
    shape: tuple[int, int, int] = (3, 4, 8)
    steps: int = 2
    levels: int = 2
    state: State = field(default_factory=dict)
    orders: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        p, index, c = self.state, 0, self.shape[0]
        for i in range(self.levels):
            index, c = index + 1, 4 * c
            for _ in range(self.steps):
                self._step(f"flow.layers.{index}", c)
                index += 1
            if i + 1 < self.levels:
                self._conv(f"flow.layers.{index}.conv", c // 2, c, 3, zero=True)
                index, c = index + 1, c // 2
        if self.learn_top:
            name = {"y0ast": "learn_top_fn", "chaiyujin": "learn_top"}[self.layout]
            self._conv(name, 2 * c, 2 * c, 3, zero=True)
        if self.classes:
            self._linear("project_ycond", self.classes, 2 * c)
            self._linear("project_class", c, self.classes)
        batch = {"y0ast": 1, "chaiyujin": 6}[self.layout]
        side = 2**self.levels
        p["prior_h"] = torch.zeros(batch, 2 * c, self.shape[1] // side, self.shape[2] // side)
        p["prior_h"] = p["prior_h"].double()

    def weight_of(self, key: str) -> str:
        """The name of a convolution's weight, less ``weight``."""
        return {"y0ast": f"{key}.conv.", "chaiyujin": f"{key}."}[self.layout]

    def linear_of(self, key: str) -> str:
        return {"y0ast": f"{key}.linear.", "chaiyujin": f"{key}."}[self.layout]

    def net_of(self, key: str) -> str:
        return {"y0ast": f"{key}.block", "chaiyujin": f"{key}.f"}[self.layout]

    def triangles(self, key: str) -> tuple[str, str]:
        lower, upper = {"y0ast": ("lower", "upper"), "chaiyujin": ("l", "u")}[self.layout]
        return f"{key}.{lower}", f"{key}.{upper}"

    def _step(self, key: str, c: int) -> None:
        self._actnorm(f"{key}.actnorm", c)
        if self.permutation == "conv":
            self.state[f"{key}.invconv.weight"] = rotation(c) + noise(c, c, scale=0.05)
        elif self.permutation == "plu":
            permutation, lower, upper = torch.linalg.lu(rotation(c))
            names = self.triangles(f"{key}.invconv")
            self.state[f"{key}.invconv.p"] = permutation
            self.state[f"{key}.invconv.sign_s"] = upper.diagonal().sign()
            self.state[f"{key}.invconv.log_s"] = upper.diagonal().abs().log() + noise(c)
            self.state[names[0]] = lower + noise(c, c, scale=0.05)
            self.state[names[1]] = upper + noise(c, c, scale=0.05)
        self.orders.append(torch.randperm(c))
        net = self.net_of(key)
        self._conv(f"{net}.0", c // 2, WIDTH, 3)
        self._conv(f"{net}.2", WIDTH, WIDTH, 1)
        self._conv(f"{net}.4", WIDTH, c if self.coupling == "affine" else c // 2, 3, zero=True)

    def _actnorm(self, key: str, c: int) -> None:
        self.state[f"{key}.bias"] = noise(1, c, 1, 1)
        self.state[f"{key}.logs"] = noise(1, c, 1, 1)

    def _conv(self, key: str, into: int, out: int, size: int, *, zero: bool = False) -> None:
        name = self.weight_of(key)
        self.state[f"{name}weight"] = noise(out, into, size, size)
        if zero:
            self.state[f"{name}bias"] = noise(out)
            self.state[f"{key}.logs"] = noise(out, 1, 1)
        else:
            self._actnorm(f"{key}.actnorm", out)

    def _linear(self, key: str, into: int, out: int) -> None:
        name = self.linear_of(key)
        self.state[f"{name}weight"] = noise(out, into)
        self.state[f"{name}bias"] = noise(out)
        self.state[f"{key}.logs"] = noise(out)

    # ------------------------------------------------------------ the likelihood

    def likelihood(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Log-density of ``x`` as its first layer gets it, and the standardised latents."""
        total, latents, step, index = x.new_zeros(len(x)), [], 0, 0
        for i in range(self.levels):
            x, index = squeeze(x), index + 1
            for _ in range(self.steps):
                x, log_det = self._through(f"flow.layers.{index}", x, step)
                total, index, step = total + log_det, index + 1, step + 1
            if i + 1 < self.levels:
                x, z = x.chunk(2, 1)
                h = self._zero_convolve(f"flow.layers.{index}.conv", x)
                latent, log_p = standardised(z, h[:, 0::2], h[:, 1::2])
                latents, total, index = [*latents, latent], total + log_p, index + 1
        mean, log_std = self._top(x, labels).chunk(2, 1)
        latent, log_p = standardised(x, mean, log_std)
        return total + log_p, torch.cat([*latents, latent], 1)

    def _through(self, key: str, x: Tensor, step: int) -> tuple[Tensor, Tensor]:
        places = x.shape[2] * x.shape[3]
        log_det = places * self.state[f"{key}.actnorm.logs"].sum()
        x = self._normalise(f"{key}.actnorm", x)
        if self.permutation == "shuffle":
            x = x[:, self.orders[step]]
        elif self.permutation == "reverse":
            x = x.flip(1)
        else:
            x, more = mixed(x, self._weight(f"{key}.invconv"))
            log_det = log_det + more
        h = self._network(self.net_of(key), x.chunk(2, 1)[0])
        shift, raw = (h[:, 0::2], h[:, 1::2]) if self.coupling == "affine" else (h, None)
        x, more = coupled(x, shift, raw)
        return x, log_det + more

    def _weight(self, key: str) -> Tensor:
        p = self.state
        if self.permutation == "conv":
            return p[f"{key}.weight"]
        lower, upper = self.triangles(key)
        return product(p[f"{key}.p"], p[lower], p[upper], p[f"{key}.sign_s"], p[f"{key}.log_s"])

    def _normalise(self, key: str, x: Tensor) -> Tensor:
        return (x + self.state[f"{key}.bias"]) * torch.exp(self.state[f"{key}.logs"])

    def _network(self, key: str, x: Tensor) -> Tensor:
        h = F.conv2d(x, self.state[f"{self.weight_of(f'{key}.0')}weight"], padding=1)
        h = F.relu(self._normalise(f"{key}.0.actnorm", h))
        h = F.conv2d(h, self.state[f"{self.weight_of(f'{key}.2')}weight"])
        h = F.relu(self._normalise(f"{key}.2.actnorm", h))
        return self._zero_convolve(f"{key}.4", h)

    def _zero_convolve(self, key: str, x: Tensor) -> Tensor:
        name, p = self.weight_of(key), self.state
        y = F.conv2d(x, p[f"{name}weight"], p[f"{name}bias"], padding=1)
        return y * torch.exp(3 * p[f"{key}.logs"])

    def _top(self, x: Tensor, labels: Tensor | None) -> Tensor:
        h = x.new_zeros(len(x), 2 * x.shape[1], *x.shape[2:])
        if self.learn_top:
            name = {"y0ast": "learn_top_fn", "chaiyujin": "learn_top"}[self.layout]
            h = self._zero_convolve(name, h)
        if self.classes:
            assert labels is not None
            name, p = self.linear_of("project_ycond"), self.state
            one_hot = F.one_hot(labels, self.classes).double()
            y = F.linear(one_hot, p[f"{name}weight"], p[f"{name}bias"])
            h = h + (y * torch.exp(3 * p["project_ycond.logs"]))[:, :, None, None]
        return h
