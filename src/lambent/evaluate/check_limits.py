"""What figures of a numerics check are suspicious, and why."""

from __future__ import annotations

ROUND_TRIP_FLOAT32 = 1e-4
"""Largest error of a layer's round trip in float32, relative to inputs above 1.

A hundred layers whose errors add like independent ones then come to 1e-3 in the unit range, half of
what an 8-bit pixel may be off and still be decoded exactly (1/512).
"""

ROUND_TRIP_FLOAT64 = 1e-10
"""The same in float64, where rounding is 5e8 times finer: more is a wrong or hopeless inverse."""

ROUNDING = 2.0**-24
"""The relative rounding error of float32."""

CONDITION = ROUND_TRIP_FLOAT32 / ROUNDING
"""Largest condition number of a 1x1 weight: beyond it rounding alone breaks the limit above."""

SMALLEST_SCALE = ROUNDING / ROUND_TRIP_FLOAT32
"""Smallest scale: undoing a smaller one makes float32's rounding break the limit above."""

LARGEST_SCALE = 1 / SMALLEST_SCALE
"""Largest scale: where sampling divides by it, training multiplies rounding by it."""

FLOW_ROUND_TRIP = 1e-3
"""Largest error of the whole flow's round trip for events that are not integers: 100 layers'."""

GRADIENT_FLOAT32 = 1e-2
"""Largest error of the gradient in float32, relative to the whole gradient.

Rounding alone was measured at 2e-4 on Glows of 96 steps after some training. A ReLU that it turns
over can cost more in a single tensor, so this allows fifty times as much.
"""

GRADIENT_FLOAT64 = 1e-10
"""Largest difference in float64 between the gradients with and without recomputation."""

GRADIENT_RATIO = 2.0
"""How many times the error of ``never`` in float32 the error of recomputation may be.

Measured on the same Glows, states rebuilt by inverses: 0.9 to 1.4.
"""

GRADIENT_FLOOR = 1e-6
"""Error in float32 below which a ratio says nothing: a few roundings."""
