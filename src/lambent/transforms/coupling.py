"""The coupling layer: one part of the event parametrises an elementwise map of the other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.core.rebuild import Rebuilt, context_tensors, gradients, like_context, with_gradient
from lambent.core.transform import Transform, check_context, sum_event, widened
from lambent.transforms.elementwise import Elementwise
from lambent.transforms.partition import Halves, Partition
from lambent.types import Context, PerSample, X, Z


class Coupling(Transform):
    r"""``z_a = x_a`` and ``z_b = g(x_b; net(x_a, context))`` with ``g`` elementwise.

    ``V = sum_i ln |g'(x_b,i)|``. Each direction costs one pass through the network.

    Args:
        net: A module ``net(a, context) -> (b, k * c_b, *)``; parameter ``j`` of channel ``i`` is at
            channel ``k i + j``.
        elementwise: The map ``g`` with its ``k`` parameters.
        partition: How the event is parted.

    Shape:
        ``(b, c, *)`` both ways.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803, eq. 7.

    Example:
        >>> from lambent.nn import CouplingNet
        >>> from lambent.transforms import Additive
        >>> Coupling(CouplingNet(2, 2, width=8), Additive()).bijective
        True
    """

    cheap_inverse = True

    def __init__(
        self, net: nn.Module, elementwise: Elementwise, partition: Partition | None = None
    ) -> None:
        super().__init__()
        self.net = net
        self.elementwise = elementwise
        self.discrete = elementwise.discrete
        self.partition = partition or Halves()

    def params(self, a: Tensor, b: Tensor, context: Context | None) -> Tensor:
        """The parameters of the elementwise map of ``b``, on a last axis: ``(b, c_b, *, k)``."""
        check_context(b, context)
        params = widened(self.net(a, context))  # a network may run in half precision, g may not
        by_channel: Tensor = params.unflatten(1, (b.shape[1], self.elementwise.num_params))
        return by_channel.movedim(2, -1)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Change the second part, given the first."""
        a, b = self.partition.split(x)
        y, log_derivative = self.elementwise.forward(b, self.params(a, b, context))
        return self.partition.merge(a, y), sum_event(log_derivative)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Change the second part back, given the first."""
        a, y = self.partition.split(z)
        b, log_derivative = self.elementwise.inverse(y, self.params(a, y, context))
        return self.partition.merge(a, b), sum_event(log_derivative)

    def invert_and_vjp(
        self, z: Z, grad_z: Tensor, grad_log_det: PerSample, context: Context | None = None
    ) -> Rebuilt:
        """Both from one pass through the network, whose input is there on either side."""
        a, y = self.partition.split(z)
        grad_a, grad_y = self.partition.split(grad_z)
        with torch.enable_grad():
            leaf = with_gradient(a)
            parts = [with_gradient(part) for part in context_tensors(context)]
            params = self.params(leaf, y, like_context(parts, context))
        b = self.elementwise.inverse(y, params.detach())[0]
        with torch.enable_grad():
            changed = with_gradient(b)
            again, log_derivative = self.elementwise.forward(changed, params)
            log_det = sum_event(log_derivative)
        weights = list(self.net.parameters())
        inputs = [leaf, changed, *parts, *weights]
        through, grad_b, *others = gradients((again, log_det), (grad_y, grad_log_det), inputs)
        if through is not None:
            grad_a = grad_a + through
        assert grad_b is not None  # y is a function of b
        grads = zip(weights, others[len(parts) :], strict=True)
        return Rebuilt(
            self.partition.merge(a, b),
            self.partition.merge(grad_a, grad_b),
            tuple(others[: len(parts)]),
            {p: g for p, g in grads if g is not None},
        )

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.elementwise}, {self.partition}"
