"""Analytic power of two arms against simulated trials, within 4 Monte Carlo standard errors and an asymptotic error.

The large-sample power is no exact one: with 300 patients it is allowed half a percentage point beside the Monte Carlo
error.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.design import AtEvents, AtTime, Look, PiecewiseAccrual, Scenario, TrialDesign, UniformAccrual
from analysis.power import (
    LogRank,
    MaxCombo,
    MilestoneDifference,
    RMSTDifference,
    expected_cut_time,
    expected_events,
    two_arm_trials,
)
from analysis.power.max_combo import MaxComboMoments
from analysis.simulation import LogRank as SimulatedLogRank
from analysis.simulation import MaxCombo as SimulatedMaxCombo
from analysis.simulation import MilestoneDifference as SimulatedMilestone
from analysis.simulation import RMSTDifference as SimulatedRMST
from analysis.simulation import simulate
from analysis.survival import Exponential, FlemingHarrington, PiecewiseExponential, Weibull

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
TESTS = {
    "log-rank": (LogRank(), SimulatedLogRank()),
    "late": (LogRank(FlemingHarrington(0, 1)), SimulatedLogRank(weight=FlemingHarrington(0, 1))),
    "max-combo": (MaxCombo(COMBO), SimulatedMaxCombo(weights=COMBO)),
    "RMST": (RMSTDifference(15.0), SimulatedRMST(tau=15.0)),
    "milestone": (MilestoneDifference(12.0), SimulatedMilestone(milestone=12.0)),
}


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
    simulated = simulate(
        design, SCENARIOS[name], trials=TRIALS, rng=8, tests=[s for _, s in TESTS.values()], progress=False
    )
    (trial,) = two_arm_trials(design, SCENARIOS[name])
    for analytic, test in TESTS.values():
        power = analytic.moments(trial, 30.0).power(0.025)
        found = simulated.power(test.name)
        assert abs(found.value - power) < 4 * found.std_error + ASYMPTOTIC, (test.name, power, found)
    events = simulated.columns["events"][:, 0, 0]
    assert abs(events.mean() - expected_events(trial, 30.0).sum()) < 4 * events.std() / math.sqrt(TRIALS)


def test_stratified_power_at_a_number_of_events():
    strata = {"visceral": 0.6, "other": 0.4}
    design = TrialDesign(n=300, accrual=UniformAccrual(18), looks=(Look(AtEvents(200)),), strata=strata, dropout=0.005)
    scenario = Scenario(
        {
            "control": {"visceral": Exponential(2 * RATE), "other": Exponential(RATE / 2)},
            "experimental": {"visceral": Exponential(1.4 * RATE), "other": Exponential(0.35 * RATE)},
        }
    )
    (trial,) = two_arm_trials(design, scenario)
    time = expected_cut_time(AtEvents(200), trial, "PFS")
    found = simulate(
        design, scenario, trials=TRIALS, rng=9, tests=(SimulatedLogRank(stratified=True),), progress=False
    ).power()
    power = LogRank().moments(trial, time).power(0.025)
    assert abs(found.value - power) < 4 * found.std_error + ASYMPTOTIC


def test_max_combo_of_linearly_dependent_tests():
    """FH(0,0) is the sum of FH(0,1) and FH(1,0): three statistics, two dimensions."""
    pair = np.array([[1.0, 0.7], [0.7, 1.0]])
    mix = np.vstack([np.array([0.45, 0.55]) / math.sqrt(np.array([0.45, 0.55]) @ pair @ [0.45, 0.55]), np.eye(2)])
    combo = MaxComboMoments(np.array([1.5, 1.8, 1.0]), mix @ pair @ mix.T)
    trials = 1_000_000
    noise = np.random.default_rng(3).standard_normal((trials, 2)) @ np.linalg.cholesky(pair).T @ mix.T
    critical = combo.critical_value(0.025)
    for drift, probability in ((0.0, 0.025), (combo.drift, combo.power(0.025))):
        simulated = float(np.mean((noise + drift).max(axis=1) > critical))
        assert abs(simulated - probability) < 4 * math.sqrt(probability * (1 - probability) / trials)
