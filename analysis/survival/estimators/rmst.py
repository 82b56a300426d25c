"""Restricted mean survival time of one sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from analysis.conventions.border import border
from analysis.conventions.checks import SAME_TIME, number, probability
from analysis.conventions.display import html, items, short_repr
from analysis.errors import NotEstimableError
from analysis.survival.estimators.kaplan_meier import kaplan_meier

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@border
@dataclass(frozen=True)
class RMST:
    """A restricted mean survival time in months.

    Attributes
    ----------
    estimate
        Area under the Kaplan-Meier curve up to `tau`.
    std_error
        Its standard error.
    lower, upper
        Two-sided normal confidence limits.
    level
        Their confidence level.
    tau
        Restriction time.

    Examples
    --------
    >>> from analysis.survival import rmst
    >>> found = rmst([2, 3, 5, 8], [1, 1, 0, 1], 6)
    >>> found.tau, round(found.estimate, 3)
    (6.0, 4.25)
    """

    estimate: float
    std_error: float
    lower: float
    upper: float
    level: float
    tau: float

    __repr__ = short_repr

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        return items(self)

    def _repr_html_(self) -> str:
        return html(self.summary())


@border
def rmst(time: ArrayLike, event: ArrayLike, tau: float, *, level: float = 0.95, timefix: bool = True) -> RMST:
    """Estimate the mean time without event within the first `tau` months.

    The variance is the Greenwood-type sum of survRM2, ``sum(A_i ** 2 * d_i / (n_i * (n_i - d_i)))`` over the event
    times t_i up to tau, A_i the area under the curve from t_i to tau (Uno et al. 2014, J Clin Oncol 32:2380).

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``.
    event
        Whether it ended with an event, shape ``(n,)``.
    tau
        Restriction time in months, above 0.
    level
        Two-sided confidence level.
    timefix
        Whether times that are equal but for floating point are tied, as in R's survival.

    Returns
    -------
    RMST
        Estimate with standard error and limits.

    Raises
    ------
    InvalidValueError
        If `tau` is not above 0 or the data are malformed.
    NotEstimableError
        If `tau` is after the last time and that patient was censored.

    Examples
    --------
    >>> mean = rmst(time=[2, 3, 3, 5, 8], event=[1, 1, 0, 1, 0], tau=6)
    >>> round(mean.estimate, 3), round(mean.std_error, 3)
    (4.3, 0.705)
    """
    level, tau = probability("level", level), number("tau", tau, above=0)
    curve = kaplan_meier(time, event, timefix=timefix)
    last = float(curve.time[-1])
    if tau > last * (1 + SAME_TIME) and curve.survival[-1] > 0:
        raise NotEstimableError(
            f"rmst: got tau={tau:g} after the last follow-up at {last:g} months, which was censored; "
            f"expected at most {last:g}; choose a shorter tau"
        )
    within = curve.time <= tau
    times, survival = curve.time[within], curve.survival[within]
    areas = np.diff(np.concatenate([[0.0], times, [tau]])) * np.concatenate([[1.0], survival])
    to_come = np.cumsum(areas[::-1])[::-1][1:]
    n_risk, n_event = curve.n_risk[within], curve.n_event[within]
    someone_left = n_risk > n_event
    terms = n_event / np.where(someone_left, n_risk * (n_risk - n_event), 1.0)
    variance = np.sum(to_come**2 * np.where(someone_left, terms, 0.0))
    estimate, std_error = float(areas.sum()), float(np.sqrt(variance))
    margin = float(special.ndtri(0.5 + level / 2)) * std_error
    return RMST(estimate, std_error, estimate - margin, estimate + margin, level, tau)
