"""The compiled pieces of the engine against independent computations of the same statistics."""

import math

import numpy as np
import pytest
from lifelines.statistics import logrank_test

from analysis.reconstruction import ShapePrior
from analysis.reconstruction.repair.anchors import new_scratch
from analysis.reconstruction.repair.bends import Stretches, apply_bends, tune
from analysis.reconstruction.repair.board import Analyses, Board, PackedBoxes
from analysis.reconstruction.repair.bounds import find_anchors
from analysis.reconstruction.repair.moving import move_between
from analysis.reconstruction.repair.patients import draw_arm, fill_odds, gather_at_visits
from analysis.reconstruction.repair.ratios import Parts, cox, log_rank, risk_sets, statistic
from analysis.reconstruction.repair.search import reorder
from analysis.reconstruction.repair.swaps import no_standing
from analysis.reconstruction.report.block import Block
from analysis.reconstruction.report.requirements import FORMS, read_requirements
from analysis.reconstruction.solve import forward
from analysis.reconstruction.solve.conditioning import FROM_NEAR, condition
from analysis.reconstruction.solve.problem import pose
from analysis.reconstruction.solve.tangents import slopes
from analysis.reconstruction.terms import LEFT, TEST, TEST_BEYOND, Boxes, Frame, RatioBoxes
from analysis.reported import AtRisk, Landmark, ReportedArm, ReportedComparison
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.survival.estimators import kaplan_meier, reverse_kaplan_meier

Z = 1.959963984540054


def sample(seed: int, n: int = 83) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    failure, end = rng.weibull(1.3, n) * 10, rng.uniform(3, 40, n)
    time, event = np.minimum(failure, end), failure <= end
    order = np.argsort(time)
    return time[order], event[order]


def boxes(**given: np.ndarray) -> Boxes:
    widths = {"quantiles": 6, "follow_up": 4, "ticks": 2, "landmarks": 9}
    return Boxes(**{name: given.get(name, np.empty((0, width))) for name, width in widths.items()})


def board_of(time: np.ndarray, event: np.ndarray) -> Board:
    """One arm, seen by one analysis."""
    n = time.size
    own = np.arange(n)[None].copy()
    zeros = np.zeros((1, n), dtype=np.int64)
    return Board(
        time=time[None].copy(),
        home=time[None].copy(),
        patient=own,
        cut=zeros,
        odds=np.zeros((1, n)),
        points=np.array([n]),
        event=event[None].copy(),
        group=zeros.copy(),
        size=np.array([n]),
    )


def search(time: np.ndarray, event: np.ndarray, asked: Boxes, steps: int, seed: int) -> tuple[float, np.ndarray, tuple]:
    """Reorder one arm; returns what is left over, the event flags in order, and the bounds."""
    board, n = board_of(time, event), time.size
    ends = np.array([[[[0, box.shape[0]] for box in asked]]])
    packed = PackedBoxes(*asked, ends)
    none = np.zeros(1, np.int64)
    analyses = Analyses(cut=none, group=none - 1, inside=np.ones(1, np.bool_), strata=none, last=none)
    scratch = new_scratch(n, n, packed, 1.0)
    state = np.array([seed], dtype=np.uint64)
    left = reorder(
        board, 0, analyses, packed, np.array([-1]), np.array([np.inf]), steps, False, no_standing(1), scratch, state
    )
    return left, board.event[0], (scratch.low, scratch.high, scratch.work)


def comparison_of(t0: np.ndarray, e0: np.ndarray, t1: np.ndarray, e1: np.ndarray) -> tuple[np.ndarray, int, Parts]:
    """Patients of two arms as the comparison reads them, and their risk sets."""
    most = max(t0.size, t1.size)
    parts = Parts(
        size=np.array([[t0.size, t1.size]]),
        point=np.tile(np.arange(most), (1, 2, 1)),
        event=np.zeros((1, 2, most), dtype=np.bool_),
        stratum=np.zeros((1, 2, most), dtype=np.int64),
        events=np.array([[e0.sum(), e1.sum()]]),
        strata=np.ones(1, dtype=np.int64),
        weight=np.ones(1),
    )
    parts.event[0, 0, : e0.size], parts.event[0, 1, : e1.size] = e0, e1
    at_risk = np.empty((t0.size + t1.size, 4))
    return at_risk, risk_sets(t0, t1, parts, 0, at_risk, np.empty((2, 1))), parts


def report(p_value: str = "0.018") -> ReportedComparison:
    control = ReportedArm(
        "control",
        n=120,
        median="6.1",
        median_ci=("5.0", "7.4"),
        median_follow_up="18.0",
        landmarks=(Landmark("6", "51.0%", ci=("41%", "60%")), Landmark("12", "24.0%")),
        at_risk=AtRisk((0, 6, 12), (120, 60, 25)),
    )
    experimental = ReportedArm("experimental", n=118, median="9.0", median_ci=("7.2", "not reached"))
    return ReportedComparison(
        "PFS",
        [control, experimental],
        control="control",
        hazard_ratio=("0.70", "0.52", "0.94"),
        events_total=180,
        p_value=p_value,
    )


@pytest.mark.parametrize(("p_value", "kinds"), [("0.018", {TEST}), ("< 0.0001", {TEST_BEYOND})])
def test_slopes_are_the_derivatives_of_the_residuals(p_value: str, kinds: set[int]) -> None:
    required = read_requirements(report(p_value), "log-log")
    problem = pose(Block.single(report(p_value), required), ShapePrior.shipped().for_endpoint("PFS"))
    assert set(required.equations.kind) == {*range(10), LEFT} | kinds  # every kind of equation is in these reports
    x = problem.mean + 0.5 * problem.root @ np.random.default_rng(4).standard_normal(problem.mean.size)
    widths = problem.frame.edges.size + problem.frame.lengths.size
    room = 4 * (widths + 8)
    cells, paths = np.empty(room), np.empty((5, 2, room))
    tangents = np.empty((2, 5, widths, room))
    targets, size = required.boxes.mean(axis=1), len(required.boxes)
    targets[required.equations.kind == LEFT] = 100.0  # more than are left at 6 months
    out, values = np.empty((size, x.size)), np.empty(size)
    common = (problem.frame, required.equations, targets)
    count = forward.residuals(x, *common, cells, paths, values)
    assert (values[required.equations.kind == LEFT] > 0).all()
    slopes(x, *common, values, cells, count, paths, tangents, out)
    for k in range(x.size - 2):
        above, below = np.empty(size), np.empty(size)
        for sign, into in ((1, above), (-1, below)):
            moved = x.copy()
            moved[k] += sign * 1e-5
            forward.residuals(moved, *common, cells, paths, into)
        np.testing.assert_allclose(out[:, k], (above - below) / 2e-5, atol=2e-8)


def test_expected_paths_are_those_of_two_exponentials() -> None:
    event, censor, n = 0.08, 0.03, 200.0
    edges, lengths = np.array([0.0, 0.5, 1.5]), np.array([0.0, 1.0])
    m, f = 5.0, 9.0
    x = np.concatenate([np.full(3, math.log(event * m)), np.full(2, math.log(censor * f)), np.log([m, f])])
    cells, paths = np.empty(60), np.empty((5, 1, 60))
    frame = Frame(edges, lengths, np.array([n]))
    count = forward.lay_cells(x, frame, cells)
    forward.fill_paths(x, frame, cells, count, paths)
    t = cells[:count]
    total = event + censor
    np.testing.assert_allclose(paths[0, 0, :count], event * t)
    np.testing.assert_allclose(paths[4, 0, :count], n * np.exp(-total * t))
    np.testing.assert_allclose(paths[3, 0, :count], n * event / total * (1 - np.exp(-total * t)))
    np.testing.assert_allclose(paths[2, 0, :count], event / (n * total) * np.expm1(total * t), rtol=1e-9)


def test_cox_and_log_rank_agree_with_the_library() -> None:
    for seed in range(5):
        (t0, e0), (t1, e1) = sample(seed), sample(seed + 100, 61)
        t1 = t1 * 1.4
        time, event = np.concatenate([t0, t1]), np.concatenate([e0, e1])
        experimental = np.repeat([False, True], [t0.size, t1.size])
        at_risk, events, _ = comparison_of(t0, e0, t1, e1)
        beta, information = cox(at_risk, events, 0.0)
        expected = CoxHazardRatio().analyse(time, event, experimental)
        assert math.exp(beta) == pytest.approx(expected.estimate, rel=1e-6)
        assert information**-0.5 == pytest.approx(expected.std_error, rel=1e-6)
        z = statistic(*log_rank(at_risk, events))
        assert z**2 == pytest.approx(logrank_test(t0, t1, e0, e1).test_statistic, rel=1e-9)
        assert (z > 0) == (beta < 0)


@pytest.mark.parametrize("step", [0.25, 1.0, 3.0])
def test_tied_events_are_compared_as_the_library_compares_them(step: float) -> None:
    for seed in range(20):
        (t0, e0), (t1, e1) = sample(seed, 60), sample(seed + 100, 25)
        t0, t1 = (np.ceil(t / step) * step for t in (t0, t1))  # within the arms and between them
        (t0, e0), (t1, e1) = ((t[order], e[order]) for t, e in ((t0, e0), (t1, e1)) for order in [np.lexsort((~e, t))])
        at_risk, events, _ = comparison_of(t0, e0, t1, e1)
        time, event = np.concatenate([t0, t1]), np.concatenate([e0, e1])
        experimental = np.repeat([False, True], [60, 25])
        ratio, test = (one().analyse(time, event, experimental) for one in (CoxHazardRatio, LogRank))
        beta, information = cox(at_risk, events, 0.0)
        assert math.exp(beta) == pytest.approx(ratio.estimate, rel=1e-6)
        assert statistic(*log_rank(at_risk, events)) == pytest.approx(test.z, rel=1e-9)
        if step < 3.0:  # the variance of Efron's sums within a tie is not that of his score
            assert 1 / math.sqrt(information) == pytest.approx(ratio.std_error, rel=2e-3)


def test_a_ratio_and_a_test_that_few_free_patients_can_give_are_found() -> None:
    stops = np.arange(5, 40, 6)  # patients that must not move
    ends = np.column_stack([np.r_[-1, stops], np.r_[stops, 40]])
    free = Stretches(np.stack([ends, ends]), np.array([len(ends)] * 2))
    met = 0
    for seed in range(20):
        (t0, e0), (t1, e1) = sample(seed, 40), sample(seed + 100, 40)
        work0, work1 = np.empty(40), np.empty(40)
        strength = np.random.default_rng(seed).uniform(-0.9, 0.9, 2 * len(ends))
        apply_bends(t0, t1, free, strength, work0, work1)
        at_risk, events, parts = comparison_of(work0, e0, work1, e1)
        beta, z = cox(at_risk, events, 0.0)[0], statistic(*log_rank(at_risk, events))  # feasible: these bends give them
        ratio = np.array([[beta - 0.004, beta + 0.004, -20.0, 20.0, -20.0, 20.0, Z]])
        asked = RatioBoxes(ratio, np.array([[z - 0.01, z + 0.01, 0.0]]))
        fixed = t0[stops].copy()
        miss = tune(t0, t1, parts, free, asked, 400, np.array([seed + 1], dtype=np.uint64))
        at_risk, events, _ = comparison_of(t0, e0, t1, e1)
        found, test = cox(at_risk, events, 0.0)[0], statistic(*log_rank(at_risk, events))
        assert (miss == 0.0) == (abs(found - beta) <= 0.004 and abs(test - z) <= 0.01)
        np.testing.assert_array_equal(t0[stops], fixed)
        met += miss == 0.0
    assert met >= 19


@pytest.mark.parametrize("scale", FORMS)
def test_bounds_stand_at_the_patients_that_decide_each_quantile(scale: str) -> None:
    for seed in range(6):
        time, event = sample(seed)
        form = FORMS[scale]
        curve = kaplan_meier(time, event)
        lower, upper = curve.median_ci(0.95, scale=scale)
        truth = [curve.median(), lower, upper]
        edges = [(t - 0.01, t + 0.01, 1.0) if np.isfinite(t) else (0.0, np.inf, 0.0) for t in truth]
        quantiles = np.array([(0.5, z, form, *box) for z, box in zip((0, Z, -Z), edges, strict=True)])
        followed = reverse_kaplan_meier(time, event).median()
        follow_up = np.array([[0.5, followed - 0.01, followed + 0.01, float(np.isfinite(followed))]])
        asked = boxes(quantiles=quantiles, follow_up=follow_up)
        low, high, work, gaps = np.empty(84), np.empty(84), np.empty((2, 84)), np.empty((2, 3))
        reached = np.empty(3, np.int64)
        assert find_anchors(time, event, asked, low, high, work, gaps, reached) == 0
        for t in [t for t in (*truth, followed) if np.isfinite(t)]:
            at = int(np.argmin(abs(time - t)))
            assert low[at] == pytest.approx(t - 0.01, abs=1e-5)
            assert high[at] == pytest.approx(t + 0.01, abs=1e-5)


def test_times_move_into_their_bounds_and_keep_their_order() -> None:
    time, event = sample(8)
    n = time.size
    at_ten = int((time >= 10).sum()) - 5  # five more leave before month 10 than did
    ticks = np.array([[10.0, at_ten]])
    low, high, work, gaps = np.empty(n + 1), np.empty(n + 1), np.empty((2, n + 1)), np.empty((2, 3))
    assert find_anchors(time, event, boxes(ticks=ticks), low, high, work, gaps, np.empty(0, np.int64)) == 0
    moved = time.copy()
    move_between(moved, low, high, work)
    assert (moved >= 10).sum() == at_ten
    assert (np.diff(moved) > 0).all()
    assert np.abs(moved - time).max() < 3


def test_patients_follow_the_path_that_they_are_drawn_along() -> None:
    cells = np.linspace(0, 60, 600)
    n, event, censor = 400.0, 0.08, 0.02
    at_risk = n * np.exp(-(event + censor) * cells)
    events = (n - at_risk) * event / (event + censor)
    path = np.stack([event * cells, censor * cells, 0 * cells, events, at_risk])
    total = round(events[-1])
    time, flag = np.empty(400), np.empty(400, dtype=np.bool_)
    ranks, jitter = np.arange(total) + 0.5, np.full(400, 0.5)
    draw_arm(cells, cells.size, path, 400, total, ranks, jitter, np.inf, time, flag)
    assert flag.sum() == total
    t = np.array([2.0, 5.0, 10.0, 20.0])
    np.testing.assert_allclose(kaplan_meier(time, flag).survival_at(t), np.exp(-event * t), atol=0.004)
    seen = round(np.interp(12.0, cells, events))
    draw_arm(cells, cells.size, path, 400, seen, np.arange(seen) + 0.5, jitter, 12.0, time, flag)
    assert flag.sum() == seen
    assert time[flag].max() < 12.0  # whoever is left then is censored, as many as the path leaves
    assert np.sum(time >= 12.0) == pytest.approx(n * np.exp(-0.1 * 12.0), abs=1)
    np.testing.assert_allclose(kaplan_meier(time, flag).survival_at(t[:3]), np.exp(-event * t[:3]), atol=0.004)


@pytest.mark.parametrize(
    ("median", "interval", "ratio"),
    [
        ("9.0", ("7.2", "12.1"), ("0.70", "0.52", "0.94")),
        ("not reached", ("9.0", "not reached"), ("0.40", "0.28", "0.57")),
    ],
)
def test_draws_are_moved_onto_the_report_and_stay_apart(
    median: str, interval: tuple[str, str], ratio: tuple[str, str, str]
) -> None:
    arms = [report().arms[0], ReportedArm("experimental", n=118, median=median, median_ci=interval)]
    given = ReportedComparison("PFS", arms, control="control", hazard_ratio=ratio)
    problem = pose(
        Block.single(given, required := read_requirements(given, "log-log")), ShapePrior.shipped().for_endpoint("PFS")
    )
    rng = np.random.default_rng(6)
    start = problem.mean + rng.standard_normal((40, problem.mean.size)) @ problem.root.T
    targets = np.tile(required.boxes.mean(axis=1), (40, 1))
    solved = np.empty_like(start)
    worst = condition(
        start,
        problem.mode,
        FROM_NEAR,
        problem.covariance,
        problem.precision,
        problem.noise,
        problem.frame,
        problem.equations,
        targets,
        solved,
    )
    assert np.median(worst) < 4  # standard deviations of the error allowed
    apart = np.abs(solved - problem.mode).max(axis=1)
    assert apart.min() > 0.1  # none stuck where it set out


def arm_with_a_landmark(seed: int, n: int = 240) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Patients, a rate at month 6 read off another sample's order, and numbers at risk that they have."""
    time, event = sample(seed, n)
    other = np.random.default_rng(seed + 50).permutation(int((time < 6).sum()))
    shuffled = event.copy()
    shuffled[: other.size] = event[other]
    rate = float(kaplan_meier(time, shuffled).survival_at(6.0))
    shown = round(100 * rate, 1) / 100
    landmarks = np.array([[6.0, shown - 0.0005, shown + 0.0005, 0, 0, *[np.nan] * 4]])
    ticks = np.array([[t, (time >= t).sum()] for t in (6.0, 12.0)], dtype=float)
    return time, event, landmarks, ticks


def test_swaps_bring_a_rate_into_its_box_and_keep_the_numbers_at_risk() -> None:
    for seed in range(8):
        time, event, landmarks, ticks = arm_with_a_landmark(seed)
        left, swapped, bounds = search(time, event, boxes(ticks=ticks, landmarks=landmarks), 400, seed + 1)
        assert left == 0.0
        assert swapped.sum() == event.sum()
        move_between(time, *bounds)
        assert abs(float(kaplan_meier(time, swapped).survival_at(6.0)) - landmarks[0, 1:3].mean()) <= 0.0005
        assert [(time >= t).sum() for t, _ in ticks] == list(ticks[:, 1])


def test_an_event_that_reaches_a_median_not_reached_is_swapped_away() -> None:
    time = np.linspace(0.5, 30, 60)
    event = np.zeros(60, dtype=np.bool_)
    event[[3, 9, 20, 59]] = True  # the last patient's event takes S to 0
    asked = boxes(quantiles=np.array([[0.5, 0.0, 0, 0.0, np.inf, 0.0]]))
    low, high, work, gaps = np.empty(61), np.empty(61), np.empty((2, 61)), np.empty((2, 3))
    assert find_anchors(time, event, asked, low, high, work, gaps, np.empty(1, np.int64)) > 0
    assert gaps[-1, 0] == 59
    _, swapped, _ = search(time, event, asked, 50, 9)
    assert swapped.sum() == 4
    assert not np.isfinite(kaplan_meier(time, swapped).median())


def test_aimed_swaps_need_few_steps() -> None:
    """Swaps without an aim bring 23 of these 40 rates into their boxes in 50 steps, and 10 of these medians in 10."""
    rates = medians = 0
    for seed in range(40):
        time, event, landmarks, ticks = arm_with_a_landmark(seed)
        rates += search(time, event, boxes(ticks=ticks, landmarks=landmarks), 50, seed + 1)[0] == 0.0
        time, event = np.linspace(0.5, 30, 60), np.zeros(60, dtype=np.bool_)
        event[[3, 9, 20, 59]] = True
        not_reached = boxes(quantiles=np.array([[0.5, 0.0, 0, 0.0, np.inf, 0.0]]))
        medians += search(time, event, not_reached, 10, seed + 1)[0] == 0.0
    assert rates >= 31
    assert medians >= 36


def test_odds_are_those_of_the_hazards() -> None:
    cells = np.array([0.0, 10.0, 30.0])
    path = np.zeros((5, 3))
    path[0], path[1] = [0.0, 0.4, 1.0], [0.0, 0.1, 1.3]
    odds = np.empty(3)
    fill_odds(cells, 3, path, np.array([2.0, 9.0, 25.0]), odds)
    np.testing.assert_allclose(odds, np.log([4.0, 4.0, 0.5]))


def test_patients_are_gathered_around_visits_in_order() -> None:
    rng = np.random.default_rng(2)
    time = np.sort(rng.uniform(0, 24, 4000))
    event = rng.random(4000) < 0.6
    before, events = time.copy(), event.sum()
    gather_at_visits(time, event, 2.0, np.array([5], dtype=np.uint64))
    assert (np.diff(time) >= 0).all()
    assert event.sum() == events
    off = np.abs(time[time > 1.5] / 2.0 - np.round(time[time > 1.5] / 2.0))
    assert 0.82 < (off <= 0.15).mean() < 0.95  # 85% at visits, and those whose own time was near one
    assert abs(time.mean() - before.mean()) < 0.05  # the nearest visit: earlier as often as later
