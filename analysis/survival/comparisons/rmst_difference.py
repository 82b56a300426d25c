"""The difference of two restricted mean survival times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import NotEstimableError
from analysis.survival.checks import confidence_level
from analysis.survival.comparisons.results import Difference, difference
from analysis.survival.comparisons.two_arms import split_arms
from analysis.survival.estimators.rmst import rmst

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def rmst_difference(
    time: ArrayLike, event: ArrayLike, experimental: ArrayLike, *, tau: float, level: float = 0.95
) -> Difference:
    """Compare the mean time without event within the first `tau` months (Uno et al. 2014, J Clin Oncol 32:2380).

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``.
    event
        Whether it ended with an event, shape ``(n,)``.
    experimental
        Whether the patient is in the experimental arm, shape ``(n,)``.
    tau
        Restriction time in months.
    level
        Two-sided confidence level.

    Returns
    -------
    Difference
        Months gained in the experimental arm; the standard error is that of survRM2.

    Raises
    ------
    InvalidValueError
        If the data are malformed or an arm is empty.
    NotEstimableError
        If `tau` is after the last time of an arm, and that patient was censored; if neither arm has an event by then.

    Examples
    --------
    >>> gain = rmst_difference([2, 3, 4, 5, 8, 9], [1, 1, 0, 1, 1, 0], [0, 0, 1, 0, 1, 1], tau=8)
    >>> round(gain.estimate, 2), round(gain.statistic, 2)
    (4.67, -6.48)
    """
    level = confidence_level(level)
    times, events, arms = split_arms(time, event, experimental)
    treated, control = (rmst(times[arm], events[arm], tau) for arm in (arms, ~arms))
    std_error = float(np.hypot(treated.std_error, control.std_error))
    if std_error == 0:
        raise NotEstimableError(
            f"RMST difference: got no event by tau={tau:g} months that leaves patients at risk; "
            "expected one in either arm; choose a later tau"
        )
    estimate = treated.estimate - control.estimate
    return difference(f"RMST difference, tau={tau:g}", (treated.estimate, control.estimate), estimate, std_error, level)
