"""Ties events, so that the log-rank test changes and nothing else does.

Papers compute from times in days, in which events are tied. Two events of one arm that follow each other with nobody
leaving in between can be tied without any change of the curve, of its standard error (Greenwood's sum telescopes) or of
Cox's ratio with Efron's ties; the log-rank test, whose expected events are those at the common time, moves a little. In
small arms that is how a test printed with many digits stands beside a ratio that no untied times give.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.reconstruction.repair.patients import next_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.repair.ratios import Parts

TRIES = 5000  # pairs that are tied or untied again, one or two at a time


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
    """Tie pairs of events of the first analysis until its test is in its box; the times change in place.

    ``bounds`` (2, 2, points + 1) are what holds each point of each arm: points that are held stay where they are.
    ``low`` and ``high`` are the range of the test. Returns what is still missed; nothing is tied if it is not 0.
    """
    n0, n1 = parts.size[0, 0], parts.size[0, 1]
    left = np.zeros((2, parts.strata[0]))
    for arm in range(2):
        for i in range(parts.size[0, arm]):
            left[arm, parts.stratum[0, arm, i]] += 1.0
    pairs, gain = np.empty((n0 + n1, 2), np.int64), np.empty((n0 + n1, 2))
    found = 0
    score = information = 0.0
    i = j = 0
    before, before_arm, before_stratum = -1, -1, -1  # the event just before, if it may be tied to the next
    while i < n0 or j < n1:
        first = j >= n1 or (i < n0 and time0[parts.point[0, 0, i]] < time1[parts.point[0, 1, j]])
        arm, k = (0, i) if first else (1, j)
        stratum, point = parts.stratum[0, arm, k], parts.point[0, arm, k]
        y0, y1 = left[0, stratum], left[1, stratum]
        free = bounds[arm, 0, point] == 0.0 and bounds[arm, 1, point] == np.inf
        if parts.event[0, arm, k]:
            p = y1 / (y0 + y1)
            score += p - arm
            information += p * (1.0 - p)
            if free and before >= 0 and before_arm == arm and before_stratum == stratum:
                z0, z1 = y0 + (1 - arm), y1 + arm  # at risk at the event before
                n = z0 + z1
                q = z1 / n
                pairs[found, 0], pairs[found, 1] = arm, point
                gain[found, 0] = q - p
                gain[found, 1] = 2.0 * q * (1.0 - q) * (n - 2.0) / (n - 1.0) - q * (1.0 - q) - p * (1.0 - p)
                found += 1
                before = -1  # no event is in two pairs
            else:
                before, before_arm, before_stratum = (point if free else -1), arm, stratum
        else:
            before = -1
        left[arm, stratum] -= 1.0
        if first:
            i += 1
        else:
            j += 1
    tied = np.zeros(found, np.bool_)
    z = score / math.sqrt(max(information, 1e-12))
    miss = max(low - z, z - high, 0.0)
    for step in range(TRIES if found > 0 else 0):
        if miss == 0.0:
            break
        a = int(next_uniform(state) * found)
        b = int(next_uniform(state) * found) if next_uniform(state) < 0.5 else a
        new_score, new_information = score, information
        for c in (a, b) if a != b else (a, -1):
            if c >= 0:
                sign = -1.0 if tied[c] else 1.0
                new_score += sign * gain[c, 0]
                new_information += sign * gain[c, 1]
        z = new_score / math.sqrt(max(new_information, 1e-12))
        there = max(low - z, z - high, 0.0)
        if there <= miss + 0.003 * (1.0 - step / TRIES) * next_uniform(state):
            miss, score, information = there, new_score, new_information
            tied[a] = not tied[a]
            if a != b:
                tied[b] = not tied[b]
    if miss == 0.0:
        for c in range(found):
            if tied[c]:
                point = pairs[c, 1]
                if pairs[c, 0] == 0:
                    time0[point] = time0[point - 1]
                else:
                    time1[point] = time1[point - 1]
    return miss
