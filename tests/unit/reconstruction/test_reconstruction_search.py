"""The search for patients that several analyses share: its shortcuts give what the long way gives."""

import math

import numpy as np
import pytest

from analysis.reconstruction.repair.anchors import (
    Aims,
    Worst,
    bound_arm,
    copy_anchors,
    last_exit,
    new_scratch,
    no_anchors,
)
from analysis.reconstruction.repair.board import Analyses, Board, PackedBoxes
from analysis.reconstruction.repair.bounds import limit_reached, surely_above
from analysis.reconstruction.repair.ratios import Parts, compare
from analysis.reconstruction.repair.swaps import (
    GROUP,
    NOTHING,
    OWNER,
    PLACE,
    Move,
    Standing,
    apply,
    expected_miss,
    mark_touched,
    propose,
    propose_cut,
    propose_group,
)
from analysis.reconstruction.terms import LOG_LOG, RatioBoxes

Z = 1.959963984540054
LATEST = np.array([14.0, 30.0])


def board_of_two_cuts(rng: np.random.Generator, n: int = 60) -> Board:
    """One arm: everybody who is seen beyond month 14 is cut before at the interim analysis, and some others too."""
    exits = np.sort(rng.uniform(0.5, 28.0, n))
    cuts = np.where(
        (exits > LATEST[0]) | (rng.random(n) < 0.3), rng.uniform(0.4, 1.0, n) * np.minimum(exits, 14), np.inf
    )
    early = np.flatnonzero(np.isfinite(cuts))
    time = np.concatenate([exits, cuts[early]])
    order = np.argsort(time)
    return Board(
        time=time[order][None].copy(),
        home=time[order][None].copy(),
        patient=np.concatenate([np.arange(n), early])[order][None].copy(),
        cut=np.concatenate([np.ones(n, np.int64), np.zeros(early.size, np.int64)])[order][None].copy(),
        odds=np.zeros((1, time.size)),
        points=np.array([time.size]),
        event=(rng.random((1, n)) < 0.7),
        group=(rng.random((1, n)) < 0.4).astype(np.int64),
        size=np.array([n]),
    )


def analyses_of_all() -> Analyses:
    """The final analysis, a subgroup's, and the interim one."""
    return Analyses(
        cut=np.array([1, 1, 0]),
        group=np.array([-1, 0, -1]),
        inside=np.ones(3, np.bool_),
        strata=np.zeros(3, np.int64),
        last=np.ones(3, np.int64),
    )


def packed_boxes() -> PackedBoxes:
    quantiles = np.array(
        [
            [0.5, 0.0, LOG_LOG, 11.0, 11.2, 1.0],
            [0.5, Z, LOG_LOG, 8.0, 8.2, 1.0],
            [0.5, -Z, LOG_LOG, 14.0, 14.3, 1.0],
            [0.5, 0.0, LOG_LOG, 12.5, 12.7, 1.0],
            [0.5, 0.0, LOG_LOG, 10.4, 10.5, 1.0],
        ]
    )
    starts = np.zeros((3, 1, 4, 2), np.int64)
    starts[:, 0, 0] = [[0, 3], [3, 4], [4, 5]]
    return PackedBoxes(quantiles, np.empty((0, 4)), np.empty((0, 2)), np.empty((0, 9)), starts)


def no_standing() -> Standing:
    return Standing(np.zeros((3, 4)), np.zeros((3, 7)), np.zeros((3, 2), np.int64), np.zeros((3, 2), np.int64))


def test_bounds_of_the_analyses_that_a_move_touches_are_enough() -> None:
    rng = np.random.default_rng(7)
    analyses, packed, every = analyses_of_all(), packed_boxes(), np.ones(3, np.bool_)
    open_, state = np.full(3, -1), np.array([5], np.uint64)
    aims = Aims(np.zeros(3, np.int64), np.zeros(3), Worst(0, 0, 0.0, -1, -1, False))
    left_out = moves = 0
    for _ in range(20):
        board = board_of_two_cuts(rng)
        points = int(board.points[0])
        scratch, fresh = (new_scratch(points, 60, packed, 0.02) for _ in range(2))
        kept, touched = no_anchors(packed), np.ones(3, np.bool_)
        bound_arm(board, 0, analyses, packed, open_, LATEST, every, scratch)
        copy_anchors(scratch.anchors, kept)
        for _ in range(200):
            move = propose(board, 0, analyses, no_standing(), LATEST, aims, scratch, state)
            if move.kind == NOTHING:
                continue
            mark_touched(board, 0, analyses, move, touched)
            back = apply(board, 0, move)
            copy_anchors(kept, scratch.anchors)
            short = bound_arm(board, 0, analyses, packed, open_, LATEST, touched, scratch)
            long = bound_arm(board, 0, analyses, packed, open_, LATEST, every, fresh)
            assert short == long
            np.testing.assert_array_equal(scratch.low[:points], fresh.low[:points])
            np.testing.assert_array_equal(scratch.high[:points], fresh.high[:points])
            np.testing.assert_array_equal(scratch.excess, fresh.excess)
            moves, left_out = moves + 1, left_out + int((~touched).sum())
            if rng.random() < 0.5:
                copy_anchors(scratch.anchors, kept)
            else:
                apply(board, 0, back)
    assert moves > 300
    assert left_out > 100  # the shortcut was taken


def test_nobody_is_followed_beyond_the_longest_follow_up_of_an_earlier_cut() -> None:
    rng = np.random.default_rng(3)
    state, kinds = np.array([9], np.uint64), set()
    for _ in range(20):
        board = board_of_two_cuts(rng)
        seen = np.zeros(60, np.bool_)
        for _ in range(200):
            move = propose_cut(board, 0, 1, LATEST, state)
            if move.kind != NOTHING:
                apply(board, 0, move)
                kinds.add(int(move.kind))
                assert board.home[0, last_exit(board, 0, 0, seen)] <= LATEST[0]
                cut = board.patient[0][board.cut[0] == 0]
                assert np.unique(cut).size == cut.size
    assert kinds == {OWNER, PLACE}


def test_a_lower_limit_that_is_surely_above_a_level_is_above_it() -> None:
    rng = np.random.default_rng(1)
    skipped = 0
    for _ in range(20_000):
        survival, level, z = rng.random(), rng.random(), rng.uniform(0.5, 4)
        greenwood = 10 ** rng.uniform(-6, 1)
        if surely_above(survival, greenwood, z, LOG_LOG, level):
            hazard = -math.log(survival)
            assert math.exp(-hazard * math.exp(z * math.sqrt(greenwood) / hazard)) > level
            skipped += 1
    assert skipped > 1000


@pytest.mark.parametrize("z", [Z, -Z])
def test_limits_are_reached_where_the_formula_says(z: float) -> None:
    rng = np.random.default_rng(2)
    for _ in range(5_000):
        survival, greenwood = rng.uniform(0.02, 0.98), 10 ** rng.uniform(-5, -1)
        hazard = -math.log(survival)
        limit = math.exp(-hazard * math.exp(z * math.sqrt(greenwood) / hazard))
        assert limit_reached(survival, greenwood, z, LOG_LOG, 0.5) == (limit <= 0.5)


def two_arms(rng: np.random.Generator, n: int = 80) -> tuple[np.ndarray, np.ndarray, Parts]:
    times = np.sort(rng.exponential([[10.0], [14.0]], (2, n)), axis=1)
    event = rng.random((1, 2, n)) < 0.7
    parts = Parts(
        size=np.array([[n, n]]),
        point=np.tile(np.arange(n), (1, 2, 1)),
        event=event,
        stratum=np.zeros((1, 2, n), np.int64),
        events=event.sum(axis=2),
        strata=np.ones(1, np.int64),
    )
    return times[0], times[1], parts


def test_a_comparison_with_a_limit_is_given_up_only_beyond_it() -> None:
    rng = np.random.default_rng(4)
    every, left, at_risk = np.ones(1, np.bool_), np.empty((2, 1)), np.empty((160, 3))
    asked = RatioBoxes(np.array([[-0.6, -0.5, -1.1, -1.0, -0.1, 0.0, Z]]), np.array([[2.0, 2.1, 0.0]]))
    given_up = 0
    for _ in range(200):
        control, experimental, parts = two_arms(rng)
        values, some = np.zeros((1, 4)), np.zeros((1, 4))
        whole = compare(control, experimental, parts, asked, every, np.inf, values, at_risk, left)
        limit = whole * rng.uniform(0.5, 1.5)
        short = compare(control, experimental, parts, asked, every, limit, some, at_risk, left)
        if whole > limit:
            assert short == np.inf
            given_up += 1
        else:
            assert short == whole
            np.testing.assert_array_equal(some, values)
    assert 20 < given_up < 180


def test_what_a_swap_between_a_subgroup_and_the_rest_does_to_its_ratio_is_foreseen() -> None:
    rng = np.random.default_rng(6)
    state, right, total = np.array([11], np.uint64), 0, 0
    every, left, at_risk = np.ones(1, np.bool_), np.empty((2, 1)), np.empty((160, 3))
    number = 80
    none = Worst(0, 0, 0.0, -1, -1, False)
    for _ in range(100):
        control, experimental, whole = two_arms(rng, number)
        group = (rng.random((2, number)) < 0.5).astype(np.int64)
        board = Board(
            time=np.stack([control, experimental]),
            home=np.stack([control, experimental]),
            patient=np.tile(np.arange(number), (2, 1)),
            cut=np.zeros((2, number), np.int64),
            odds=np.zeros((2, number)),
            points=np.array([number, number]),
            event=whole.event[0].copy(),
            group=group,
            size=np.array([number, number]),
        )
        one = np.zeros(1, np.int64)
        analyses = Analyses(cut=one, group=one, inside=np.ones(1, np.bool_), strata=one, last=one)
        asked = RatioBoxes(np.array([[-1.5, -1.4, -2.0, -1.9, -1.0, -0.9, Z]]), np.array([[-np.inf, np.inf, 0.0]]))

        def value(board: Board, asked: RatioBoxes = asked) -> tuple[np.ndarray, Parts]:
            inside = [np.flatnonzero(board.group[arm]) for arm in range(2)]
            most = max(rows.size for rows in inside)
            point, event = np.zeros((1, 2, most), np.int64), np.zeros((1, 2, most), np.bool_)
            for arm, rows in enumerate(inside):
                point[0, arm, : rows.size], event[0, arm, : rows.size] = rows, board.event[arm, rows]
            sizes, events = np.array([[rows.size for rows in inside]]), event.sum(axis=2)
            parts = Parts(sizes, point, event, np.zeros((1, 2, most), np.int64), events, np.ones(1, np.int64))
            values = np.zeros((1, 4))
            compare(board.time[0], board.time[1], parts, asked, every, np.inf, values, at_risk, left)
            return values, parts

        values, parts = value(board)
        for arm in range(2):
            move = propose_group(board, arm, 0, 0, none, state)
            if move.kind == NOTHING:
                continue
            standing = Standing(values, asked.ratio, parts.events, parts.size)
            foreseen = expected_miss(board, arm, analyses, 0, move, standing) - values[0, 3]
            back = apply(board, arm, move)
            true = value(board)[0][0, 3] - values[0, 3]
            apply(board, arm, back)
            if abs(true) > 0.01:
                right, total = right + int(np.sign(true) == np.sign(foreseen)), total + 1
    assert total > 30
    assert right / total > 0.85


def test_one_event_more_makes_the_interval_narrower() -> None:
    n = 40
    board = Board(
        time=np.arange(1.0, n + 1)[None].repeat(2, 0),
        home=np.arange(1.0, n + 1)[None].repeat(2, 0),
        patient=np.tile(np.arange(n), (2, 1)),
        cut=np.zeros((2, n), np.int64),
        odds=np.zeros((2, n)),
        points=np.array([n, n]),
        event=np.tile(np.arange(n) % 2 == 0, (2, 1)),
        group=np.tile((np.arange(n) // 2) % 2, (2, 1)),
        size=np.array([n, n]),
    )
    one = np.zeros(1, np.int64)
    analyses = Analyses(cut=one, group=one, inside=np.ones(1, np.bool_), strata=one, last=one)
    # the estimate may be anything, the interval is twice as wide as it may be: only its width counts
    error, beta = 0.8, 0.0
    box = np.array([[-20.0, 20.0, -0.4, 20.0, -20.0, 0.4, Z]])
    standing = Standing(np.array([[beta, error, 0.0, 0.4]]), box, np.array([[10, 10]]), np.array([[20, 20]]))
    widths = []
    for member, other in ((3, 0), (2, 1)):  # an event for a censoring, and the other way round
        for arm in range(2):
            missed = expected_miss(board, arm, analyses, 0, Move(GROUP, member, other, 0, 0.0, 0.0), standing)
            residual = [board.event[arm, k] + 0.5 * math.log(1 - (k + 0.5) / n) for k in (other, member)]
            shift = (residual[0] - residual[1]) * (error / Z) ** 2
            widths.append(missed - abs(shift) + 0.4)  # what the interval's half width would be
    assert widths == pytest.approx([error * (1 - 1 / 40)] * 2 + [error * (1 + 1 / 40)] * 2)
