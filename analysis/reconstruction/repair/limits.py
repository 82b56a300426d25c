"""Confidence limits of a Kaplan-Meier curve by type, and whether they have come down to a level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.terms import LOG, LOG_LOG

if TYPE_CHECKING:
    from analysis.conventions.checks import BoolArray, FloatArray

LEVEL = 1e-12  # of S, which is a product of fractions: equal numbers may differ by so much
SMALL, GROWN = 0.5, 1.65  # a number, and its exponential, rounded up


@njit(cache=True, nogil=True)
def limit_reached(survival: float, greenwood: float, z: float, form: int, level: float) -> bool:
    """Whether the limit of S (``z`` > 0: lower, < 0: upper, 0: S itself) is at or below ``level``."""
    if z == 0.0:
        return survival <= level + LEVEL
    if survival <= 0.0 or (z < 0.0 and survival > level) or surely_above(survival, greenwood, z, form, level):
        return False
    root = math.sqrt(greenwood)
    if form == LOG_LOG:
        if survival >= 1.0:
            return False
        hazard = -math.log(survival)
        return math.exp(-hazard * math.exp(z * root / hazard)) <= level
    if form == LOG:
        return survival * math.exp(-z * root) <= level
    return survival * (1.0 - z * root) <= level


@njit(cache=True, nogil=True)
def surely_above(survival: float, greenwood: float, z: float, form: int, level: float) -> bool:
    """Whether a lower limit of type log-log is above ``level`` by more than it takes to know that without logarithms.

    With a standard error of log S below ``SMALL`` of ``1 - S``, over z, the limit's hazard is less than ``GROWN`` times
    that of S; both hazards are bounded by rational functions of S.
    """
    if form != LOG_LOG or z < 0.0 or z * z * greenwood > (SMALL * (1.0 - survival)) ** 2:
        return False
    return GROWN * (1.0 - survival) * (1.0 + survival) * (1.0 + level) < 4.0 * survival * (1.0 - level)


@inner
def interval_at(survival: float, greenwood: float, z: float, form: int) -> tuple[float, float]:
    """Confidence limits of S by type."""
    if survival >= 1.0 or survival <= 0.0:
        return survival, survival
    root = z * math.sqrt(greenwood)
    if form == LOG_LOG:
        hazard = -math.log(survival)
        return math.exp(-hazard * math.exp(root / hazard)), math.exp(-hazard * math.exp(-root / hazard))
    if form == LOG:
        return survival * math.exp(-root), min(1.0, survival * math.exp(root))
    return max(0.0, survival * (1.0 - root)), min(1.0, survival * (1.0 + root))


@njit(cache=True, nogil=True)
def lowest_limit(event: BoolArray, survival: FloatArray, greenwood: FloatArray, z: float, form: int) -> float:
    """Limit of S (``z`` > 0: lower, < 0: upper, 0: S itself) after the last event, of limits the last with S above 0.

    ``survival`` and ``greenwood`` (n + 1,) are those after each patient.
    """
    end = event.size
    while end > 0 and (not event[end - 1] or (z != 0.0 and survival[end] <= 0.0)):
        end -= 1
    if z == 0.0:
        return float(survival[end])
    lower, upper = interval_at(survival[end], greenwood[end], abs(z), form)
    return lower if z > 0.0 else upper


@njit(cache=True, nogil=True)
def outside(value: float, low: float, high: float) -> float:
    """Distance of a value from an interval."""
    return max(0.0, low - value, value - high)
