"""VAEs of binary digits, alike but for the posterior: a diagonal normal, or an IAF on top."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

import lambent
from lambent.distributions import StandardNormal
from lambent.nn import MLP
from lambent.transforms import Coupling, Standardise, Whole

LATENT, FEATURES, WIDTH = 6, 64, 128
HELD_OUT = 360


class VAE(nn.Module):
    """``log p(x) >= E_q [log p(x | z) + log p(z) - log q(z | x)]``, ``q`` a flow given ``h(x)``.

    Args:
        posterior: ``q``: a flow over the latent, conditional on the encoder's features.
    """

    def __init__(self, posterior: lambent.Flow) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, FEATURES))
        self.posterior = posterior
        self.prior = StandardNormal((LATENT,))
        self.decoder = nn.Sequential(nn.Linear(LATENT, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 64))

    def forward(self, x: Tensor, n: int = 1) -> Tensor:
        """The bound of binary images ``(b, 64)``, in nats an image, from ``n`` draws of each."""
        several = x.repeat_interleave(n, 0)

        def log_joint(z: Tensor) -> Tensor:
            logits = self.decoder(z)
            log_likelihood = -F.binary_cross_entropy_with_logits(logits, several, reduction="none")
            return log_likelihood.sum(1) + self.prior(z)

        return -lambent.reverse_kl(self.posterior, log_joint, n, self.encoder(x))


def normal_posterior() -> lambent.Flow:
    """A diagonal normal, its means and scales read off the features."""
    net = MLP(0, 2 * LATENT, width=64, layers=1, context_features=FEATURES)
    return lambent.Flow(Coupling(net, Standardise(7.0), Whole()), StandardNormal((LATENT,)))


def iaf_posterior() -> lambent.Flow:
    """The same diagonal normal, and its draws pushed through two layers that read the features."""
    config = lambent.IAFConfig(
        shape=(LATENT,), context_features=FEATURES, transforms=2, norm="none", scale_bound=1.0
    )
    return lambent.iaf(config)


def bound_of(posterior: Callable[[], lambent.Flow], steps: int, seed: int) -> float:
    """Train a VAE and give its bound on held-out images, in nats an image."""
    images = torch.tensor(load_digits().data >= 8).float()
    train, held_out = images[HELD_OUT:], images[:HELD_OUT]
    with lambent.seeded(seed):
        vae = VAE(posterior())
        optimizer = torch.optim.Adam(vae.parameters(), lr=1e-3, weight_decay=1e-4)
        for _ in range(steps):
            optimizer.zero_grad()
            (-vae(train[torch.randint(len(train), (128,))])).backward()
            optimizer.step()
        with torch.no_grad():
            return float(vae(held_out, 50))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for name, posterior in (("diagonal normal", normal_posterior), ("IAF", iaf_posterior)):
        bounds = [bound_of(posterior, options.steps, seed) for seed in range(options.seeds)]
        each = " ".join(f"{bound:.2f}" for bound in bounds)
        sys.stdout.write(f"{name}: {sum(bounds) / len(bounds):.2f} nats an image ({each})\n")


if __name__ == "__main__":
    main()
