"""The search for patients that several analyses share: its shortcuts give what the long way gives."""

import math

import numpy as np
import pytest

from analysis.reconstruction.repair.anchors import (
    NOWHERE,
    Aims,
    Scratch,
    bound_arm,
    copy_anchors,
    last_exit,
    new_scratch,
    no_anchors,
)
from analysis.reconstruction.repair.board import Analyses, Asked, Board, PackedBoxes
from analysis.reconstruction.repair.limits import limit_reached, surely_above
from analysis.reconstruction.repair.moves import NOTHING, OWNER, PLACE, apply, mark_touched
from analysis.reconstruction.repair.nested import (
    NESTED,
    missed_after,
    propose_cut,
    propose_group,
    propose_nested,
)
from analysis.reconstruction.repair.ratios import Parts, compare
from analysis.reconstruction.repair.regroup import regroup, settled
from analysis.reconstruction.repair.swaps import (
    Standing,
    choose_analysis,
    no_standing,
    propose_flags,
    read_part,
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


def test_bounds_of_the_analyses_that_a_move_touches_are_enough() -> None:
    rng = np.random.default_rng(7)
    analyses, packed, every = analyses_of_all(), packed_boxes(), np.ones(3, np.bool_)
    open_, state = np.full(3, -1), np.array([5], np.uint64)
    aims = Aims(np.zeros(3, np.int64), np.zeros(3), NOWHERE)
    standing, left_out, moves = no_standing(3), 0, 0
    for _ in range(20):
        board = board_of_two_cuts(rng)
        points = int(board.points[0])
        scratch, fresh = (new_scratch(points, 60, packed, 0.02) for _ in range(2))
        kept, touched = no_anchors(packed), np.ones(3, np.bool_)
        bound_arm(board, 0, analyses, packed, open_, LATEST, every, scratch)
        copy_anchors(scratch.anchors, kept)
        for _ in range(200):
            v = choose_analysis(standing.values, aims.excess, state)
            move = (
                propose_nested(board, 0, analyses, v, standing, LATEST, aims, scratch.listing, state)
                if v > 0 and rng.random() < NESTED
                else propose_flags(board, 0, analyses, NOWHERE, scratch.listing, state)
            )
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
        weight=np.ones(1),
    )
    return times[0], times[1], parts


def test_a_comparison_with_a_limit_is_given_up_only_beyond_it() -> None:
    rng = np.random.default_rng(4)
    every, left, at_risk = np.ones(1, np.bool_), np.empty((2, 1)), np.empty((160, 4))
    asked = RatioBoxes(np.array([[-0.6, -0.5, -1.1, -1.0, -0.1, 0.0, Z]]), np.array([[2.0, 2.1, 0.0]]))
    given_up = 0
    for _ in range(200):
        control, experimental, parts = two_arms(rng)
        values, some = np.zeros((1, 4)), np.zeros((1, 4))
        whole = compare(control, experimental, parts, asked, every, np.inf, values, at_risk, left)
        half = parts._replace(weight=np.array([0.5]))
        assert compare(control, experimental, half, asked, every, np.inf, some, at_risk, left) == 0.5 * whole
        some[:] = 0.0
        limit = whole * rng.uniform(0.5, 1.5)
        short = compare(control, experimental, parts, asked, every, limit, some, at_risk, left)
        if whole > limit:
            assert short == some[0, 3] == np.inf
            given_up += 1
        else:
            assert short == whole
            np.testing.assert_array_equal(some, values)
    assert 20 < given_up < 180


NUMBER = 80


def trial_with_a_subgroup(rng: np.random.Generator) -> tuple[Board, Analyses, Parts]:
    """Two arms, all patients and a subgroup of a third of them; nobody is read yet."""
    control, experimental, whole = two_arms(rng, NUMBER)
    times = np.stack([control, experimental])
    board = Board(
        time=times.copy(),
        home=times.copy(),
        patient=np.tile(np.arange(NUMBER), (2, 1)),
        cut=np.zeros((2, NUMBER), np.int64),
        odds=np.zeros((2, NUMBER)),
        points=np.array([NUMBER, NUMBER]),
        event=whole.event[0].copy(),
        group=np.stack([rng.permutation(np.arange(NUMBER) < 27) for _ in range(2)]).astype(np.int64),
        size=np.array([NUMBER, NUMBER]),
    )
    two = np.zeros(2, np.int64)
    analyses = Analyses(cut=two, group=np.array([-1, 0]), inside=np.ones(2, np.bool_), strata=two, last=two)
    shape = (2, 2, NUMBER)
    return (
        board,
        analyses,
        Parts(
            size=np.zeros((2, 2), np.int64),
            point=np.zeros(shape, np.int64),
            event=np.zeros(shape, np.bool_),
            stratum=np.zeros(shape, np.int64),
            events=np.zeros((2, 2), np.int64),
            strata=np.ones(2, np.int64),
            weight=np.ones(2),
        ),
    )


def stand(board: Board, analyses: Analyses, parts: Parts, boxes: RatioBoxes) -> tuple[Standing, Scratch]:
    """Read both arms and compare them."""
    scratch = new_scratch(NUMBER, NUMBER, no_boxes(), 1.0)
    standing = Standing(np.zeros((2, 4)), np.zeros((2, 4)), parts, boxes, np.empty((2 * NUMBER, 4)), np.empty((2, 1)))
    for v in range(2):
        for arm in range(2):
            read_part(board, analyses, v, arm, scratch.listing, parts)
    every, values = np.ones(2, np.bool_), standing.values
    compare(board.time[0], board.time[1], parts, boxes, every, np.inf, values, standing.at_risk, standing.left)
    return standing, scratch


def no_boxes(quantiles: np.ndarray | None = None) -> PackedBoxes:
    """Boxes of the curves of two analyses and two arms; the quantiles, if any, are those of the last."""
    rows = np.empty((0, 6)) if quantiles is None else quantiles
    starts = np.zeros((2, 2, 4, 2), np.int64)
    starts[1, 1, 0, 1] = len(rows)
    return PackedBoxes(rows, np.empty((0, 4)), np.empty((0, 2)), np.empty((0, 9)), starts)


def boxes_around(values: np.ndarray) -> RatioBoxes:
    """Print the ratios, limits and tests of comparisons to two digits."""
    beta, error, z = values[:, 0], values[:, 1], values[:, 2]
    edges = [beta - 0.005, beta + 0.005, beta - error - 0.005, beta - error + 0.005]
    edges += [beta + error - 0.005, beta + error + 0.005, np.full(2, Z)]
    return RatioBoxes(np.stack(edges, axis=1), np.stack([z - 0.001, z + 0.001, np.zeros(2)], axis=1))


FREE = RatioBoxes(np.array([[-1.5, -1.4, -2.0, -1.9, -1.0, -0.9, Z]] * 2), np.array([[-1.0, 9.0, 0.0]] * 2))


def test_what_a_swap_between_a_subgroup_and_the_rest_does_to_its_comparison_is_foreseen() -> None:
    rng = np.random.default_rng(6)
    state, total = np.array([11], np.uint64), 0
    for _ in range(100):
        board, analyses, parts = trial_with_a_subgroup(rng)
        standing, scratch = stand(board, analyses, parts, FREE)
        for arm in range(2):
            move = propose_group(board, arm, 0, 0, NOWHERE, state)
            if move.kind == NOTHING:
                continue
            before, missed = board.group.copy(), standing.values[1, 3]
            standing.trial[:] = standing.values
            foreseen = missed_after(board, arm, analyses, 1, move, standing, scratch.listing)
            np.testing.assert_array_equal(board.group, before)
            np.testing.assert_array_equal(standing.trial, standing.values)
            assert standing.values[1, 3] == missed
            back = apply(board, arm, move)
            true = stand(board, analyses, parts, FREE)[0].values[1, 3]
            apply(board, arm, back)
            stand(board, analyses, parts, FREE)
            assert foreseen == pytest.approx(true, abs=1e-6) if true < missed else foreseen >= missed - 1e-6
            total += 1
    assert total > 40


def test_a_subgroup_is_found_that_gives_its_own_numbers_back_and_nothing_else_changes() -> None:
    rng = np.random.default_rng(8)
    found = 0
    for seed in range(20):
        board, analyses, parts = trial_with_a_subgroup(rng)
        true, _ = stand(board, analyses, parts, FREE)
        boxes, events = boxes_around(true.values), parts.events[1].sum()
        for arm in range(2):
            board.group[arm] = rng.permutation(board.group[arm])
        medians = np.array([[0.5, 0.0, LOG_LOG, 2.0, 60.0, 1.0]])  # reached, somewhere in these months
        asked = Asked(
            analyses,
            no_boxes(medians),
            boxes,
            boxes.test,
            np.array([-1, events]),
            np.zeros(2, np.bool_),
            np.full(1, np.inf),
        )
        standing, _ = stand(board, analyses, parts, boxes)
        scratch = new_scratch(NUMBER, NUMBER, no_boxes(medians), 1.0)
        whole, times, sizes = standing.values[0].copy(), board.time.copy(), board.group.sum(axis=1)
        touched, open_ = np.array([False, True]), np.full((2, 2), -1)
        missed = standing.values[1, 3]
        regroup(board, asked, 0, touched, open_, standing, scratch, np.array([seed], np.uint64))
        np.testing.assert_array_equal(board.time, times)
        np.testing.assert_array_equal(board.group.sum(axis=1), sizes)
        np.testing.assert_array_equal(standing.values[0], whole)
        again = stand(board, analyses, parts, boxes)[0].values
        np.testing.assert_allclose(standing.values, again, atol=1e-6)  # what it says is what these patients give
        assert again[1, 3] <= missed
        if settled(again, parts, asked.totals, touched):
            assert parts.events[1].sum() == events
            found += 1
    assert found >= 15


def test_a_subgroup_that_is_as_near_as_it_can_be_is_not_left_worse() -> None:
    rng = np.random.default_rng(9)
    for _ in range(5):
        board, analyses, parts = trial_with_a_subgroup(rng)
        true, _ = stand(board, analyses, parts, FREE)
        boxes = boxes_around(true.values)
        boxes.test[1, :2] += 3.0  # a test that no patients with this ratio give
        nobody = np.array([-1, -1])
        asked = Asked(analyses, no_boxes(), boxes, boxes.test, nobody, np.zeros(2, np.bool_), np.full(1, np.inf))
        standing, scratch = stand(board, analyses, parts, boxes)
        touched, open_ = np.array([False, True]), np.full((2, 2), -1)
        missed = [standing.values[1, 3]]
        for seed in range(6):
            regroup(board, asked, 0, touched, open_, standing, scratch, np.array([seed], np.uint64))
            missed.append(standing.values[1, 3])
        assert missed[0] > missed[-1] > 0.0
        assert missed == sorted(missed, reverse=True)
