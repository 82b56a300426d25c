"""The difference of two restricted mean survival times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.errors import NotEstimableError, UnknownNameError
from analysis.survival.checks import confidence_level
from analysis.survival.comparisons.results import Difference, difference
from analysis.survival.comparisons.two_arms import split_arms
from analysis.survival.estimators.rmst import rmst

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def rmst_difference(
    time: ArrayLike,
    event: ArrayLike,
    experimental: ArrayLike,
    *,
    tau: float,
    scale: Literal["difference", "log"] = "difference",
    level: float = 0.95,
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
    scale
        ``"difference"`` in months, or ``"log"``: logarithm of the ratio, whose exponential is the ratio of the means.
    level
        Two-sided confidence level.

    Returns
    -------
    Difference
        On the scale asked for; `experimental` and `control` are the means in months. The standard errors are those of
        survRM2.

    Raises
    ------
    InvalidValueError
        If the data are malformed or an arm is empty.
    NotEstimableError
        If `tau` is after the last time of an arm, and that patient was censored; if neither arm has an event by then;
        on the log scale, if all patients of an arm fail at time 0.
    UnknownNameError
        If there is no such scale.

    Examples
    --------
    >>> gain = rmst_difference([2, 3, 4, 5, 8, 9], [1, 1, 0, 1, 1, 0], [0, 0, 1, 0, 1, 1], tau=8)
    >>> round(gain.estimate, 2), round(gain.statistic, 2)
    (4.67, -6.48)
    """
    level = confidence_level(level)
    times, events, arms = split_arms(time, event, experimental)
    treated, control = (rmst(times[arm], events[arm], tau) for arm in (arms, ~arms))
    if scale not in ("difference", "log"):
        raise UnknownNameError("scale", scale, ("difference", "log"))
    means, errors = (treated.estimate, control.estimate), np.array([treated.std_error, control.std_error])
    if scale == "log":
        if min(means) == 0:
            raise NotEstimableError(
                "RMST difference: got a restricted mean of 0 months, which has no logarithm; expected means above 0; "
                'ask for scale="difference"'
            )
        errors = errors / means
    std_error = float(np.hypot(*errors))
    if std_error == 0:
        raise NotEstimableError(
            f"RMST difference: got no event by tau={tau:g} months that leaves patients at risk; "
            "expected one in either arm; choose a later tau"
        )
    estimate = float(np.log(means[0] / means[1])) if scale == "log" else float(np.subtract(*means))
    kind = "log ratio" if scale == "log" else "difference"
    return difference(f"RMST {kind}, tau={tau:g}", means, estimate, std_error, level)
