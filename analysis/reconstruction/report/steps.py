"""How many must be at risk for a Kaplan-Meier curve to fall from one printed rate to the next.

With n at risk the curve can only be multiplied by some of (1 - 1/n), (1 - 1/(n - 1)), ... Rates printed with many
digits say by that how many were left: from 25.64% to 19.34% no curve falls with fewer than 15 patients.
"""

from __future__ import annotations

from functools import cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray

ROUNDING = 1e-9  # of a factor: a rate may be on the edge of its rounding
MOST = 19  # at risk, up to which all ways are looked through


@cache
def falls(at_risk: int) -> FloatArray:
    """Sort all factors by which survival can fall while some of so many patients have the event, none left out."""
    if at_risk == 1:
        return np.array([0.0, 1.0])
    before = falls(at_risk - 1)
    return np.sort(np.concatenate([before, before * (1.0 - 1.0 / at_risk)]))


def least_at_risk(low: float, high: float) -> int:
    """Give how many must be at risk for survival to fall by a factor from ``low`` to ``high``, below 1.

    Where ``MOST`` are too few it is as many as one event needs, or one more than that.
    """
    for at_risk in range(1, MOST + 1):
        factors = falls(at_risk)
        nearest = np.searchsorted(factors, low * (1.0 - ROUNDING))
        if nearest < factors.size and factors[nearest] <= high * (1.0 + ROUNDING):
            return at_risk
    return max(MOST + 1, ceil(1.0 / (1.0 - low) - ROUNDING))
