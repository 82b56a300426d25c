"""Chooses anew who is in a subgroup, at the times of now: its own numbers are met, and nothing else is touched."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.anchors import EVENTS_OFF, NOWHERE, bound_analysis
from analysis.reconstruction.repair.moves import GROUP, NOTHING, Move, apply, mark_touched
from analysis.reconstruction.repair.nested import propose_group
from analysis.reconstruction.repair.patients import next_uniform
from analysis.reconstruction.repair.ratios import compare_one
from analysis.reconstruction.repair.swaps import read_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.anchors import Scratch
    from analysis.reconstruction.repair.board import Asked, Board
    from analysis.reconstruction.repair.ratios import Parts
    from analysis.reconstruction.repair.swaps import Standing

    IntArray = NDArray[np.int64]

HEAT = 4.0  # per patient of a subgroup, by which a swap may worsen what it misses at the start
SWAPS = 60_000  # that are tried


@njit(cache=True, nogil=True)
def astray(parts: Parts, totals: IntArray) -> float:
    """Penalty of events that do not add up to their printed totals."""
    off = 0.0
    for v in range(totals.size):
        off += astray_one(parts, totals, v)
    return off


@inner
def astray_one(parts: Parts, totals: IntArray, v: int) -> float:
    """Penalty of the events of one analysis."""
    if totals[v] < 0:
        return 0.0
    return float(EVENTS_OFF * abs(parts.events[v, 0] + parts.events[v, 1] - totals[v]))


@njit(cache=True, nogil=True)
def settled(values: FloatArray, parts: Parts, totals: IntArray, which: BoolArray) -> bool:
    """Whether some analyses miss nothing in their comparisons and totals."""
    for v in range(which.size):
        if which[v] and values[v, 3] > 0.0:
            return False
        if which[v] and totals[v] >= 0 and parts.events[v, 0] + parts.events[v, 1] != totals[v]:
            return False
    return True


@njit(cache=True, nogil=True)
def outside(board: Board, arm: int, asked: Asked, v: int, wanted: int, scratch: Scratch) -> float:
    """Give how far the curve of an arm is from its boxes at the times of now, as a share of the follow-up."""
    bound_analysis(board, arm, asked.analyses, asked.boxes, v, wanted, scratch)
    anchors, time = scratch.anchors, board.time[arm]
    off = 0.0
    for j in range(anchors.number[v]):
        at = time[anchors.point[v, j]]
        off += max(0.0, anchors.low[v, j] - at, at - anchors.high[v, j])
    return float(anchors.penalty[v] + off / time[board.points[arm] - 1])


@njit(cache=True, nogil=True)
def regroup(
    board: Board,
    asked: Asked,
    bit: int,
    touched: BoolArray,
    loose: IntArray,
    standing: Standing,
    scratch: Scratch,
    state: NDArray[np.uint64],
) -> None:
    """Swap patients in and out of a subgroup until it gives its numbers back, warm at first (simulated annealing).

    ``touched`` (V,) are the analyses that this changes, ``loose`` (V, A) the events that are asked of them. What is
    worse in the end is taken back.
    """
    analyses, parts, values, trial = asked.analyses, standing.parts, standing.values, standing.trial
    time0, time1 = board.time[0, : board.points[0]], board.time[1, : board.points[1]]
    kept, off, new_off = board.group.copy(), np.zeros((touched.size, 2)), np.zeros((touched.size, 2))
    smallest, missed = np.inf, 0.0
    for v in range(touched.size):
        if touched[v]:
            smallest = min(smallest, float(np.sum(parts.size[v])))
            for arm in range(2):
                off[v, arm] = outside(board, arm, asked, v, loose[v, arm], scratch)
            missed += values[v, 3] + off[v, 0] + off[v, 1] + astray_one(parts, asked.totals, v)
    first, before = missed, values.copy()
    trial[:] = values
    for swap in range(SWAPS):
        if missed == 0.0:
            break
        arm = int(next_uniform(state) * 2)
        move = propose_group(board, arm, bit, analyses.last[0], NOWHERE, state)
        if move.kind == NOTHING:
            continue
        limit = missed - HEAT / smallest * (1.0 - swap / SWAPS) ** 2 * math.log(1.0 - next_uniform(state))
        back = apply(board, arm, move)
        new = 0.0
        for v in range(touched.size):
            if touched[v] and new <= limit:
                read_part(board, analyses, v, arm, scratch.listing, parts)
                trial[v] = values[v]
                compare_one(time0, time1, parts, asked.ratios, v, limit - new, trial, standing.at_risk, standing.left)
                new += trial[v, 3] + astray_one(parts, asked.totals, v)
        for v in range(touched.size):
            if touched[v] and new <= limit:
                new_off[v, arm] = outside(board, arm, asked, v, loose[v, arm], scratch)
                new += new_off[v, arm] + off[v, 1 - arm]
        if new <= limit:
            missed = new
            for v in range(touched.size):
                if touched[v]:
                    values[v] = trial[v]
                    off[v, arm] = new_off[v, arm]
        else:
            apply(board, arm, back)
            for v in range(touched.size):
                if touched[v]:
                    read_part(board, analyses, v, arm, scratch.listing, parts)
    if missed > first:
        board.group[:] = kept
        values[:] = before
    for v in range(touched.size):
        for arm in range(2):
            if touched[v]:
                read_part(board, analyses, v, arm, scratch.listing, parts)


@inner
def regroup_unsettled(
    board: Board,
    asked: Asked,
    loose: IntArray,
    standing: Standing,
    scratch: Scratch,
    state: NDArray[np.uint64],
) -> bool:
    """Regroup each subgroup whose analyses are off while all others are settled; returns whether one was."""
    analyses, parts, values = asked.analyses, standing.parts, standing.values
    touched, regrouped = np.empty(analyses.cut.size, np.bool_), False
    for bit in range(np.max(analyses.group) + 1):
        mark_touched(board, 0, analyses, Move(GROUP, 0, 0, bit, 0, 0.0, 0.0), touched)
        if settled(values, parts, asked.totals, ~touched) and not settled(values, parts, asked.totals, touched):
            regroup(board, asked, bit, touched, loose, standing, scratch, state)
            regrouped = True
    return regrouped
