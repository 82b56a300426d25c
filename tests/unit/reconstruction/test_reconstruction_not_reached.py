"""Levels that a curve must not reach, or not so late: how far it is off, where events go instead, which type fits."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from analysis.reconstruction import ShapePrior, from_report, reconstruct
from analysis.reconstruction.repair.board import Board
from analysis.reconstruction.repair.limits import lowest_limit
from analysis.reconstruction.repair.swaps import place_for_event
from analysis.reconstruction.terms import LOG_LOG
from analysis.reported import AtRisk, Landmark, ReportedArm, ReportedComparison

Z = 1.959963984540054


@pytest.mark.parametrize("scale", ["log-log", "log", "plain"])
def test_a_median_whose_limits_are_not_reached_is_met_by_nearly_all_draws(scale):
    arm = ReportedArm("only", n=100, events=39, median="not reached (95% CI not reached-not reached)")
    result = reconstruct(ReportedComparison("PFS", [arm]), 100, rng=1, scale=scale)
    assert result.faithful.all()
    assert result.diagnostics["met"] > 0.9


def test_rates_beside_limits_that_are_not_reached_are_met_by_many_draws():
    rates = (Landmark(6, "88.9%"), Landmark(12, "83.8%"))
    arm = ReportedArm("only", n=100, events=39, median="not reached (95% CI not reached-not reached)", landmarks=rates)
    result = reconstruct(ReportedComparison("PFS", [arm]), 100, rng=1, scale="log")
    assert result.faithful.all()
    assert result.diagnostics["met"] > 0.7


@pytest.mark.parametrize(
    ("n", "events", "median", "ticks", "counts"),
    [
        (30, 16, "7.7", (0, 2, 4, 6, 8, 10, 12), (30, 23, 19, 16, 15, 12, 5)),
        (200, None, "29.5", (0, 10, 20, 30, 40, 50, 60), (200, 156, 123, 100, 96, 91, 36)),
    ],
)
def test_a_median_to_which_numbers_at_risk_leave_only_events_is_met(n, events, median, ticks, counts):
    arm = ReportedArm("only", n=n, events=events, median=median, at_risk=AtRisk(ticks, counts))
    result = reconstruct(ReportedComparison("PFS", [arm]), 100, rng=1)
    assert result.faithful.all()
    assert result.diagnostics["met"] > 0.4  # a twentieth, unless moves know what clashes


def test_the_type_of_intervals_is_told_by_several_attempts_where_no_draw_made_once_fits(monkeypatch):
    arms = [
        ReportedArm("a", n=8, median="9.6 (2.4-16.5)"),
        ReportedArm("b", n=5, median="13.8 (0.9-not reached)"),
    ]
    report = ReportedComparison("PFS", arms, control="a", hazard_ratio="0.80 (0.20-3.22)", events_total=10)
    prior = ShapePrior.shipped().for_endpoint("PFS")

    def first(seed):
        seed = np.random.SeedSequence(seed)
        return next(iter(from_report._likely_first(from_report.SCALES_TRIED, report, prior, 200, seed, 1)))

    # the patients who gave these numbers have limits of type plain; of 100 draws one meets the others by chance
    assert [first(seed) for seed in (41042, 1, 2)] == ["plain"] * 3
    monkeypatch.setattr(from_report, "TRIED", from_report.TRIED[:1])
    assert first(1) == "log-log"  # the usual one, where draws made once tell nothing


@pytest.mark.parametrize("seed", range(5))
def test_the_lowest_limit_is_that_after_the_last_event(seed):
    rng = np.random.default_rng(seed)
    time, event = np.sort(rng.exponential(10, 40)), rng.random(40) < 0.5
    event[-1] = False  # or S ends at 0, where it has no limits
    at_risk = 40.0 - np.arange(40)
    survival = np.append(1.0, np.cumprod(np.where(event, 1 - 1 / at_risk, 1.0)))
    steps = np.divide(event, at_risk * (at_risk - 1), where=at_risk > 1, out=np.zeros(40))
    greenwood = np.append(0.0, np.cumsum(steps))
    theirs = KaplanMeierFitter().fit(time, event).confidence_interval_survival_function_.to_numpy()[-1]
    ours = [lowest_limit(event, survival, greenwood, side * Z, LOG_LOG) for side in (1, -1)]
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert lowest_limit(event, survival, greenwood, 0.0, LOG_LOG) == survival[-1]


def test_the_limits_of_a_curve_that_ends_at_0_are_those_before_its_end():
    event = np.array([True, False, True])
    survival, greenwood = np.array([1.0, 2 / 3, 2 / 3, 0.0]), np.array([0.0, 1 / 6, 1 / 6, 1 / 6])
    before = lowest_limit(event[:1], survival[:2], greenwood[:2], Z, LOG_LOG)
    assert lowest_limit(event, survival, greenwood, Z, LOG_LOG) == before > 0
    assert lowest_limit(event, survival, greenwood, 0.0, LOG_LOG) == 0.0
    assert (
        lowest_limit(event[1:2], survival[:2] / survival[:2], greenwood[:2] * 0, Z, LOG_LOG) == 1.0
    )  # no event at all


def test_an_event_goes_where_the_hazards_put_it_though_its_own_place_is_likelier():
    odds = np.log([1.0, 2.0, 4.0, 1e9, 1e9])
    event = np.array([False, False, False, True, True])
    own = np.arange(5)[None]
    board = Board(
        time=own + 1.0,
        home=own + 1.0,
        patient=own.copy(),
        cut=np.zeros((1, 5), np.int64),
        odds=odds[None].copy(),
        points=np.array([5]),
        event=event[None].copy(),
        group=np.zeros((1, 5), np.int64),
        size=np.array([5]),
    )
    state = np.array([7], dtype=np.uint64)
    chosen = np.array([place_for_event(board, 0, state) for _ in range(20_000)])
    shares = [np.mean(chosen == k) for k in range(5)]
    assert shares[3:] == [0, 0]
    assert 1.0 < shares[1] / shares[0] < 2.5
    assert 1.0 < shares[2] / shares[1] < 2.5
    board.event[:] = True
    assert place_for_event(board, 0, state) == -1
