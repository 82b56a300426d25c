"""Bends the times of two ordered arms between what is bound, until how they compare is in its boxes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.patients import next_uniform
from analysis.reconstruction.repair.ratios import WIDEST, compare, ratio_miss, test_asked, test_range
from analysis.reconstruction.solve.conditioning import solve_in_place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.repair.ratios import Parts
    from analysis.reconstruction.terms import RatioBoxes

    IntArray = NDArray[np.int64]

STRONGEST = 0.9  # of a move within a stretch; 1 would let two patients meet
PROBE = 0.25
ROUNDS = 8
INSET = 0.2  # of a box, by which its middle is aimed at rather than its edge
OPEN = 0.05  # inset, and half width, of a box that is open to one side
REACH = 0.01  # how much a move may weigh against a number that it brings to its box


class Stretches(NamedTuple):
    """Stretches of free points between bound ones in two arms: their ``ends`` (2, n, 2) and ``number`` (2,)."""

    ends: IntArray
    number: IntArray


@njit(cache=True, nogil=True)
def stretches(low: FloatArray, high: FloatArray, size: int, bounds: IntArray) -> int:
    """Start and end (indices of bound points) of the stretches of free points between bounds; their number."""
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


@inner
def bend(time: FloatArray, first: int, last: int, strength: float, out: FloatArray) -> None:
    """Move the points between two indices within their stretch: later for ``strength`` > 0, order kept."""
    begin = time[first] if first >= 0 else 0.0
    end = time[last] if last < time.size else time[-1]
    span = end - begin
    for k in range(first + 1, min(last, time.size)):
        z = min(max((time[k] - begin) / span, 0.0), 1.0) if span > 0.0 else 0.0  # rounding may put one outside
        out[k] = time[k] + span * strength * z * (1.0 - z)


@njit(cache=True, nogil=True)
def apply_bends(
    base0: FloatArray,
    base1: FloatArray,
    free: Stretches,
    strength: FloatArray,
    out0: FloatArray,
    out1: FloatArray,
) -> None:
    """Bend every stretch of both arms by its strength."""
    out0[:] = base0
    out1[:] = base1
    for k in range(free.number[0]):
        bend(base0, free.ends[0, k, 0], free.ends[0, k, 1], strength[k], out0)
    for k in range(free.number[1]):
        bend(base1, free.ends[1, k, 0], free.ends[1, k, 1], strength[free.number[0] + k], out1)


@inner
def nearest_pair(beta: float, error: float, least: float, box: FloatArray) -> tuple[float, float]:
    """Pair of estimate and half width well inside the boxes, near the present pair.

    ``least`` is the smallest half width that the number of events allows, ``z * 2 / sqrt(events)``.
    """
    if box[5] - box[2] > WIDEST:
        inset = INSET * (box[1] - box[0])
        return min(max(beta, box[0] + inset), box[1] - inset), error
    low = max(box[0], box[2] + least, 0.5 * (box[2] + box[4]))
    high = min(box[1], box[5] - least, 0.5 * (box[3] + box[5]))
    inset = INSET * max(high - low, 0.0)
    beta = min(max(beta, low + inset), high - inset)
    low = max(beta - box[3], box[4] - beta, least)
    high = max(min(beta - box[2], box[5] - beta), low)
    inset = INSET * (high - low)
    return beta, min(max(error, low + inset), high - inset)


@njit(cache=True, nogil=True)
def aims(values: FloatArray, parts: Parts, boxes: RatioBoxes, wanted: FloatArray, width: FloatArray) -> None:
    """By how much each value is to change, (3 V,), and how exactly; infinite width: it is free."""
    for v in range(values.shape[0]):
        box, test = boxes.ratio[v], boxes.test[v]
        row = 3 * v
        wanted[row : row + 3] = 0.0
        width[row : row + 3] = np.inf
        beta, error, z = values[v, 0], values[v, 1], values[v, 2]
        printed = box[1] - box[0] < WIDEST
        limits = box[5] - box[2] < WIDEST
        if printed or limits:
            width[row] = 0.5 * min(box[1] - box[0], box[5] - box[2])
            width[row + 1] = 0.5 * (box[3] - box[2]) if limits else np.inf
            if ratio_miss(beta, error, box) > 0.0:
                least = box[6] * 2.0 / math.sqrt(max(np.sum(parts.events[v]), 1))
                aim_beta, aim_error = nearest_pair(beta, error, least, box)
                wanted[row], wanted[row + 1] = aim_beta - beta, aim_error - error
        if test_asked(test):
            low, high = test_range(z, test)
            inset = min(INSET * (high - low), OPEN)
            width[row + 2] = min(0.5 * (high - low), OPEN)
            if z < low or z > high:
                wanted[row + 2] = min(max(z, low + inset), high - inset) - z


@inner
def least_move(slope: FloatArray, wanted: FloatArray, width: FloatArray, move: FloatArray) -> None:
    """Smallest move that changes the values as wanted, to about a hundredth of their widths (ridge regression)."""
    used = np.flatnonzero(width < np.inf)
    rows = used.size
    system, weight = np.empty((rows, rows)), np.empty(rows)
    for a in range(rows):
        for b in range(rows):
            system[a, b] = np.sum(slope[used[a]] * slope[used[b]])
        system[a, a] += REACH * width[used[a]] ** 2 + 1e-12
        weight[a] = wanted[used[a]]
    solve_in_place(system, weight)
    move[:] = 0.0
    for a in range(rows):
        move += weight[a] * slope[used[a]]


@njit(cache=True, nogil=True)
def tune(
    time0: FloatArray,
    time1: FloatArray,
    parts: Parts,
    free: Stretches,
    boxes: RatioBoxes,
    trials: int,
    rng_state: NDArray[np.uint64],
) -> float:
    """Bend stretches of both arms until ratios, limits and tests are in their boxes; the times change in place.

    ``rng_state`` is (1,) uint64, for the ``trials`` bends at random where slopes do not lead there.
    Returns the remaining miss, 0 when all are met.
    """
    total = free.number[0] + free.number[1]
    analyses = parts.strata.size
    every = np.ones(analyses, np.bool_)
    at_risk = np.empty((np.max(np.sum(parts.size, axis=1)), 4))
    left = np.empty((2, np.max(parts.strata)))
    values, there = np.zeros((analyses, 4)), np.zeros((analyses, 4))
    miss = compare(time0, time1, parts, boxes, every, np.inf, values, at_risk, left)
    if miss == 0.0 or total == 0:
        return miss
    base0, base1, work0, work1 = time0.copy(), time1.copy(), time0.copy(), time1.copy()
    strength, trial, move = np.zeros(total), np.zeros(total), np.zeros(total)
    slope = np.zeros((3 * analyses, total))
    wanted, width = np.empty(3 * analyses), np.empty(3 * analyses)
    for _ in range(ROUNDS):
        for k in range(total):
            trial[:] = strength
            trial[k] += PROBE if strength[k] < 0.5 else -PROBE
            apply_bends(base0, base1, free, trial, work0, work1)
            there[:] = values
            compare(work0, work1, parts, boxes, every, np.inf, there, at_risk, left)
            slope[:, k] = (there[:, :3] - values[:, :3]).copy().ravel() / (trial[k] - strength[k])
        aims(values, parts, boxes, wanted, width)
        least_move(slope, wanted, width, move)
        improved = False
        factor = 1.0
        for _ in range(4):
            for k in range(total):
                trial[k] = max(-STRONGEST, min(STRONGEST, strength[k] + factor * move[k]))
            apply_bends(base0, base1, free, trial, work0, work1)
            there[:] = values
            new = compare(work0, work1, parts, boxes, every, miss, there, at_risk, left)
            if new < miss:
                improved = True
                miss = new
                values[:] = there
                strength[:] = trial
                break
            factor *= 0.4
        if miss == 0.0 or not improved:
            break
    for _ in range(trials):  # with few patients between bounds the ratio moves in jumps that no slope foresees
        if miss == 0.0:
            break
        k = int(next_uniform(rng_state) * total)
        kept = strength[k]
        draw = 2.0 * next_uniform(rng_state) - 1.0
        if next_uniform(rng_state) < 0.3:
            strength[k] = STRONGEST * draw
        else:  # small steps as often as large ones
            strength[k] += draw * math.exp(-7.0 * next_uniform(rng_state))
            strength[k] = max(-STRONGEST, min(STRONGEST, strength[k]))
        apply_bends(base0, base1, free, strength, work0, work1)
        there[:] = values
        new = compare(work0, work1, parts, boxes, every, miss, there, at_risk, left)
        if new <= miss:
            miss = new
            values[:] = there
        else:
            strength[k] = kept
    apply_bends(base0, base1, free, strength, time0, time1)
    return miss
