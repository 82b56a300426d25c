"""Rates printed with many digits say how many were at risk; reports that need it are met."""

from itertools import combinations
from math import prod

import numpy as np
import pytest

from analysis import load, reconstruct
from analysis.errors import InfeasibleReportError
from analysis.reconstruction.report.feasibility import refuse_contradictions
from analysis.reconstruction.report.steps import MOST, least_at_risk
from analysis.reported import Landmark, ReportedArm, ReportedComparison
from analysis.survival.estimators import kaplan_meier


def counted(low: float, high: float, most: int) -> int | None:
    """Look through all ways in which some of the patients at risk have the event."""
    for at_risk in range(1, most + 1):
        steps = [1 - 1 / k for k in range(1, at_risk + 1)]
        for events in range(at_risk + 1):
            if any(low <= prod(some) <= high for some in combinations(steps, events)):
                return at_risk
    return None


def test_the_least_at_risk_is_that_of_all_ways_looked_through() -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        factor = rng.uniform(0.3, 0.95)
        low, high = factor * (1 - 2e-3), factor * (1 + 2e-3)
        expected = counted(low, high, 11)
        if expected is not None:
            assert least_at_risk(low, high) == expected
        else:
            assert least_at_risk(low, high) > 11


@pytest.mark.parametrize(
    ("low", "high", "least"),
    [
        (0.19335 / 0.25645, 0.19345 / 0.25635, 15),  # 25.64% to 19.34%
        (0.31955 / 0.34875, 0.31965 / 0.34865, 12),  # 34.87% to 31.96%: one event of 12
        (0.235 / 0.315, 0.245 / 0.305, 4),  # 31% to 24%: three quarters
        (0.0, 0.01, 1),
        (0.999, 1.0, 1),  # nobody needs to have an event
        (0.9899, 0.9901, 100),  # one of a hundred
        (1.01, 1.02, MOST + 1),  # rates that rise: what is wrong is said elsewhere
    ],
)
def test_the_least_at_risk(low: float, high: float, least: int) -> None:
    assert least_at_risk(low, high) == least


def test_a_published_report_with_six_rates_of_four_digits_is_met() -> None:
    """Refused before: the interval of the hazard ratio leaves few events, and the rates then enough at risk."""
    report = load("emerald").comparison("pfs-cdk46i-12-months")
    result = reconstruct(report, members=40, rng=1)
    assert result.faithful.all()
    assert result.diagnostics["met"] > 0.1
    ipd = result.ipd()
    for arm, month, least in (("elacestrant", 12, 15), ("SOC", 6, 12)):
        at_risk = ipd[(ipd["arm"] == arm) & (ipd["time"] >= month)].groupby("member").size()
        assert at_risk.min() >= least


def test_a_ratio_off_the_middle_of_its_interval_is_refused_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = [ReportedArm("new", n=100, median="11.0"), ReportedArm("old", n=100, median="7.4")]
    report = ReportedComparison("PFS", arms, control="old", hazard_ratio=("0.45", "0.30", "0.71"))
    with monkeypatch.context() as patch:
        patch.setattr("analysis.reconstruction.from_report.draw_ensemble", None)
        match = r"asymmetric-interval.*relax 'hazard_ratio' or 'hazard_ratio\.ci'"
        with pytest.raises(InfeasibleReportError, match=match):
            reconstruct(report, members=200, rng=1)
    assert reconstruct(report, members=10, rng=1, relax=["hazard_ratio.ci"]).faithful.all()


def with_rates(n: int, before: str, after: str) -> ReportedComparison:
    marks = (Landmark("6", before), Landmark("12", after))
    return ReportedComparison("PFS", [ReportedArm("drug", n=n, median="7.0", landmarks=marks)])


@pytest.mark.parametrize(
    ("n", "before", "after", "said"),
    [
        (60, "60.00%", "59.90%", r"546 or more .* at most 36 are left"),  # less than one event takes off
        (20, "40.00%", "30.17%", r"15 or more .* at most 8 are left"),
    ],
)
def test_a_fall_that_needs_more_at_risk_than_there_are_is_refused_at_once(
    n: int, before: str, after: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.reconstruction.from_report.draw_ensemble", None)
    with pytest.raises(InfeasibleReportError, match=rf"drug\.landmarks: from {before} at month 6 to {after}.*{said}"):
        reconstruct(with_rates(n, before, after), members=5, rng=1)


def test_a_rate_on_the_edge_of_its_rounding_is_possible() -> None:
    """Five of eight are printed as 63%, and three of eight as 37%: a fall of three fifths, with five at risk."""
    assert least_at_risk(0.365 / 0.635, 0.375 / 0.625) <= 5
    assert least_at_risk(0.6, 0.6) == 5


def test_no_curve_of_patients_is_refused_for_its_own_rates() -> None:
    rng, possible = np.random.default_rng(8), 0
    for _ in range(1000):
        n = int(rng.integers(4, 60))
        event, time = rng.random(n) < rng.uniform(0.2, 1.0), rng.exponential(10.0, n)
        if rng.random() < 0.5:
            time = np.ceil(time / 2.0) * 2.0  # tied
        curve = kaplan_meier(time, event)
        rates, digits = [float(curve.survival_at(month)) for month in (5.0, 9.0)], int(rng.integers(3))
        if all(rate > 0 for rate in rates):  # and known
            refuse_contradictions(with_rates(n, *(f"{100 * rate:.{digits}f}%" for rate in rates)))
            possible += 1
    assert possible > 400


def test_a_rate_or_a_limit_that_is_not_estimable_says_nothing() -> None:
    """Refused before: no curve has it."""
    marks = (Landmark("6", "55.0%", ci=("42.1%", "NE")), Landmark("12", "30.0%", ci=("NE", "NE")), Landmark("18", "NE"))
    report = ReportedComparison("PFS", [ReportedArm("drug", n=60, median="7.0", landmarks=marks)])
    result = reconstruct(report, members=20, rng=1)
    assert result.faithful.all()
    numbers = result.fidelity()["number"].tolist()
    assert "drug.survival at 6 months, ci.lower" in numbers
    assert not any(of in name for name in numbers for of in ("18 months", "12 months, ci", "6 months, ci.upper"))
