"""Analytic power of two arms against simulated trials, within 4 Monte Carlo standard errors and an asymptotic error.

The large-sample power is no exact one: with 300 patients it is allowed half a percentage point beside the Monte Carlo
error.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.design import AtEvents, AtTime, Look, PiecewiseAccrual, Scenario, TrialDesign, UniformAccrual
from analysis.expected.trial import expected_trials
from analysis.power import ExpectedCourse, assurance, power
from analysis.sequential import NormalPrior
from analysis.simulation import simulate
from analysis.statistical_tests import (
    FlemingHarrington,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    ModestlyWeighted,
    NumberAtRisk,
    RMSTDifference,
)
from analysis.statistical_tests.max_combo import MaxComboMoments
from analysis.survival import Exponential, PiecewiseExponential, Weibull
from tests.large_trials import two_arm_trial

RATE = math.log(2) / 11
TRIALS = 20_000
ASYMPTOTIC = 0.005
LATE = PiecewiseExponential([RATE, 0.6 * RATE], [3.0])
COMBO = (FlemingHarrington(0, 0), FlemingHarrington(0, 1))

SCENARIOS = {
    "proportional": Scenario({"control": Exponential(RATE), "experimental": Exponential(0.72 * RATE)}),
    "delayed": Scenario({"control": Exponential(RATE), "experimental": LATE}),
    "Weibull": Scenario({"control": Weibull(0.8, 14.0), "experimental": Weibull(0.8, 22.0)}),
}
TESTS = (
    LogRank(),
    LogRank(FlemingHarrington(0, 1)),
    LogRank(margin=1.2),
    MaxCombo(COMBO),
    RMSTDifference(15.0),
    MilestoneDifference(12.0),
)


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("name", SCENARIOS)
def test_power_is_the_simulated_one(name, ratio):
    design = TrialDesign(
        n=300,
        accrual=PiecewiseAccrual(rates=(10, 25), breaks=(6,), duration=15.6),
        looks=(Look(AtTime(30)),),
        allocation={"control": 1, "experimental": ratio},
        dropout=0.005,
    )
    simulated = simulate(design, SCENARIOS[name], trials=TRIALS, rng=8, tests=TESTS)
    for test in TESTS:
        by_formula, found = power(design, SCENARIOS[name], test).power, simulated.power(test.name)
        assert abs(found.value - by_formula) < 4 * found.std_error + ASYMPTOTIC, (test.name, by_formula, found)
    events = simulated.columns["events"][:, 0, 0]
    assert abs(
        events.mean() - sum(ExpectedCourse(design, SCENARIOS[name]).events(30.0).values())
    ) < 4 * events.std() / math.sqrt(TRIALS)


@pytest.mark.parametrize(
    ("ratio", "weight"),
    [(1, NumberAtRisk(0)), (4, NumberAtRisk(0)), (1 / 4, NumberAtRisk(0)), (4, ModestlyWeighted(t_star=6))],
)
def test_spread_of_the_statistic(ratio, weight):
    """The standard deviation of the simulated z, whose own variance estimate varies with the score."""
    allocation = {"control": 1, "experimental": ratio}
    design = TrialDesign(n=600, accrual=UniformAccrual(18), looks=(Look(AtTime(30)),), allocation=allocation)
    scenario = Scenario.proportional_hazards(Exponential(RATE), 0.55)
    (trial,) = expected_trials(design, scenario)
    test = LogRank(weight)
    z = simulate(design, scenario, trials=TRIALS, rng=12, tests=(test,)).columns[test.name].ravel()
    spread = LogRank(weight, variance="statistic").moments(trial, 30.0).spread
    error = spread / math.sqrt(2 * TRIALS)
    assert abs(z.std() - spread) < 4 * error + 0.005
    if ratio != 1:
        assert abs(spread - LogRank(weight, variance="alternative").moments(trial, 30.0).spread) > 10 * error


def test_stratified_power_at_a_number_of_events():
    strata = {"visceral": 0.6, "other": 0.4}
    design = TrialDesign(n=300, accrual=UniformAccrual(18), looks=(Look(AtEvents(200)),), strata=strata, dropout=0.005)
    scenario = Scenario(
        {
            "control": {"visceral": Exponential(2 * RATE), "other": Exponential(RATE / 2)},
            "experimental": {"visceral": Exponential(1.4 * RATE), "other": Exponential(0.35 * RATE)},
        }
    )
    found = power(design, scenario, by="simulation", trials=TRIALS, rng=9)
    assert abs(found.power - power(design, scenario).power) < 4 * found.std_error + ASYMPTOTIC


def test_max_combo_of_linearly_dependent_tests():
    """FH(0,0) is the sum of FH(0,1) and FH(1,0): three statistics, two dimensions."""
    pair = np.array([[1.0, 0.7], [0.7, 1.0]])
    mix = np.vstack([np.array([0.45, 0.55]) / math.sqrt(np.array([0.45, 0.55]) @ pair @ [0.45, 0.55]), np.eye(2)])
    combo = MaxComboMoments(np.array([1.5, 1.8, 1.0]), mix @ pair @ mix.T)
    trials = 1_000_000
    noise = np.random.default_rng(3).standard_normal((trials, 2)) @ np.linalg.cholesky(pair).T @ mix.T
    critical = combo.critical_value(0.025)
    for drift, probability in ((0.0, 0.025), (combo.drifts, combo.power(0.025))):
        simulated = float(np.mean((noise + drift).max(axis=1) > critical))
        assert abs(simulated - probability) < 4 * math.sqrt(probability * (1 - probability) / trials)


@pytest.mark.parametrize(("variance", "ratio"), [("alternative", 2), ("simple", 4)])
def test_variance_of_the_score_under_the_scenario(variance, ratio):
    """The score itself, from patients drawn one by one: its mean and variance over many trials."""
    n, trials, time, rates = 300, 20_000, 24.0, (0.12, 0.03)
    design = two_arm_trial(
        Exponential(rates[0]), Exponential(rates[1]), n=n, accrual=UniformAccrual(12), allocation_ratio=ratio
    )
    moments = LogRank(variance=variance).moments(design, time)
    assert not 0.8 < moments.spread**2 < 1.25  # far enough from the null variance to tell them apart
    rng = np.random.default_rng(11)
    scores = []
    for _ in range(trials // 500):
        experimental = np.broadcast_to(np.arange(n) < n * ratio // (ratio + 1), (500, n))
        if variance == "simple":
            experimental = rng.random((500, n)) < ratio / (ratio + 1)
        event = rng.exponential(size=(500, n)) / np.where(experimental, rates[1], rates[0])
        follow_up = time - 12 * rng.random((500, n))
        order = np.argsort(np.minimum(event, follow_up), axis=1)
        died, treated = (np.take_along_axis(x, order, axis=1) for x in (event < follow_up, experimental))
        at_risk = np.arange(n, 0, -1)
        share = np.cumsum(treated[:, ::-1], axis=1)[:, ::-1] / at_risk
        scores.append(np.sum(died * (share - treated), axis=1))
    score = np.concatenate(scores)
    assert abs(score.mean() - moments.effect) < 4 * moments.sd / math.sqrt(trials) + 0.01 * moments.effect
    assert score.var() / moments.sd**2 == pytest.approx(1.0, abs=4 * math.sqrt(2 / trials) + 0.02)


BELIEFS = [(100, 1, -0.2, 0.1), (100, 2, 0.0, 0.3), (1000, 1, -0.1, 1.0), (1000, 2, -0.1, 1.0), (5000, 2, 0.3, 3.0)]


@pytest.mark.parametrize(("n", "sided", "mean", "sd"), BELIEFS)
def test_assurance_is_the_integral_of_the_power_where_a_large_trial_meets_a_vague_belief(n, sided, mean, sd):
    """Nodes for the belief alone step over the rise of the power: 1,000 patients, sd 1, were 0.7 points off."""
    design = TrialDesign(n=n, accrual=UniformAccrual(18), looks=[Look(AtTime(30))], sided=sided)

    def scenario(log_ratio):
        return Scenario.proportional_hazards(Exponential(math.log(2) / 11), math.exp(log_ratio))

    def weighted(x):
        return power(design, scenario(float(np.clip(x, math.log(0.02), math.log(4))))).power * stats.norm.pdf(
            x, mean, sd
        )

    low, high = mean - 6 * sd, mean + 6 * sd
    near = [x for x in (math.log(0.02), -0.6, -0.3, -0.1, 0.0, 0.1, 0.3, math.log(4)) if low < x < high]
    own = integrate.quad(weighted, low, high, points=near, limit=200, epsabs=1e-6)[0]
    assert assurance(design, scenario(0.0), NormalPrior(mean, sd)).power == pytest.approx(own, abs=2e-5)


def test_assurance_of_a_belief_beyond_all_ratios_is_the_power_at_the_last():
    design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    scenario = Scenario.proportional_hazards(Exponential(math.log(2) / 11), 1.0)
    strongest = power(design, Scenario.proportional_hazards(Exponential(math.log(2) / 11), 0.02)).power
    assert assurance(design, scenario, NormalPrior(-8.0, 0.1)).power == pytest.approx(strongest)
