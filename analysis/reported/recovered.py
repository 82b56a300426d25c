"""Numbers that a report implies but does not print: the standard error and the events behind an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from analysis.conventions.border import border
from analysis.conventions.display import short_repr
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.reported.number import Reported
    from analysis.reported.summaries import ReportedHazardRatio

# 1 / (p (1 - p) se^2) over the true number of events, on 172 published two-arm figures whose patients are known:
# the central 95% of the 143 with equal arms (p within 0.05 of one half), and all of the 29 others.
EQUAL_ARMS_ERROR = (0.926, 1.000)
UNEQUAL_ARMS_ERROR = (0.72, 1.11)


@border
@dataclass(frozen=True)
class Recovered:
    """A number worked out from printed ones, with the range that their rounding allows.

    Parameters
    ----------
    estimate
        From the printed digits taken as exact.
    lower, upper
        Smallest and largest value over all numbers that round to the printed ones; what else the range holds, the
        function that made it says.

    Examples
    --------
    >>> from analysis.reported import ReportedArm, ReportedComparison, log_ratio_std_error
    >>> arms = [ReportedArm("new"), ReportedArm("old")]
    >>> ratio = ReportedComparison("PFS", arms, control="old", hazard_ratio="0.66 (0.50-0.87)").hazard_ratio
    >>> found = log_ratio_std_error(ratio)
    >>> found.lower < found.estimate < found.upper
    True
    """

    estimate: float
    lower: float
    upper: float

    __repr__ = short_repr


@border
def log_ratio_std_error(ratio: ReportedHazardRatio) -> Recovered:
    r"""Recover the standard error of the log hazard ratio from its confidence interval.

    :math:`(\log U - \log L) / (2 z)` for limits L, U of a Wald interval; the range is that of the rounding of L and U.

    Raises
    ------
    InvalidValueError
        If the ratio has no interval, or a limit is not a positive number.

    Examples
    --------
    >>> from analysis.reported import ReportedHazardRatio
    >>> error = log_ratio_std_error(ReportedHazardRatio.of(("0.89", "0.73", "1.10"), "hazard_ratio"))
    >>> round(error.estimate, 3), round(error.lower, 3), round(error.upper, 3)
    (0.105, 0.102, 0.108)
    """
    if ratio.ci is None:
        raise InvalidValueError("hazard_ratio.ci", None, "a confidence interval", "ask only where one was printed")
    low, high = ratio.ci.lower, ratio.ci.upper
    if not (low.reached and high.reached and low.value > 0):
        raise InvalidValueError("hazard_ratio.ci", str(ratio.ci), "limits above 0", "ask only where both were printed")
    width = 2 * NormalDist().inv_cdf(0.5 + ratio.ci.level / 2)
    return Recovered(
        math.log(high.value / low.value) / width,
        max(math.log(high.lower / low.upper), 0.0) / width,
        math.log(high.upper / low.lower) / width if low.lower > 0 else math.inf,
    )


@border
def events_from_ci(ratio: ReportedHazardRatio, allocation: tuple[float, float] = (1, 1)) -> Recovered:
    r"""Recover the number of events, of both arms together, from the interval of their hazard ratio.

    Each event adds the variance of one draw from the risk set to the information on the log hazard ratio; with a share
    p of the risk set in the experimental arm that is p(1 - p), so the events are about :math:`1 / (p (1 - p) se^2)`,
    which is :math:`4 / se^2` for equal arms.

    Parameters
    ----------
    ratio
        The hazard ratio with its interval.
    allocation
        Patients of the experimental and the control arm, or their ratio.

    Returns
    -------
    Recovered
        The range holds the rounding of the limits and the error of the formula, as measured on 172 published figures:
        with equal arms it gives 0.926 to 1.000 times the events (central 95% of 143), else 0.72 to 1.11 times (all of
        29).

    References
    ----------
    Schoenfeld D. The asymptotic properties of nonparametric tests for comparing survival distributions. Biometrika
    1981;68:316-9.

    Examples
    --------
    XENERA-1 by independent review does not print its events:

    >>> from analysis.reported import ReportedHazardRatio
    >>> events = events_from_ci(ReportedHazardRatio.of(("1.19", "0.55", "2.59"), "hazard_ratio"))
    >>> round(events.estimate), round(events.lower), round(events.upper)
    (26, 25, 28)
    """
    experimental, control = allocation
    if not (experimental > 0 and control > 0):
        raise InvalidValueError("allocation", allocation, "two positive numbers", "give (experimental, control)")
    share = experimental / (experimental + control)
    error = log_ratio_std_error(ratio)

    def events(std_error: float) -> float:
        return 1 / (share * (1 - share) * std_error**2) if std_error > 0 else math.inf

    low, high = EQUAL_ARMS_ERROR if abs(share - 0.5) <= 0.05 else UNEQUAL_ARMS_ERROR
    return Recovered(events(error.estimate), events(error.upper) / high, events(error.lower) / low)


@border
def least_events(ratio: ReportedHazardRatio) -> float:
    r"""Compute the fewest events that can carry a hazard ratio's interval: :math:`4 / se^2` at the largest se.

    An event's share of the information is p(1 - p), never above 1/4, so no allocation and no hazard ratio needs fewer.
    It holds exactly for the model-based interval of a Cox model with treatment alone, stratified or not; among 172
    published figures the events were never fewer.

    Examples
    --------
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> arms = [ReportedArm("new"), ReportedArm("old")]
    >>> ratio = ReportedComparison("PFS", arms, control="old", hazard_ratio="0.66 (0.50-0.87)").hazard_ratio
    >>> 150 < least_events(ratio) < 210
    True
    """
    upper = log_ratio_std_error(ratio).upper
    return 4 / upper**2


def wald_statistic(ratio: ReportedHazardRatio) -> Recovered:
    """Recover z = log HR / se, negative where the experimental arm is better, with the range that rounding allows."""
    error = log_ratio_std_error(ratio)
    low, high = _log_box(ratio.estimate)
    ends = [log_ratio / std_error for log_ratio in (low, high) for std_error in (error.lower, error.upper) if std_error]
    lowest = -math.inf if error.lower == 0 and low < 0 else min(ends)
    highest = math.inf if error.lower == 0 and high > 0 else max(ends)
    return Recovered(math.log(ratio.estimate.value) / error.estimate if error.estimate else math.nan, lowest, highest)


def log_asymmetry(ratio: ReportedHazardRatio) -> float:
    """Compute how far the estimate is from the middle of its interval on the log scale, at the least rounding allows.

    In units of the interval's half-width; 0 where some numbers that round to the printed ones are symmetric, positive
    where the estimate is too high.
    """
    error = log_ratio_std_error(ratio)
    assert ratio.ci is not None  # log_ratio_std_error has seen to it
    lower, upper = _log_box(ratio.ci.lower), _log_box(ratio.ci.upper)
    estimate = _log_box(ratio.estimate)
    half_width = error.upper * NormalDist().inv_cdf(0.5 + ratio.ci.level / 2)
    too_high = estimate[0] - (lower[1] + upper[1]) / 2
    too_low = (lower[0] + upper[0]) / 2 - estimate[1]
    return max(too_high, 0.0) / half_width - max(too_low, 0.0) / half_width


def _log_box(number: Reported) -> tuple[float, float]:
    return (math.log(number.lower) if number.lower > 0 else -math.inf), math.log(number.upper)
