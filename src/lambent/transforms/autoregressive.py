"""The autoregressive layer: each number is changed by a map that the numbers before it choose."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from lambent.core.stepwise import Stepwise
from lambent.core.transform import Transform, check_context, sum_event, widened
from lambent.nn.fast import takes_fast_path
from lambent.numerics import fixed_point
from lambent.transforms.elementwise import Elementwise
from lambent.transforms.fused_elementwise import fused_forward
from lambent.types import Context, PerSample, X, Z


class Autoregressive(Transform):
    r"""``z_i = g(x_i; net(x_0 ... x_{i-1}, context))`` with ``g`` elementwise.

    ``V = sum_i ln |g'(x_i)|``, the log-determinant of a triangular Jacobian. Forward costs one pass
    through the network. The inverse has to know one number before the next: with a conditioner
    that remembers (``start`` and ``step``) all of them cost one pass, else one each.

    Args:
        net: A module ``net(x, context) -> (b, k d)`` whose parameters of number ``i``, at ``k i``
            to ``k i + k - 1``, depend on the numbers before it alone.
        elementwise: The map ``g`` with its ``k`` parameters.
        inverse: ``cached`` steps through what the conditioner remembers, where it does; ``dense``
            takes ``d`` passes, the reference; ``jacobi`` changes all numbers back at once, from
            those of the pass before, until nothing changes: right after ``d`` passes at the
            latest, often after far fewer. How many depends on the data, so it does not compile.
        tolerance: The largest change of a number at which ``jacobi`` stops, relative to 1 plus its
            size; 0 stops where ``dense`` ends.

    Shape:
        ``(b, d)`` both ways.

    Raises:
        ValueError: If ``tolerance`` is negative.

    References:
        G. Papamakarios et al., "Masked Autoregressive Flow", 2017, arXiv:1705.07057, eq. 3 to 5;
        Y. Song et al., "Accelerating Feedforward Computation via Parallel Nonlinear Equation
        Solving", 2021, arXiv:2002.03629 (the Jacobi iteration).

    Example:
        >>> from lambent.nn import MADE
        >>> from lambent.transforms import Affine
        >>> Autoregressive(MADE(3, 2, width=8), Affine()).bijective
        True
    """

    def __init__(
        self,
        net: nn.Module,
        elementwise: Elementwise,
        *,
        inverse: Literal["cached", "dense", "jacobi"] = "cached",
        tolerance: float = 0.0,
    ) -> None:
        super().__init__()
        if not tolerance >= 0:
            raise ValueError(f"tolerance: expected at least 0, got {tolerance}")
        self.net = net
        self.elementwise = elementwise
        self.discrete = elementwise.discrete
        self.way = inverse
        self.tolerance = tolerance
        self.compiles = inverse != "jacobi"

    def params(self, x: Tensor, context: Context | None) -> Tensor:
        """The parameters of each number, ``(b, d, k)``."""
        params = widened(self.net(x, context))
        by_number: Tensor = params.unflatten(1, (x.shape[1], self.elementwise.num_params))
        return by_number

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Change all numbers at once."""
        check_context(x, context)
        if takes_fast_path(x):
            x = x.T.contiguous().T  # number by number, as the network puts its parameters out
        z, log_derivative = fused_forward(self.elementwise, x, self.params(x, context))
        return z, sum_event(log_derivative)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Change one number back after the other."""
        check_context(z, context)
        if self.way == "cached" and isinstance(self.net, Stepwise):
            return self._by_steps(self.net, z, context)
        if self.way == "jacobi":
            return self._at_once(z, context)
        x, log_derivative = z, torch.zeros_like(z)
        for _ in range(z.shape[1]):  # pass i is right up to number i
            x, log_derivative = self.elementwise.inverse(z, self.params(x, context))
        return x, sum_event(log_derivative)

    def _at_once(self, z: Tensor, context: Context | None) -> tuple[Tensor, PerSample]:
        def back(x: Tensor) -> Tensor:
            return self.elementwise.inverse(z, self.params(x, context))[0]

        x = fixed_point(back, z, passes=z.shape[1], tolerance=self.tolerance)
        _, log_derivative = self.elementwise.inverse(z, self.params(x, context))
        return x, sum_event(log_derivative)

    def _by_steps(
        self, net: Stepwise, z: Tensor, context: Context | None
    ) -> tuple[Tensor, PerSample]:
        numbers: list[Tensor] = []
        logs: list[Tensor] = []
        so_far = net.start(context, z)
        for i, number in enumerate(z.T.contiguous().unbind()):
            params, so_far = net.step(i, numbers[-1] if numbers else None, so_far)
            x, log_derivative = self.elementwise.inverse(number, widened(params))
            numbers.append(x)
            logs.append(log_derivative)
        return torch.stack(numbers).T, torch.stack(logs).sum(0)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.elementwise}, inverse={self.way}"
