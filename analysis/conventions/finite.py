"""Whether a number is finite, whatever its size."""

from __future__ import annotations

import math


def is_finite(value: object) -> bool:
    """Whether it is finite as a float; a whole number that no float can hold is not."""
    try:
        return math.isfinite(value)  # type: ignore[arg-type]  # a number
    except OverflowError:
        return False
