"""The Cox hazard ratio of two ordered arms, and small moves of time that bring it into its rounding box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.reconstruction.patients import next_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray

    IntArray = NDArray[np.int64]

STRONGEST = 0.9  # of a move within a stretch; 1 would let two patients meet
PROBE = 0.25
LEAST_INFORMATION = 1e-9
WIDEST = 12.0  # on the log scale; beyond it nothing was printed
ROUNDS = 6
TRIALS = 150


@njit(cache=True, nogil=True)
def cox(
    control_time: FloatArray, control_event: BoolArray, time: FloatArray, event: BoolArray, start: float
) -> tuple[float, float]:
    """Log hazard ratio of two arms in order of time without ties, and its information, by Newton's method."""
    beta = start
    information = 0.0
    for _ in range(12):
        ratio = math.exp(beta)
        score = information = 0.0
        i = j = 0
        n0, n1 = control_time.size, time.size
        while i < n0 or j < n1:
            if j >= n1 or (i < n0 and control_time[i] < time[j]):
                if control_event[i]:
                    y1 = (n1 - j) * ratio
                    p = y1 / (n0 - i + y1)
                    score -= p
                    information += p * (1.0 - p)
                i += 1
            else:
                if event[j]:
                    y1 = (n1 - j) * ratio
                    p = y1 / (n0 - i + y1)
                    score += 1.0 - p
                    information += p * (1.0 - p)
                j += 1
        if information < LEAST_INFORMATION:
            break
        step = max(-1.0, min(1.0, score / information))
        beta += step
        if abs(step) < 1e-7:
            break
    return beta, information


@njit(cache=True, nogil=True)
def ratio_miss(beta: float, information: float, box: FloatArray) -> float:
    """How far estimate and limits are outside their boxes, on the log scale; ``box`` is (7,): edges, then z."""
    error = box[6] / math.sqrt(max(information, LEAST_INFORMATION))
    miss = max(0.0, box[0] - beta, beta - box[1])
    miss = max(miss, box[2] - (beta - error), (beta - error) - box[3])
    return float(max(miss, box[4] - (beta + error), (beta + error) - box[5]))


@njit(cache=True, nogil=True)
def stretches(low: FloatArray, high: FloatArray, size: int, bounds: IntArray) -> int:
    """Start and end (indices of bound patients) of the stretches of free patients between bounds; their number."""
    count = 0
    start = -1
    for i in range(size):
        if low[i] != 0.0 or high[i] != np.inf:
            if i - start > 1:
                bounds[count, 0] = start
                bounds[count, 1] = i
                count += 1
            start = i
    if size - start > 1:
        bounds[count, 0] = start
        bounds[count, 1] = size
        count += 1
    return count


@njit(cache=True, nogil=True)
def bend(time: FloatArray, first: int, last: int, strength: FloatArray, out: FloatArray) -> None:
    """Move the patients between two indices within their stretch: later for ``strength`` > 0, order kept."""
    begin = time[first] if first >= 0 else 0.0
    end = time[last] if last < time.size else time[-1]
    span = end - begin
    for k in range(first + 1, min(last, time.size)):
        z = min(max((time[k] - begin) / span, 0.0), 1.0) if span > 0.0 else 0.0  # rounding may put one outside
        out[k] = time[k] + span * strength * z * (1.0 - z)


@njit(cache=True, nogil=True)
def tune_ratio(
    times0: FloatArray,
    event0: BoolArray,
    bounds0: IntArray,
    count0: int,
    times1: FloatArray,
    event1: BoolArray,
    bounds1: IntArray,
    count1: int,
    box: FloatArray,
    work0: FloatArray,
    work1: FloatArray,
    rng_state: NDArray[np.uint64],
) -> float:
    """Bend stretches of both arms until ratio and limits are in their boxes; the times change in place.

    ``rng_state`` is (1,) uint64, for bends at random where slopes do not lead there.
    Returns the remaining miss on the log scale, 0 when all are met.
    """
    total = count0 + count1
    strength = np.zeros(total)
    trial = np.zeros(total)
    slope = np.empty((2, total))
    base0, base1 = times0.copy(), times1.copy()
    beta, information = cox(base0, event0, base1, event1, 0.0)
    miss = ratio_miss(beta, information, box)
    if miss == 0.0 or total == 0:
        return miss
    least = box[6] * 2.0 / math.sqrt(max(event0.sum() + event1.sum(), 1))
    for _ in range(ROUNDS):
        error = box[6] / math.sqrt(max(information, LEAST_INFORMATION))
        aim_beta, aim_error = nearest_pair(beta, error, least, box)
        for k in range(total):
            trial[:] = strength
            trial[k] += PROBE if strength[k] < 0.5 else -PROBE
            apply_bends(base0, bounds0, count0, base1, bounds1, count1, trial, work0, work1)
            b, info = cox(work0, event0, work1, event1, beta)
            width = trial[k] - strength[k]
            slope[0, k] = (b - beta) / width
            slope[1, k] = (box[6] / math.sqrt(max(info, LEAST_INFORMATION)) - error) / width
        a11 = a12 = a22 = 1e-10
        a12 = 0.0
        for k in range(total):
            a11 += slope[0, k] ** 2
            a12 += slope[0, k] * slope[1, k]
            a22 += slope[1, k] ** 2
        d1, d2 = aim_beta - beta, aim_error - error
        determinant = a11 * a22 - a12 * a12
        if determinant < 1e-9 * a11 * a22:
            u1, u2 = d1 / a11, 0.0
        else:
            u1 = (d1 * a22 - d2 * a12) / determinant
            u2 = (d2 * a11 - d1 * a12) / determinant
        improved = False
        factor = 1.0
        for _ in range(3):
            for k in range(total):
                value = strength[k] + factor * (slope[0, k] * u1 + slope[1, k] * u2)
                trial[k] = max(-STRONGEST, min(STRONGEST, value))
            apply_bends(base0, bounds0, count0, base1, bounds1, count1, trial, work0, work1)
            b, info = cox(work0, event0, work1, event1, beta)
            new = ratio_miss(b, info, box)
            if new < miss:
                improved = True
                miss, beta, information = new, b, info
                strength[:] = trial
                break
            factor *= 0.4
        if miss == 0.0 or not improved:
            break
    for _ in range(TRIALS):  # with few patients between bounds the ratio moves in jumps that no slope foresees
        if miss == 0.0:
            break
        k = int(next_uniform(rng_state) * total)
        kept = strength[k]
        strength[k] = STRONGEST * (2.0 * next_uniform(rng_state) - 1.0)
        apply_bends(base0, bounds0, count0, base1, bounds1, count1, strength, work0, work1)
        b, info = cox(work0, event0, work1, event1, beta)
        new = ratio_miss(b, info, box)
        if new <= miss:
            miss, beta = new, b
        else:
            strength[k] = kept
    apply_bends(base0, bounds0, count0, base1, bounds1, count1, strength, times0, times1)
    return miss


@njit(cache=True, nogil=True)
def apply_bends(
    base0: FloatArray,
    bounds0: IntArray,
    count0: int,
    base1: FloatArray,
    bounds1: IntArray,
    count1: int,
    strength: FloatArray,
    out0: FloatArray,
    out1: FloatArray,
) -> None:
    """Bend every stretch of both arms by its strength."""
    out0[:] = base0
    out1[:] = base1
    for k in range(count0):
        bend(base0, bounds0[k, 0], bounds0[k, 1], strength[k], out0)
    for k in range(count1):
        bend(base1, bounds1[k, 0], bounds1[k, 1], strength[count0 + k], out1)


@njit(cache=True, nogil=True)
def nearest_pair(beta: float, error: float, least: float, box: FloatArray) -> tuple[float, float]:
    """Pair of estimate and half-width well inside the boxes, near the present pair.

    ``least`` is the smallest half-width that the number of events allows, ``z * 2 / sqrt(events)``.
    """
    if box[5] - box[2] > WIDEST:
        inset = 0.2 * (box[1] - box[0])
        return min(max(beta, box[0] + inset), box[1] - inset), error
    low = max(box[0], box[2] + least, 0.5 * (box[2] + box[4]))
    high = min(box[1], box[5] - least, 0.5 * (box[3] + box[5]))
    inset = 0.2 * max(high - low, 0.0)
    beta = min(max(beta, low + inset), high - inset)
    low = max(beta - box[3], box[4] - beta, least)
    high = max(min(beta - box[2], box[5] - beta), low)
    inset = 0.2 * (high - low)
    return beta, min(max(error, low + inset), high - inset)
