"""Proposes moves of analyses inside another one: who is in a subgroup, and when a patient leaves an earlier cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.moves import GROUP, NO_MOVE, OWNER, PLACE, Move, apply
from analysis.reconstruction.repair.patients import next_uniform
from analysis.reconstruction.repair.ratios import compare_one
from analysis.reconstruction.repair.swaps import AIMS, TRIES, read_part, step_away

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.repair.anchors import Aims, Worst
    from analysis.reconstruction.repair.board import Analyses, Board, Listing
    from analysis.reconstruction.repair.swaps import Standing

    IntArray = NDArray[np.int64]

AIMED = 0.7  # share of the moves at an analysis whose curve is off that bring it nearer
NESTED = 0.9  # share of the moves on an analysis inside another that leave the events of all patients as they are


@inner
def exit_of(board: Board, arm: int, patient: int, cut: int, start: int) -> int:
    """Point at which a patient leaves the analyses of a cut, searched from ``start`` on; -1 if it is before."""
    for k in range(start, board.points[arm]):
        if board.patient[arm, k] == patient and board.cut[arm, k] >= cut:
            return k
    return -1


@njit(cache=True, nogil=True)
def propose_cut(board: Board, arm: int, last: int, latest: FloatArray, rng_state: NDArray[np.uint64]) -> Move:
    """Propose another patient, or another time, for a point of an earlier cut.

    It is placed within the longest follow-up at that cut, and stays with whoever was seen for longer later on.
    """
    points = board.points[arm]
    k = -1
    for _ in range(TRIES):
        k = int(next_uniform(rng_state) * points)
        if board.cut[arm, k] < last:
            break
    cut = board.cut[arm, k]
    if cut == last:
        return NO_MOVE
    owner = board.patient[arm, k]
    if next_uniform(rng_state) < 0.6:
        if board.home[arm, exit_of(board, arm, owner, cut + 1, k + 1)] > latest[cut]:
            return NO_MOVE
        other = min(max(step_away(k, points, rng_state), 0), points - 1)
        if next_uniform(rng_state) < 0.5:
            other = k + 1 + int(next_uniform(rng_state) * (points - k - 1))
        if other <= k or other >= points or board.cut[arm, other] < cut:
            return NO_MOVE
        taker = board.patient[arm, other]
        for p in range(k):  # whoever has left the analyses of this cut before cannot be cut here
            if board.patient[arm, p] == taker and board.cut[arm, p] >= cut:
                return NO_MOVE
        for p in range(points):  # nor can one who is cut once already, later
            if board.patient[arm, p] == taker and board.cut[arm, p] == cut:
                return NO_MOVE
        return Move(OWNER, k, owner, taker, 0, 0.0, 0.0)
    end = exit_of(board, arm, owner, cut + 1, k + 1)
    to = min(max(step_away(k, points, rng_state), 0), end - 1)
    if to == k:
        return NO_MOVE
    before, after = (to, to + 1) if to > k else (to - 1, to)
    share = 0.1 + 0.8 * next_uniform(rng_state)
    time, home = board.time[arm], board.home[arm]
    from_time, from_home = (time[before], home[before]) if before >= 0 else (0.0, 0.0)
    place = from_home + share * (home[after] - from_home)
    if place > latest[cut]:
        return NO_MOVE
    return Move(PLACE, k, to, 0, 0, from_time + share * (time[after] - from_time), place)


@njit(cache=True, nogil=True)
def propose_group(board: Board, arm: int, bit: int, last: int, worst: Worst, rng_state: NDArray[np.uint64]) -> Move:
    """Propose that a patient of a subgroup gives its place to one who is not in it, mostly one who leaves near it."""
    points = board.points[arm]
    a = int(next_uniform(rng_state) * points)
    if worst.clash >= 0 and next_uniform(rng_state) < 0.5:
        a = step_away(worst.clash, points, rng_state)
    b = step_away(a, points, rng_state)
    if min(a, b) < 0 or max(a, b) >= points or board.cut[arm, a] != last or board.cut[arm, b] != last:
        return NO_MOVE
    i, j = board.patient[arm, a], board.patient[arm, b]
    if board.group[arm, i] ^ board.group[arm, j] != 1 << bit:  # what subgroups and strata share stays as it is
        return NO_MOVE
    return Move(GROUP, i, j, bit, 0, 0.0, 0.0)


@njit(cache=True, nogil=True)
def propose_nested(
    board: Board,
    arm: int,
    analyses: Analyses,
    v: int,
    standing: Standing,
    latest: FloatArray,
    aims: Aims,
    listing: Listing,
    rng_state: NDArray[np.uint64],
) -> Move:
    """Propose who is in a subgroup, or when a patient leaves an earlier cut.

    Mostly it is a move that brings the analysis nearer, as far as that can be told without making it.
    """
    cut, group, last = analyses.cut[v], analyses.group[v], analyses.last[v]
    missed = standing.values[v, 3]
    aimed = (aims.excess[v] != 0.0 or missed > 0.0) and next_uniform(rng_state) < AIMED
    by_group = group >= 0 and (cut == last or next_uniform(rng_state) < 0.5)
    move = NO_MOVE
    for _ in range(AIMS if aimed else 1):
        if by_group:
            move = propose_group(board, arm, group, last, aims.worst, rng_state)
        elif cut < last:
            move = propose_cut(board, arm, last, latest, rng_state)
        if aimed and move.kind in (OWNER, GROUP):
            if aims.excess[v] != 0.0:
                gained = events_gained(board, arm, move, aims.place[v], last)
                if move.kind == GROUP and not analyses.inside[v]:
                    gained = -gained
                if gained * aims.excess[v] > 0.0:
                    break
            elif missed_after(board, arm, analyses, v, move, standing, listing) < missed:
                break
            move = NO_MOVE
    return move


@njit(cache=True, nogil=True)
def missed_after(
    board: Board, arm: int, analyses: Analyses, v: int, move: Move, standing: Standing, listing: Listing
) -> float:
    """Give what the comparison of an analysis would miss after a move, at the times of now; nothing is changed."""
    back = apply(board, arm, move)
    read_part(board, analyses, v, arm, listing, standing.parts)
    time0, time1 = board.time[0, : board.points[0]], board.time[1, : board.points[1]]
    trial = standing.trial
    trial[v] = standing.values[v]
    compare_one(time0, time1, standing.parts, standing.boxes, v, trial[v, 3], trial, standing.at_risk, standing.left)
    missed = float(trial[v, 3])
    trial[v] = standing.values[v]  # a move that does not touch this analysis may come next
    apply(board, arm, back)
    read_part(board, analyses, v, arm, listing, standing.parts)
    return missed


@inner
def events_gained(board: Board, arm: int, move: Move, place: int, last: int) -> int:
    """Events before a point that a subgroup, or an earlier cut, gains by a move."""
    if move.kind == OWNER:
        return event_before(board, arm, move.b, place, last) - event_before(board, arm, move.c, place, last)
    gained = event_before(board, arm, move.a, place, last) - event_before(board, arm, move.b, place, last)
    return -gained if (board.group[arm, move.a] >> move.c) & 1 else gained


@inner
def event_before(board: Board, arm: int, patient: int, place: int, last: int) -> int:
    """1 if a patient has the event before a point, else 0."""
    if board.event[arm, patient]:
        for k in range(min(place, board.points[arm])):
            if board.patient[arm, k] == patient and board.cut[arm, k] == last:
                return 1
    return 0
