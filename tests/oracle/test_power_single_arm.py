"""Single-arm designs against simulation: binary within Monte Carlo error, survival within that and one point."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.design import AccrualRate, Assessments, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.power import power
from analysis.single_arm import BetaPrior, BinomialDesign
from analysis.statistical_tests import LandmarkSurvival, OneSampleLogRank, RestrictedMean
from analysis.survival import Exponential, PiecewiseExponential, Weibull

NULL = Weibull(0.5, 1 / math.log(0.3) ** 2)
DELAYED = PiecewiseExponential([0.1, 0.07], [3])


def improved(ratio: float) -> Weibull:
    return Weibull(0.5, NULL.scale / ratio**2)


def test_a_three_look_design_with_both_stops_is_what_simulated_patients_make_of_it():
    design = BinomialDesign((10, 20, 36), (1, 4, 10), 0.2, 0.4, efficacy=(6, 9))
    rng, trials = np.random.default_rng(20), 200_000
    for rate in (0.2, 0.33):
        responders = np.cumsum(rng.random((trials, 36)) < rate, axis=1)[:, [9, 19, 35]]
        going, rejected, size = np.ones(trials, bool), np.zeros(trials, bool), np.zeros(trials)
        for k, (n, low, high) in enumerate(zip(design.looks, design.futility, (6, 9, 11), strict=True)):
            x = responders[:, k]
            stops = going & ((x <= low) | (x >= high))
            rejected |= going & (x >= high)
            size[stops] = n
            going &= ~stops
        assert not going.any()
        error = math.sqrt(0.25 / trials)
        assert design.rejection_probability(rate) == pytest.approx(rejected.mean(), abs=4 * error)
        assert design.expected_n(rate) == pytest.approx(size.mean(), abs=4 * size.std() / math.sqrt(trials))


def test_probability_of_beating_the_control_is_the_share_of_draws():
    new, control = BetaPrior(10.5, 20.5), BetaPrior(9.5, 51.5)
    rng, draws = np.random.default_rng(21), 400_000
    better = rng.beta(new.a, new.b, draws) > rng.beta(control.a, control.b, draws) + 0.05
    assert new.probability_better(control, margin=0.05) == pytest.approx(better.mean(), abs=4 * math.sqrt(0.25 / draws))


def single(n, accrual, months, *looks, dropout=None, assessments=None):
    return TrialDesign(
        n=n,
        accrual=UniformAccrual(accrual),
        looks=looks or (Look(AtTime(months)),),
        allocation={"treatment": 1},
        control=None,
        dropout=dropout,
        assessments=assessments,
        alpha=0.05,
    )


def under(curve):
    return Scenario({"treatment": curve})


SCANS = Assessments.every(1.84)


@pytest.mark.parametrize(
    ("test", "truth", "design"),
    [
        (OneSampleLogRank(NULL), improved(0.85), single(400, 4.9, 5.9)),
        (OneSampleLogRank(NULL, margin=1.1), improved(0.95), single(400, 4.9, 5.9)),
        (OneSampleLogRank(Exponential(0.1)), DELAYED, single(300, 12, 18)),
        (LandmarkSurvival(6, 0.3), Exponential(0.16), single(400, 12, 14, dropout=0.02)),
        (LandmarkSurvival(6, 0.3, "arcsine"), Exponential(0.16), single(400, 12, 14, dropout=0.02)),
        (LandmarkSurvival(6, 0.3), Exponential(0.18), single(400, 12, 16, dropout=0.03, assessments=SCANS)),
        (RestrictedMean(12, 5.5), Exponential(0.14), single(300, 12, 20, dropout=0.02)),
    ],
    ids=["log-rank", "margin", "log-rank delayed", "log-log", "arcsine", "scans", "restricted mean"],
)
def test_power_of_one_sample_tests(test, truth, design):
    by_formula = power(design, under(truth), test).power
    simulated = power(design, under(truth), test, by="simulation", trials=6000, rng=31)
    assert 0.2 < by_formula < 0.97
    # four Monte Carlo errors and one point for the normal approximation at these sizes
    assert simulated.power == pytest.approx(by_formula, abs=4 * simulated.std_error + 0.01)


def test_two_stage_log_rank_and_the_convention_of_the_published_tool():
    """The published tool takes the interim mean times the root of the enrolled patients: the simulation decides."""
    truth, test = improved(0.65), OneSampleLogRank(NULL)
    looks = (Look(AtTime(3.0999), futility_z=0.0342), Look(AtTime(5.9), efficacy_z=1.633))
    design = TrialDesign(
        n=49, accrual=AccrualRate(10), looks=looks, allocation={"treatment": 1}, control=None, alpha=0.05
    )
    by_formula = power(design, under(truth), test)
    simulated = power(design, under(truth), test, by="simulation", trials=12_000, rng=32)
    # 49 patients: the normal approximation is up to three points low, and the tool's 0.80 lower still
    assert 0 < simulated.power - by_formula.power < 0.03
    assert by_formula.power == pytest.approx(0.818, abs=5e-4)
    assert simulated.power - 4 * simulated.std_error > 0.80
    null = power(design, under(NULL), test, by="simulation", trials=12_000, rng=33)
    assert 0.035 < null.power < 0.05
    assert simulated.expected_patients == pytest.approx(by_formula.expected_patients, rel=0.02)


def test_simulation_repeats_bit_for_bit_and_counts_every_trial():
    design, test = single(30, 5, 6), OneSampleLogRank(NULL)
    first, second, other = (
        power(design, under(NULL), test, by="simulation", trials=2500, rng=seed).power for seed in (5, 5, 6)
    )
    assert first == second
    assert first * 2500 == pytest.approx(round(first * 2500))
    assert other != first
