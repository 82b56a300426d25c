"""Endpoints of the size of disease: tumour growth rate, depth of response."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.border import border, strict_border
from analysis.conventions.kernels import inner
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.endpoints.options import as_number, check_days
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date

    from analysis.endpoints.codes import Floats
    from analysis.endpoints.histories import ResponseHistory


@njit(cache=True, nogil=True)
def growth_rate(before: float, after: float, months: float) -> float:
    """Per cent of volume per month between two sums; NaN where either is 0."""
    if before <= 0.0 or after <= 0.0 or months <= 0.0:
        return np.nan
    return 100.0 * (math.exp(3.0 * math.log(after / before) / months) - 1.0)


@inner
def keep_complete(size: Floats, diameter: Floats, visits: int) -> None:
    """Turn the sums of visits at which a lesion is missing into NaN; `diameter` is (visits, lesions)."""
    for visit in range(visits):
        if np.isnan(diameter[visit]).any():
            size[visit] = np.nan


@njit(cache=True, nogil=True)
def best_change(size: Floats, visits: int) -> float:
    """Smallest change of a complete sum from baseline, per cent; NaN without one. Sums that are not are NaN."""
    best = np.nan
    for visit in range(1, visits):
        if not np.isnan(size[visit]) and size[0] > 0.0:
            change = 100.0 * (size[visit] / size[0] - 1.0)
            if not change >= best:
                best = change
    return best


def in_per_cent(ratio: float) -> str:
    """Say by how many per cent a sum is another one times a ratio, to three digits or whole.

    Examples
    --------
    >>> in_per_cent(1091.6 / 93.1), in_per_cent(0.9), in_per_cent(0.995)
    ('+1073%', '-10%', '-0.5%')
    """
    percent = 100 * (ratio - 1)
    return f"{percent:+.0f}%" if abs(percent) >= 100 else f"{percent:+.3g}%"


@border
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


@strict_border
@dataclass(frozen=True)
class Measured:
    """A measure of size, and the assessment that it comes from.

    Parameters
    ----------
    per_cent
        The change, in per cent.
    date, index
        Date and number of the assessment in the history, from 0.

    Examples
    --------
    >>> from datetime import date
    >>> Measured(-30.0, date(2024, 2, 26), 0).per_cent
    -30.0
    """

    per_cent: float
    date: date
    index: int

    def __str__(self) -> str:
        return f"{in_per_cent(1 + self.per_cent / 100)} on {self.date}"


@border
@dataclass(frozen=True)
class DepthOfResponse:
    """Smallest change of the target sum from baseline, up to progression and before any new therapy.

    Assessments with a missing target are passed over.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory, Sizes
    >>> scans = [date(2024, 2, 26), date(2024, 4, 22)]
    >>> sizes = Sizes(60.0, date(2024, 1, 1), (42.0, 51.0))
    >>> seen = ResponseHistory("S1", date(2024, 1, 1), scans, ["PR", "PD"], sizes=sizes)
    >>> DepthOfResponse().derive(seen)
    Measured(per_cent=-30.0, date=datetime.date(2024, 2, 26), index=0)
    """

    def derive(self, history: ResponseHistory) -> Measured | None:
        """Derive the measure for one patient; None without a complete sum or a baseline above 0 mm."""
        if history.sizes is None:
            return None
        n = history.kept()
        size = np.array([history.sizes.baseline, *history.sizes.sums[:n]])
        best = best_change(size, n + 1)
        if np.isnan(best):
            return None
        index = int(np.nanargmin(size[1:]))
        return Measured(float(np.round(best, 9)), history.dates[index], index)


@strict_border
@dataclass(frozen=True)
class TumourGrowthRate:
    """Growth of tumour volume from the baseline scan to the first complete sum, per cent per month.

    Parameters
    ----------
    from_day
        Days from the reference date from which an assessment counts: 0 for the first one, 70 for the scan of month 3.

    Notes
    -----
    Ferte et al., Clin Cancer Res 2014;20:246-252; see `tumour_growth_rate`.

    Examples
    --------
    >>> TumourGrowthRate(from_day=28).from_day
    28
    """

    from_day: int = 0

    def __post_init__(self) -> None:
        check_days(self, "from_day")

    def derive(self, history: ResponseHistory) -> Measured | None:
        """Derive the measure for one patient; None without such a sum, or where a sum is 0 mm."""
        if history.sizes is None:
            return None
        for index in range(history.kept()):
            size = history.sizes.sums[index]
            if history.day[index] >= self.from_day and not np.isnan(size):
                months = (history.dates[index] - history.sizes.date).days / DAYS_PER_MONTH
                rate = growth_rate(history.sizes.baseline, size, months)
                return None if np.isnan(rate) else Measured(float(rate), history.dates[index], index)
        return None
