"""A landmark in weeks is the day that it is, though months divided from days and multiplied from weeks differ."""

import numpy as np
import pytest

from analysis.conventions import DAYS_PER_MONTH, WEEK
from analysis.design import (
    Accrual,
    Assessments,
    AtTime,
    FixedAccrual,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InfeasibleDesignError
from analysis.power import power
from analysis.safety import cumulative_incidence
from analysis.simulation import simulate
from analysis.statistical_tests import (
    LandmarkRate,
    LandmarkSurvival,
    LogRank,
    MilestoneDifference,
    ModestlyWeighted,
    RMSTDifference,
)
from analysis.survival import Exponential
from analysis.survival.estimators import kaplan_meier, numbers_at_risk, rmst

WEEKS = [k for k in range(1, 120) if 7 * k / DAYS_PER_MONTH != k * WEEK]
NEXT = [1.0, 1 - 2**-52, 1 + 2**-52]  # a float and those beside it


def patients(week: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(week)
    some = rng.integers(1, 7 * week, 40), rng.integers(7 * week + 1, 7 * week + 80, 40)
    days = np.concatenate([[7 * week] * 20, *some])
    return days / DAYS_PER_MONTH, rng.random(100) < 0.8, np.arange(100) % 2


def test_there_are_such_weeks():
    assert len(WEEKS) > 10


@pytest.mark.parametrize("week", WEEKS)
def test_events_on_the_day_of_a_landmark_have_happened_by_then(week):
    time, event, arm = patients(week)
    own = 7 * week / DAYS_PER_MONTH
    found = [MilestoneDifference(at).analyse(time, event, arm).estimate for at in (own, week * WEEK)]
    assert found[0] == found[1]
    found = [LandmarkSurvival(at, null_survival=0.4).analyse(time, event).estimate for at in (own, week * WEEK)]
    assert found[0] == found[1] == pytest.approx(float(kaplan_meier(time, event).survival_at(week * WEEK)))
    found = [LandmarkRate(at, null_rate=0.4).analyse(time, event).estimate for at in (own, week * WEEK)]
    assert found[0] == found[1]
    causes = np.where(event, "relapse", "censored")
    found = [cumulative_incidence(time, causes).at(at, "relapse")["estimate"][0] for at in (own, week * WEEK)]
    assert found[0] == found[1] == pytest.approx(1 - float(kaplan_meier(time, event).survival_at(own)))
    found = [LogRank(ModestlyWeighted(t_star=at)).analyse(time, event, arm).z for at in (own, week * WEEK)]
    assert found[0] == found[1]
    found = [numbers_at_risk(time, event, [at]).n_risk[0] for at in (own, week * WEEK)]
    assert found[0] == found[1]


@pytest.mark.parametrize("beside", NEXT)
def test_who_is_followed_to_the_landmark_is_followed_long_enough(beside):
    rng = np.random.default_rng(1)
    time = np.minimum(rng.exponential(8.0, 80), 6.0)
    event, arm, tau = time < 6.0, np.arange(80) % 2, 6.0 * beside
    tests = MilestoneDifference(tau), RMSTDifference(tau)
    assert all(np.isfinite(test.analyse(time, event, arm).estimate) for test in tests)
    assert np.isfinite(LandmarkSurvival(tau, null_survival=0.4).analyse(time, event).estimate)
    assert np.isfinite(rmst(time, event, tau).estimate)
    at = cumulative_incidence(time, np.where(event, "relapse", "censored")).at(tau, "relapse")
    assert np.isfinite(at["estimate"]).all()


def test_a_longest_follow_up_that_is_the_landmark_does_not_take_the_power():
    """It was 0 by simulation, and 0.58 by formula."""
    scenario, test = Scenario({"drug": Exponential(0.1)}), LandmarkSurvival(6.0, null_survival=0.4)

    def design(follow_up: float | None) -> TrialDesign:
        looks = [Look(AtTime(24))]
        return TrialDesign(
            n=60, accrual=UniformAccrual(6), looks=looks, allocation={"drug": 1}, control=None, follow_up=follow_up
        )

    longer, just = (simulate(design(months), scenario, trials=500, rng=1, tests=[test]).power() for months in (None, 6))
    assert just == longer
    assert just.value == pytest.approx(power(design(6.0), scenario, test).power, abs=0.1)


@pytest.mark.parametrize(("visits", "weeks"), [(9, 3), (17, 3), (9, 6), (17, 6), (3, 9), (7, 9), (12, 9), (9, 12)])
def test_a_visit_on_the_last_day_of_follow_up_is_one(visits, weeks):
    """Nine visits every six weeks, added up, end a bit after 54 weeks; their last was left out, with its events."""
    scenario = Scenario.proportional_hazards(Exponential(0.05), 0.6)

    def events(accrual: Accrual, cut: float, follow_up: float | None) -> list[float]:
        design = TrialDesign(
            n=100,
            accrual=accrual,
            looks=[Look(AtTime(cut))],
            assessments=Assessments.every(weeks * WEEK),
            follow_up=follow_up,
        )
        result = simulate(design, scenario, trials=20, rng=1)
        return [*result.columns["events"].ravel().tolist(), *result.columns["log-rank"][..., 0].ravel().tolist()]

    months, later = visits * weeks * WEEK, 1 + 1e-7
    steady, at_once = UniformAccrual(6), FixedAccrual([0.0] * 100)
    assert events(steady, 90, months) == events(steady, 90, months * later)
    assert events(at_once, months, None) == events(at_once, months * later, None)


@pytest.mark.parametrize("test", [RMSTDifference(6.0), MilestoneDifference(6.0)], ids=repr)
def test_a_formula_goes_as_far_as_the_longest_follow_up(test):
    """It refused what a simulation gave: everybody who is left is followed for six months."""

    def design(cut: float) -> TrialDesign:
        return TrialDesign(n=400, accrual=UniformAccrual(6), looks=[Look(AtTime(cut))], follow_up=6.0)

    scenario = Scenario.proportional_hazards(Exponential(0.1), 0.6)
    simulated = simulate(design(24), scenario, trials=2000, rng=1, tests=[test]).power()
    assert power(design(24), scenario, test).power == pytest.approx(simulated.value, abs=4 * simulated.std_error + 0.01)
    with pytest.raises(InfeasibleDesignError, match="follow-up"):
        power(design(6), scenario, test)
