"""The optimiser of the released Glow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class ReleasedAdamax(torch.optim.Optimizer):
    r"""Adamax as the released Glow has it, with smaller steps at first.

    With ``m = b1 m + (1 - b1) g`` and ``v = max(b2 v, |g|)``, step ``t = 1, 2, ...`` subtracts
    ``lr sqrt(1 - b2^t) / (1 - b1^t) m / (v + eps)``. The published Adamax lacks the square root,
    which acts as a warm-up over about ``1 / (1 - b2)`` steps.

    Args:
        params: Parameters, or groups of them.
        lr: Step size.
        betas: ``(b1, b2)``.
        eps: Added to ``v``.
        weight_decay: Share of a weight subtracted in each step, times ``lr``.

    References:
        The released code of D. Kingma and P. Dhariwal, "Glow", 2018 (``optim.py``); D. Kingma and
        J. Ba, "Adam", 2015, arXiv:1412.6980, algorithm 2.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step.

        Args:
            closure: Computes the loss and its gradients anew, if given.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, p.grad, group)
        return loss

    def _update(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        (beta1, beta2), state = group["betas"], self.state[p]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"], state["exp_inf"] = torch.zeros_like(p), torch.zeros_like(p)
        state["step"] += 1
        t = int(state["step"])
        first = state["exp_avg"].lerp_(grad, 1 - beta1)
        largest = torch.maximum(state["exp_inf"].mul_(beta2), grad.abs(), out=state["exp_inf"])
        rate = group["lr"] * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.addcdiv_(first, largest + group["eps"], value=-rate)
