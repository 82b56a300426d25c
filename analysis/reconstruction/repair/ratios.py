"""How two ordered arms compare, analysis by analysis, and how far that is outside its boxes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.terms import RatioBoxes

    IntArray = NDArray[np.int64]

LEAST_INFORMATION = 1e-9
WIDEST = 12.0  # on the log scale; beyond it nothing was printed


class Parts(NamedTuple):
    """Who of the points of two arms is a patient of which analysis, control first.

    ``size`` (V, 2): patients; ``point`` (V, 2, n): their points in order of time; ``event`` and ``stratum`` likewise;
    ``events`` (V, 2) counts the events, ``strata`` (V,) says how many strata the comparison has, ``weight`` (V,) what
    share of all patients it is about: that much what it misses counts, of which one patient moves it the more.
    """

    size: IntArray
    point: IntArray
    event: BoolArray
    stratum: IntArray
    events: IntArray
    strata: IntArray
    weight: FloatArray


@njit(cache=True, nogil=True)
def risk_sets(time0: FloatArray, time1: FloatArray, parts: Parts, v: int, at_risk: FloatArray, left: FloatArray) -> int:
    """Patients at risk at each event of an analysis; returns how many events there are.

    ``at_risk`` (events, 4): control, experimental, whose event, and how many events there are at this time: 0 behind
    the first of them. ``left`` (2, strata) is scratch.
    """
    left[:] = 0.0
    n0, n1 = parts.size[v, 0], parts.size[v, 1]
    point0, event0, stratum0 = parts.point[v, 0], parts.event[v, 0], parts.stratum[v, 0]
    point1, event1, stratum1 = parts.point[v, 1], parts.event[v, 1], parts.stratum[v, 1]
    for i in range(n0):
        left[0, stratum0[i]] += 1.0
    for j in range(n1):
        left[1, stratum1[j]] += 1.0
    i = j = found = start = 0
    before, before_stratum = -1.0, 0  # the last event
    while i < n0 or j < n1:
        own = time0[point0[i]] if i < n0 else np.inf
        other = time1[point1[j]] if j < n1 else np.inf
        first = own < other or (own == other and event0[i])  # who leaves without an event leaves last
        arm, time = (0, own) if first else (1, other)
        stratum, event = (stratum0[i], event0[i]) if first else (stratum1[j], event1[j])
        if event:
            at_risk[found, 0], at_risk[found, 1], at_risk[found, 2] = left[0, stratum], left[1, stratum], arm
            at_risk[found, 3] = 1.0
            found += 1
            if time == before and stratum == before_stratum:
                share_ties(at_risk, start, found)
            else:
                start, before, before_stratum = found - 1, time, stratum
        left[arm, stratum] -= 1.0
        if first:
            i += 1
        else:
            j += 1
    return found


@inner
def share_ties(at_risk: FloatArray, start: int, end: int) -> None:
    """Let tied events leave in equal parts, as Efron does: a rate and a number at risk can force them to one time."""
    control, experimental = at_risk[start, 0], at_risk[start, 1]
    events = float(end - start)
    own = np.sum(at_risk[start:end, 2])
    for k in range(start, end):
        gone = (k - start) / events
        at_risk[k, 0] = control - gone * (events - own)
        at_risk[k, 1] = experimental - gone * own
        at_risk[k, 3] = events if k == start else 0.0


@njit(cache=True, nogil=True)
def cox(at_risk: FloatArray, events: int, start: float) -> tuple[float, float]:
    """Log hazard ratio and its information, by Newton's method."""
    beta = start
    information = 0.0
    for _ in range(12):
        ratio = math.exp(beta)
        score = information = 0.0
        for k in range(events):
            y1 = at_risk[k, 1] * ratio
            p = y1 / (at_risk[k, 0] + y1)
            score += at_risk[k, 2] - p
            information += p * (1.0 - p)
        if information < LEAST_INFORMATION:
            break
        step = max(-1.0, min(1.0, score / information))
        beta += step
        if abs(step) < 1e-7:
            break
    return beta, information


@njit(cache=True, nogil=True)
def log_rank(at_risk: FloatArray, events: int) -> tuple[float, float]:
    """Score of the log-rank test, above 0 where it favours the experimental arm, and its variance."""
    score = variance = 0.0
    for k in range(events):
        tied, total = at_risk[k, 3], at_risk[k, 0] + at_risk[k, 1]
        p = at_risk[k, 1] / total
        others = (total - tied) / (total - 1.0) if tied > 1.0 else 1.0
        score += tied * p - at_risk[k, 2]
        variance += tied * p * (1.0 - p) * others
    return score, variance


@njit(cache=True, nogil=True)
def statistic(score: float, variance: float) -> float:
    """Give a score in its standard errors."""
    return score / math.sqrt(max(variance, 1e-12))


@njit(cache=True, nogil=True)
def compare(
    time0: FloatArray,
    time1: FloatArray,
    parts: Parts,
    boxes: RatioBoxes,
    touched: BoolArray,
    limit: float,
    values: FloatArray,
    at_risk: FloatArray,
    left: FloatArray,
) -> float:
    """Fill ``values`` (V, 4) with log ratio, half width of its interval, test and miss; returns what all miss.

    Analyses that are not ``touched`` (V,) keep their values. As soon as more than ``limit`` is missed infinity is
    returned, and ``values`` are of no use.
    """
    total = 0.0
    for v in range(values.shape[0]):
        if touched[v]:
            compare_one(time0, time1, parts, boxes, v, (limit - total) / parts.weight[v], values, at_risk, left)
        total += parts.weight[v] * values[v, 3]
        if total > limit:
            return np.inf
    return total


@inner
def compare_one(
    time0: FloatArray,
    time1: FloatArray,
    parts: Parts,
    boxes: RatioBoxes,
    v: int,
    limit: float,
    values: FloatArray,
    at_risk: FloatArray,
    left: FloatArray,
) -> None:
    """Fill the row of ``values`` (V, 4) of one analysis; its miss is infinite if it has more than ``limit``."""
    miss = 0.0
    events = risk_sets(time0, time1, parts, v, at_risk, left)
    box = boxes.ratio[v]
    if box[1] - box[0] < WIDEST or box[5] - box[2] < WIDEST:
        beta, information = cox(at_risk, events, values[v, 0])
        values[v, 0], values[v, 1] = beta, box[6] / math.sqrt(max(information, LEAST_INFORMATION))
        miss += ratio_miss(beta, values[v, 1], box)
    if miss <= limit and test_asked(boxes.test[v]):
        score, variance = log_rank(at_risk, events)
        values[v, 2] = statistic(score, variance)
        low, high = test_range(values[v, 2], boxes.test[v])
        miss += max(0.0, low - values[v, 2], values[v, 2] - high)
    values[v, 3] = miss if miss <= limit else np.inf


@inner
def ratio_miss(beta: float, error: float, box: FloatArray) -> float:
    """How far estimate and limits are outside their boxes, on the log scale; ``box`` is (7,): edges, then z."""
    miss = max(0.0, box[0] - beta, beta - box[1])
    miss = max(miss, box[2] - (beta - error), (beta - error) - box[3])
    return float(max(miss, box[4] - (beta + error), (beta + error) - box[5]))


@inner
def test_asked(box: FloatArray) -> bool:
    """Whether a p-value is printed: as digits, or as less or more than some."""
    return bool(box[0] > -np.inf or box[1] < np.inf)


@inner
def test_range(value: float, box: FloatArray) -> tuple[float, float]:
    """Range for the test: on the side of ``value`` where its sign is open."""
    if box[2] > 0.0 and value < 0.0:
        return -box[1], -box[0]
    return box[0], box[1]
