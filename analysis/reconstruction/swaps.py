"""Swaps of events with censorings in the order of an arm, until every statistic of the arm can be in its box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from analysis.reconstruction.bounds import find_anchors
from analysis.reconstruction.patients import next_uniform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray

WARMTH = 0.01  # by which a swap may worsen the bounds at the start of a search
NEIGHBOURS = 4  # patients looked at, each way, for one to swap with


@njit(cache=True, nogil=True)
def aim_at(event: BoolArray, place: int, excess: float, rng_state: NDArray[np.uint64]) -> tuple[int, int]:
    """Two patients whose swap takes about ``excess`` off log S at ``place``; the second is -1 if none were found.

    An event at a patient with ``y`` at risk takes about ``1 / y`` off log S. What is less than half of that is moved
    by swaps before ``place``, more by an event brought there from behind it, or taken from there; now and then a small
    excess too, which may leave one that the others can remove.
    """
    size = event.size
    a = int(next_uniform(rng_state) * place)
    here = 1.0 / (size - a)
    large = abs(excess) > 0.5 / (size - place + 1.0)
    if large or next_uniform(rng_state) < 0.3:
        if large and event[a] == (excess > 0.0):
            return a, -1
        b = place + int(math.exp(next_uniform(rng_state) * math.log(size - place + 1.0))) - 1
        return a, b if b < size and event[b] != event[a] else -1
    wanted = here + excess if event[a] else here - excess
    if wanted <= 0.0:
        return a, -1
    near = size - round(1.0 / wanted)
    for away in range(NEIGHBOURS):
        for candidate in (near - away, near + away):
            if 0 <= candidate < place and event[candidate] != event[a]:
                return a, candidate
    return a, -1


@njit(cache=True, nogil=True)
def step_away(index: int, size: int, rng_state: NDArray[np.uint64]) -> int:
    """Index a random step away, short steps being as frequent as long ones on the log scale."""
    reach = int(math.exp(next_uniform(rng_state) * math.log(size)))
    return index + (reach if next_uniform(rng_state) < 0.5 else -reach)


@njit(cache=True, nogil=True)
def reorder(
    time: FloatArray,
    event: BoolArray,
    odds: FloatArray,
    quantiles: FloatArray,
    follow_up: FloatArray,
    ticks: FloatArray,
    landmarks: FloatArray,
    low: FloatArray,
    high: FloatArray,
    work: FloatArray,
    gaps: FloatArray,
    steps: int,
    rng_state: NDArray[np.uint64],
) -> float:
    """Swap events with censorings until the bounds of the arm agree with each other; returns what is left over.

    ``odds`` (n,) is the log odds of an event against a censoring where each patient stands: a swap that makes the order
    less likely is proposed as seldom as it is less likely. Most swaps aim at the landmark that is missed most, at the
    event with which a level is reached that must not be, or at bounds that exclude each other.
    ``rng_state`` is (1,) uint64, the state of a small generator of its own, so that the result depends on nothing else.
    """
    size = time.size
    penalty = find_anchors(time, event, quantiles, follow_up, ticks, landmarks, low, high, work, gaps)
    if penalty == 0.0:
        return penalty
    best, kept = penalty, event.copy()
    place, excess = worst_gap(gaps)
    for step in range(steps):
        likely_only = True
        if gaps[-1, 0] >= 0 and next_uniform(rng_state) < 0.5:
            a, b = int(gaps[-1, 0]), int(next_uniform(rng_state) * size)
        elif place > 0 and next_uniform(rng_state) < 0.7:
            a, b = aim_at(event, place, excess, rng_state)
            likely_only = False
        else:
            a = int(next_uniform(rng_state) * size)
            if gaps[-1, 1] >= 0.0 and next_uniform(rng_state) < 0.7:
                a = step_away(int(gaps[-1, 1]), size, rng_state)
                likely_only = False
            b = step_away(a, size, rng_state)
        if min(a, b) < 0 or max(a, b) >= size or event[a] == event[b]:
            continue
        less_likely = odds[a] - odds[b] if event[a] else odds[b] - odds[a]
        if likely_only and less_likely > 0.0 and next_uniform(rng_state) > math.exp(-less_likely):
            continue
        event[a], event[b] = event[b], event[a]
        trial = find_anchors(time, event, quantiles, follow_up, ticks, landmarks, low, high, work, gaps)
        slack = WARMTH * next_uniform(rng_state) * (1.0 - step / steps)
        if trial <= penalty + slack:
            penalty = trial
            place, excess = worst_gap(gaps)
            if trial < best:
                best = trial
                kept[:] = event
                if best == 0.0:
                    break
        else:
            event[a], event[b] = event[b], event[a]
    event[:] = kept
    return find_anchors(time, event, quantiles, follow_up, ticks, landmarks, low, high, work, gaps)


@njit(cache=True, nogil=True)
def worst_gap(gaps: FloatArray) -> tuple[int, float]:
    """Place and excess of log S of the landmark that is missed most; place 0 if none is."""
    place, excess = 0, 0.0
    for j in range(gaps.shape[0] - 1):
        if abs(gaps[j, 1]) > abs(excess):
            place, excess = int(gaps[j, 0]), gaps[j, 1]
    return place, excess
