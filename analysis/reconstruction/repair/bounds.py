"""Bounds on the times of ordered patients under which every statistic of their arm is in its box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.limits import LEVEL, interval_at, limit_reached, lowest_limit, outside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.terms import Boxes

    IntArray = NDArray[np.int64]

EDGE = 1e-6  # months kept clear of the edges of a rounding box
UNMET = 1.0  # penalty of a statistic that must be reached and is not, or the reverse
UNREACHED = 0.02  # of that, for a quantile that is only just on the wrong side
RATE_MISSED = 5.0  # penalty of a rate, or a limit of one, that is off by 1
FAR_OFF = 0.05  # a rate off by so much is no place to search from
COST = 50.0  # of a rate off by 1, against bounds that clash and places that are far
CLASH, TIED, FAR = 0.02, 0.002, 0.2  # cost of a place that a bound excludes, of each patient tied, of the arm's length


class Rate(NamedTuple):
    """A printed rate: the boxes of S ``at`` a time and, where ``z`` is above 0, of the limits of type ``form``."""

    at: float
    low: float
    high: float
    z: float
    form: int
    lower_low: float
    lower_high: float
    upper_low: float
    upper_high: float


@inner
def next_of(event: BoolArray, after: int, kind: bool) -> int:
    """Index of the next event (``kind`` True) or censoring after one patient; the number of patients if none."""
    i = after + 1
    while i < event.size and event[i] != kind:
        i += 1
    return i


@inner
def bind_middle(
    time: FloatArray, first: int, second: int, lowest: float, highest: float, low: FloatArray, high: FloatArray
) -> float:
    """Bind two patients so that the middle between them, where the curve stands at the level, is in its box.

    Returns a penalty if the bounds that they have already do not allow it.
    """
    size = time.size
    floor_a, floor_b = np.max(low[: first + 1]), np.max(low[: second + 1])
    ceiling_a, ceiling_b = np.min(high[first:size]), np.min(high[second:size])
    inset = 0.2 * (highest - lowest)
    a = min(max(time[first], floor_a), ceiling_a)
    b = min(max(time[second], floor_b, a), ceiling_b)
    short = 2.0 * (lowest + inset) - (a + b)
    if short > 0.0:
        later = max(min(short, ceiling_b - b), 0.0)
        b += later
        a += max(min(short - later, ceiling_a - a, b - a), 0.0)
    over = (a + b) - 2.0 * (highest - inset)
    if over > 0.0:
        earlier = max(min(over, b - floor_b, b - a), 0.0)
        b -= earlier
        a -= max(min(over - earlier, a - floor_a), 0.0)
    low[first], high[first] = max(low[first], a - 0.5 * inset), min(high[first], a + 0.5 * inset)
    low[second], high[second] = max(low[second], b - 0.5 * inset), min(high[second], b + 0.5 * inset)
    middle = 0.5 * (a + b)
    return 1.0 / size if middle < lowest or middle > highest else 0.0


@inner
def rate_of(landmarks: FloatArray, j: int) -> Rate:
    """Give a printed rate of the boxes of an arm."""
    at, low, high = landmarks[j, 0], landmarks[j, 1], landmarks[j, 2]
    lower, upper = (landmarks[j, 5], landmarks[j, 6]), (landmarks[j, 7], landmarks[j, 8])
    return Rate(at, low, high, landmarks[j, 3], int(landmarks[j, 4]), lower[0], lower[1], upper[0], upper[1])


@inner
def first_below(survival: FloatArray, level: float) -> int:
    """Give the first index, 1 or more, at which a curve that only falls is at or below a level; its size if none is."""
    start, end = 1, survival.size
    while start < end:
        middle = (start + end) // 2
        if survival[middle] <= level:
            end = middle
        else:
            start = middle + 1
    return start


@inner
def limits_missed(survival: float, greenwood: float, rate: Rate, miss: float) -> float:
    """Add to what S misses its box by what its limits miss theirs."""
    if rate.z > 0.0:
        lower, upper = interval_at(survival, greenwood, rate.z, rate.form)
        miss += outside(lower, rate.lower_low, rate.lower_high)
        miss += outside(upper, rate.upper_low, rate.upper_high)
    return miss


@inner
def too_wide(survival: float, greenwood: float, rate: Rate) -> float:
    """By how much of S the limits of a rate are too far apart, where S is in its box; too near: negative."""
    wide = 0.0
    if rate.z > 0.0 and outside(survival, rate.low, rate.high) == 0.0:
        lower, upper = interval_at(survival, greenwood, rate.z, rate.form)
        if rate.lower_high < np.inf:  # a limit that is not estimable asks for nothing
            wide += (0.5 * (rate.lower_low + rate.lower_high) - lower) / survival
        if rate.upper_low > -np.inf:
            wide += (upper - 0.5 * (rate.upper_low + rate.upper_high)) / survival
    return wide


@inner
def bind_follow_up(
    time: FloatArray, event: BoolArray, follow_up: FloatArray, low: FloatArray, high: FloatArray
) -> float:
    """Bind the patients who decide the quantiles of the reverse curve; returns the penalty of what cannot be."""
    size = time.size
    penalty = 0.0
    for q in range(follow_up.shape[0]):
        level, must_be_reached = follow_up[q, 0], follow_up[q, 3] != 0.0
        reverse = 1.0
        found = -1
        for i in range(size):
            if not event[i]:
                reverse *= 1.0 - 1.0 / (size - i)
                if reverse <= level + LEVEL:
                    found = i
                    break
        if not must_be_reached:
            penalty += UNMET if found >= 0 else 0.0
        elif found < 0:
            penalty += UNMET * max(0.01, reverse - level)
        elif reverse > level - LEVEL and found < size - 1:  # a level stretch may end with the last patient
            second = min(next_of(event, found, False), size - 1)
            penalty += bind_middle(time, found, second, follow_up[q, 1], follow_up[q, 2], low, high)
        else:
            low[found] = max(low[found], follow_up[q, 1] + EDGE)
            high[found] = min(high[found], follow_up[q, 2] - EDGE)
    return penalty


@inner
def bind_rates(
    time: FloatArray,
    event: BoolArray,
    survival: FloatArray,
    greenwood: FloatArray,
    boxes: Boxes,
    low: FloatArray,
    high: FloatArray,
    gaps: FloatArray,
    penalty: float,
) -> float:
    """Bind who is gone at the time of each rate; fills ``gaps`` and adds what cannot be to the penalty."""
    ticks, size = boxes.ticks, time.size
    for j in range(boxes.landmarks.shape[0]):
        rate = rate_of(boxes.landmarks, j)
        first, last = 0, size
        if survival[size] > 0.0:
            last = size - 1  # somebody has been followed for longer, or no rate could be printed
        at_tick = False
        for tick in range(ticks.shape[0]):
            gone = size - int(ticks[tick, 1])
            if ticks[tick, 0] <= rate.at:
                first = max(first, gone)
                at_tick = at_tick or ticks[tick, 0] == rate.at
            if ticks[tick, 0] > rate.at:
                last = min(last, gone)
        now = min(max(int(np.searchsorted(time, rate.at)), first), last)
        best, chosen = np.inf, now
        for turn in range(first - 1, last + 1):
            c = turn
            if turn < first:  # the likely one first, so that few others need limits
                if at_tick:
                    continue
                c = now
            if at_tick and c > first and not event[c - 1]:
                break  # who is at risk at the landmark's own time can be counted in S only if the event is there
            miss, far = outside(survival[c], rate.low, rate.high), FAR * abs(c - now) / size
            if miss > FAR_OFF and survival[c] < rate.low and turn >= first:
                break  # as all later ones
            if miss > FAR_OFF or miss * COST + far >= best:
                continue
            miss = limits_missed(survival[c], greenwood[c], rate, miss)
            clash = 0.0
            if c < size and high[c] < rate.at:
                clash += CLASH
            if c > 0 and low[c - 1] > rate.at:
                clash += CLASH
            if at_tick:
                clash += TIED * (c - first)
            cost = miss * COST + clash + far
            if cost < best:
                best, chosen = cost, c
        miss = outside(survival[chosen], rate.low, rate.high)
        miss = limits_missed(survival[chosen], greenwood[chosen], rate, miss)
        penalty += miss * RATE_MISSED
        gaps[j, 0], gaps[j, 1], gaps[j, 2] = now, 0.0, 0.0
        if miss > 0.0 and survival[now] > 0.0:
            inside = 0.5 * (rate.low + rate.high)
            gaps[j, 1] = math.log(survival[now] / max(inside, 1e-6))
            gaps[j, 2] = too_wide(survival[chosen], greenwood[chosen], rate)
        if chosen > 0:
            high[chosen - 1] = min(high[chosen - 1], rate.at)
        low[chosen] = max(low[chosen], rate.at + EDGE)
    return penalty


@njit(cache=True, nogil=True)
def find_anchors(
    time: FloatArray,
    event: BoolArray,
    boxes: Boxes,
    low: FloatArray,
    high: FloatArray,
    work: FloatArray,
    gaps: FloatArray,
    reached: IntArray,
) -> float:
    """Bounds on each patient's time that make every statistic of the arm fall in its box.

    Parameters
    ----------
    time, event
        Patients in order, shape (n,).
    boxes
        What the statistics of the arm must be.
    low, high
        Output, shape (n + 1,): earliest and latest time of each patient.
    work
        Scratch, shape (2, n + 1).
    gaps
        Output, shape (M + 2, 3): how many patients stand before each landmark, how far log S there is above the box
        (below: negative), and, where S is in its box, by how much of S its limits are too far apart (too near:
        negative); then the same of a quantile that other bounds exclude; last, the event with which a level is reached
        that must not be, and a patient whose bounds exclude each other, -1 if there is none.
    reached
        Output, shape (Q,): the event at which each quantile is reached, -1 if none is.

    Returns
    -------
    float
        How much the bounds contradict each other; 0 if times exist that meet them all.
    """
    quantiles, follow_up, ticks, landmarks = boxes
    size = time.size
    survival, greenwood = work[0, : size + 1], work[1, : size + 1]
    for i in range(size + 1):
        low[i] = 0.0
        high[i] = np.inf
    for k in range(3):
        gaps[-2, k], gaps[-1, k] = 0.0, -1.0
    penalty = 0.0
    for j in range(ticks.shape[0]):
        gone = size - int(ticks[j, 1])
        if gone > 0:
            high[gone - 1] = min(high[gone - 1], ticks[j, 0] - EDGE)
        low[gone] = max(low[gone], ticks[j, 0])
    if follow_up.shape[0] > 0:
        penalty += bind_follow_up(time, event, follow_up, low, high)
    s, v = 1.0, 0.0
    survival[0], greenwood[0] = s, v
    for i in range(size):
        left = size - i
        if event[i]:
            if left > 1:
                v += 1.0 / (left * (left - 1.0))
            s *= 1.0 - 1.0 / left
        survival[i + 1] = s
        greenwood[i + 1] = v
    for q in range(quantiles.shape[0]):
        level, z, form = quantiles[q, 0], quantiles[q, 1], int(quantiles[q, 2])
        found = -1
        start = 1 if z > 0.0 else first_below(survival, level + LEVEL)  # only a lower limit is ahead of S
        for i in range(start - 1, size):
            if event[i] and limit_reached(survival[i + 1], greenwood[i + 1], z, form, level):
                found = i
                break
        reached[q] = found
        if quantiles[q, 5] == 0.0:
            if found >= 0:
                lowest = lowest_limit(event, survival, greenwood, z, form)
                penalty += UNMET * (UNREACHED + max(0.0, level - lowest) + np.sum(event[found:]) / size)
                gaps[-1, 0] = found
        elif found < 0:
            penalty += UNMET * (UNREACHED + max(0.0, s - level))
        elif z == 0.0 and survival[found + 1] > level - LEVEL and found < size - 1:
            second = min(next_of(event, found, True), size - 1)
            penalty += bind_middle(time, found, second, quantiles[q, 3], quantiles[q, 4], low, high)
        else:
            low[found] = max(low[found], quantiles[q, 3] + EDGE)
            high[found] = min(high[found], quantiles[q, 4] - EDGE)
    if landmarks.shape[0] > 0:
        penalty = bind_rates(time, event, survival, greenwood, boxes, low, high, gaps, penalty)
    latest = 0.0
    for i in range(size):
        latest = max(latest, low[i])
        if latest <= high[i]:
            continue
        first = 0
        while low[first] <= high[i]:
            first += 1
        penalty += (i - first + 1.0) / size  # so many must leave before others do
        gaps[-1, 1] = i
        for q in range(quantiles.shape[0]):  # too late for who leaves after it, or too early for who leaves before
            place, aim = (first, i + 1) if reached[q] == i else (i + 1, first)
            if reached[q] in (i, first) and place > 0:
                gaps[-2, 0] = place
                gaps[-2, 1] = math.log(max(survival[place], 1e-6) / max(survival[aim], 1e-6))
    return penalty
