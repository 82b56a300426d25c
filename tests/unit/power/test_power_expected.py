"""What a two-arm trial is expected to show: events, statistics and their moments, against closed forms."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import norm

from analysis.design import (
    AtTime,
    FixedAccrual,
    Look,
    PiecewiseAccrual,
    RampAccrual,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.expected import process
from analysis.expected.numbers import (
    expected_at_risk,
    expected_enrolled,
    expected_events,
    expected_lost,
)
from analysis.expected.quadrature import FULL, Quadrature
from analysis.expected.score import average_hazard_ratio, expected_cox_hazard_ratio
from analysis.expected.trial import expected_trials
from analysis.power import power
from analysis.statistical_tests import (
    FlemingHarrington,
    LogRank,
    MilestoneDifference,
    ModestlyWeighted,
    NumberAtRisk,
    RMSTDifference,
)
from analysis.statistical_tests.moments import Moments
from analysis.survival import (
    Distribution,
    Ensemble,
    Exponential,
    Mixture,
    PiecewiseExponential,
    ProportionalHazards,
    Tabulated,
    Weibull,
)
from tests.large_trials import stratified_trial, two_arm_trial

RATE = math.log(2) / 11


def trial(hazard_ratio=0.6, *, n=100.0, accrual=None, **options):
    return two_arm_trial(
        Exponential(RATE), hazard_ratio=hazard_ratio, n=n, accrual=accrual or UniformAccrual(18), **options
    )


def designed(cut=30, *, n=100, accrual=None, **options):
    look = Look(cut if hasattr(cut, "calendar_time") else AtTime(cut))
    return TrialDesign(n=n, accrual=accrual or UniformAccrual(18), looks=(look,), **options)


def assumed(hazard_ratio=0.6):
    return Scenario.proportional_hazards(Exponential(RATE), hazard_ratio)


def test_events_under_uniform_accrual_are_the_closed_form():
    rate, loss, enrolment, time = RATE, 0.01, 18.0, 30.0
    total = rate + loss
    seen = rate / total * (1 - (math.exp(-total * (time - enrolment)) - math.exp(-total * time)) / (total * enrolment))
    control, experimental = expected_events(trial(1.0, dropout=loss), time)
    assert control == pytest.approx(50 * seen, rel=1e-12)
    assert experimental == pytest.approx(control, rel=1e-12)
    assert expected_lost(trial(1.0, dropout=loss), time)[0] == pytest.approx(50 * seen * loss / rate, rel=1e-12)


@pytest.mark.parametrize(
    "accrual",
    [
        UniformAccrual(18),
        PiecewiseAccrual(rates=(2, 6, 1), breaks=(6, 9), duration=18),
        RampAccrual(duration=18, ramp=12),
        FixedAccrual(tuple(np.linspace(0, 17, 40) ** 1.1)),
    ],
)
def test_events_are_those_of_the_patients_one_by_one(accrual):
    entry = accrual.entry_times((np.arange(40) + 0.5) / 40 if isinstance(accrual, FixedAccrual) else _fine())
    distribution = PiecewiseExponential([0.05, 0.12], [4.0])
    for time in (5.0, 20.0):
        followed = np.maximum(time - entry, 0.0)
        expected = np.mean(1 - distribution.survival(followed))
        one = two_arm_trial(distribution, distribution, n=2.0, accrual=accrual)
        assert expected_events(one, time)[0] == pytest.approx(expected, rel=2e-7)


def _fine():
    return (np.arange(400_000) + 0.5) / 400_000


def test_quadrature_integrates_hazards_that_start_at_infinity():
    distribution = Weibull(shape=0.6, scale=8.0)
    grid = Quadrature.over(40.0, np.array([]))
    density = distribution.hazard(grid.time) * distribution.survival(grid.time)
    assert grid.integral(density) == pytest.approx(1 - float(distribution.survival(40.0)), rel=1e-7)
    running = grid.running_integral(density)
    np.testing.assert_allclose(running, 1 - distribution.survival(grid.time), atol=1e-7)


@pytest.mark.parametrize("accrual", [UniformAccrual(18), RampAccrual(18, ramp=12)], ids=["uniform", "ramp"])
@pytest.mark.parametrize("weight", [FlemingHarrington(0, 0), FlemingHarrington(0.5, 0.5), NumberAtRisk()], ids=repr)
@pytest.mark.parametrize("rates", [[RATE, RATE / 3, 2 * RATE], [0.05, 0.02, 0.3], [0.5, 0.02, 3.0]], ids=str)
def test_fewer_nodes_are_as_exact_where_hazards_are_constant(accrual, weight, rates, monkeypatch):
    control = PiecewiseExponential(rates, [4, 9])

    def moments():
        whole = two_arm_trial(control, hazard_ratio=0.6, n=100.0, accrual=accrual, dropout=Exponential(0.01))
        found = LogRank(weight=weight).moments(whole, 30.0)
        return [found.effect, found.null_sd, found.sd, *expected_events(whole, 30.0)]

    light = moments()
    monkeypatch.setattr(process, "LIGHT", FULL)
    assert light == pytest.approx(moments(), rel=1e-12)


@pytest.mark.parametrize("hazard_ratio", [0.3, 0.6, 1.4])
@pytest.mark.parametrize("last", [24.0, 27.0, 29.95])
def test_events_of_a_curve_that_comes_down_to_0_are_all_expected(last, hazard_ratio):
    control = Tabulated([6.0, 12.0, last, 30.0], [0.7, 0.5, 0.05, 0.0])
    one = two_arm_trial(
        control, hazard_ratio=hazard_ratio, n=100.0, accrual=UniformAccrual(18), dropout=Exponential(0.01)
    )
    for arm, curve in enumerate((control, ProportionalHazards(control, hazard_ratio))):
        grown = np.concatenate([[0.0], np.geomspace(1e-6, 80.0, 400_000)])  # cumulative hazard, past all rounding
        t = curve.inverse_cumulative_hazard(grown)
        seen = np.exp(-0.01 * t) * np.clip((40.0 - t) / 18, 0.0, 1.0)
        expected = 50.0 * np.sum(-np.diff(np.exp(-grown)) * (seen[1:] + seen[:-1]) / 2)
        assert expected_events(one, 40.0)[arm] == pytest.approx(expected, rel=1e-4)


@dataclasses.dataclass
class WithoutHash(Distribution):
    rate: float

    def cumulative_hazard(self, t):
        return self.rate * np.maximum(np.asarray(t, dtype=float), 0.0)

    def inverse_cumulative_hazard(self, h):
        return np.asarray(h, dtype=float) / self.rate


@pytest.mark.parametrize("kind", [Exponential, WithoutHash])
def test_members_that_are_alike_are_worked_out_once_and_keep_their_places(kind):
    one, other = kind(RATE), kind(2 * RATE)
    rates = (RATE, 2 * RATE, RATE, RATE)
    members = [Ensemble([kind(rate * ratio) for rate in rates]) for ratio in (1.0, 0.6)]
    design, scenario = designed(), Scenario(dict(zip(("control", "experimental"), members, strict=True)))
    alone = [
        power(design, Scenario({"control": curve, "experimental": kind(0.6 * curve.rate)})).power
        for curve in (one, other, one, one)
    ]
    assert power(design, scenario).members.tolist() == alone
    trials = expected_trials(design, scenario)
    assert len({id(each) for each in trials}) == (2 if kind is Exponential else 4)


def test_at_risk_and_enrolled():
    one = trial(dropout=0.02)
    left = 50 * np.array([math.exp(-(RATE + 0.02) * 20), math.exp(-(0.6 * RATE + 0.02) * 20)]) * 10 / 18
    np.testing.assert_allclose(expected_at_risk(one, time=30, follow_up=20), left, rtol=1e-12)
    assert expected_enrolled(one, 9.0) == pytest.approx(50)


def test_dropout_by_arm():
    events = expected_events(trial(1.0, dropout={"control": 0.1, "experimental": 0.0}), 30.0)
    same = expected_events(trial(1.0), 30.0)
    assert events[0] < 0.75 * same[0]
    assert events[1] == pytest.approx(same[1], rel=1e-12)


def test_dropout_of_an_unknown_arm_is_not_ignored():
    with pytest.raises(UnknownNameError, match="did you mean experimental"):
        designed(dropout={"control": 0.1, "experimantal": 0.1})


def test_strata_add_up():
    same = (1.0, Exponential(RATE), Exponential(0.6 * RATE))
    stratified = stratified_trial([same, same], n=100.0, accrual=18)
    for test in (
        LogRank(),
        LogRank(variance="alternative"),
        LogRank(variance="statistic"),
        RMSTDifference(12.0),
        MilestoneDifference(12.0),
    ):
        a, b = test.moments(stratified, 30.0), test.moments(trial(), 30.0)
        assert (a.drift, a.spread) == (pytest.approx(b.drift, rel=1e-12), pytest.approx(b.spread, rel=1e-12))


def test_stratified_test_ignores_differences_between_strata():
    slow, fast = Exponential(0.02), Exponential(0.2)
    stratified = stratified_trial([(1.0, d, d) for d in (slow, fast)], n=100.0, accrual=18)
    mixed = two_arm_trial(Mixture([slow, fast]), Mixture([slow, fast]), n=100.0, accrual=UniformAccrual(18))
    for one in (stratified, mixed):
        assert LogRank().moments(one, 30.0).effect == pytest.approx(0.0, abs=1e-12)


def test_margin_moves_the_null():
    assert LogRank(margin=0.6).moments(trial(0.6), 30.0).drift == pytest.approx(0.0, abs=1e-10)
    at_null = LogRank(margin=1.3, variance="alternative").moments(trial(1.3, allocation_ratio=2.0), 30.0)
    assert at_null.power(0.025) == pytest.approx(0.025, rel=1e-6)
    assert LogRank(margin=1.3).moments(trial(1.0), 60.0).power() > 0.15


def test_variance_under_the_alternative_is_the_null_one_without_effect():
    for variance in ("alternative", "simple", "statistic"):
        moments = LogRank(FlemingHarrington(0, 1), variance=variance).moments(trial(1.0, allocation_ratio=2.0), 30.0)
        assert moments.spread == pytest.approx(1.0, rel=1e-9)


def test_gehan_weight_is_the_number_at_risk():
    late = PiecewiseExponential([RATE, 0.3 * RATE], [6.0])
    one = two_arm_trial(Exponential(RATE), late, n=100.0, accrual=UniformAccrual(18))
    powers = [
        LogRank(w).moments(one, 30.0).power() for w in (NumberAtRisk(1.0), NumberAtRisk(0), FlemingHarrington(0, 1))
    ]
    assert powers == sorted(powers)
    assert LogRank(FlemingHarrington(1, 0)).moments(one, 30.0).power() < powers[1]
    flat = LogRank(NumberAtRisk(0.0)).moments(one, 30.0)
    assert flat.drift == pytest.approx(LogRank().moments(one, 30.0).drift, rel=1e-12)


def test_modest_weight_stops_growing_at_t_star():
    one = trial()
    assert LogRank(ModestlyWeighted(t_star=1e-9)).moments(one, 30.0).drift == pytest.approx(
        LogRank().moments(one, 30.0).drift, rel=1e-6
    )


def test_unknown_weight_is_refused():
    with pytest.raises(InvalidValueError, match="FlemingHarrington"):
        LogRank("late").moments(trial(), 30.0)


def test_average_and_cox_hazard_ratio():
    assert average_hazard_ratio(trial(0.6), 30.0) == pytest.approx(0.6, rel=1e-12)
    assert expected_cox_hazard_ratio(trial(0.6), 30.0)[0] == pytest.approx(0.6, rel=1e-9)
    late = two_arm_trial(
        Exponential(RATE), PiecewiseExponential([RATE, 0.55 * RATE], [3.0]), n=100.0, accrual=UniformAccrual(18)
    )
    for time in (6.0, 12.0, 30.0):
        assert 0.55 < expected_cox_hazard_ratio(late, time)[0] < 1
    assert average_hazard_ratio(late, 6.0) > average_hazard_ratio(late, 36.0)


def test_probability_above_the_critical_value_is_power():
    moments = Moments(2.0, 1.0, 1.3)
    assert moments.probability_above(norm.isf(0.01)) == pytest.approx(moments.power(0.01), rel=1e-12)


def test_two_sided_power_counts_what_it_is_told():
    moments = Moments(0.5, 1.0, 1.0)
    z = norm.isf(0.025)
    assert moments.power(0.05, sided=2) == pytest.approx(norm.sf(z - 0.5))
    assert moments.power(0.05, sided=2, rejection="either") == pytest.approx(norm.sf(z - 0.5) + norm.cdf(-z - 0.5))
    for rejection in ("benefit", "either"):
        factor = moments.size_factor(0.9, 0.05, sided=2, rejection=rejection)
        larger = Moments(0.5 * math.sqrt(factor), 1.0, 1.0)
        assert larger.power(0.05, sided=2, rejection=rejection) == pytest.approx(0.9, rel=1e-9)
