"""Searches for moves of single patients until every statistic of an arm, and every comparison, fits its box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.anchors import (
    aims_of,
    bound_arm,
    copy_anchors,
)
from analysis.reconstruction.repair.board import boxes_of
from analysis.reconstruction.repair.both import Bound, bend_both, bound_both, keep_bounds, try_shift, with_aims
from analysis.reconstruction.repair.deal import deals_help, propose_deal
from analysis.reconstruction.repair.lending import lent
from analysis.reconstruction.repair.moves import NOTHING, Move, apply, mark_touched
from analysis.reconstruction.repair.moving import GAP, move_between
from analysis.reconstruction.repair.nested import NESTED, propose_nested
from analysis.reconstruction.repair.patients import next_uniform
from analysis.reconstruction.repair.ratios import compare, test_asked, test_range
from analysis.reconstruction.repair.regroup import astray, regroup_unsettled
from analysis.reconstruction.repair.swaps import (
    Standing,
    choose_analysis,
    propose_flags,
    propose_flip,
    read_part,
)
from analysis.reconstruction.repair.ties import tie_events

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.repair.anchors import Aims, Scratch
    from analysis.reconstruction.repair.board import Analyses, Asked, Board, Listing, PackedBoxes

    IntArray = NDArray[np.int64]

WARMTH_OF_BOUNDS = 0.01  # by which a move may worsen the bounds at the start of a search
SHIFTS = 0.2  # share of the moves that shift one point between its neighbours
DEALS = 0.3  # share of the moves that deal events out anew, where few are at risk at a printed rate
FLIPS = 0.15  # share of the moves that add an event or take one away, where they are not printed
LONGER = 4  # times as many moves in an arm of which limits of a rate are printed
PROPOSALS = 10  # draws of a move until one is possible
ROUNDING = 1e-9  # of a sum of what is missed, by which a limit of it may be off
MOVED = 1e-7  # months, by which bounds may move the points of an arm and leave the other analyses as they are
REGROUP = 400  # moves of single patients between two choices of who is in a subgroup
RETUNE = 200  # moves of single patients between two attempts to bend all
FEW = 400  # points, under which more single moves are tried


class Effort(NamedTuple):
    """How long a member is searched for: moves in an arm, bends of both, moves of single patients for the ratios.

    ``spread`` is how far events by arm that are not printed may be from what is expected, ``slack`` the share of the
    points that the bounds of several analyses may push together, ``reach`` how far off a test may be before events are
    tied, which only one analysis by itself does; ``most`` bounds the moves of single patients, of which few patients
    get more; ``warmth``, per patient, is by how much such a move may worsen what is missed at the start. ``walk``:
    moves go on where nothing is missed, ``singles`` a point, each of which leaves it so.
    """

    steps: int
    bends: int
    singles: int
    spread: float
    slack: float
    reach: float = 0.0
    most: int = 20_000
    warmth: float = 1.5
    walk: bool = False


@inner
def rates_of(packed: PackedBoxes, arm: int) -> FloatArray:
    """Give the printed rates of an arm that only one analysis asks about; of several, none."""
    landmarks = boxes_of(packed, 0, arm).landmarks
    return landmarks if packed.starts.shape[0] == 1 else landmarks[:0]


@inner
def limits_asked(packed: PackedBoxes, arm: int) -> bool:
    """Whether confidence limits of a rate of an arm are printed."""
    for v in range(packed.starts.shape[0]):
        landmarks = boxes_of(packed, v, arm).landmarks
        for j in range(landmarks.shape[0]):
            if landmarks[j, 3] > 0.0:
                return True
    return False


@njit(cache=True, nogil=True)
def reorder(
    board: Board,
    arm: int,
    analyses: Analyses,
    packed: PackedBoxes,
    wanted: IntArray,
    latest: FloatArray,
    steps: int,
    walk: bool,
    nothing: Standing,
    scratch: Scratch,
    rng_state: NDArray[np.uint64],
) -> float:
    """Change the points of an arm until its bounds agree with each other; returns what is left over.

    To ``walk`` is to go on where they agree, by so many moves after each of which they do. ``nothing`` is asked of
    comparisons.
    ``rng_state`` is (1,) uint64, the state of a small generator of its own, so that the result depends on nothing else.
    Leaves the bounds in ``scratch``.
    """
    board, analyses, packed, wanted, latest = lent(board), lent(analyses), lent(packed), lent(wanted), lent(latest)
    nothing, scratch, rng_state = lent(nothing), lent(scratch), lent(rng_state)
    every, touched, anchors = scratch.every, scratch.touched, scratch.kept
    penalty, strain, worst = bound_arm(board, arm, analyses, packed, wanted, latest, every, scratch)
    missed, aims = penalty + strain, aims_of(scratch.place, scratch.excess, worst, scratch.aims)
    copy_anchors(scratch.anchors, anchors)
    rates = rates_of(packed, arm)
    deals = deals_help(board, arm, rates)
    if not walk and limits_asked(packed, arm):
        steps *= LONGER
    for step in range(steps):
        if missed == 0.0 and not walk:
            break
        if walk and board.points[arm] > 1 and next_uniform(rng_state) < SHIFTS:  # by which no bound changes
            k = int(next_uniform(rng_state) * (board.points[arm] - 1))
            earliest = board.home[arm, k - 1] if k > 0 else 0.0
            share = 0.05 + 0.9 * next_uniform(rng_state)
            board.home[arm, k] = earliest + share * max(board.home[arm, k + 1] - earliest, 0.0)
            continue
        if deals and (walk or aims.worst.excess != 0.0) and next_uniform(rng_state) < DEALS:
            move = propose_deal(board, arm, rates, False, rng_state)
        else:
            v = choose_analysis(nothing.values, aims.excess, rng_state)
            if v > 0 and next_uniform(rng_state) < NESTED:
                move = propose_nested(board, arm, analyses, v, nothing, latest, aims, scratch.listing, rng_state)
            else:
                move = propose_flags(board, arm, analyses, aims.worst, scratch.listing, rng_state)
        if move.kind == NOTHING:
            continue
        mark_touched(board, arm, analyses, move, touched)
        back = apply(board, arm, move)
        copy_anchors(anchors, scratch.anchors)
        penalty, strain, worst = bound_arm(board, arm, analyses, packed, wanted, latest, touched, scratch)
        slack = 0.0 if walk else WARMTH_OF_BOUNDS * next_uniform(rng_state) * (1.0 - step / steps)
        if penalty + strain <= missed + slack:
            missed, aims = penalty + strain, aims_of(scratch.place, scratch.excess, worst, aims)
            copy_anchors(scratch.anchors, anchors)
        else:
            apply(board, arm, back)
    penalty, strain, _ = bound_arm(board, arm, analyses, packed, wanted, latest, every, scratch)
    return penalty + strain


@inner
def open_events(asked: Asked, wanted: IntArray) -> IntArray:
    """Events by analysis and arm as the report has them: what stands for an arm in search of a total is open."""
    loose = wanted.copy()
    for v in range(asked.totals.size):
        if asked.totals[v] >= 0:
            loose[v] = -1
    for arm in range(2):
        if asked.open[arm]:
            loose[0, arm] = -1
    return loose


@inner
def draw_move(
    board: Board,
    arm: int,
    asked: Asked,
    rates: FloatArray,
    standing: Standing,
    aims: Aims,
    listing: Listing,
    state: NDArray[np.uint64],
) -> Move:
    """Draw moves until one is possible, or a number of times; ``rates`` are those that events are dealt out for."""
    deals = deals_help(board, arm, rates)
    for _ in range(PROPOSALS):
        if asked.open[arm] and next_uniform(state) < FLIPS:
            move = propose_flip(board, arm, asked.analyses.last[0], state)
        elif deals and next_uniform(state) < DEALS:
            move = propose_deal(board, arm, rates, asked.open[arm] and asked.totals[0] < 0, state)
        else:
            v = choose_analysis(standing.values, aims.excess, state)
            if v > 0 and next_uniform(state) < NESTED:
                move = propose_nested(board, arm, asked.analyses, v, standing, asked.latest, aims, listing, state)
            else:
                move = propose_flags(board, arm, asked.analyses, aims.worst, listing, state)
        if move.kind != NOTHING:
            break
    return move


@inner
def go_home(board: Board, arm: int) -> None:
    """Put the points of an arm where the smooth path puts them, in their order."""
    reached = 0.0
    for k in range(board.points[arm]):
        reached = max(board.home[arm, k], reached)
        board.time[arm, k] = reached
        reached += GAP


@inner
def meet_ratios(
    board: Board,
    asked: Asked,
    loose: IntArray,
    effort: Effort,
    standing: Standing,
    bound: Bound,
    scratch: Scratch,
    state: NDArray[np.uint64],
) -> float:
    """Bring the hazard ratio and the test of every analysis into their boxes; returns what is missed in all.

    ``loose`` (V, A) are the events that are asked for, as `open_events` gives them; ``bound`` is room for the bounds.
    First all free points are bent together; where that is not enough single patients are moved, one at a time, and
    what stands in the boxes may leave them on the way (simulated annealing).
    """
    board, asked, loose, scratch, state = lent(board), lent(asked), lent(loose), lent(scratch), lent(state)
    standing, bound = lent(standing), lent(bound)
    values, trial, parts, _, at_risk, left = standing
    bounds, penalty, fits, anchors, aims, _ = bound
    every, touched, before = scratch.every, scratch.touched, scratch.before
    analyses, number = asked.analyses, asked.analyses.cut.size
    rates = (rates_of(asked.boxes, 0), rates_of(asked.boxes, 1))
    p0, p1 = board.points[0], board.points[1]
    time0, time1 = board.time[0, :p0], board.time[1, :p1]
    if effort.walk:  # from members whose events may have been tied
        for arm in range(2):
            bound_arm(board, arm, analyses, asked.boxes, loose[:, arm], asked.latest, every, scratch)
            go_home(board, arm)
            move_between(board.time[arm, : board.points[arm]], scratch.low, scratch.high, scratch.work)
    miss = compare(time0, time1, parts, asked.ratios, every, np.inf, values, at_risk, left)
    off = astray(parts, asked.totals)
    each = p0 + p1 if effort.walk else max(1, FEW // max(p0 + p1, 1))
    steps = min(effort.singles * each, effort.most)
    for step in range(steps + 1):
        regrouped = False
        if step % REGROUP == 0 and step > 0 and regroup_unsettled(board, asked, loose, standing, scratch, state):
            regrouped = True
            miss = compare(time0, time1, parts, asked.ratios, every, np.inf, values, at_risk, left)
            off = astray(parts, asked.totals)
        if regrouped or (step % RETUNE == 0 and (step == 0 or (np.all(fits) and not effort.walk))):
            aims = bound_both(board, asked, loose, scratch, bound, aims)
            if np.all(fits) and not effort.walk:
                bend_both(board, parts, asked.ratios, bound, 0 if step > 0 else effort.bends, state)
                miss = compare(time0, time1, parts, asked.ratios, every, np.inf, values, at_risk, left)
        if miss + off + penalty[0] + penalty[1] == 0.0 and not effort.walk:
            break
        warmth = -effort.warmth / (p0 + p1) * (1.0 - step / (steps + 1)) ** 2 * math.log(1.0 - next_uniform(state))
        arm = int(next_uniform(state) * 2)
        if miss + off + penalty[arm] == 0.0 and not effort.walk:
            arm = 1 - arm
        points = board.points[arm]
        time = board.time[arm, :points]
        trial[:] = values
        shifts = fits[arm] and (miss > 0.0 or effort.walk)
        if shifts and next_uniform(state) < SHIFTS:
            miss = try_shift(board, arm, analyses.cut, standing, bounds[arm], miss, warmth, effort.walk, state)
            continue
        move = draw_move(board, arm, asked, rates[arm], standing, aims[arm], scratch.listing, state)
        if move.kind == NOTHING:
            continue
        before[:points] = time
        mark_touched(board, arm, analyses, move, touched)
        back = apply(board, arm, move)
        copy_anchors(anchors[arm], scratch.anchors)
        there, strain, worst = bound_arm(
            board, arm, analyses, asked.boxes, loose[:, arm], asked.latest, touched, scratch
        )
        fit = there == 0.0
        there += strain
        new, wrong = np.inf, off
        read = there <= miss + off + penalty[arm] + warmth
        if read:
            if fit:
                go_home(board, arm)
                move_between(time, scratch.low, scratch.high, scratch.work)
                if np.max(np.abs(time - before[:points])) > MOVED:
                    touched[:] = True
            for v in range(number):
                if touched[v]:
                    read_part(board, analyses, v, arm, scratch.listing, parts)
            wrong = astray(parts, asked.totals)
            limit = miss + off + penalty[arm] + warmth - wrong - there + ROUNDING
            new = compare(time0, time1, parts, asked.ratios, touched, limit, trial, at_risk, left)
        if new + wrong + there <= miss + off + penalty[arm] + warmth:
            miss, off, penalty[arm], fits[arm] = new, wrong, there, fit
            aims = with_aims(aims, arm, aims_of(scratch.place, scratch.excess, worst, aims[arm]))
            copy_anchors(scratch.anchors, anchors[arm])
            values[:] = trial
            keep_bounds(scratch, points, bounds[arm])
        else:
            apply(board, arm, back)
            time[:] = before[:points]
            if read:
                for v in range(number):
                    if touched[v]:
                        read_part(board, analyses, v, arm, scratch.listing, parts)
    missed = float(miss + off + penalty[0] + penalty[1])
    if missed == 0.0 and effort.reach > 0.0 and test_asked(asked.tests[0]):
        low, high = test_range(values[0, 2], asked.tests[0])
        return tie_events(time0, time1, parts, bounds, low, high, state)
    return missed
