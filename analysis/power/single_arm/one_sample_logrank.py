"""The one-sample log-rank test of a trial's data against a null distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from analysis.errors import InvalidValueError
from analysis.survival.checks import observations

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.survival import Distribution


@dataclass(frozen=True)
class OneSampleLogRankResult:
    """Events observed and expected, their ratio, and the test.

    ``statistic`` is ``(observed - expected) / sqrt(expected)``: negative favours the treatment. ``p_one_sided`` is
    the probability of a smaller one under the null hypothesis.
    """

    observed: int
    expected: float
    ratio: float
    statistic: float
    p_one_sided: float
    p_two_sided: float


def one_sample_logrank(time: ArrayLike, event: ArrayLike, null: Distribution) -> OneSampleLogRankResult:
    """Test one arm's survival against a null distribution.

    Parameters
    ----------
    time
        Follow-up in months, shape (n,), not negative.
    event
        True where the event was seen at ``time``, shape (n,).
    null
        Distribution of the event time under the null hypothesis.

    Returns
    -------
    OneSampleLogRankResult

    Raises
    ------
    InvalidValueError
        If a time is negative or not finite, an indicator is neither true nor false, the lengths differ, or no event is
        expected.

    References
    ----------
    Breslow NE (1975). Analysis of survival data under the proportional hazards model. International Statistical
    Review 43:45-57.

    Examples
    --------
    >>> from analysis.survival import Exponential
    >>> found = one_sample_logrank([3, 5, 8, 12, 20], [1, 1, 0, 1, 0], Exponential.from_median(6.0))
    >>> found.observed, round(found.expected, 3), round(found.statistic, 3)
    (3, 5.545, -1.081)
    """
    times, events = observations(time, event)
    expected, observed = float(np.sum(null.cumulative_hazard(times))), int(events.sum())
    if expected <= 0:
        raise InvalidValueError(
            "time", expected, "follow-up in which the null distribution expects events", "follow longer"
        )
    z = (observed - expected) / np.sqrt(expected)
    return OneSampleLogRankResult(
        observed, expected, observed / expected, float(z), float(stats.norm.cdf(z)), float(2 * stats.norm.sf(abs(z)))
    )
