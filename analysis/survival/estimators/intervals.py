"""Pointwise confidence limits of a survival probability, on a named scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from analysis.conventions.scales import ScaleName, scale

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray


def pointwise_limits(
    survival: FloatArray, std_error: FloatArray, level: float, name: ScaleName
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper two-sided limits; both are 1 where the survival is; at 0 the upper is unknown."""
    on = scale(name)
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    margin = special.ndtri(0.5 + level / 2) * std_error * on.slope(s)
    lower, upper = on.inverse(on.forward(s) - margin), on.inverse(on.forward(s) + margin)
    return np.where(inside, lower, survival), np.where(inside, upper, np.where(survival == 1, 1.0, np.nan))
