"""Two-arm power: what is asked of it, from numbers or from a design, and what is refused."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from analysis.design import (
    AfterLastEntry,
    Assessments,
    AtEvents,
    AtTime,
    FixedAccrual,
    LaterOf,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnavailableError, UnknownNameError
from analysis.expected.clock import expected_cut_time
from analysis.expected.numbers import (
    expected_events,
    time_of_events,
)
from analysis.expected.score import average_hazard_ratio
from analysis.expected.trial import expected_trials
from analysis.power import (
    ExpectedCourse,
    assurance,
    detectable_effect,
    events_needed,
    hazard_ratio_at_events,
    power,
    power_at_events,
    power_summary,
    sample_size,
    study_duration,
)
from analysis.sequential import NormalPrior
from analysis.statistical_tests import (
    FlemingHarrington,
    IntervalCensoredHazardRatio,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    QuantileDifference,
    RMSTDifference,
)
from analysis.statistical_tests.moments import Moments
from analysis.statistical_tests.normal import bivariate_normal, orthant_probability
from analysis.survival import Ensemble, Exponential, PiecewiseExponential, Tabulated
from tests.large_trials import two_arm_trial

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


def test_events_power_and_hazard_ratio_are_inverse():
    for formula in ("schoenfeld", "freedman", "hsieh-freedman"):
        events = events_needed(0.7, 0.85, allocation_ratio=2.0, formula=formula)
        assert power_at_events(events, 0.7, allocation_ratio=2.0, formula=formula) == pytest.approx(0.85, rel=1e-12)
    events = events_needed(0.7, 0.85, allocation_ratio=2.0, margin=1.1)
    found = hazard_ratio_at_events(events, power=0.85, allocation_ratio=2.0, margin=1.1)
    assert found == pytest.approx(0.7)
    assert hazard_ratio_at_events(50.0, z=0.0, margin=1.2) == pytest.approx(1.2)


def test_bolero_2_asked_for_528_events():
    assert math.ceil(events_needed(0.74, 0.90, 0.025, allocation_ratio=2.0)) == 522
    assert power_at_events(528, 0.74, 0.025, allocation_ratio=2.0) == pytest.approx(0.9035, abs=5e-5)


@pytest.mark.parametrize(
    "test", [None, LogRank(FlemingHarrington(0, 1)), RMSTDifference(12.0), LogRank(formula="schoenfeld")]
)
def test_solutions_have_the_power_asked_for(test):
    one, truth = designed(dropout=0.005), assumed(0.5)
    assert sample_size(one, truth, test, power=0.9).power == pytest.approx(0.9, rel=1e-9)
    if not isinstance(test, RMSTDifference):
        assert study_duration(one, truth, test, power=0.75).power == pytest.approx(0.75, rel=1e-7)
    found = detectable_effect(one, truth, test, power=0.8)
    assert found.power == pytest.approx(0.8, rel=1e-7)
    assert 0.05 < found.hazard_ratio < 0.6


def test_a_solution_prints_what_it_was_asked():
    one = designed(allocation={"control": 1, "experimental": 2})
    found = detectable_effect(one, assumed(), power=0.8)
    shown = found.summary().set_index("item")["value"]
    assert shown["hazard ratio"] == f"{found.hazard_ratio:.4f}"
    assert shown["alpha"] == "0.025 (one-sided)"
    assert ExpectedCourse(found.design, found.scenario).average_hazard_ratio(30.0) == pytest.approx(found.hazard_ratio)
    assert "<table" in found._repr_html_()
    assert "control 1, experimental 2" in found.protocol_text() or "1:2" in found.protocol_text()


def test_duration_waits_no_longer_than_needed():
    found = study_duration(designed(), assumed(0.5), power=0.75)
    assert power(designed(found.time - 0.1), assumed(0.5)).power < 0.75


@pytest.mark.parametrize("test", [RMSTDifference(12.0), MilestoneDifference(12.0), QuantileDifference(0.5)])
def test_duration_of_a_test_that_needs_follow_up(test):
    found = study_duration(designed(n=400), assumed(0.5), test, power=0.8)
    assert found.time > 11.0
    assert found.power == pytest.approx(0.8, abs=1e-6)


def test_duration_jumps_to_the_horizon_where_all_enter_together():
    together = designed(n=400, accrual=FixedAccrual((0.0,) * 400))
    found = study_duration(together, assumed(0.3), MilestoneDifference(12.0), power=0.8)
    assert found.time == pytest.approx(12.0, abs=1e-6)
    assert found.power > 0.99


def test_duration_of_a_huge_trial_is_short():
    found = study_duration(designed(n=10**9), assumed(0.5), power=0.5)
    assert found.power == pytest.approx(0.5, abs=1e-6)
    assert found.time < 0.01


def test_a_curve_that_comes_down_to_zero():
    control, experimental = Tabulated([3, 6, 12], [0.5, 0.2, 0.0]), Tabulated([3, 6, 20], [0.7, 0.4, 0.0])
    both = two_arm_trial(control, experimental, n=100, accrual=UniformAccrual(18))
    assert expected_events(both, 60.0) == pytest.approx([50, 50], rel=1e-6)
    for variance in ("null", "alternative", "statistic"):
        assert 0.9 < LogRank(variance=variance).moments(both, 60.0).power() < 0.99


def test_detectable_hazard_ratio_at_a_number_of_events():
    found = detectable_effect(designed(AtEvents(60)), assumed(), LogRank(formula="schoenfeld"), power=0.8)
    assert found.hazard_ratio == pytest.approx(hazard_ratio_at_events(60.0, power=0.8), rel=1e-7)
    assert found.events[-1] == pytest.approx(60.0)


@pytest.mark.parametrize("hazard_ratio", [0.05, 5.0])
def test_extremes_work(hazard_ratio):
    one = trial(hazard_ratio)
    reached = LogRank().moments(one, 30.0).power(1e-6)
    assert (reached > 0.5) == (hazard_ratio < 1)
    assert 0 <= reached <= 1
    assert time_of_events(one, 1e-3) > 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sample_size(designed(), assumed(1.0), power=0.8), "assume a larger effect"),
        (lambda: sample_size(designed(), assumed(1.2), power=0.8), "not in favour"),
        (lambda: study_duration(designed(), assumed(), power=0.9), "enrol 16"),
        (lambda: time_of_events(trial(0.6, dropout=0.02), 95), "only 70.7 of the 100"),
        (lambda: detectable_effect(designed(3), assumed(), power=0.99), "enrol more patients"),
        (lambda: RMSTDifference(40.0).moments(trial(), 30.0), "analyse later"),
        (lambda: events_needed(1.0, 0.8), "assume a larger effect"),
        (lambda: MaxCombo((FlemingHarrington(0, 0),)).moments(trial(1.2), 30.0).size_factor(0.8), "favour"),
    ],
)
def test_impossible_requests_say_what_would_be_possible(call, says):
    with pytest.raises(InfeasibleDesignError, match=says):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_size(designed(), assumed(), power=0.02),
        lambda: power(designed(), assumed(), n=-5.0),
        lambda: power(designed(), assumed(), trials_=3),
        lambda: designed(0.0),
        lambda: designed(math.nan),
        lambda: designed(alpha=0.7),
        lambda: designed(alpha=2.5),
        lambda: designed(sided=3),
        lambda: designed(n=-5),
        lambda: designed(allocation={"control": 1, "experimental": 0}),
        lambda: designed(dropout=-0.1),
        lambda: LogRank(margin=-1.0),
        lambda: LogRank(margin="1"),
        lambda: Moments(1.0, 1.0, 1.0).power(0.05, sided=3),
        lambda: Moments(1.0, 1.0, 1.0).power(0.05, rejection="any"),
        lambda: time_of_events(trial(), 0),
        lambda: MilestoneDifference(0.0),
        lambda: RMSTDifference(-1.0),
        lambda: MaxCombo(()),
    ],
)
def test_bad_input_is_named(call):
    with pytest.raises(InvalidValueError, match=r"got .*; expected .*; "):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: LogRank(variance="exact"),
        lambda: LogRank(formula="lakatos"),
        lambda: events_needed(0.6, 0.8, formula="lakatos"),
        lambda: MilestoneDifference(12.0, scale="probit"),
        lambda: power(designed(), assumed(), by="magic"),
    ],
)
def test_unknown_words_are_named_with_the_known_ones(call):
    with pytest.raises(UnknownNameError, match=r"got .*; expected a known"):
        call()


def test_normal_probabilities():
    assert bivariate_normal(np.zeros(1), np.zeros(1), 0.5)[0] == pytest.approx(1 / 4 + math.asin(0.5) / (2 * math.pi))
    np.testing.assert_allclose(bivariate_normal(np.array([0.3]), np.array([1.0]), 1.0), norm.cdf(0.3))
    np.testing.assert_allclose(bivariate_normal(np.array([0.3]), np.array([1.0]), -1.0), norm.cdf(0.3) - norm.cdf(-1))
    for k, tolerance in ((3, 1e-6), (4, 1e-5), (5, 1e-4)):
        correlation = np.full((k, k), 0.6) + 0.4 * np.eye(k)
        limits = np.linspace(-0.5, 2.0, k)
        reference, _ = quad(  # equally correlated variables share one, given which they are independent
            lambda u, at=limits: norm.pdf(u) * norm.cdf((at - math.sqrt(0.6) * u) / math.sqrt(0.4)).prod(), -9, 9
        )
        assert orthant_probability(limits, correlation) == pytest.approx(reference, abs=tolerance)
    with pytest.raises(InvalidValueError, match="at most 5"):
        orthant_probability(np.zeros(6), np.eye(6))


def test_max_combo_of_one_weight_is_that_test():
    one = trial()
    combo = MaxCombo((FlemingHarrington(0, 1),)).moments(one, 30.0)
    assert combo.power() == pytest.approx(LogRank(FlemingHarrington(0, 1)).moments(one, 30.0).power(), rel=1e-9)
    twice = MaxCombo((FlemingHarrington(0, 1), FlemingHarrington(0, 1))).moments(one, 30.0)
    assert twice.power() == pytest.approx(combo.power(), abs=1e-6)
    three = MaxCombo((FlemingHarrington(0, 0), FlemingHarrington(0, 1), FlemingHarrington(1, 0))).moments(one, 30.0)
    assert three.scaled(three.size_factor(0.9)).power() == pytest.approx(0.9)


def test_interval_censoring_costs_power():
    def reached(**visits):
        seen = Assessments((visits["every"],), interval=visits["every"], missed=visits.get("missed", 0.0))
        one = designed(25, n=200, accrual=UniformAccrual(0.5), assessments=seen)
        return power(one, assumed(), IntervalCensoredHazardRatio()).power

    assert reached(every=1) > reached(every=6) > reached(every=6, missed=0.3)
    with pytest.raises(UnavailableError, match="needs assessments"):
        power(designed(), assumed(), IntervalCensoredHazardRatio())


# from a design and a scenario -----------------------------------------------------------------------------------------


SCENARIO = assumed()


def design(cut, **options):
    return designed(cut, n=99, **options)


def test_a_design_gives_its_sizes_dropout_and_strata():
    one = design(
        AtTime(30),
        allocation={"control": 1, "experimental": 2},
        dropout={"control": 0.01},
        strata={"visceral": 2, "other": 1},
    )
    (found,) = expected_trials(one, SCENARIO)
    assert [tuple(arm.n for arm in stratum.arms) for stratum in found.strata] == [(22, 44), (11, 22)]
    assert found.strata[0].arms[0].loss == Exponential(0.01)
    assert found.strata[0].arms[1].loss is None


@pytest.mark.parametrize(
    ("cut", "time"),
    [
        (AtTime(30), 30.0),
        (AfterLastEntry(6), 24.0),
        (LaterOf(AtTime(40), AtEvents(50)), 40.0),
        (AtEvents(60), None),
    ],
)
def test_expected_time_of_a_cut(cut, time):
    (one,) = expected_trials(design(cut), SCENARIO)
    expected = time_of_events(one, 60) if time is None else time
    assert expected_cut_time(cut, one, design(cut)) == pytest.approx(expected)


def test_a_cut_that_never_comes_says_how_many_events_do():
    with pytest.raises(InfeasibleDesignError, match=r"never expected: 60 events are asked for and 48\.\d are expected"):
        power(design(AtEvents(60), dropout=0.05), SCENARIO)


def test_ensembles_keep_members_together_and_are_averaged():
    members = Ensemble((Exponential(RATE), Exponential(2 * RATE)))
    scenario = Scenario.proportional_hazards(members, 0.6)
    trials = expected_trials(design(AtTime(30)), scenario)
    assert [one.strata[0].arms[0].event_time for one in trials] == list(members.members)
    assert all(average_hazard_ratio(one, 30.0) == pytest.approx(0.6) for one in trials)
    powers = [LogRank().moments(one, 30.0).power() for one in trials]
    found = power(design(AtTime(30)), scenario)
    assert found.members == pytest.approx(powers)
    assert found.power == pytest.approx(np.mean(powers))
    assert (found.lowest, found.highest) == pytest.approx((min(powers), max(powers)))


def test_the_mean_over_members_has_the_error_of_their_draw_and_a_member_twice_is_one():
    found = power(design(AtTime(30)), Scenario.proportional_hazards(Exponential(RATE), 0.6))
    assert found.members_std_error == 0.0
    draws = np.random.default_rng(1).lognormal(np.log(RATE), 0.3, 40)
    distinct, twice = (
        power(design(AtTime(30)), Scenario.proportional_hazards(Ensemble(tuple(map(Exponential, rates))), 0.6))
        for rates in (draws, np.repeat(draws, 2))
    )
    own = distinct.members.std(ddof=1) / np.sqrt(40)
    assert distinct.members_std_error == pytest.approx(own)
    assert twice.members_std_error == pytest.approx(own)
    shown = distinct.summary().set_index("item")["value"]["over the members"]
    assert shown.endswith(f"standard error of their mean {own:.4f}")


def test_the_limits_of_a_belief_are_no_draws_of_members():
    found = assurance(design(AtTime(30)), SCENARIO, NormalPrior(math.log(0.6), 0.2))
    assert math.isnan(found.members_std_error)
    shown = found.summary().set_index("item")["value"]
    assert shown["at the limits of the central 95% of the belief"] == f"{found.lowest:.4f} to {found.highest:.4f}"
    assert "over the members" not in shown


def test_arms_must_be_known():
    three = design(AtTime(30), allocation={"control": 1, "low": 1, "high": 1})
    scenario = Scenario({"control": Exponential(RATE), "low": Exponential(0.05), "high": Exponential(0.04)})
    with pytest.raises(InvalidValueError, match="low, high"):
        power(three, scenario)
    assert expected_trials(three, scenario, arm="high")[0].strata[0].arms[1].event_time == Exponential(0.04)
    with pytest.raises(UnknownNameError, match="did you mean"):
        power(three, scenario, arm="hihg")


def test_summary_sets_simulation_beside_the_formulas():
    result = power_summary(design(AtTime(30)), SCENARIO, trials=4_000, rng=5)
    frame = result.summary().set_index("method")
    assert frame.loc["simulated", "std_error"] == pytest.approx(math.sqrt(0.25 / 4_000), rel=0.05)
    assert abs(frame.loc["exact moments", "simulated minus method, points"]) < 100 * 4 * 0.008
    assert abs(frame.loc["simulated type I error", "power"] - 0.025) < 4 * 0.0025 + 0.002
    assert "<table" in result._repr_html_()
    again = power_summary(design(AtTime(30)), SCENARIO, trials=4_000, rng=5).summary()
    assert again.equals(result.summary())


GONE = Scenario.proportional_hazards(Tabulated([5.0, 10.0], [0.5, 0.0]), 0.6)
LATE = Scenario.proportional_hazards(PiecewiseExponential([0.0, 0.1], [8.0]), 0.5)


@pytest.mark.parametrize(
    ("test", "scenario"),
    [
        *((MilestoneDifference(10.0, scale=scale), GONE) for scale in ("plain", "log", "log-log")),
        (MilestoneDifference(6.0), LATE),
        (MilestoneDifference(6.0, margin=-0.1), LATE),
        (RMSTDifference(6.0), LATE),
        (RMSTDifference(6.0, scale="log"), LATE),
    ],
    ids=lambda given: given.name if hasattr(given, "name") else "",
)
def test_curves_that_do_not_vary_have_no_power_by_formula(test, scenario):
    design = TrialDesign(n=50, accrual=UniformAccrual(6), looks=(Look(AtTime(30)),))
    with pytest.raises(InfeasibleDesignError, match=rf"^{re.escape(test.name)}: expected patients .* choose another$"):
        power(design, scenario, test)


def test_a_milestone_that_one_arm_never_reaches_has_the_variance_of_the_other():
    design = TrialDesign(n=50, accrual=UniformAccrual(6), looks=(Look(AtTime(30)),))
    scenario = Scenario({"control": Tabulated([5.0, 10.0], [0.5, 0.0]), "experimental": Exponential(0.05)})
    moments = MilestoneDifference(10.0).moments(expected_trials(design, scenario)[0], 30.0)
    left = math.exp(-0.5)
    assert moments.effect == pytest.approx(left, rel=1e-12)
    assert moments.sd == pytest.approx(math.sqrt(left * (1 - left) / 25), rel=1e-6)
