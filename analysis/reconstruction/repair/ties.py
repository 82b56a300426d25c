"""Ties events, so that the log-rank test changes and nothing else does.

Papers compute from times in days, in which events are tied. Events of one arm that follow each other with nobody
leaving in between can be tied without any change of the curve behind them, of its standard error (Greenwood's sum
telescopes) or of Cox's ratio with Efron's ties; the log-rank test, whose expected events are those at the common time,
moves a little. In small arms a test printed with many digits stands so beside a ratio that no untied times give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.patients import next_uniform
from analysis.reconstruction.repair.ratios import log_rank, risk_sets, statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.ratios import Parts

    IntArray = NDArray[np.int64]

TRIES = 5000  # events that are tied to the one before or untied again, one or two at a time
COOLING = 0.001  # of the log-rank z, by which a try may worsen what is missed at the start


class Row(NamedTuple):
    """Events of two arms in order of time, those that are not held: ``arm``, ``point``, and who is ``at_risk`` (.., 2).

    ``follows``: the one before is of the same arm and stratum, and nobody left in between; they may be tied.
    """

    arm: IntArray
    point: IntArray
    at_risk: FloatArray
    follows: BoolArray


@njit(cache=True, nogil=True)
def tie_events(
    time0: FloatArray,
    time1: FloatArray,
    parts: Parts,
    bounds: FloatArray,
    low: float,
    high: float,
    state: NDArray[np.uint64],
) -> float:
    """Tie events of the first analysis until its test is in its box; the times change in place.

    ``bounds`` (2, 2, points + 1) are what holds each point of each arm: points that are held stay where they are.
    ``low`` and ``high`` are the range of the test. Returns what is still missed; nothing is tied if it is not 0.
    """
    at_risk = np.empty((np.sum(parts.size[0]), 4))
    left = np.empty((2, parts.strata[0]))
    score, variance = log_rank(at_risk, risk_sets(time0, time1, parts, 0, at_risk, left))
    row = free_events(time0, time1, parts, bounds)
    may = np.flatnonzero(row.follows)
    tied = np.zeros(row.arm.size, np.bool_)
    z = statistic(score, variance)
    miss = max(low - z, z - high, 0.0)
    for step in range(TRIES if may.size > 0 else 0):
        if miss == 0.0:
            break
        a = may[int(next_uniform(state) * may.size)]
        b = may[int(next_uniform(state) * may.size)] if next_uniform(state) < 0.5 else a
        more, wider = toggle(row, tied, a)
        if b != a:
            more_b, wider_b = toggle(row, tied, b)
            more, wider = more + more_b, wider + wider_b
        z = statistic(score + more, variance + wider)
        there = max(low - z, z - high, 0.0)
        if there <= miss + COOLING * (1.0 - step / TRIES) * next_uniform(state):
            miss, score, variance = there, score + more, variance + wider
        else:
            tied[a] = not tied[a]
            if b != a:
                tied[b] = not tied[b]
    if miss == 0.0:
        for k in np.flatnonzero(tied):
            time = time0 if row.arm[k] == 0 else time1
            time[row.point[k]] = time[row.point[k - 1]]
    return miss


@inner
def free_events(time0: FloatArray, time1: FloatArray, parts: Parts, bounds: FloatArray) -> Row:
    """Events of the first analysis that may be tied."""
    n0, n1 = parts.size[0, 0], parts.size[0, 1]
    left = np.zeros((2, parts.strata[0]))
    for arm in range(2):
        for i in range(parts.size[0, arm]):
            left[arm, parts.stratum[0, arm, i]] += 1.0
    row = Row(
        np.empty(n0 + n1, np.int64), np.empty(n0 + n1, np.int64), np.empty((n0 + n1, 2)), np.empty(n0 + n1, np.bool_)
    )
    found = i = j = 0
    before_arm, before_stratum = -1, -1  # of the event just before, if the next may be tied to it
    while i < n0 or j < n1:
        first = j >= n1 or (i < n0 and time0[parts.point[0, 0, i]] < time1[parts.point[0, 1, j]])
        arm, k = (0, i) if first else (1, j)
        stratum, point = parts.stratum[0, arm, k], parts.point[0, arm, k]
        if parts.event[0, arm, k] and bounds[arm, 0, point] == 0.0 and bounds[arm, 1, point] == np.inf:
            row.arm[found], row.point[found] = arm, point
            row.at_risk[found, 0], row.at_risk[found, 1] = left[0, stratum], left[1, stratum]
            row.follows[found] = before_arm == arm and before_stratum == stratum
            found += 1
            before_arm, before_stratum = arm, stratum
        else:
            before_arm = -1
        left[arm, stratum] -= 1.0
        if first:
            i += 1
        else:
            j += 1
    return Row(row.arm[:found], row.point[:found], row.at_risk[:found], row.follows[:found])


@inner
def toggle(row: Row, tied: BoolArray, k: int) -> tuple[float, float]:
    """Tie an event to the one before, or untie it; returns how score and variance change."""
    start, end = k - 1, k + 1
    while tied[start]:
        start -= 1
    while end < tied.size and tied[end]:
        end += 1
    first, second = at_one_time(row, start, k), at_one_time(row, k, end)
    both = at_one_time(row, start, end)
    tied[k] = not tied[k]
    sign = 1.0 if tied[k] else -1.0
    return (
        sign * (both[0] - first[0] - second[0]),
        sign * (both[1] - first[1] - second[1]),
    )


@inner
def at_one_time(row: Row, start: int, end: int) -> tuple[float, float]:
    """Give the expected events of the experimental arm, and their variance, where some events of one arm are tied."""
    events = float(end - start)
    at_risk = row.at_risk[start, 0] + row.at_risk[start, 1]
    share = row.at_risk[start, 1] / at_risk
    others = (at_risk - events) / (at_risk - 1.0) if at_risk > 1.0 else 1.0
    return events * share, events * share * (1.0 - share) * others
