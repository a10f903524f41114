"""One scale of Glow, whose steps share their small matrices' work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from lambent.core.compose import Compose
from lambent.core.transform import Transform, check_context, zero_log_det
from lambent.nn.fast import takes_fast_path
from lambent.transforms.fused_steps import GlowStep, run_steps, undo_steps
from lambent.transforms.partition import Halves
from lambent.types import Context, PerSample, X, Z


class GlowLevel(Compose):
    r"""A squeeze, K steps of actnorm, channel mix and coupling, and the prior of what leaves.

    It is the composition of these parts, under the names ``squeeze``, ``step0`` ... and ``prior``.
    On the fast path the values are the same: actnorms are folded into the mixes, whose matrices are
    made for all steps at once, and the state lies channel by channel between the steps.

    Args:
        squeeze: What comes first.
        steps: The steps; all mixes of one kind, all couplings by halves.
        prior: What comes last, if anything.
        recompute: As for :class:`Compose`.
        every: As for :class:`Compose`.

    Shape:
        ``(b, c, h, w)`` to ``(b, c', h', w')``, as the squeeze has it.

    Raises:
        ValueError: If mixes are of several kinds, or a coupling parts otherwise.

    References:
        D. Kingma and P. Dhariwal, "Glow", 2018, arXiv:1807.03039, figure 2.
    """

    def __init__(
        self,
        squeeze: Transform,
        steps: Sequence[GlowStep],
        prior: Transform | None = None,
        *,
        recompute: Literal["never", "inverse"] = "never",
        every: int | None = None,
    ) -> None:
        named = {f"step{k}": Compose(**step._asdict()) for k, step in enumerate(steps)}
        last = {} if prior is None else {"prior": prior}
        super().__init__(recompute=recompute, every=every, squeeze=squeeze, **named, **last)
        if len({type(step.mix) for step in steps}) > 1:
            raise ValueError("steps: expected mixes of one kind, got several")
        if any(step.coupling.partition != Halves() for step in steps):
            raise ValueError("steps: expected couplings that part by halves, got another partition")

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Squeeze, step, standardise what leaves."""
        if self.rebuilds or not self._fuses(x):
            return super().forward(x, context)
        check_context(x, context)
        x, total = self["squeeze"](x, context)
        x, log_det = run_steps(self._steps(), x, context)
        total = total + log_det
        if "prior" in self._modules:
            x, log_det = self["prior"](x, context)
            total = total + log_det
        return x, total

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """The same backwards."""
        if not self._fuses(z):
            return super().inverse(z, context)
        check_context(z, context)
        total = zero_log_det(z)
        if "prior" in self._modules:
            z, total = self["prior"].inverse(z, context)
        z, log_det = undo_steps(self._steps(), z, context)
        x, of_squeeze = self["squeeze"].inverse(z, context)
        return x, total + log_det + of_squeeze

    def encode(self, x: X, context: Context | None = None) -> Z:
        """As forward."""
        return self.forward(x, context)[0]

    def decode(self, z: Z, context: Context | None = None) -> X:
        """As inverse."""
        return self.inverse(z, context)[0]

    def _steps(self) -> list[GlowStep]:
        chains = [step for name, step in self._modules.items() if name.startswith("step")]
        return [GlowStep(*chain) for chain in chains]  # type: ignore[misc]

    def _fuses(self, x: Tensor) -> bool:
        """Whether the steps run fused: on the fast path, with conditioners that have one."""
        steps = self._steps()
        takes = all(hasattr(step.coupling.net, "wide") for step in steps)
        return takes and len(steps) > 0 and takes_fast_path(x)
