"""Proposes moves of the points of an arm: which patients leave with an event, and on which analysis a move bears."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.board import read_analysis, stratum
from analysis.reconstruction.repair.moves import FLAGS, FLIP, NO_MOVE, TRADE, Move
from analysis.reconstruction.repair.patients import next_uniform
from analysis.reconstruction.repair.ratios import Parts
from analysis.reconstruction.terms import RatioBoxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.anchors import Worst
    from analysis.reconstruction.repair.board import Analyses, Asked, Board, Listing

    IntArray = NDArray[np.int64]

NEIGHBOURS = 4  # patients looked at, each way, for one to swap with
TRIES = 8
HIGHEST = 30.0  # log odds of an event, up to which one place is the likelier the higher they are
AIMS = 12  # draws of a move that aims at something
TRADES = 0.5  # share of the moves that are of two swaps, where the limits of a rate are off and it is not
FOCUS = 0.7  # share of the moves that bear on an analysis that is off


class Standing(NamedTuple):
    """Where the comparisons stand: ``values`` (V, 4) as `compare` fills them, of these ``parts`` against the ``boxes``.

    ``trial`` (V, 4), ``at_risk`` and ``left`` are room for another comparison.
    """

    values: FloatArray
    trial: FloatArray
    parts: Parts
    boxes: RatioBoxes
    at_risk: FloatArray
    left: FloatArray


@njit(cache=True, nogil=True)
def no_standing(analyses: int) -> Standing:
    """Comparisons that nothing is asked of."""
    none, nobody = np.zeros((analyses, 2), np.int64), np.zeros((analyses, 2, 0), np.int64)
    parts = Parts(
        none, nobody, np.zeros((analyses, 2, 0), np.bool_), nobody, none, np.ones(analyses, np.int64), np.ones(analyses)
    )
    boxes = RatioBoxes(np.zeros((analyses, 7)), np.zeros((analyses, 3)))
    return Standing(np.zeros((analyses, 4)), np.zeros((analyses, 4)), parts, boxes, np.empty((0, 3)), np.empty((2, 1)))


@inner
def step_away(index: int, size: int, rng_state: NDArray[np.uint64]) -> int:
    """Index a random step away, short steps being as frequent as long ones on the log scale."""
    reach = int(math.exp(next_uniform(rng_state) * math.log(size)))
    return index + (reach if next_uniform(rng_state) < 0.5 else -reach)


@inner
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
def propose_trade(
    board: Board, arm: int, analyses: Analyses, worst: Worst, listing: Listing, rng_state: NDArray[np.uint64]
) -> Move:
    """Propose two swaps that leave S where it is and bring its limits nearer to each other, or farther apart.

    An event with ``y`` at risk takes ``1 / y`` off log S and adds as much squared to Greenwood's sum. One more event
    where many are at risk, made up for by another that comes earlier, narrows the limits; the reverse widens them.
    """
    size = read_analysis(board, arm, analyses, 0, listing)
    point, event, narrows = listing.point, listing.event, worst.wide > 0.0
    start, place = worst.after, min(worst.before, size)
    for _ in range(AIMS if start < place < size else 0):
        inside = start + int(next_uniform(rng_state) * (place - start))
        moved = start + int(next_uniform(rng_state) * (place - start))
        behind = place - 1 + int(math.exp(next_uniform(rng_state) * math.log(size - place + 1.0)))
        if behind >= size or event[inside] == narrows or event[behind] != narrows or not event[moved]:
            continue
        gained = 1.0 / (size - inside)
        wanted = 1.0 / (size - moved) + (-gained if narrows else gained)
        near = size - round(1.0 / wanted) if wanted > 0.0 else place + NEIGHBOURS
        for away in range(NEIGHBOURS):
            for to in (near - away, near + away):
                if start <= to < place and to != inside and moved != inside and not event[to]:
                    points = (point[inside], point[behind], point[moved], point[to])
                    patients = board.patient[arm]
                    if at_last_cut(board, arm, points, analyses.last[0]):
                        a, b, c, d = points
                        return Move(TRADE, patients[a], patients[b], patients[c], patients[d], 0.0, 0.0)
    return NO_MOVE


@inner
def at_last_cut(board: Board, arm: int, points: tuple[int, int, int, int], last: int) -> bool:
    """Whether points are those of patients at the last cut."""
    a, b, c, d = points
    cut = board.cut[arm]
    return bool(cut[a] == last and cut[b] == last and cut[c] == last and cut[d] == last)


@njit(cache=True, nogil=True)
def propose_flags(
    board: Board, arm: int, analyses: Analyses, worst: Worst, listing: Listing, rng_state: NDArray[np.uint64]
) -> Move:
    """Propose that two patients swap event and censoring at the last cut.

    Most swaps aim at the landmark that is missed most, at the event with which a level is reached that must not be, or
    at bounds that exclude each other; the others are proposed as seldom as they make the order less likely.
    """
    points, last = board.points[arm], analyses.last[0]
    likely_only = True
    if worst.wide != 0.0 and worst.level < 0 and next_uniform(rng_state) < TRADES:
        return propose_trade(board, arm, analyses, worst, listing, rng_state)
    if worst.level >= 0 and next_uniform(rng_state) < 0.5:
        a, b = worst.level, place_for_event(board, arm, rng_state)
        likely_only = False
    elif worst.place > 0 and worst.analysis == 0 and next_uniform(rng_state) < 0.7:
        size = read_analysis(board, arm, analyses, worst.analysis, listing)
        if worst.censored:
            for k in range(size):
                listing.event[k] = not listing.event[k]
        first, second = aim_at(listing.event[:size], min(worst.place, size), worst.excess, rng_state)
        if second < 0 or first >= size:
            return NO_MOVE
        a, b = listing.point[first], listing.point[second]
        likely_only = False
    else:
        a = int(next_uniform(rng_state) * points)
        if worst.clash >= 0 and next_uniform(rng_state) < 0.7:
            a = step_away(worst.clash, points, rng_state)
            likely_only = False
        b = step_away(a, points, rng_state)
    if min(a, b) < 0 or max(a, b) >= points or board.cut[arm, a] != last or board.cut[arm, b] != last:
        return NO_MOVE
    i, j = board.patient[arm, a], board.patient[arm, b]
    if board.event[arm, i] == board.event[arm, j]:
        return NO_MOVE
    if likely_only:
        less_likely = board.odds[arm, a] - board.odds[arm, b]
        if not board.event[arm, i]:
            less_likely = -less_likely
        if less_likely > 0.0 and next_uniform(rng_state) > math.exp(-less_likely):
            return NO_MOVE
    return Move(FLAGS, i, j, 0, 0, 0.0, 0.0)


@njit(cache=True, nogil=True)
def place_for_event(board: Board, arm: int, rng_state: NDArray[np.uint64]) -> int:
    """Point of a censored patient, of some drawn one as probable as an event is there against the others; -1 if none.

    What must leave its own place goes where the hazards put it, however much likelier they make the place it leaves.
    """
    chosen, total = -1, 0.0
    for _ in range(TRIES):
        k = int(next_uniform(rng_state) * board.points[arm])
        if not board.event[arm, board.patient[arm, k]]:
            odds = math.exp(min(board.odds[arm, k], HIGHEST))
            total += odds
            if next_uniform(rng_state) * total < odds:
                chosen = k
    return chosen


@inner
def propose_flip(board: Board, arm: int, last: int, rng_state: NDArray[np.uint64]) -> Move:
    """Propose one event more or less, as seldom as the hazards at its time make it unlikely."""
    k = int(next_uniform(rng_state) * board.points[arm])
    if board.cut[arm, k] != last:
        return NO_MOVE
    i = board.patient[arm, k]
    less_likely = board.odds[arm, k] if board.event[arm, i] else -board.odds[arm, k]
    if less_likely > 0.0 and next_uniform(rng_state) > math.exp(-less_likely):
        return NO_MOVE
    return Move(FLIP, i, 0, 0, 0, 0.0, 0.0)


@njit(cache=True, nogil=True)
def choose_analysis(values: FloatArray, excess: FloatArray, rng_state: NDArray[np.uint64]) -> int:
    """Draw the analysis that a move bears on.

    Mostly it is one whose comparison is off, by its ``values`` (V, 4), or if none is, one whose bounds are, by their
    ``excess`` (V,).
    """
    analyses = excess.size
    chosen = int(next_uniform(rng_state) * analyses)
    if next_uniform(rng_state) < FOCUS:
        total = 0.0
        for v in range(analyses):
            total += values[v, 3] + abs(excess[v])
        reached = next_uniform(rng_state) * total
        for v in range(analyses):
            reached -= values[v, 3] + abs(excess[v])
            if reached < 0.0:
                return v
    return chosen


@njit(cache=True, nogil=True)
def read_part(board: Board, analyses: Analyses, v: int, arm: int, listing: Listing, parts: Parts) -> None:
    """Fill who of an arm is a patient of an analysis."""
    size = read_analysis(board, arm, analyses, v, listing)
    parts.size[v, arm] = size
    parts.events[v, arm] = 0
    for k in range(size):
        parts.point[v, arm, k] = listing.point[k]
        parts.event[v, arm, k] = listing.event[k]
        parts.stratum[v, arm, k] = stratum(board.group[arm, board.patient[arm, listing.point[k]]], analyses.strata[v])
        parts.events[v, arm] += listing.event[k]


@inner
def read_parts(board: Board, analyses: Analyses, listing: Listing) -> Parts:
    """Give who of both arms is a patient of which analysis."""
    number, most = analyses.cut.size, np.max(board.size)
    parts = Parts(
        np.zeros((number, 2), np.int64),
        np.zeros((number, 2, most), np.int64),
        np.zeros((number, 2, most), np.bool_),
        np.zeros((number, 2, most), np.int64),
        np.zeros((number, 2), np.int64),
        np.zeros(number, np.int64),
        np.ones(number),
    )
    for v in range(number):
        parts.strata[v] = stratum(-1, analyses.strata[v]) + 1
    for v in range(number):
        for arm in range(2):
            read_part(board, analyses, v, arm, listing, parts)
        parts.weight[v] = np.sum(parts.size[v]) / np.sum(board.size)
    return parts


@inner
def standing_of(board: Board, asked: Asked, listing: Listing) -> Standing:
    """Give who is compared with whom, and room for how they stand."""
    number, parts = asked.analyses.cut.size, read_parts(board, asked.analyses, listing)
    at_risk, left = np.empty((np.sum(board.size), 4)), np.empty((2, np.max(parts.strata)))
    return Standing(np.zeros((number, 4)), np.zeros((number, 4)), parts, asked.ratios, at_risk, left)
