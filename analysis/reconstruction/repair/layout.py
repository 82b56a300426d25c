"""Lays patients along smooth paths: who leaves when at the last cut, who is cut earlier, who is in which subgroup."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.patients import (
    draw_arm,
    fill_odds,
    gather_at_visits,
    next_uniform,
    place_in_blocks,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.board import Analyses, Board

    IntArray = NDArray[np.int64]

GOLDEN = 0.6180339887498949  # steps of a sequence that fills (0, 1) evenly
HALVINGS = 30
LAST_PART = 0.2  # of the longest follow-up, in which those stand whom the path follows beyond it
MOST_SEEN = 4.0  # ratio of the hazards of an event at two cuts, which only the sampling of patients tells apart
NEWTON_STEPS, MOST_HAZARD, MOST_SHARE = 8, 30.0, 0.99
LATE_ENTRY = 0.3  # of the longest follow-up, within which those are cut whom nothing else tells of


class Layout(NamedTuple):
    """What patients are laid out by.

    ``size`` (A,): patients by arm; ``interval``: months between the visits at which events are seen, 0 if there are
    none to use; ``latest`` (cuts,): longest follow-up at each cut;
    ``whole`` (cuts,): the analysis of all patients at each cut; ``of_group`` (G,): the analysis that shows
    each subgroup, -1 for the level of a factor; ``table`` (A, 2 ** G): patients by subgroups and levels.
    """

    size: IntArray
    interval: float
    latest: FloatArray
    whole: IntArray
    of_group: IntArray
    table: IntArray


@inner
def lay_out(
    board: Board,
    arm: int,
    cells: FloatArray,
    count: int,
    paths: FloatArray,
    layout: Layout,
    analyses: Analyses,
    wanted: IntArray,
    spacings: FloatArray,
    effects: FloatArray,
    state: NDArray[np.uint64],
) -> None:
    """Fill the points of an arm and its patients along the paths of the analyses.

    ``paths`` is (5, V * A, nodes), ``wanted`` (V, A) the events of each analysis, ``spacings`` (n,) the
    random gaps between events at the last cut, ``effects`` (G,) the log hazard ratio of the level of a factor.
    """
    arms, last = layout.size.size, layout.whole.size - 1
    size = layout.size[arm]
    path = paths[:, layout.whole[last] * arms + arm]
    events = wanted[layout.whole[last], arm]
    jitter, ranks = np.empty(size), np.empty(size)
    for k in range(size):
        jitter[k] = next_uniform(state)
    place_in_blocks(spacings, events, ranks)
    time, event = board.time[arm, :size], board.event[arm, :size]
    draw_arm(cells, count, path, size, events, ranks, jitter, layout.latest[last], time, event)
    fold_back(time, event, layout.latest[last], state)
    if layout.interval > 0.0:
        gather_at_visits(time, event, layout.interval, state)
    for k in range(size):
        board.patient[arm, k] = k
        board.cut[arm, k] = last
        board.group[arm, k] = 0
    board.points[arm] = size
    odds = np.empty(size)
    for g in range(layout.of_group.size):
        if layout.of_group[g] >= 0:
            odds_of_subgroup(board, arm, g, cells, count, paths, layout, analyses, odds)
        else:
            odds_of_level(time, event, cells, count, path, effects[g], share_of(layout.table[arm], g), odds)
        share_out(board, arm, g, odds, layout, state)
    for c in range(last - 1, -1, -1):
        v = layout.whole[c]
        cut_earlier(
            board, arm, c, cells, count, paths[:, v * arms + arm], path, layout.latest[c], wanted[v, arm], last, state
        )
    points = board.points[arm]
    board.home[arm, :points] = board.time[arm, :points]
    fill_odds(cells, count, path, board.time[arm, :points], board.odds[arm, :points])


@inner
def fold_back(time: FloatArray, event: BoolArray, latest: float, state: NDArray[np.uint64]) -> None:
    """Bring patients whom the path follows for too long into the last part of the longest follow-up, in order."""
    size = time.size
    for i in range(size):
        if time[i] >= latest:
            time[i] = latest * (1.0 - LAST_PART * next_uniform(state))
            k = i
            while k > 0 and time[k - 1] > time[k]:
                time[k - 1], time[k] = time[k], time[k - 1]
                event[k - 1], event[k] = event[k], event[k - 1]
                k -= 1


@inner
def odds_of_subgroup(
    board: Board,
    arm: int,
    g: int,
    cells: FloatArray,
    count: int,
    paths: FloatArray,
    layout: Layout,
    analyses: Analyses,
    odds: FloatArray,
) -> None:
    """Fill each patient's log odds of being in a subgroup: by its share of the events or censorings at that time."""
    arms = layout.size.size
    v = layout.of_group[g]
    whole = paths[:, layout.whole[analyses.cut[v]] * arms + arm]
    part = paths[:, v * arms + arm]
    cell = 0
    for k in range(odds.size):
        while cell < count - 2 and cells[cell + 1] < board.time[arm, k]:
            cell += 1
        if board.event[arm, k]:
            some, all_ = part[3, cell + 1] - part[3, cell], whole[3, cell + 1] - whole[3, cell]
        else:
            some = part[4, cell] - part[4, cell + 1] - part[3, cell + 1] + part[3, cell]
            all_ = whole[4, cell] - whole[4, cell + 1] - whole[3, cell + 1] + whole[3, cell]
        share = min(max(some / max(all_, 1e-9), 0.01), 0.99)
        odds[k] = math.log(share / (1.0 - share))


@inner
def odds_of_level(
    time: FloatArray,
    event: BoolArray,
    cells: FloatArray,
    count: int,
    path: FloatArray,
    effect: float,
    share: float,
    odds: FloatArray,
) -> None:
    """Fill each patient's log odds, up to a constant, of a level whose hazard is ``exp(effect)`` times that of others.

    Bayes' rule: an event is more likely where the hazard is higher, and whoever is left is there the less often.
    ``share`` of the patients are at this level, and ``path`` is that of all.
    """
    cell, ratio = 0, math.exp(effect)
    for k in range(odds.size):
        while cell < count - 2 and cells[cell + 1] < time[k]:
            cell += 1
        odds[k] = effect * event[k] - (ratio - 1.0) * hazard_of_others(path[0, cell], share, ratio)


@njit(cache=True, nogil=True)
def hazard_of_others(hazard: float, share: float, ratio: float) -> float:
    """Cumulative hazard of those not at a level, from that of all, whose survival is a mixture; by Newton's method."""
    x = hazard = min(hazard, MOST_HAZARD)
    share = min(share, MOST_SHARE)
    for _ in range(NEWTON_STEPS):
        survival = math.log1p(share * math.expm1((1.0 - ratio) * x)) - x  # its logarithm
        left = share / (share + (1.0 - share) * math.exp((ratio - 1.0) * x))
        x += (survival + hazard) / (1.0 + left * (ratio - 1.0))
    return x


@inner
def share_of(table: IntArray, g: int) -> float:
    """Share of an arm's patients who are in the g-th part."""
    members = 0
    for combination in range(table.size):
        members += ((combination >> g) & 1) * table[combination]
    return float(members / max(table.sum(), 1))


@inner
def share_out(board: Board, arm: int, g: int, odds: FloatArray, layout: Layout, state: NDArray[np.uint64]) -> None:
    """Choose who is in the g-th part: by the log odds, as many as there are beside each combination of those before."""
    n = layout.size[arm]
    for combination in range(1 << g):
        members = inside_of = 0
        for higher in range(layout.table.shape[1] >> (g + 1)):
            members += layout.table[arm, combination + (((higher << 1) | 1) << g)]
            inside_of += layout.table[arm, combination + ((higher << 1) << g)]
        inside_of += members
        if members == 0:
            continue
        low, high = -20.0, 20.0
        for _ in range(HALVINGS):  # the same shift of all log odds makes the number right
            shift = 0.5 * (low + high)
            total = 0.0
            for k in range(n):
                if board.group[arm, k] == combination:
                    total += 1.0 / (1.0 + math.exp(-odds[k] - shift))
            if total < members:
                low = shift
            else:
                high = shift
        reached = next_uniform(state)
        chosen = 0
        for flag in range(2):
            for k in range(n):
                if board.group[arm, k] == combination and board.event[arm, k] == (flag == 1):
                    reached += 1.0 / (1.0 + math.exp(-odds[k] - shift))
                    if reached >= 1.0 and chosen < members:
                        reached -= 1.0
                        chosen += 1
                        board.group[arm, k] |= 1 << g
        while chosen < members:
            k = int(next_uniform(state) * n)
            if board.group[arm, k] == combination:
                board.group[arm, k] |= 1 << g
                chosen += 1


@inner
def cut_earlier(
    board: Board,
    arm: int,
    cut: int,
    cells: FloatArray,
    count: int,
    path: FloatArray,
    final: FloatArray,
    longest: float,
    events: int,
    last: int,
    state: NDArray[np.uint64],
) -> None:
    """Add the points of an earlier cut: censorings beyond those that the final analysis has by the same follow-up.

    ``path`` is that of the earlier analysis, ``final`` that of the last; as many events remain as ``events``, if known.
    """
    size, points = board.size[arm], board.points[arm]
    more = np.zeros(count)
    for k in range(1, count):
        more[k] = max(more[k - 1], path[1, k] - final[1, k])
    exit_, draw, uncut = np.full(size, np.inf), np.empty(size), np.zeros(size, np.bool_)
    at = next_uniform(state)
    cell = 0
    for k in range(points):
        i = board.patient[arm, k]
        if exit_[i] == np.inf:
            uncut[i] = board.cut[arm, k] == last
            exit_[i] = board.time[arm, k]
            at += GOLDEN
            at -= math.floor(at)
            draw[i] = -math.log(max(at, 1e-12))
            if uncut[i] and board.event[arm, i]:  # an event is seen the more often, the higher its hazard at this cut
                while cell < count - 2 and cells[cell + 1] < exit_[i]:
                    cell += 1
                early, late = path[0, cell + 1] - path[0, cell], final[0, cell + 1] - final[0, cell]
                seen = min(max(early / max(late, 1e-9), 1.0 / MOST_SEEN), MOST_SEEN)
                draw[i] = max(draw[i] + math.log(seen), 1e-9)
    factor = 1.0
    found = np.empty(size)
    low, high = 1e-3, 1e3
    for _ in range(HALVINGS if events >= 0 else 1):
        remaining = 0
        for i in range(size):
            found[i] = time_of(more, cells, count, draw[i] / factor)
            if found[i] > longest and exit_[i] > longest:  # whoever was seen for longer later was cut here
                found[i] = longest * (1.0 - LATE_ENTRY * draw[i] / (1.0 + draw[i]))
            if board.event[arm, i] and uncut[i] and found[i] >= exit_[i]:
                remaining += 1
        if events < 0 or remaining == events:
            break
        if remaining > events:
            low = factor
        else:
            high = factor
        factor = math.sqrt(low * high)
    for i in range(size):
        if found[i] < exit_[i]:
            insert(board, arm, found[i], i, cut)


@inner
def time_of(rising: FloatArray, cells: FloatArray, count: int, value: float) -> float:
    """Time at which a rising path reaches a value; inf if it never does."""
    if rising[count - 1] < value:
        return np.inf
    low, high = 0, count - 1
    while high - low > 1:
        middle = (low + high) // 2
        if rising[middle] < value:
            low = middle
        else:
            high = middle
    step = rising[high] - rising[low]
    share = (value - rising[low]) / step if step > 0.0 else 1.0
    return float(cells[low] + share * (cells[high] - cells[low]))


@inner
def insert(board: Board, arm: int, time: float, patient: int, cut: int) -> None:
    """Add a point in its place."""
    k = board.points[arm]
    while k > 0 and board.time[arm, k - 1] > time:
        board.time[arm, k] = board.time[arm, k - 1]
        board.patient[arm, k] = board.patient[arm, k - 1]
        board.cut[arm, k] = board.cut[arm, k - 1]
        k -= 1
    board.time[arm, k], board.patient[arm, k], board.cut[arm, k] = time, patient, cut
    board.points[arm] += 1
