"""Events that are tied, as in papers that compute from days: what small arms with a long p-value need."""

import numpy as np
import pytest

from analysis import reconstruct
from analysis.reconstruction.repair.ratios import Parts
from analysis.reconstruction.repair.ties import tie_events
from analysis.reported import ReportedArm, ReportedComparison
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.survival.estimators import kaplan_meier


def two_arms(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 2
    failure, end = rng.weibull(1.2, n) * np.where(arm == 1, 12.0, 9.0), rng.uniform(4, 30, n)
    return np.minimum(failure, end), failure <= end, arm == 1


@pytest.mark.parametrize("by", [-0.004, -0.002, 0.002, 0.004])
@pytest.mark.parametrize("strata", [1, 2])
def test_tied_events_move_the_test_and_nothing_else(by, strata):
    time, event, experimental = two_arms(3, 240)
    stratum = np.random.default_rng(4).integers(0, strata, time.size)
    own = [np.flatnonzero(experimental == side)[np.argsort(time[experimental == side])] for side in (False, True)]
    parts = Parts(
        size=np.array([[120, 120]]),
        point=np.tile(np.arange(120), (1, 2, 1)),
        event=np.array([[event[rows] for rows in own]]),
        stratum=np.array([[stratum[rows] for rows in own]]),
        events=np.array([[event[rows].sum() for rows in own]]),
        strata=np.array([strata]),
        weight=np.ones(1),
    )
    before = [time[rows].copy() for rows in own]
    bounds = np.stack([np.zeros((2, 121)), np.full((2, 121), np.inf)], axis=1)
    held = 25
    bounds[0, 0, held] = before[0][held]
    after = [times.copy() for times in before]
    z = LogRank().analyse(time, event, experimental, strata=stratum).z
    state = np.array([7], dtype=np.uint64)
    assert tie_events(after[0], after[1], parts, bounds, z + by - 1e-4, z + by + 1e-4, state) == 0.0

    moved = time.copy()
    for rows, times in zip(own, after, strict=True):
        moved[rows] = times
    assert LogRank().analyse(moved, event, experimental, strata=stratum).z == pytest.approx(z + by, abs=1e-4 + 1e-9)
    old, new = (CoxHazardRatio().analyse(t, event, experimental, strata=stratum) for t in (time, moved))
    assert new.estimate == pytest.approx(old.estimate, rel=1e-9)
    assert new.std_error == pytest.approx(old.std_error, rel=1e-9)
    for rows in own:
        curves = [kaplan_meier(t[rows], event[rows]) for t in (time, moved)]
        tied_to_next = np.append(moved[rows][1:] == moved[rows][:-1], False)
        at = time[rows][~tied_to_next]  # not between events that are tied
        np.testing.assert_allclose(curves[0].survival_at(at), curves[1].survival_at(at), rtol=1e-12)
        lower = [curve.limits_at(at, 0.95, scale="log-log")[0] for curve in curves]
        np.testing.assert_allclose(lower[0], lower[1], rtol=1e-9)
    assert after[0][held] == before[0][held]
    assert 1 <= np.sum(time != moved) < 30


def test_a_test_out_of_reach_leaves_the_times_as_they_were():
    time, event, experimental = two_arms(3, 40)
    own = [np.flatnonzero(experimental == side)[np.argsort(time[experimental == side])] for side in (False, True)]
    parts = Parts(
        size=np.array([[20, 20]]),
        point=np.tile(np.arange(20), (1, 2, 1)),
        event=np.array([[event[rows] for rows in own]]),
        stratum=np.zeros((1, 2, 20), dtype=np.int64),
        events=np.array([[event[rows].sum() for rows in own]]),
        strata=np.array([1]),
        weight=np.ones(1),
    )
    times = [time[rows].copy() for rows in own]
    bounds = np.stack([np.zeros((2, 21)), np.full((2, 21), np.inf)], axis=1)
    missed = tie_events(times[0], times[1], parts, bounds, 4.0, 4.1, np.array([7], dtype=np.uint64))
    assert missed > 0.5
    for rows, own_times in zip(own, times, strict=True):
        np.testing.assert_array_equal(own_times, time[rows])


@pytest.mark.parametrize("seed", [65, 60, 35, 74])
def test_small_arms_in_days_with_a_long_p_value_are_solved(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.choice([60, 120, 300, 600]))
    arm, stratum = np.arange(n) % 2, rng.random(n) < rng.uniform(0.3, 0.7)
    effect = rng.choice([0.3, 0.7, 1.1])
    failure = rng.weibull(1.2, n) * 9 * np.exp(-(np.log(0.65) * arm + effect * stratum) / 1.2)
    end = rng.uniform(4, 30, n)
    time, event = np.minimum(failure, end), failure <= end
    time = np.maximum(np.round(time * 30.4375), 1) / 30.4375
    ratio, test = (one().analyse(time, event, arm == 1) for one in (CoxHazardRatio, LogRank))
    arms = []
    for name, side in (("new", 1), ("old", 0)):
        curve = kaplan_meier(time[arm == side], event[arm == side])
        limits = tuple(f"{x:.1f}" if np.isfinite(x) else "NR" for x in curve.quantile_ci(0.5, scale="log-log"))
        events = int(event[arm == side].sum())
        given = {"n": n // 2, "events": events, "median": f"{curve.median():.1f}", "median_ci": limits}
        arms.append(ReportedArm(name, **given))
    report = ReportedComparison(
        "PFS",
        arms,
        control="old",
        hazard_ratio=(f"{ratio.estimate:.2f}", f"{ratio.lower:.2f}", f"{ratio.upper:.2f}"),
        p_value=f"{test.p_two_sided:.4f}",
    )
    found = reconstruct(report, members=100, rng=1)
    assert found.faithful.all()
    assert found.diagnostics["distinct members"] >= 80  # about half are drawn, the others walk on from them
