"""Turns conditioned paths into members: patients of every arm, in the boxes of the report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.reconstruction.bounds import find_anchors, move_between
from analysis.reconstruction.forward import fill_paths, lay_cells
from analysis.reconstruction.hazard_ratio import WIDEST, stretches, tune_ratio
from analysis.reconstruction.patients import draw_arm, fill_odds, gather_at_visits, next_uniform, place_in_blocks
from analysis.reconstruction.swaps import reorder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray

    IntArray = NDArray[np.int64]


@njit(cache=True, nogil=True)
def expected_counts(
    states: FloatArray, arms: int, edges: FloatArray, lengths: FloatArray, sizes: FloatArray, events: FloatArray
) -> None:
    """Fill ``events`` (members, arms) with the expected events of each arm."""
    room = 4 * (edges.size + lengths.size + 8)
    cells = np.empty(room)
    paths = np.empty((5, arms, room))
    for i in range(states.shape[0]):
        count = lay_cells(states[i], edges, lengths, cells)
        fill_paths(states[i], arms, edges, lengths, sizes, cells, count, paths)
        for k in range(arms):
            events[i, k] = paths[3, k, count - 1]


@njit(cache=True, nogil=True)
def draw_patients(
    states: FloatArray,
    arm: int,
    arms: int,
    edges: FloatArray,
    lengths: FloatArray,
    sizes: FloatArray,
    events: IntArray,
    seeds: NDArray[np.uint64],
    spacings: FloatArray,
    quantiles: FloatArray,
    follow_up: FloatArray,
    ticks: FloatArray,
    landmarks: FloatArray,
    interval: float,
    steps: int,
    time: FloatArray,
    event: BoolArray,
    miss: FloatArray,
) -> None:
    """Patients of one arm in every member: in order, each statistic of the arm in its box where that can be.

    ``time`` and ``event`` (members, n) and ``miss`` (members,) are filled; ``seeds`` (members,) start the jitter,
    ``spacings`` (members, n) are the random gaps between events;
    ``interval`` is the months between visits, 0 if they are not known; ``steps`` swaps are tried before an arm is given
    up.
    """
    room = 4 * (edges.size + lengths.size + 8)
    cells = np.empty(room)
    paths = np.empty((5, arms, room))
    size = time.shape[1]
    low = np.empty(size + 1)
    high = np.empty(size + 1)
    work = np.empty((2, size + 1))
    gaps = np.empty((landmarks.shape[0] + 1, 2))
    jitter, ranks, odds = np.empty(size), np.empty(size), np.empty(size)
    state = np.empty(1, np.uint64)
    for i in range(states.shape[0]):
        count = lay_cells(states[i], edges, lengths, cells)
        fill_paths(states[i], arms, edges, lengths, sizes, cells, count, paths)
        state[0] = seeds[i]
        for k in range(size):
            jitter[k] = next_uniform(state)
        place_in_blocks(spacings[i], events[i, arm], ranks)
        draw_arm(cells, count, paths[:, arm], size, events[i, arm], ranks, jitter, time[i], event[i])
        if interval > 0.0:
            gather_at_visits(time[i], event[i], interval, state)
        fill_odds(cells, count, paths[:, arm], time[i], odds)
        miss[i] += reorder(
            time[i], event[i], odds, quantiles, follow_up, ticks, landmarks, low, high, work, gaps, steps, state
        )
        move_between(time[i], low, high, work)


@njit(cache=True, nogil=True)
def meet_ratio(
    time0: FloatArray,
    event0: BoolArray,
    boxes0: tuple[FloatArray, ...],
    time1: FloatArray,
    event1: BoolArray,
    boxes1: tuple[FloatArray, ...],
    box: FloatArray,
    test_low: float,
    test_high: float,
    two_sided: bool,
    seeds: NDArray[np.uint64],
    miss: FloatArray,
) -> None:
    """Bring every member's hazard ratio into its box; members whose log-rank statistic is out of range are marked.

    ``seeds`` (members,) start the generator of each member's trials.
    """
    n0, n1 = time0.shape[1], time1.shape[1]
    low0, high0, work0 = np.empty(n0 + 1), np.empty(n0 + 1), np.empty((2, n0 + 1))
    low1, high1, work1 = np.empty(n1 + 1), np.empty(n1 + 1), np.empty((2, n1 + 1))
    gaps0, gaps1 = np.empty((boxes0[3].shape[0] + 1, 2)), np.empty((boxes1[3].shape[0] + 1, 2))
    bounds0 = np.empty((n0 + 1, 2), np.int64)
    bounds1 = np.empty((n1 + 1, 2), np.int64)
    state = np.empty(1, np.uint64)
    for i in range(time0.shape[0]):
        state[0] = seeds[i]
        find_anchors(time0[i], event0[i], boxes0[0], boxes0[1], boxes0[2], boxes0[3], low0, high0, work0, gaps0)
        find_anchors(time1[i], event1[i], boxes1[0], boxes1[1], boxes1[2], boxes1[3], low1, high1, work1, gaps1)
        if box[1] - box[0] < WIDEST:
            count0 = stretches(low0, high0, n0, bounds0)
            count1 = stretches(low1, high1, n1, bounds1)
            miss[i] += tune_ratio(
                time0[i],
                event0[i],
                bounds0,
                count0,
                time1[i],
                event1[i],
                bounds1,
                count1,
                box,
                np.empty(n0),
                np.empty(n1),
                state,
            )
        if test_low > -np.inf or test_high < np.inf:
            z = log_rank(time0[i], event0[i], time1[i], event1[i])
            value = abs(z) if two_sided else -z
            miss[i] += max(0.0, test_low - value, value - test_high)


@njit(cache=True, nogil=True)
def log_rank(control_time: FloatArray, control_event: BoolArray, time: FloatArray, event: BoolArray) -> float:
    """Log-rank statistic of two arms in order without ties; negative favours the second."""
    score = information = 0.0
    i = j = 0
    n0, n1 = control_time.size, time.size
    while i < n0 or j < n1:
        first = j >= n1 or (i < n0 and control_time[i] < time[j])
        at_event = control_event[i] if first else event[j]
        if at_event:
            p = (n1 - j) / (n0 - i + n1 - j)
            score += (0.0 if first else 1.0) - p
            information += p * (1.0 - p)
        if first:
            i += 1
        else:
            j += 1
    return score / math.sqrt(max(information, 1e-12))
