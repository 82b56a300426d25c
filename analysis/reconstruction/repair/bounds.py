"""Bounds on the times of ordered patients under which every statistic of their arm is in its box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.reconstruction.terms import LOG, LOG_LOG, Boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray

    IntArray = NDArray[np.int64]

EDGE = 1e-6  # months kept clear of the edges of a rounding box
CLEAR = 1e-3  # months within which patients who move to one bound are spread, so that those of two arms are not tied
GAP = 2e-6  # months between consecutive patients, so that no two are tied, nor taken for tied by who analyses them
BOX = 1.1  # months: bounds so near to each other are those of a printed time
DIGITS = 1e3
SMALL, GROWN = 0.5, 1.65  # a number, and its exponential, rounded up
UNMET = 1.0  # penalty of a statistic that must be reached and is not, or the reverse


@njit(cache=True, nogil=True)
def limit_reached(survival: float, greenwood: float, z: float, form: int, level: float) -> bool:
    """Whether the limit of S (``z`` > 0: lower, < 0: upper, 0: S itself) is at or below ``level``."""
    if z == 0.0:
        return survival <= level + 1e-12
    if survival <= 0.0 or (z < 0.0 and survival > level) or surely_above(survival, greenwood, z, form, level):
        return False
    root = math.sqrt(greenwood)
    if form == LOG_LOG:
        if survival >= 1.0:
            return False
        hazard = -math.log(survival)
        return math.exp(-hazard * math.exp(z * root / hazard)) <= level
    if form == LOG:
        return survival * math.exp(-z * root) <= level
    return survival * (1.0 - z * root) <= level


@njit(cache=True, nogil=True)
def surely_above(survival: float, greenwood: float, z: float, form: int, level: float) -> bool:
    """Whether a lower limit of type log-log is above ``level`` by more than it takes to know that without logarithms.

    With a standard error of log S below ``SMALL`` of ``1 - S``, over z, the limit's hazard is less than ``GROWN`` times
    that of S; both hazards are bounded by rational functions of S.
    """
    if form != LOG_LOG or z < 0.0 or z * z * greenwood > (SMALL * (1.0 - survival)) ** 2:
        return False
    return GROWN * (1.0 - survival) * (1.0 + survival) * (1.0 + level) < 4.0 * survival * (1.0 - level)


@njit(cache=True, nogil=True)
def interval_at(survival: float, greenwood: float, z: float, form: int) -> tuple[float, float]:
    """Confidence limits of S by type."""
    if survival >= 1.0 or survival <= 0.0:
        return survival, survival
    root = z * math.sqrt(greenwood)
    if form == LOG_LOG:
        hazard = -math.log(survival)
        return math.exp(-hazard * math.exp(root / hazard)), math.exp(-hazard * math.exp(-root / hazard))
    if form == LOG:
        return survival * math.exp(-root), min(1.0, survival * math.exp(root))
    return max(0.0, survival * (1.0 - root)), min(1.0, survival * (1.0 + root))


@njit(cache=True, nogil=True)
def lowest_limit(event: BoolArray, survival: FloatArray, greenwood: FloatArray, z: float, form: int) -> float:
    """Limit of S (``z`` > 0: lower, < 0: upper, 0: S itself) after the last event, of limits the last with S above 0.

    ``survival`` and ``greenwood`` (n + 1,) are those after each patient.
    """
    end = event.size
    while end > 0 and (not event[end - 1] or (z != 0.0 and survival[end] <= 0.0)):
        end -= 1
    if z == 0.0:
        return float(survival[end])
    lower, upper = interval_at(survival[end], greenwood[end], abs(z), form)
    return lower if z > 0.0 else upper


@njit(cache=True, nogil=True)
def outside(value: float, low: float, high: float) -> float:
    """Distance of a value from an interval."""
    return max(0.0, low - value, value - high)


@njit(cache=True, nogil=True)
def next_of(event: BoolArray, after: int, kind: bool) -> int:
    """Index of the next event (``kind`` True) or censoring after one patient; the number of patients if none."""
    i = after + 1
    while i < event.size and event[i] != kind:
        i += 1
    return i


@njit(cache=True, nogil=True)
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
    survival, greenwood = work[0], work[1]
    s = reverse = 1.0
    v = 0.0
    survival[0], greenwood[0] = 1.0, 0.0
    for i in range(size + 1):
        low[i] = 0.0
        high[i] = np.inf
    penalty = 0.0
    gaps[-1, 0] = -1.0
    for j in range(ticks.shape[0]):
        gone = size - int(ticks[j, 1])
        if gone > 0:
            high[gone - 1] = min(high[gone - 1], ticks[j, 0] - EDGE)
        low[gone] = max(low[gone], ticks[j, 0])
    for q in range(follow_up.shape[0]):
        reverse = 1.0
        found = -1
        for i in range(size):
            if not event[i]:
                reverse *= 1.0 - 1.0 / (size - i)
                if reverse <= follow_up[q, 0] + 1e-12:
                    found = i
                    break
        if follow_up[q, 3] == 0.0:
            penalty += UNMET if found >= 0 else 0.0
        elif found < 0:
            penalty += UNMET * max(0.01, reverse - follow_up[q, 0])
        elif reverse > follow_up[q, 0] - 1e-12 and found < size - 1:  # a level stretch may end with the last patient
            second = min(next_of(event, found, False), size - 1)
            penalty += bind_middle(time, found, second, follow_up[q, 1], follow_up[q, 2], low, high)
        else:
            low[found] = max(low[found], follow_up[q, 1] + EDGE)
            high[found] = min(high[found], follow_up[q, 2] - EDGE)
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
        for i in range(size):
            if event[i] and limit_reached(survival[i + 1], greenwood[i + 1], z, form, level):
                found = i
                break
        reached[q] = found
        if quantiles[q, 5] == 0.0:
            if found >= 0:
                lowest = lowest_limit(event, survival, greenwood, z, form)
                penalty += UNMET * (0.02 + max(0.0, level - lowest) + np.sum(event[found:]) / size)
                gaps[-1, 0] = found
        elif found < 0:
            penalty += UNMET * (0.02 + max(0.0, s - level))
        elif z == 0.0 and survival[found + 1] > level - 1e-12 and found < size - 1:
            second = min(next_of(event, found, True), size - 1)
            penalty += bind_middle(time, found, second, quantiles[q, 3], quantiles[q, 4], low, high)
        else:
            low[found] = max(low[found], quantiles[q, 3] + EDGE)
            high[found] = min(high[found], quantiles[q, 4] - EDGE)
    for j in range(landmarks.shape[0]):
        at = landmarks[j, 0]
        first, last = 0, size
        if survival[size] > 0.0:
            last = size - 1  # somebody has been followed for longer, or no rate could be printed
        at_tick = False
        for tick in range(ticks.shape[0]):
            gone = size - int(ticks[tick, 1])
            if ticks[tick, 0] <= at:
                first = max(first, gone)
                at_tick = at_tick or ticks[tick, 0] == at
            if ticks[tick, 0] > at:
                last = min(last, gone)
        now = min(max(np.searchsorted(time, at), first), last)
        best, chosen = np.inf, now
        for turn in range(first - 1, last + 1):
            c = turn
            if turn < first:  # the likely one first, so that few others need limits
                if at_tick:
                    continue
                c = now
            if at_tick and c > first and not event[c - 1]:
                break  # who is at risk at the landmark's own time can be counted in S only if the event is there
            miss, far = outside(survival[c], landmarks[j, 1], landmarks[j, 2]), 0.2 * abs(c - now) / size
            if miss > 0.05 or miss * 50.0 + far >= best:
                continue
            if landmarks[j, 3] > 0.0:
                lower, upper = interval_at(survival[c], greenwood[c], landmarks[j, 3], int(landmarks[j, 4]))
                miss += outside(lower, landmarks[j, 5], landmarks[j, 6])
                miss += outside(upper, landmarks[j, 7], landmarks[j, 8])
            clash = 0.0
            if c < size and high[c] < at:
                clash += 0.02
            if c > 0 and low[c - 1] > at:
                clash += 0.02
            if at_tick:
                clash += 0.002 * (c - first)  # they are tied
            cost = miss * 50.0 + clash + far
            if cost < best:
                best, chosen = cost, c
        miss = outside(survival[chosen], landmarks[j, 1], landmarks[j, 2])
        if landmarks[j, 3] > 0.0:
            lower, upper = interval_at(survival[chosen], greenwood[chosen], landmarks[j, 3], int(landmarks[j, 4]))
            miss += outside(lower, landmarks[j, 5], landmarks[j, 6])
            miss += outside(upper, landmarks[j, 7], landmarks[j, 8])
        penalty += miss * 5.0
        gaps[j, 0], gaps[j, 1], gaps[j, 2] = now, 0.0, 0.0
        if miss > 0.0 and survival[now] > 0.0:
            inside = 0.5 * (landmarks[j, 1] + landmarks[j, 2])
            gaps[j, 1] = math.log(survival[now] / max(inside, 1e-6))
            if landmarks[j, 3] > 0.0 and outside(survival[chosen], landmarks[j, 1], landmarks[j, 2]) == 0.0:
                if landmarks[j, 6] < np.inf:  # a limit that is not estimable asks for nothing
                    gaps[j, 2] += (0.5 * (landmarks[j, 5] + landmarks[j, 6]) - lower) / survival[chosen]
                if landmarks[j, 7] > -np.inf:
                    gaps[j, 2] += (upper - 0.5 * (landmarks[j, 7] + landmarks[j, 8])) / survival[chosen]
        if chosen > 0:
            high[chosen - 1] = min(high[chosen - 1], at)
        low[chosen] = max(low[chosen], at + EDGE)
    latest = 0.0
    gaps[-1, 1] = -1.0
    gaps[-2] = 0.0
    for i in range(size):
        latest = max(latest, low[i])
        if latest > high[i]:
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


@njit(cache=True, nogil=True)
def move_between(time: FloatArray, low: FloatArray, high: FloatArray, work: FloatArray) -> None:
    """Move times the least that meets the bounds, neighbours along with them, order kept."""
    size = time.size
    ceiling = np.inf
    latest = work[1]
    for i in range(size - 1, -1, -1):
        ceiling = min(ceiling, high[i])
        latest[i] = ceiling
    moved = work[0]
    floor = 0.0
    old_start = new_start = 0.0
    start = -1
    for i in range(size):
        if low[i] == 0.0 and high[i] == np.inf:
            continue
        floor = max(floor, low[i])
        room = max(latest[i] - floor, 0.0)
        # the digits of the old time keep patients of two arms apart that move to the same bound, and spread those that
        # move into a box over all of it
        digits = DIGITS * time[i] - math.floor(DIGITS * time[i])
        if room < BOX and (time[i] < floor or time[i] > latest[i]):
            aim = floor + digits * room
        else:
            clear = min(CLEAR * digits + GAP * (i - start), 0.5 * room)
            aim = min(max(time[i], floor + clear), latest[i] - clear)
        floor = max(floor, aim)
        span = time[i] - old_start
        for k in range(start + 1, i):
            share = (time[k] - old_start) / span if span > 0.0 else 0.5
            moved[k] = new_start + share * (aim - new_start)
        moved[i] = aim
        start, old_start, new_start = i, time[i], aim
    shift = new_start - old_start
    for k in range(start + 1, size):
        moved[k] = max(time[k] + shift, new_start, low[size])
    time[0] = moved[0]
    for i in range(1, size):
        time[i] = moved[i] if moved[i] >= time[i - 1] + GAP else min(time[i - 1] + GAP, latest[i])


@njit(cache=True, nogil=True)
def move_back(time: FloatArray, low: FloatArray, high: FloatArray, home: FloatArray) -> None:
    """Give the free points the places from which `move_between` moves them to ``time``; bound ones keep theirs."""
    start, begin, home_begin = -1, 0.0, 0.0
    size = time.size
    for i in range(size):
        if low[i] == 0.0 and high[i] == np.inf:
            continue
        span, home_span = time[i] - begin, home[i] - home_begin
        for k in range(start + 1, i):
            share = (time[k] - begin) / span if span > 0.0 else 0.5
            home[k] = home_begin + share * home_span
        start, begin, home_begin = i, time[i], home[i]
    for k in range(start + 1, size):
        home[k] = home_begin + time[k] - begin
