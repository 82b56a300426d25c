"""Group-sequential designs in events: BOLERO-2's design, calendar time, exact against approximate power."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from analysis.design import UniformAccrual
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power import (
    AverageHazardRatio,
    Freedman,
    FutilityBounds,
    GroupSequentialDesign,
    LogRank,
    Schoenfeld,
    SequentialSurvivalDesign,
    crossing_of_test,
    expected_enrolled,
    expected_events,
    sequential_survival_design,
    two_arm_trial,
)
from analysis.survival.distributions import Exponential

LOOKS = GroupSequentialDesign((0.4, 0.65, 1.0), alpha=0.025, power=0.9)
PLAN = sequential_survival_design(LOOKS, 0.74, allocation_ratio=2)
TRIAL = two_arm_trial(
    Exponential.from_median(5), hazard_ratio=0.74, n=705, accrual=UniformAccrual(17), allocation_ratio=2
)


def test_bolero_2_needs_528_events():
    assert math.ceil(PLAN.events) == 528
    assert (
        math.ceil(
            sequential_survival_design(GroupSequentialDesign((1 / 3, 2 / 3, 1.0)), 0.74, allocation_ratio=2).events
        )
        == 528
    )
    assert PLAN.power() == pytest.approx(0.9, rel=1e-10)
    assert PLAN.power(1.0) == pytest.approx(0.025, rel=1e-10)
    fixed = sequential_survival_design(GroupSequentialDesign((1.0,)), 0.74, allocation_ratio=2)
    assert fixed.events == pytest.approx(4.5 * ((norm.isf(0.025) + norm.isf(0.1)) / math.log(0.74)) ** 2, rel=1e-10)
    assert PLAN.events == pytest.approx(fixed.events * LOOKS.inflation, rel=1e-10)


def test_hazard_ratios_at_the_bounds():
    expected = np.exp(-LOOKS.upper / np.sqrt(PLAN.events_at_looks * 2 / 9))
    assert PLAN.efficacy_hazard_ratios == pytest.approx(expected, rel=1e-12)
    assert np.all(np.isinf(PLAN.futility_hazard_ratios))
    futile = sequential_survival_design(GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.0,))), 0.7)
    assert futile.futility_hazard_ratios[0] == 1


def test_a_drift_and_its_hazard_ratio_belong_together():
    assert PLAN.hazard_ratio_at_drift(PLAN.drift(0.61)) == pytest.approx(0.61, rel=1e-12)


def test_a_margin_shifts_every_hazard_ratio():
    shifted = sequential_survival_design(LOOKS, 0.74 * 1.3, allocation_ratio=2, margin=1.3)
    assert shifted.events == pytest.approx(PLAN.events, rel=1e-12)
    assert shifted.efficacy_hazard_ratios == pytest.approx(1.3 * PLAN.efficacy_hazard_ratios, rel=1e-12)
    assert shifted.power(1.3) == pytest.approx(0.025, rel=1e-10)


def test_schedule_finds_the_times_of_the_events():
    looks = PLAN.schedule(TRIAL)
    for time, events, enrolled in zip(looks.times, looks.events, looks.enrolled, strict=True):
        assert expected_events(TRIAL, time).sum() == pytest.approx(events, rel=1e-9)
        assert expected_enrolled(TRIAL, time) == pytest.approx(enrolled, rel=1e-12)
    stopping = np.r_[looks.crossing.upper[:2], 1 - looks.crossing.upper[:2].sum()]
    assert looks.expected_duration == pytest.approx(stopping @ looks.times, rel=1e-12)
    assert looks.expected_events == pytest.approx(PLAN.expected_events(), rel=1e-12)
    assert looks.expected_enrolled < 705
    assert looks.summary().reject.sum() == pytest.approx(looks.power, rel=1e-12)
    assert PLAN.summary().events.tolist() == pytest.approx(PLAN.events_at_looks)


def test_schoenfelds_moments_give_schoenfelds_probabilities():
    by_formula, by_moments = PLAN.schedule(TRIAL).crossing, PLAN.schedule(TRIAL, Schoenfeld()).crossing
    assert by_moments.upper == pytest.approx(by_formula.upper, rel=1e-7)


def test_the_exact_moments_count_the_events_that_balance_the_arms():
    assert PLAN.schedule(TRIAL, LogRank()).power > PLAN.power() + 0.005
    assert PLAN.schedule(TRIAL, AverageHazardRatio()).power == pytest.approx(0.9, abs=0.01)


def test_under_no_effect_every_test_spends_alpha():
    null = two_arm_trial(
        Exponential.from_median(5), hazard_ratio=1.0, n=705, accrual=UniformAccrual(17), allocation_ratio=2
    )
    times = PLAN.schedule(null).times
    assert crossing_of_test(LOOKS.bounds, null, times).upper.sum() == pytest.approx(0.025, rel=1e-3)
    assert crossing_of_test(LOOKS.bounds, null, times, AverageHazardRatio()).upper.sum() == pytest.approx(
        0.025, rel=1e-3
    )


def test_json_and_protocol():
    assert SequentialSurvivalDesign.from_json(PLAN.to_json()) == PLAN
    text = PLAN.protocol_text()
    assert "528 events" in text
    assert "hazard ratio of 0.74" in text
    assert f"{PLAN.expected_events():.1f}" in text
    for ratio in PLAN.efficacy_hazard_ratios:
        assert f"{ratio:.3f}" in text


def test_impossible_requests_are_named():
    with pytest.raises(InfeasibleDesignError, match="not below the 1"):
        sequential_survival_design(LOOKS, 1.0)
    with pytest.raises(InvalidValueError, match="hazard_ratio"):
        sequential_survival_design(LOOKS, -0.5)
    with pytest.raises(InvalidValueError, match="events"):
        SequentialSurvivalDesign(LOOKS, 0.7, events=0.0)
    with pytest.raises(InfeasibleDesignError, match="patients"):
        PLAN.schedule(TRIAL.with_n(400))
    with pytest.raises(InvalidValueError, match="variance changes"):
        PLAN.schedule(TRIAL, Freedman())


@pytest.mark.parametrize("hazard_ratio", [0.05, 0.95])
def test_extreme_hazard_ratios(hazard_ratio):
    design = GroupSequentialDesign(tuple(k / 10 for k in range(1, 11)), alpha=1e-6)
    plan = sequential_survival_design(design, hazard_ratio)
    assert plan.power() == pytest.approx(0.9, rel=1e-9)
