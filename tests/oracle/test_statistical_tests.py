"""One value per test: its analysis of data, its evaluation in the engine and its moments say the same."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import statistical_tests
from analysis.conventions import from_json, to_json
from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.errors import NotEstimableError, UnavailableError
from analysis.expected.trial import expected_trials
from analysis.power import power
from analysis.simulation import simulate, simulated_patients
from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    IntervalCensoredHazardRatio,
    LandmarkRate,
    LandmarkSurvival,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    ModestlyWeighted,
    NumberAtRisk,
    OneArmTest,
    OneSampleLogRank,
    QuantileDifference,
    RestrictedMean,
    RMSTDifference,
    TwoArmTest,
)
from analysis.statistical_tests.max_combo import MaxComboMoments
from analysis.statistical_tests.moments import Moments
from analysis.survival import Exponential, PiecewiseExponential, Weibull

TWO_ARM = (
    LogRank(),
    LogRank(margin=1.3),
    LogRank(stratified=False),
    LogRank(FlemingHarrington(0, 1)),
    LogRank(FlemingHarrington(0.5, 0.5), margin=1.2),
    LogRank(ModestlyWeighted(t_star=6)),
    LogRank(NumberAtRisk(1), stratified=False),
    MaxCombo(),
    MaxCombo((FlemingHarrington(0, 0), FlemingHarrington(0, 1)), margin=1.2),
    CoxHazardRatio(),
    CoxHazardRatio(margin=1.3),
    CoxHazardRatio(ties="breslow", level=0.8),
    RMSTDifference(12),
    RMSTDifference(12, scale="log", margin=-0.1),
    MilestoneDifference(9),
    MilestoneDifference(9, scale="log-log", margin=-0.1),
    MilestoneDifference(9, stratified=False),
    QuantileDifference(0.5),
    QuantileDifference(0.4, scale="log", margin=-0.1),
)
NULL = Weibull(1.2, 10)
ONE_ARM = (
    OneSampleLogRank(NULL),
    OneSampleLogRank(NULL, margin=1.2),
    LandmarkSurvival(9, 0.35),
    LandmarkSurvival(9, 0.35, scale="arcsine"),
    RestrictedMean(12, 7.0),
    LandmarkRate(9, 0.35),
)
MOMENTS_ONLY = (IntervalCensoredHazardRatio(),)

STRATA = {"visceral": Exponential(0.12), "other": PiecewiseExponential([0.05, 0.08], [6])}
TREATED = {"visceral": PiecewiseExponential([0.12, 0.08], [3]), "other": Exponential(0.045)}
TRUTH = Scenario({"control": STRATA, "experimental": TREATED})
COMMON = {"accrual": UniformAccrual(12), "looks": (Look(AtTime(24)),), "dropout": 0.01}
ONE_TRUTH = Scenario({"treatment": Weibull(1.1, 12)})


def stratified(n):
    return TrialDesign(n=n, strata={"visceral": 0.6, "other": 0.4}, **COMMON)


def single(n):
    return TrialDesign(n=n, allocation={"treatment": 1}, control=None, **COMMON)


CASES = [
    *(pytest.param(test, stratified, TRUTH, id=test.name) for test in TWO_ARM),
    *(pytest.param(test, single, ONE_TRUTH, id=test.name) for test in ONE_ARM),
]


def test_every_test_of_the_library_is_here():
    kinds = {type(test) for test in (*TWO_ARM, *ONE_ARM, *MOMENTS_ONLY)}
    public = (getattr(statistical_tests, name) for name in statistical_tests.__all__)
    bases = {TwoArmTest, OneArmTest}
    assert kinds == {kind for kind in public if issubclass(kind, TwoArmTest | OneArmTest)} - bases


@pytest.mark.parametrize(("test", "design", "truth"), CASES)
def test_analysing_a_data_set_is_evaluating_its_patients(test, design, truth):
    found = simulate(design(150), truth, trials=10, rng=3, tests=(test,))
    patients = simulated_patients(design(150), truth, trials=10, rng=3)
    for trial, rows in patients.groupby("trial"):
        data, options = [rows["PFS_time"], rows["PFS_event"]], {}
        if isinstance(test, TwoArmTest):
            data.append((rows["arm"] == "experimental").to_numpy())
            options = {"strata": rows["stratum"]} if test.stratified else {}
        else:
            options = {"entry": rows["entry"], "cut": 24.0}
        columns = found.columns[test.name].reshape(10, -1)[int(trial) - 1]
        try:
            analysed = test.analyse(*data, **options)
        except NotEstimableError:
            assert np.isnan(columns).any()
            continue
        for name, value in zip(test.columns, columns, strict=True):
            expected = analysed.details[name] if name in analysed.details else getattr(analysed, name)
            assert value == pytest.approx(expected, rel=1e-12, abs=1e-14), name


@pytest.mark.parametrize(("test", "design", "truth"), CASES)
def test_moments_are_those_of_simulated_trials(test, design, truth):
    """The mean of z within 4 Monte Carlo standard errors, at a size where the large sample is one."""
    trials, n = 1500, 3000
    found = simulate(design(n), truth, trials=trials, rng=9, tests=(test,))
    (large,) = expected_trials(design(n), truth)
    moments = test.moments(large, 24.0)
    if isinstance(moments, Moments):
        z = found.statistic(test.name).ravel()
        assert abs(z.mean() - moments.drift) < 4 * z.std(ddof=1) / np.sqrt(trials)
    elif isinstance(moments, MaxComboMoments):
        largest = found.statistic(test.name, "largest_z").ravel()
        joint = np.random.default_rng(4).multivariate_normal(moments.drifts, moments.correlation, 10**6)
        assert abs(largest.mean() - joint.max(axis=1).mean()) < 4 * largest.std(ddof=1) / np.sqrt(trials)
    else:  # an exact test: the probability of rejection at a size where it is not yet certain
        few = design(240)
        by_formula, simulated = power(few, truth, test), power(few, truth, test, by="simulation", trials=8000)
        assert abs(by_formula.power - simulated.power) < 4 * simulated.std_error


@pytest.mark.parametrize("test", [*TWO_ARM, *ONE_ARM, *MOMENTS_ONLY], ids=lambda test: test.name)
def test_a_test_is_a_value(test):
    assert from_json(to_json(test)) == test
    assert len(repr(test).splitlines()) <= 20


def test_what_a_test_lacks_is_refused_by_name():
    with pytest.raises(UnavailableError, match="interval-censored HR: this test cannot be computed on data"):
        IntervalCensoredHazardRatio().analyse([1, 2, 3, 4], [1, 1, 0, 1], [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (statistical_tests.LogRank(), "the log-rank test"),
        (statistical_tests.LogRank(margin=1.3), "the log-rank test against a margin of 1.3 in the hazard ratio"),
        (statistical_tests.RMSTDifference(18), "the difference of the restricted mean survival times up to 18 months"),
        (statistical_tests.MilestoneDifference(6), "the difference of the survival at 6 months"),
        (statistical_tests.QuantileDifference(0.5), "the difference of the medians"),
        (statistical_tests.CoxHazardRatio(), "the hazard ratio of Cox's model (Wald; ties as by Efron)"),
        (statistical_tests.LandmarkRate(6, 0.4), "a test of the rate at 6 months against 40%"),
    ],
)
def test_a_protocol_names_the_test_in_words(test, words):
    assert test.in_words.startswith(words)
