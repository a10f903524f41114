"""Ways to spoil the two files of a model."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 7, 256, 300, 10**7, 10**9, 2**31, 2**63, 10**12, 10**400),
    *(
        -(2**63),
        0.5,
        -0.5,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "8",
        "glow",
        "float64",
        "x" * 500,
    ),
    *(
        [],
        {},
        [1],
        [1, 8, 8],
        [1, 10**9, 10**9],
        [1, -8, 8],
        [[1]],
        {"a": 1},
        [None] * 3,
        [10**12] * 3,
    ),
)
"""What a value of a JSON file is replaced with."""


def flip(data: bytes, draw: random.Random) -> bytes:
    """Some bits turned; in a file of weights half of the time in its header."""
    spoilt = bytearray(data)
    end = min(len(data), 4000) if draw.random() < 0.5 else len(data)
    for _ in range(draw.choice((1, 1, 2, 8))):
        spoilt[draw.randrange(end)] ^= 1 << draw.randrange(8)
    return bytes(spoilt)


def truncate(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def insert(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + draw.randbytes(draw.choice((1, 4, 8, 64, 1000))) + data[at:]


def splice(data: bytes, draw: random.Random) -> bytes:
    """A piece of the file over another place."""
    start, to = draw.randrange(len(data)), draw.randrange(len(data))
    piece = data[start : start + draw.choice((1, 8, 100, 5000))]
    return data[:to] + piece + data[to + len(piece) :]


def nest(data: bytes, draw: random.Random) -> bytes:
    """Brackets in brackets, or a file of 3 MB."""
    return draw.choice((b"[" * 200_000, b'{"a":' * 100_000, b'{"format": 1}' + b" " * 3_000_000))


def disguise(data: bytes, draw: random.Random) -> bytes:
    """A pickle that would run a command, or an archive, under the file's name."""
    pickle = b"cos\nsystem\n(S'touch executed'\ntR."
    return draw.choice((pickle, b"\x80\x04" + pickle, b"PK\x03\x04" + data))


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    return [path, *(p for key, inner in items for p in _paths(inner, (*path, key)))]


def _replace(facts: Any, draw: random.Random) -> Any:
    """Some value of a JSON document replaced, dropped or renamed."""
    path = draw.choice(_paths(facts)[1:])
    place = facts
    for key in path[:-1]:
        place = place[key]
    act = draw.random()
    if act < 0.8:
        place[path[-1]] = draw.choice(HOSTILE)
    elif act < 0.9:
        del place[path[-1]]
    elif isinstance(place, dict):
        place[f"{path[-1]}x"] = place.pop(path[-1])
    return facts


def change_config(data: bytes, draw: random.Random) -> bytes:
    return json.dumps(_replace(json.loads(data), draw)).encode()


def _split(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def _join(header: Any, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def change_header(data: bytes, draw: random.Random) -> bytes:
    header, body = _split(data)
    return _join(_replace(header, draw), body)


def swap_tensors(data: bytes, draw: random.Random) -> bytes:
    """Two tensors under each other's names."""
    header, body = _split(data)
    a, b = draw.sample(sorted(header), 2)
    header[a], header[b] = header[b], header[a]
    return _join(header, body)


def retype(data: bytes, draw: random.Random) -> bytes:
    """A tensor said to be of another type, of the same or of another width."""
    header, body = _split(data)
    kinds = ("F32", "I32", "U32", "F16", "BF16", "F64", "I64", "BOOL", "U8", "F8_E4M3", "C64")
    header[draw.choice(sorted(header))]["dtype"] = draw.choice(kinds)
    return _join(header, body)


def lie_of_length(data: bytes, draw: random.Random) -> bytes:
    """The header said to be shorter or longer than it is."""
    length = draw.choice((0, 1, 8, 2**20, 2**24 + 1, 2**31, 2**40, 2**63, 2**64 - 1))
    return length.to_bytes(8, "little") + data[8:]


Mutation = Callable[[bytes, random.Random], bytes]
ANY: tuple[Mutation, ...] = (flip, truncate, insert, splice, disguise)
OF_CONFIG: tuple[Mutation, ...] = (*ANY, nest, *([change_config] * 5))
OF_WEIGHTS: tuple[Mutation, ...] = (
    *(*ANY, flip, splice, lie_of_length),
    *(change_header, change_header, swap_tensors, retype),
)
