"""Single numbers about the size of disease: tumour growth rate, depth of response."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.endpoints.codes import NE
from analysis.endpoints.options import as_number
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.endpoints.codes import Codes, Floats


@njit(cache=True, nogil=True)
def growth_rate(before: float, after: float, months: float) -> float:
    """Per cent of volume per month between two sums; NaN where either is 0."""
    if before <= 0.0 or after <= 0.0 or months <= 0.0:
        return np.nan
    return 100.0 * (math.exp(3.0 * math.log(after / before) / months) - 1.0)


@njit(cache=True, nogil=True)
def best_change(target: Codes, size: Floats, visits: int) -> float:
    """Smallest change of a complete sum from baseline, per cent; NaN without one."""
    best = np.nan
    for visit in range(1, visits):
        if target[visit] != NE and size[0] > 0.0:
            change = 100.0 * (size[visit] / size[0] - 1.0)
            if not change >= best:
                best = change
    return best


def tumour_growth_rate(before: float, after: float, months: float) -> float:
    """Tumour growth rate: change of volume in per cent per month of 30.4375 days.

    Parameters
    ----------
    before, after
        Sums of diameters in mm.
    months
        Time between them, above 0.

    Returns
    -------
    float
        100 (exp(TG) - 1) with TG = 3 ln(after / before) / months; NaN where a sum is 0.

    Raises
    ------
    InvalidValueError
        If the time is not above 0 or a sum is negative.

    Notes
    -----
    Ferte et al., Clin Cancer Res 2014;20:246-252.

    Examples
    --------
    >>> round(tumour_growth_rate(100, 110, 2), 2)
    15.37
    """
    if not 0 < as_number(months) < math.inf:
        raise InvalidValueError("months", months, "a time above 0", "give the months between the two scans")
    for field, value in (("before", before), ("after", after)):
        if not 0 <= as_number(value) < math.inf:
            raise InvalidValueError(field, value, "a sum of at least 0 mm", "give a sum of diameters")
    return float(growth_rate(float(before), float(after), float(months)))
