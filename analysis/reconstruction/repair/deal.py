"""Deals the last events of an arm out anew, so that all its printed rates are in their boxes at once.

Where few are at risk few orders of events and censorings give a rate printed with three digits, and they are several
swaps away from each other. How much an event takes off log S depends only on how many are at risk; so all ways to share
out the events of some patients before a landmark are looked through, from the first landmark to the last.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.moves import DEAL, NO_MOVE, Move
from analysis.reconstruction.repair.patients import next_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.board import Board

    IntArray = NDArray[np.int64]

MOST = 62  # patients at the end of an arm: bits of a move
BEFORE, BEHIND = 8, 3  # patients whose events are shared out, between the rate before and this one, and behind it
KEPT = 0.8  # share of the rates in their boxes whose patients stay as they are


@njit(cache=True, nogil=True)
def deals_help(board: Board, arm: int, landmarks: FloatArray) -> bool:
    """Whether a rate is printed of a time at which at most ``MOST`` are at risk."""
    first = max(board.size[arm] - MOST, 0)
    return bool(landmarks.shape[0] > 0 and board.time[arm, first] < landmarks[-1, 0])


@njit(cache=True, nogil=True)
def propose_deal(board: Board, arm: int, landmarks: FloatArray, free: bool, state: NDArray[np.uint64]) -> Move:
    """Propose events for some of the last patients of an arm at the last cut, with which the rates are in their boxes.

    Nothing is proposed if the patients drawn do not allow it. Of the ways that do one is drawn, each as probable as the
    hazards make it; the number of events stays, unless it is ``free``.
    """
    size = board.size[arm]
    time, patient = board.time[arm, :size], board.patient[arm, :size]
    event = np.empty(size, np.bool_)
    for k in range(size):
        event[k] = board.event[arm, patient[k]]
    first = max(size - MOST, 0)
    since, survival = first, through(event, 0, first, 1.0)
    for j in range(landmarks.shape[0]):
        place = np.searchsorted(time, landmarks[j, 0]) + int(3.0 * next_uniform(state)) - 1
        place = min(max(place, since), size - 1)
        if place == first and first > 0:
            continue  # what came before stays as it is
        there = through(event, since, place, survival)
        low, high = landmarks[j, 1], landmarks[j, 2]
        if not low <= there <= high or next_uniform(state) > KEPT:
            if not deal(event, board.odds[arm], since, place, low / survival, high / survival, free, state):
                return NO_MOVE
            there = through(event, since, place, survival)
        since, survival = place, there
    bits = 0
    for k in range(first, size):
        if event[k] != board.event[arm, patient[k]]:
            bits |= 1 << (k - first)
    return Move(DEAL, bits, first, 0, 0, 0.0, 0.0) if bits > 0 else NO_MOVE


@inner
def through(event: BoolArray, since: int, place: int, survival: float) -> float:
    """Bring S from behind so many patients to behind so many more."""
    for k in range(since, place):
        if event[k]:
            survival *= 1.0 - 1.0 / (event.size - k)
    return survival


@inner
def weigh(chosen: int, ranks: IntArray, odds: FloatArray) -> tuple[int, float]:
    """Count the events of a choice, whose bits are patients, and give the sum of their log odds."""
    events, likely = 0, 0.0
    for i in range(ranks.size):
        if (chosen >> i) & 1 == 1:
            events += 1
            likely += odds[ranks[i]]
    return events, likely


@inner
def deal(
    event: BoolArray,
    odds: FloatArray,
    since: int,
    place: int,
    low: float,
    high: float,
    free: bool,
    state: NDArray[np.uint64],
) -> bool:
    """Share out the events of some patients so that S falls to between ``low`` and ``high`` of what it was.

    Returns whether there is a way to do so; if not, ``event`` stays as it is.
    """
    size = event.size
    rank, taken, before = np.empty(BEFORE + BEHIND, np.int64), 0, 0
    for part in range(2):
        begin, end, most = (since, place, BEFORE) if part == 0 else (place, size, BEHIND)
        left = end - begin
        for k in range(begin, end):  # each choice is as likely as any other
            if next_uniform(state) * left < most:
                rank[taken] = k
                taken += 1
                most -= 1
            left -= 1
        if part == 0:
            before = taken
    ranks = rank[:taken]
    fixed, now = 1.0, 0
    for k in range(since, place):
        if event[k]:
            fixed *= 1.0 - 1.0 / (size - k)
    share = np.empty(1 << before)  # of the choices before the rate: what comes behind it does not change S there
    share[0] = 1.0
    for i in range(taken):
        now |= int(event[ranks[i]]) << i
        if i < before:
            step = 1.0 - 1.0 / (size - ranks[i])
            if event[ranks[i]]:
                fixed /= step
            for other in range(1 << i):
                share[(1 << i) + other] = share[other] * step
    fits, number = np.empty(1 << before, np.int64), 0
    for other in range(1 << before):
        if low <= fixed * share[other] <= high:
            fits[number] = other
            number += 1
    events, likely = weigh(now, ranks, odds)
    chosen, total = -1, 0.0
    for behind in range(1 << (taken - before)):
        for k in range(number):
            other = (behind << before) | fits[k]
            others, as_likely = weigh(other, ranks, odds)
            if others == events or free:
                weight = math.exp(as_likely - likely)
                total += weight
                if next_uniform(state) * total < weight:
                    chosen = other
    if chosen < 0:
        return False
    for i in range(taken):
        event[rank[i]] = (chosen >> i) & 1 == 1
    return True
