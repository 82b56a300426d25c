"""The points of an arm that its analyses bind: where they are, what contradicts itself, and what moves aim at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.board import Listing, boxes_of, read_analysis
from analysis.reconstruction.repair.bounds import find_anchors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.board import Analyses, Board, PackedBoxes

    IntArray = NDArray[np.int64]

STRAIN = 0.5  # penalty, per share of the points, for points that are pushed together by bounds on one of them
SLACK = 3.0  # points that may be, and a share of all besides
STEPS_OFF = 1.5  # steps of the curve by which a quantile may be off without being aimed at
EVENTS_OFF = 0.02  # penalty for each event too few or too many, where events are printed


class Anchors(NamedTuple):
    """The points of an arm that each analysis binds, and what cannot hold.

    ``number`` (V,) of them, ``point``, ``low`` and ``high`` (V, M) in months; ``penalty`` (V,): how much its bounds
    contradict each other. ``rank``, ``off`` and ``censored`` (V,): after how many patients log S is off most, by how
    much (above 0: too high), and whether it is the curve of follow-up; ``place`` and ``excess`` (V,): the same of the
    curve of events, as a point; ``level`` (V,): point of an event that reaches a level that must not be, else -1;
    ``after``, ``before`` and ``wide`` (V,): before how many patients the limits of S are off most though S is not,
    after how many the rate before that one stands, and by how much of S they are too far apart.
    """

    number: IntArray
    point: IntArray
    low: FloatArray
    high: FloatArray
    penalty: FloatArray
    rank: IntArray
    off: FloatArray
    censored: BoolArray
    place: IntArray
    excess: FloatArray
    level: IntArray
    after: IntArray
    before: IntArray
    wide: FloatArray


class Worst(NamedTuple):
    """Where an arm is off most: ``excess`` of log S at a ``place`` (rank) of an ``analysis``; other faults' points.

    ``censored``: it is the curve of follow-up that is off, in which censorings are the events. ``wide``: by how much
    of S the limits of S are too far apart in the first analysis, of a rate that is met itself at the rank ``before``,
    the one before it at ``after``.
    """

    analysis: int
    place: int
    excess: float
    level: int
    clash: int
    censored: bool
    after: int
    before: int
    wide: float


class Aims(NamedTuple):
    """What moves of an arm aim at: at which point log S is too high or too low by how much, and the ``worst`` of it.

    ``place`` and ``excess`` (V,) are by analysis.
    """

    place: IntArray
    excess: FloatArray
    worst: Worst


class Scratch(NamedTuple):
    """Room for one arm: ``low`` and ``high`` (P + 1,) bound its points; the rest is that of one analysis.

    ``by`` (2, P + 1) says which analysis bounds a point from below and from above; ``anchors`` are those of the last
    bounding, ``place`` and ``excess`` (V,) what moves would aim at after it; ``slack`` is the share of the points that
    bounds may push together. A search keeps here which analyses are ``touched`` by a move, beside ``every`` one (V,),
    and how an arm stood ``before`` it (P,), with what anchors and aims: ``kept`` and ``aims``.
    """

    low: FloatArray
    high: FloatArray
    own_low: FloatArray
    own_high: FloatArray
    work: FloatArray
    gaps: FloatArray
    time: FloatArray
    listing: Listing
    by: IntArray
    reached: IntArray
    anchors: Anchors
    place: IntArray
    excess: FloatArray
    slack: float
    every: BoolArray
    touched: BoolArray
    before: FloatArray
    kept: Anchors
    aims: Aims


NOWHERE = Worst(0, 0, 0.0, -1, -1, False, 0, 0, 0.0)


@inner
def no_aims(analyses: int) -> Aims:
    """Aims of an arm that is not bounded yet."""
    return Aims(np.zeros(analyses, np.int64), np.zeros(analyses), NOWHERE)


@inner
def aims_of(place: IntArray, excess: FloatArray, worst: Worst, kept: Aims) -> Aims:
    """Aims of an arm as it was bounded, in the room of those ``kept``: they stay when it is bounded again."""
    kept.place[:], kept.excess[:] = place, excess
    return Aims(kept.place, kept.excess, worst)


@njit(cache=True, nogil=True)
def no_anchors(packed: PackedBoxes) -> Anchors:
    """Room for the points that the analyses of an arm bind: each printed number binds two at most."""
    analyses = packed.starts.shape[0]
    rows = packed.quantiles.shape[0] + packed.follow_up.shape[0] + packed.ticks.shape[0] + packed.landmarks.shape[0]
    return Anchors(
        np.zeros(analyses, np.int64),
        np.zeros((analyses, 2 * rows), np.int64),
        np.zeros((analyses, 2 * rows)),
        np.zeros((analyses, 2 * rows)),
        np.zeros(analyses),
        np.zeros(analyses, np.int64),
        np.zeros(analyses),
        np.zeros(analyses, np.bool_),
        np.zeros(analyses, np.int64),
        np.zeros(analyses),
        np.full(analyses, -1),
        np.zeros(analyses, np.int64),
        np.zeros(analyses, np.int64),
        np.zeros(analyses),
    )


@njit(cache=True, nogil=True)
def copy_anchors(source: Anchors, target: Anchors) -> None:
    """Copy the anchors of all analyses."""
    for v in range(source.number.size):
        for j in range(source.number[v]):
            target.point[v, j] = source.point[v, j]
            target.low[v, j], target.high[v, j] = source.low[v, j], source.high[v, j]
        target.number[v], target.penalty[v], target.level[v] = source.number[v], source.penalty[v], source.level[v]
        target.rank[v], target.off[v], target.censored[v] = source.rank[v], source.off[v], source.censored[v]
        target.place[v], target.excess[v] = source.place[v], source.excess[v]
        target.after[v], target.before[v], target.wide[v] = source.after[v], source.before[v], source.wide[v]


@njit(cache=True, nogil=True)
def new_scratch(points: int, patients: int, packed: PackedBoxes, slack: float) -> Scratch:
    """Room for arms of so many points and patients."""
    return Scratch(
        np.empty(points + 1),
        np.empty(points + 1),
        np.empty(points + 1),
        np.empty(points + 1),
        np.empty((2, points + 1)),
        np.empty((packed.landmarks.shape[0] + 2, 3)),
        np.empty(points),
        Listing(np.empty(points, np.int64), np.empty(points, np.bool_), np.empty(patients, np.bool_)),
        np.empty((2, points + 1), np.int64),
        np.empty(packed.quantiles.shape[0] + 1, np.int64),
        no_anchors(packed),
        np.zeros(packed.starts.shape[0], np.int64),
        np.zeros(packed.starts.shape[0]),
        slack,
        np.ones(packed.starts.shape[0], np.bool_),
        np.ones(packed.starts.shape[0], np.bool_),
        np.empty(points),
        no_anchors(packed),
        no_aims(packed.starts.shape[0]),
    )


@inner
def bound_analysis(
    board: Board, arm: int, analyses: Analyses, packed: PackedBoxes, v: int, wanted: int, scratch: Scratch
) -> None:
    """Find the points of an arm that one analysis binds, so that every statistic of it is in its box."""
    anchors = scratch.anchors
    anchors.number[v], anchors.penalty[v], anchors.level[v] = 0, 0.0, -1
    anchors.rank[v], anchors.off[v], anchors.censored[v] = 0, 0.0, False
    anchors.place[v], anchors.excess[v] = 0, 0.0
    anchors.after[v], anchors.before[v], anchors.wide[v] = 0, 0, 0.0
    boxes = boxes_of(packed, v, arm)
    size = read_analysis(board, arm, analyses, v, scratch.listing)
    time, event, point = scratch.time[:size], scratch.listing.event[:size], scratch.listing.point[:size]
    if wanted >= 0:
        anchors.penalty[v] = EVENTS_OFF * abs(np.sum(event) - wanted)
    marks = boxes.landmarks.shape[0]
    if boxes.quantiles.shape[0] + boxes.follow_up.shape[0] + boxes.ticks.shape[0] + marks == 0:
        return
    for i in range(size):
        time[i] = board.time[arm, point[i]]
    gaps = scratch.gaps[: marks + 2]
    low, high = scratch.own_low, scratch.own_high
    anchors.penalty[v] += find_anchors(time, event, boxes, low, high, scratch.work, gaps, scratch.reached)
    bound = 0
    for i in range(size):
        if low[i] > 0.0 or high[i] < np.inf:
            anchors.point[v, bound], anchors.low[v, bound], anchors.high[v, bound] = point[i], low[i], high[i]
            bound += 1
    anchors.number[v] = bound
    if gaps[-1, 0] >= 0:
        anchors.level[v] = point[int(gaps[-1, 0])]
    for j in range(marks + 1):
        if abs(gaps[j, 1]) > abs(anchors.off[v]):
            anchors.rank[v], anchors.off[v] = int(gaps[j, 0]), gaps[j, 1]
        if abs(gaps[j, 2]) > abs(anchors.wide[v]):
            anchors.before[v], anchors.wide[v] = int(gaps[j, 0]), gaps[j, 2]
    for j in range(marks):
        if gaps[j, 0] < anchors.before[v]:
            anchors.after[v] = max(anchors.after[v], int(gaps[j, 0]))
    home = board.home[arm]
    if analyses.cut.size > 1:
        rank, off = quantile_off(home, point, boxes.quantiles, scratch.work[0], scratch.reached)
        if abs(off) > abs(anchors.off[v]):
            anchors.rank[v], anchors.off[v] = rank, off
    if size > 0:
        anchors.place[v], anchors.excess[v] = point[min(anchors.rank[v], size - 1)], anchors.off[v]
    if analyses.cut.size > 1 and v == 0:
        rank, off = follow_up_off(home, point, event, boxes.follow_up)
        if abs(off) > abs(anchors.off[v]):
            anchors.rank[v], anchors.off[v], anchors.censored[v] = rank, off, True


@njit(cache=True, nogil=True)
def bound_arm(
    board: Board,
    arm: int,
    analyses: Analyses,
    packed: PackedBoxes,
    wanted: IntArray,
    latest: FloatArray,
    touched: BoolArray,
    scratch: Scratch,
) -> tuple[float, float, Worst]:
    """Bound the points of an arm so that every statistic of every analysis is in its box.

    ``wanted`` (V,) are the events of each analysis, -1 where they are open; ``latest`` (cuts,) the longest follow-up
    that a patient can have had at each data cut. Analyses that are not ``touched`` (V,) keep the anchors that
    ``scratch`` has. Returns how much the bounds contradict each other, 0 if times exist that meet them all; by how
    much they push together more points than they may; and where they are off most.
    """
    points = board.points[arm]
    low, high, anchors = scratch.low, scratch.high, scratch.anchors
    for k in range(points + 1):
        low[k] = 0.0
        high[k] = np.inf
        scratch.by[0, k] = scratch.by[1, k] = -1
    last_cut = latest.size - 1
    if latest[last_cut] < np.inf:
        high[points - 1] = latest[last_cut]
    for c in range(last_cut):  # nobody was followed for longer at an earlier cut
        if latest[c] < np.inf:
            high[last_exit(board, arm, c, scratch.listing.seen)] = latest[c]
    penalty = strain = 0.0
    analysis, level, clash = 0, -1, -1
    for v in range(analyses.cut.size):
        if touched[v]:
            bound_analysis(board, arm, analyses, packed, v, wanted[v], scratch)
        penalty += anchors.penalty[v]
        for j in range(anchors.number[v]):
            k = anchors.point[v, j]
            if anchors.low[v, j] > low[k]:
                low[k], scratch.by[0, k] = anchors.low[v, j], v
            if anchors.high[v, j] < high[k]:
                high[k], scratch.by[1, k] = anchors.high[v, j], v
        if abs(anchors.off[v]) > abs(anchors.off[analysis]):
            analysis = v
        if anchors.level[v] >= 0:
            level = anchors.level[v]
    scratch.place[:], scratch.excess[:] = anchors.place, anchors.excess
    if analyses.cut.size > 1 or latest[last_cut] < np.inf:
        reached, by = 0.0, 0
        for k in range(points):
            if low[k] > reached:
                reached, by = low[k], k
            if reached > high[k]:
                penalty += (k - by + 1.0) / points
                clash = k
                aim_bound(scratch, 0, by, -1.0 / points)
                aim_bound(scratch, 1, k, 1.0 / points)
        if analyses.cut.size > 1:
            pushed, at = most_pushed(board.home[arm, :points], low, high)
            allowed = SLACK + scratch.slack * points
            if pushed > allowed:
                strain = STRAIN * (pushed - allowed) / points
                clash = at if clash < 0 else clash
                if board.home[arm, at] > high[at]:
                    aim_bound(scratch, 1, at, strain)
                else:
                    aim_bound(scratch, 0, at, -strain)
    else:
        clash = gaps_clash(scratch.gaps, packed, arm)
    worst = Worst(
        analysis,
        anchors.rank[analysis],
        anchors.off[analysis],
        level,
        clash,
        anchors.censored[analysis],
        anchors.after[0],
        anchors.before[0],
        anchors.wide[0],
    )
    return penalty, strain, worst


@inner
def aim_bound(scratch: Scratch, side: int, k: int, excess: float) -> None:
    """Aim at the analysis that bounds a point from below (``side`` 0) or above, if nothing of it is off by more."""
    v = scratch.by[side, k]
    if v >= 0 and scratch.excess[v] == 0.0:
        scratch.place[v], scratch.excess[v] = k, excess


@inner
def quantile_off(
    home: FloatArray, point: IntArray, quantiles: FloatArray, survival: FloatArray, reached: IntArray
) -> tuple[int, float]:
    """Rank at which a quantile of an analysis should stand, and by how much log S is off there, if by several steps.

    A limit of a quantile should stand where S is as high as where the limit is reached now.
    """
    rank, worst = 0, 0.0
    for q in range(quantiles.shape[0]):
        limit = quantiles[q, 1] != 0.0
        if quantiles[q, 5] == 0.0 or (limit and reached[q] < 0):
            continue
        middle = 0.5 * (quantiles[q, 3] + quantiles[q, 4])
        r = 0
        while r < point.size and home[point[r]] <= middle:
            r += 1
        level = survival[reached[q] + 1] if limit else quantiles[q, 0]
        off = math.log(max(survival[r], 1e-3) / max(level, 1e-3))
        if abs(off) > STEPS_OFF / max(point.size - r, 1) and abs(off) > abs(worst):
            rank, worst = r, off
    return rank, worst


@inner
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


@inner
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


@inner
def gaps_clash(gaps: FloatArray, packed: PackedBoxes, arm: int) -> int:
    """Patient whose bounds exclude each other in the only analysis, -1 if there is none."""
    at = packed.starts[0, arm]
    if np.sum(at[:, 1] - at[:, 0]) == 0:
        return -1
    return int(gaps[at[3, 1] - at[3, 0] + 1, 1])
