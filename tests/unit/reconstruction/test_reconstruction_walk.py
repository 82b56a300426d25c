"""Members that miss a number are walked on from those that miss none, and patients keep clear of each other."""

import numpy as np
import pytest
from generated_reports import draw_data_set, draw_report
from generated_trials import draw_trial

from analysis import reconstruct
from analysis.reconstruction import ShapePrior, from_report, together
from analysis.reconstruction.repair import engine, walking
from analysis.reconstruction.repair.moving import CLEAR, GAP, move_between
from analysis.reconstruction.report.block import Block
from analysis.reconstruction.report.requirements import read_requirements
from analysis.reconstruction.solve.problem import pose
from analysis.reported import Landmark, ReportedArm, ReportedComparison
from analysis.survival.estimators import kaplan_meier


def small_arms() -> ReportedComparison:
    """Two small arms with rates of three digits and a p-value: few draws meet them all."""

    def arm(name: str, n: int, median: str, rates: tuple[str, ...]) -> ReportedArm:
        marks = tuple(Landmark(at, f"{rate}%") for at, rate in zip(("6", "12", "24"), rates, strict=True))
        return ReportedArm(name, n=n, median=median, landmarks=marks)

    arms = [arm("old", 20, "20.9", ("89.4", "70.3", "44.7")), arm("new", 23, "11.2", ("77.8", "48.5", "42.5"))]
    return ReportedComparison("PFS", arms, control="old", p_value="0.509", events_total=24)


def generated(seed: int) -> ReportedComparison:
    rng = np.random.default_rng([2026, seed])
    return draw_report(draw_data_set(rng), rng)


@pytest.fixture
def fewer_attempts(monkeypatch):
    monkeypatch.setattr(engine, "EFFORTS", engine.EFFORTS[:3])


def test_members_that_missed_a_number_are_others_that_miss_none(fewer_attempts):
    result = reconstruct(small_arms(), members=60, rng=1)
    assert 0.05 < result.diagnostics["met"] < 0.5
    assert result.diagnostics["distinct members"] == 60
    assert result.faithful.all()
    assert np.unique(result.time, axis=0).shape[0] == 60
    assert [finding.check for finding in result.findings] == []


def test_walked_members_are_the_same_for_any_number_of_threads(fewer_attempts):
    one, two = (reconstruct(small_arms(), members=120, rng=2, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.time, two.time)
    np.testing.assert_array_equal(one.event, two.event)


@pytest.mark.parametrize("seed", [60017, 60100])
def test_members_of_one_arm_and_of_three_are_walked_on_too(seed):
    report = generated(seed)
    assert len(report.arms) in (1, 3)
    result = reconstruct(report, members=60, rng=1)
    assert result.diagnostics["met"] < 0.9
    assert result.diagnostics["distinct members"] == 60
    assert result.faithful.all()
    assert np.unique(result.time, axis=0).shape[0] == 60


def test_members_of_several_reports_are_walked_on_too(monkeypatch):
    """Each analysis keeps its numbers on the way: events by cut, ratios, and those of the subgroup."""
    trial = draw_trial(np.random.default_rng([12, 110]))
    reports = [one for one in trial.reports if one.id.startswith("pfs-local")]
    one = reconstruct(reports, 60, rng=1, timeline=trial.timeline, threads=1)
    monkeypatch.setattr(together, "ENOUGH_DRAWN", 60)
    two = reconstruct(reports, 60, rng=1, timeline=trial.timeline, threads=2)
    assert one.diagnostics["draws"] > 60  # not all were met at once
    assert 0.1 < one.diagnostics["met"] < 0.9
    assert "few-members-drawn" not in {finding.check for finding in one.findings}
    [finding] = [finding for finding in two.findings if finding.check == "few-members-drawn"]
    assert finding.where == "PFS local"
    assert one.faithful.all()
    assert one.diagnostics["distinct members"] >= 57
    assert np.unique(one.endpoints["PFS local"].time, axis=0).shape[0] == one.diagnostics["distinct members"]
    np.testing.assert_array_equal(one.endpoints["PFS local"].time, two.endpoints["PFS local"].time)
    early, late = (one.analysis(f"pfs-local-{name}") for name in ("interim", "final"))
    assert (early.event.sum(axis=1) <= late.event.sum(axis=1)).all()


def test_few_kept_sources_are_enough(fewer_attempts, monkeypatch):
    monkeypatch.setattr(engine, "SOURCES", 4)
    result = reconstruct(small_arms(), members=100, rng=1)
    assert result.faithful.all()
    assert np.unique(result.time, axis=0).shape[0] == result.diagnostics["distinct members"] == 100


def test_few_members_that_were_drawn_are_a_finding(fewer_attempts, monkeypatch):
    monkeypatch.setattr(from_report, "ENOUGH_DRAWN", 60)
    [finding] = reconstruct(small_arms(), members=60, rng=1).findings
    assert finding.check == "few-members-drawn"
    assert "of 60 draws gave every printed number back" in finding.message


def attempt_at(report: ReportedComparison, members: int, effort: int):
    block = Block.single(report, read_requirements(report, "log-log"))
    problem = pose(block, ShapePrior.shipped().for_endpoint("PFS"))
    return block, engine._attempt(problem, np.arange(members), np.random.default_rng(1), engine.EFFORTS[effort])


def survival(block, drawn, states, at):
    """Survival of each member's arms at some times, shape (members, arms, times)."""
    times, events, _ = engine.Ensemble(block, drawn, states, 0).patients(0, np.arange(drawn.miss.size))
    return np.array(
        [
            [kaplan_meier(t, e).survival_at(at) for t, e in zip(arms, flags, strict=True)]
            for arms, flags in zip(zip(*times, strict=True), zip(*events, strict=True), strict=True)
        ]
    )


def test_a_walk_changes_every_member_and_leaves_their_distribution():
    block, attempt = attempt_at(small_arms(), 300, 2)
    met = np.flatnonzero(attempt.drawn.miss == 0)
    assert met.size > 40
    rng_states = np.random.default_rng(2).integers(0, 2**64, (met.size, 1), dtype=np.uint64)
    walked = walking._walk(block, walking.WALK, attempt.boards, met, rng_states)
    assert (walked.miss == 0).all()
    before = attempt.drawn.rows(met)
    assert (np.abs(walked.time - before.time).max(axis=1) > 0.1).all()
    at = np.array([3.0, 9.0, 15.0, 18.0])
    old, new = (survival(block, each, attempt.states, at) for each in (before, walked))
    spread = old.std(axis=0)
    assert (np.abs(new.mean(axis=0) - old.mean(axis=0)) < 0.35 * spread).all()
    assert (np.abs(new.std(axis=0) / spread - 1.0) < 0.4).all()


@pytest.mark.parametrize("seed", [30031, 30004, 30043, 40063, 30038, 71227, 71300])
def test_what_the_search_takes_for_met_is_met(seed):
    """Patients nearer to each other than analyses tell apart would be tied, and the curve another one.

    In the last two several events have no time but month 6: they are tied in the search as in the analysis.
    """
    report = generated(seed)
    block = Block.single(report, read_requirements(report, "log-log"))
    problem = pose(block, ShapePrior.shipped().for_endpoint("PFS"))
    ensemble = engine.draw_ensemble(problem, 30, np.random.SeedSequence(1), 1)
    met = np.flatnonzero(ensemble.drawn.miss == 0)
    assert met.size >= 25
    result = from_report.Reconstruction(
        comparison=report, method="", seed=1, scale="log-log", **from_report.patients(ensemble, 0, met)
    )
    assert result.faithful.mean() >= 0.85


def test_a_rate_after_everybody_has_left_is_not_met():
    arms = [
        ReportedArm("a", n=17, events=12, median="6.58", landmarks=(Landmark("24", "21.2%"),)),
        ReportedArm("b", n=40, events=30, median="3.9"),
    ]
    result = reconstruct(ReportedComparison("PFS", arms, control="a"), members=40, rng=1)
    assert result.diagnostics["met"] == 1.0
    assert (result.time[:, result.arm_index == 0].max(axis=1) > 24.0).all()


def test_times_that_move_to_one_bound_are_spread_and_keep_their_order():
    rng = np.random.default_rng(5)
    n = 40
    apart = []
    for _ in range(2):  # of two arms the patients who move there are not tied either
        time = np.sort(rng.uniform(0.0, 5.0, n))
        low, high = np.zeros(n + 1), np.full(n + 1, np.inf)
        low[20] = 6.0
        high[19] = 6.0
        moved = time.copy()
        moved[25:30] = moved[25]  # clumped, as skewed gaps are
        move_between(moved, low, high, np.empty((2, n + 1)))
        assert (np.diff(moved) >= GAP * 0.999).all()
        assert moved[19] <= 6.0 < moved[20] <= 6.0 + CLEAR + n * GAP
        apart.append(moved[20])
    assert abs(apart[0] - apart[1]) > GAP
