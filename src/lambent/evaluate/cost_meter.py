"""What a pass does, counted op by op; on the meta device nothing is computed or held."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

_aten = torch.ops.aten
_IN_PLACE = {
    _aten.addmm_: _aten.addmm,
    _aten.baddbmm_: _aten.baddbmm,
    _aten.add_: _aten.add,
    _aten.mul_: _aten.mul,
    _aten.relu_: _aten.relu,
}
"""Ops that write over their first argument, and those they do the work of."""


class Product(NamedTuple):
    """A matrix product ``(batch, m, k) @ (batch, k, n)``."""

    batch: int
    m: int
    k: int
    n: int
    transposed: tuple[bool, bool] = (False, False)
    """Whether each factor is stored the other way round."""


class Meter(TorchDispatchMode):
    """Counts products, bytes moved and bytes held of everything that runs while it is entered.

    Bytes held are those of the storages made meanwhile, each from its making to its end, so what
    autograd saves, what a custom function keeps and what is there for a moment all count, once.

    Args:
        present: Tensors that are there before and do not count.
    """

    def __init__(self, present: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products: Counter[Product] = Counter()
        """Additions and multiplications by the product they are, or come down to."""
        self.other_flops = 0
        """Additions and multiplications of what is no product, such as attention."""
        self.moved = 0
        """Bytes that ops which are no products read and wrote."""
        self.operations = 0
        """Ops in all, views among them."""
        self.held = 0
        """Bytes held now."""
        self.peak = 0
        """The most bytes held at a time."""
        self._known: dict[int, weakref.ref[Any]] = {}
        for tensor in present:
            storage = tensor.untyped_storage()
            self._known[id(storage)] = weakref.ref(storage)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an op and take note of it."""
        kwargs = kwargs or {}
        written = _written(func, args, kwargs)
        out = func(*args, **kwargs) if written is None else written
        self.operations += 1
        made = _tensors(out if isinstance(out, (tuple, list)) else (out,))
        given = _tensors((*args, *kwargs.values()))
        fresh = [self._hold(t) for t in made]
        op = _IN_PLACE.get(func._overloadpacket, func._overloadpacket)
        formula = flop_registry.get(op)
        if formula is not None:
            self._count(op, args, out, formula(*args, **kwargs, out_val=out))
        elif any(fresh) or func._schema.is_mutable:
            self.moved += sum(t.numel() * t.element_size() for t in (*given, *made))
        return out

    def _hold(self, tensor: Tensor) -> bool:
        """Count a storage from now to its end; whether it is a new one."""
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes()
        if key in self._known:
            return False
        self._known[key] = weakref.ref(storage, self._dropper(key, size))
        self.held += size
        self.peak = max(self.peak, self.held)
        return True

    def _dropper(self, key: int, size: int) -> Callable[[Any], None]:
        def drop(_: Any) -> None:
            self.held -= size
            del self._known[key]

        return drop

    @property
    def flops(self) -> int:
        """Additions and multiplications in all."""
        return sum(self.products.values()) + self.other_flops

    def _count(self, op: Any, args: Sequence[Any], out: Any, flops: int) -> None:
        product = _product(op, args, out)
        if product is None or flops == 0:
            self.other_flops += flops
        else:
            self.products[product] += flops


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    """The tensors among an op's arguments or results, and in lists among them."""
    found: list[Tensor] = []
    for value in values:
        parts = value if isinstance(value, (tuple, list)) else (value,)
        found += [part for part in parts if isinstance(part, Tensor)]
    return found


def _written(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor | None:
    """Where an op writes what is known not to matter: on the meta device there are no values."""
    target = kwargs.get("out", kwargs.get("grad_input"))
    if target is None and func._overloadpacket in _IN_PLACE:
        target = args[0]
    return target if isinstance(target, Tensor) and target.is_meta else None


def _product(op: Any, args: Sequence[Any], out: Any) -> Product | None:
    """The matrix product an op is, or comes down to."""
    if op in (_aten.mm, _aten.bmm, _aten.addmm, _aten.baddbmm):
        a, b = [t for t in args if isinstance(t, Tensor)][-2:]
        batch = a.shape[0] if a.ndim == 3 else 1
        turned = (a.stride(-1) != 1, b.stride(-1) != 1)
        return Product(batch, a.shape[-2], a.shape[-1], b.shape[-1], turned)
    if op in (_aten.convolution, _aten._convolution, _aten.convolution_backward):
        backward = op is _aten.convolution_backward
        y, weight = (args[0], args[2]) if backward else (out, args[1])
        places = y.shape[0] * y.shape[2:].numel()
        return Product(1, places, weight[0].numel(), weight.shape[0])
    return None
