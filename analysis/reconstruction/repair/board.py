"""The patients of a trial on one time axis: one list of points per arm, read by every analysis in its own way.

A point is where a patient leaves an analysis: at the last data cut by an event or a censoring, at an earlier cut, if
that comes before, by a censoring. An analysis takes of its patients the first point that its cut or a later one has:
so an earlier analysis is always nested in a later one, and a subgroup in the whole.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.reconstruction.repair.bounds import find_anchors
from analysis.reconstruction.terms import Boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray

    IntArray = NDArray[np.int64]

STRAIN = 0.5  # penalty, per share of the points, for points that are pushed together by bounds on one of them
SLACK = 3.0  # points that may be, and a share of all besides
STEPS_OFF = 1.5  # steps of the curve by which a quantile may be off without being aimed at
EVENTS_OFF = 0.02  # penalty for each event too few or too many, where events are printed


class Analyses(NamedTuple):
    """The analyses of a trial.

    ``cut`` (V,): number of the data cut, the last one being the greatest, which ``last`` (V,) repeats; ``group`` (V,):
    bit of the subgroup, -1 for all patients; ``inside`` (V,): whether it is the subgroup or its complement.
    """

    cut: IntArray
    group: IntArray
    inside: BoolArray
    strata: IntArray
    last: IntArray


class PackedBoxes(NamedTuple):
    """The boxes of every analysis and arm, one after the other; ``starts`` (V, A, 4, 2) says whose rows are which."""

    quantiles: FloatArray
    follow_up: FloatArray
    ticks: FloatArray
    landmarks: FloatArray
    starts: IntArray


class Board(NamedTuple):
    """Points and patients of one member, arm by arm.

    ``time``, ``home``, ``patient``, ``cut`` and ``odds`` (A, P) are those of the points, ``points`` (A,) their number;
    ``home`` is where the smooth path puts a point, ``time`` where its bounds do;
    ``event`` and ``group`` (bits) (A, n) those of the patients, ``size`` (A,) their number. ``odds`` is
    the log odds of an event against a censoring at a point's time.
    """

    time: FloatArray
    home: FloatArray
    patient: IntArray
    cut: IntArray
    odds: FloatArray
    points: IntArray
    event: BoolArray
    group: IntArray
    size: IntArray


class Scratch(NamedTuple):
    """Room for one arm: ``low`` and ``high`` (P + 1,) bound its points; the rest is that of one analysis.

    ``place`` and ``excess`` (V,) say of each analysis at which point log S is too high or too low by how much;
    ``slack`` is the share of the points that bounds may push together.
    """

    low: FloatArray
    high: FloatArray
    own_low: FloatArray
    own_high: FloatArray
    work: FloatArray
    gaps: FloatArray
    time: FloatArray
    event: BoolArray
    point: IntArray
    seen: BoolArray
    place: IntArray
    excess: FloatArray
    slack: float


class Worst(NamedTuple):
    """Where an arm is off most: ``excess`` of log S at a ``place`` (rank) of an ``analysis``; other faults' points.

    ``censored``: it is the curve of follow-up that is off, in which censorings are the events.
    """

    analysis: int
    place: int
    excess: float
    level: int
    clash: int
    censored: bool


NOWHERE = Worst(0, 0, 0.0, -1, -1, False)


@njit(cache=True, nogil=True)
def new_scratch(points: int, patients: int, landmarks: int, analyses: int, slack: float) -> Scratch:
    """Room for arms of so many points and patients, and so many analyses."""
    return Scratch(
        np.empty(points + 1),
        np.empty(points + 1),
        np.empty(points + 1),
        np.empty(points + 1),
        np.empty((2, points + 1)),
        np.empty((landmarks + 1, 2)),
        np.empty(points),
        np.empty(points, np.bool_),
        np.empty(points, np.int64),
        np.empty(patients, np.bool_),
        np.zeros(analyses, np.int64),
        np.zeros(analyses),
        slack,
    )


@njit(cache=True, nogil=True)
def boxes_of(packed: PackedBoxes, v: int, arm: int) -> Boxes:
    """Boxes of one analysis and arm."""
    at = packed.starts[v, arm]
    return Boxes(
        packed.quantiles[at[0, 0] : at[0, 1]],
        packed.follow_up[at[1, 0] : at[1, 1]],
        packed.ticks[at[2, 0] : at[2, 1]],
        packed.landmarks[at[3, 0] : at[3, 1]],
    )


@njit(cache=True, nogil=True)
def read_analysis(
    board: Board, arm: int, analyses: Analyses, v: int, point: IntArray, event: BoolArray, seen: BoolArray
) -> int:
    """Fill the points and event flags of the patients of an analysis in order of time; returns their number."""
    cut, group, last = analyses.cut[v], analyses.group[v], analyses.last[v]
    if group < 0 and cut == last and board.points[arm] == board.size[arm]:
        for k in range(board.size[arm]):
            point[k] = k
            event[k] = board.event[arm, board.patient[arm, k]]
        return int(board.size[arm])
    bit = 1 << max(group, 0)
    seen[: board.size[arm]] = False
    size = 0
    for k in range(board.points[arm]):
        if board.cut[arm, k] < cut:
            continue
        i = board.patient[arm, k]
        if seen[i]:
            continue
        seen[i] = True
        if group >= 0 and ((board.group[arm, i] & bit) != 0) != analyses.inside[v]:
            continue
        point[size] = k
        event[size] = board.cut[arm, k] == last and board.event[arm, i]
        size += 1
    return size


@njit(cache=True, nogil=True)
def bound_arm(
    board: Board,
    arm: int,
    analyses: Analyses,
    packed: PackedBoxes,
    wanted: IntArray,
    latest: FloatArray,
    scratch: Scratch,
) -> tuple[float, Worst]:
    """Bound the points of an arm so that every statistic of every analysis is in its box.

    ``wanted`` (V,) are the events of each analysis, -1 where they are open; ``latest`` (cuts,) the longest follow-up
    that a patient can have had at each data cut. Returns how much the bounds contradict each other, 0 if times exist
    that meet them all, and where they are off most.
    """
    points = board.points[arm]
    low, high = scratch.low, scratch.high
    for k in range(points + 1):
        low[k] = 0.0
        high[k] = np.inf
    last_cut = latest.size - 1
    if latest[last_cut] < np.inf:
        high[points - 1] = latest[last_cut]
    for c in range(last_cut):  # nobody was followed for longer at an earlier cut
        if latest[c] < np.inf:
            high[last_exit(board, arm, c, scratch.seen)] = latest[c]
    penalty = 0.0
    analysis, place, excess, level, clash, censored = 0, 0, 0.0, -1, -1, False
    for v in range(analyses.cut.size):
        scratch.excess[v] = 0.0
        boxes = boxes_of(packed, v, arm)
        size = read_analysis(board, arm, analyses, v, scratch.point, scratch.event, scratch.seen)
        if wanted[v] >= 0:
            found = 0
            for i in range(size):
                found += scratch.event[i]
            penalty += EVENTS_OFF * abs(found - wanted[v])
        marks = boxes.landmarks.shape[0]
        if boxes.quantiles.shape[0] + boxes.follow_up.shape[0] + boxes.ticks.shape[0] + marks == 0:
            continue
        for i in range(size):
            scratch.time[i] = board.time[arm, scratch.point[i]]
        gaps = scratch.gaps[: marks + 1]
        penalty += find_anchors(
            scratch.time[:size], scratch.event[:size], boxes, scratch.own_low, scratch.own_high, scratch.work, gaps
        )
        for i in range(size):
            k = scratch.point[i]
            low[k] = max(low[k], scratch.own_low[i])
            high[k] = min(high[k], scratch.own_high[i])
        for j in range(marks):
            if abs(gaps[j, 1]) > abs(excess):
                analysis, place, excess = v, int(gaps[j, 0]), gaps[j, 1]
            if abs(gaps[j, 1]) > abs(scratch.excess[v]) and size > 0:
                scratch.place[v] = scratch.point[min(int(gaps[j, 0]), size - 1)]
                scratch.excess[v] = gaps[j, 1]
        if gaps[marks, 0] >= 0:
            level = scratch.point[int(gaps[marks, 0])]
        if analyses.cut.size > 1:
            rank, off = median_off(board.home[arm], scratch.point[:size], boxes.quantiles, scratch.work[0])
            if abs(off) > abs(scratch.excess[v]):
                scratch.place[v], scratch.excess[v] = scratch.point[min(rank, size - 1)], off
                if abs(off) > abs(excess):
                    analysis, place, excess = v, rank, off
            if v == 0:
                rank, off = follow_up_off(board.home[arm], scratch.point[:size], scratch.event, boxes.follow_up)
                if abs(off) > abs(excess):
                    analysis, place, excess, censored = v, rank, off, True
    if analyses.cut.size > 1 or latest[last_cut] < np.inf:
        reached, by = 0.0, 0
        for k in range(points):
            if low[k] > reached:
                reached, by = low[k], k
            if reached > high[k]:
                penalty += (k - by + 1.0) / points
                clash = k
        if analyses.cut.size > 1:
            pushed, at = most_pushed(board.home[arm, :points], low, high)
            allowed = SLACK + scratch.slack * points
            if pushed > allowed:
                penalty += STRAIN * (pushed - allowed) / points
                clash = at if clash < 0 else clash
    elif gaps_clash(scratch.gaps, packed, arm) >= 0:
        clash = gaps_clash(scratch.gaps, packed, arm)
    return penalty, Worst(analysis, place, excess, level, clash, censored)


@njit(cache=True, nogil=True)
def median_off(home: FloatArray, point: IntArray, quantiles: FloatArray, survival: FloatArray) -> tuple[int, float]:
    """Rank at which a quantile of an analysis should stand, and by how much log S is off there, if by several steps."""
    rank, worst = 0, 0.0
    for q in range(quantiles.shape[0]):
        if quantiles[q, 1] != 0.0 or quantiles[q, 5] == 0.0:
            continue
        middle = 0.5 * (quantiles[q, 3] + quantiles[q, 4])
        r = 0
        while r < point.size and home[point[r]] <= middle:
            r += 1
        off = math.log(max(survival[r], 1e-3) / quantiles[q, 0])
        if abs(off) > STEPS_OFF / max(point.size - r, 1) and abs(off) > abs(worst):
            rank, worst = r, off
    return rank, worst


@njit(cache=True, nogil=True)
def follow_up_off(home: FloatArray, point: IntArray, event: BoolArray, follow_up: FloatArray) -> tuple[int, float]:
    """Rank at which the median follow-up should stand, and by how much the log of its curve is off there."""
    for q in range(follow_up.shape[0]):
        if follow_up[q, 3] != 0.0:
            middle = 0.5 * (follow_up[q, 1] + follow_up[q, 2])
            r, left = 0, 1.0
            while r < point.size and home[point[r]] <= middle:
                if not event[r]:
                    left *= 1.0 - 1.0 / (point.size - r)
                r += 1
            off = math.log(max(left, 1e-3) / follow_up[q, 0])
            if abs(off) > STEPS_OFF / max(point.size - r, 1):
                return r, off
    return 0, 0.0


@njit(cache=True, nogil=True)
def last_exit(board: Board, arm: int, cut: int, seen: BoolArray) -> int:
    """Point at which the last patient leaves the analyses of a cut."""
    seen[: board.size[arm]] = False
    found = 0
    for k in range(board.points[arm]):
        i = board.patient[arm, k]
        if board.cut[arm, k] >= cut and not seen[i]:
            seen[i] = True
            found = k
    return found


@njit(cache=True, nogil=True)
def most_pushed(home: FloatArray, low: FloatArray, high: FloatArray) -> tuple[int, int]:
    """Most points that the bounds of one of them push together, and which one does."""
    most, at = 0, -1
    for k in range(home.size):
        pushed = 0
        if home[k] > high[k]:
            while pushed < k and home[k - pushed - 1] > high[k]:
                pushed += 1
        elif home[k] < low[k]:
            while k + pushed + 1 < home.size and home[k + pushed + 1] < low[k]:
                pushed += 1
        if pushed > most:
            most, at = pushed, k
    return most, at


@njit(cache=True, nogil=True)
def gaps_clash(gaps: FloatArray, packed: PackedBoxes, arm: int) -> int:
    """Patient whose bounds exclude each other in the only analysis, -1 if there is none."""
    at = packed.starts[0, arm]
    if np.sum(at[:, 1] - at[:, 0]) == 0:
        return -1
    return int(gaps[at[3, 1] - at[3, 0], 1])
