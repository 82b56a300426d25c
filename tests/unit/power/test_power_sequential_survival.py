"""Group-sequential designs in events: BOLERO-2's design, calendar time, exact against approximate power."""

import math
import re

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from analysis.conventions import from_json, replace, to_json
from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power import ExpectedCourse, events_needed, power, power_at_events, power_summary
from analysis.sequential import (
    BetaSpending,
    FutilityBounds,
    GroupSequentialDesign,
    HwangShihDeCani,
    LanDeMetsPocock,
    NullSpending,
    crossing_probabilities,
)
from analysis.statistical_tests import LogRank
from analysis.survival import Exponential

LOOKS = GroupSequentialDesign((0.4, 0.65, 1.0), alpha=0.025, power=0.9)
EVENTS = events_needed(0.74, allocation_ratio=2, boundaries=LOOKS)
DESIGN = TrialDesign(
    n=705,
    accrual=UniformAccrual(17),
    looks=LOOKS.looks(events=EVENTS),
    allocation={"control": 1, "experimental": 2},
)
TRUTH, NULL = (Scenario.proportional_hazards(Exponential.from_median(5), ratio) for ratio in (0.74, 1.0))
SCHOENFELD, AVERAGE = LogRank(formula="schoenfeld"), LogRank(formula="average hazard ratio")


def test_bolero_2_needs_528_events():
    assert math.ceil(EVENTS) == 528
    thirds = GroupSequentialDesign((1 / 3, 2 / 3, 1.0))
    assert math.ceil(events_needed(0.74, allocation_ratio=2, boundaries=thirds)) == 528
    assert power_at_events(EVENTS, 0.74, allocation_ratio=2, boundaries=LOOKS) == pytest.approx(0.9, rel=1e-10)
    assert power_at_events(EVENTS, 1.0, allocation_ratio=2, boundaries=LOOKS) == pytest.approx(0.025, rel=1e-10)
    fixed = events_needed(0.74, allocation_ratio=2, boundaries=GroupSequentialDesign((1.0,)))
    assert fixed == pytest.approx(4.5 * ((norm.isf(0.025) + norm.isf(0.1)) / math.log(0.74)) ** 2, rel=1e-10)
    assert pytest.approx(fixed * LOOKS.inflation, rel=1e-10) == EVENTS


def test_the_looks_are_those_of_the_boundaries():
    assert [look.cut.events for look in DESIGN.looks] == [211, 343, 528]
    assert DESIGN.efficacy_bounds == pytest.approx(LOOKS.upper)
    assert DESIGN.futility_bounds == (-math.inf,) * 3
    assert from_json(to_json(DESIGN)) == DESIGN
    calendar = LOOKS.looks([AtTime(10), AtTime(20), AtTime(30)])
    assert [look.cut.time for look in calendar] == [10, 20, 30]
    with pytest.raises(InvalidValueError, match="3 cuts"):
        LOOKS.looks([AtTime(10)])


def test_looks_without_a_bound_go_into_a_design_and_through_both_ways_of_calculation():
    spent = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((None,)))
    late = GroupSequentialDesign((0.5, 1.0), futility=NullSpending(HwangShihDeCani(-2.0)))
    for boundaries in (spent, late):
        design = replace(DESIGN, looks=boundaries.looks(events=300))
        by_formula, simulated = power(design, TRUTH), power(design, TRUTH, by="simulation", trials=4000)
        assert abs(by_formula.power - simulated.power) < 4 * simulated.std_error + 0.005


def test_hazard_ratios_at_the_bounds():
    table = power(DESIGN, TRUTH, SCHOENFELD).looks()
    expected = np.exp(-LOOKS.upper / np.sqrt(table["events"] * 2 / 9))
    assert table["efficacy_hazard_ratio"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)
    assert np.all(np.isinf(table["futility_hazard_ratio"]))
    futile = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.0,)))
    table = power(replace(DESIGN, looks=futile.looks(events=528)), TRUTH).looks()
    assert table["futility_hazard_ratio"][0] == 1


def test_a_margin_shifts_every_hazard_ratio():
    shifted = events_needed(0.74 * 1.3, allocation_ratio=2, margin=1.3, boundaries=LOOKS)
    assert shifted == pytest.approx(EVENTS, rel=1e-12)
    found = power(DESIGN, TRUTH, LogRank(margin=1.3, formula="schoenfeld")).looks()
    plain = power(DESIGN, TRUTH, SCHOENFELD).looks()
    ratios = found["efficacy_hazard_ratio"] / plain["efficacy_hazard_ratio"]
    assert ratios.tolist() == pytest.approx([1.3] * 3, rel=1e-12)
    assert power_at_events(EVENTS, 1.3, allocation_ratio=2, margin=1.3, boundaries=LOOKS) == pytest.approx(0.025)


def test_the_looks_come_when_their_events_are_expected():
    found, course = power(DESIGN, TRUTH), ExpectedCourse(DESIGN, TRUTH)
    for time, events, enrolled in zip(found.times, found.events, found.enrolled, strict=True):
        assert sum(course.events(time).values()) == pytest.approx(events, rel=1e-9)
        assert course.enrolled(time) == pytest.approx(enrolled, rel=1e-12)
    assert found.stopping == pytest.approx([*found.reject[:2], 1 - found.reject[:2].sum()], rel=1e-12)
    assert found.expected_duration == pytest.approx(found.stopping @ found.times, rel=1e-12)
    assert found.expected_events == pytest.approx(found.stopping @ found.events, rel=1e-12)
    assert found.expected_patients < 705
    assert found.looks()["reject"].sum() == pytest.approx(found.power, rel=1e-12)


def test_schoenfelds_moments_give_schoenfelds_probabilities():
    whole = power_at_events(528, 0.74, allocation_ratio=2, boundaries=LOOKS)
    assert power(DESIGN, TRUTH, SCHOENFELD).power == pytest.approx(whole, abs=1e-4)  # looks at whole events


def test_the_exact_moments_count_the_events_that_balance_the_arms():
    assert power(DESIGN, TRUTH).power > power(DESIGN, TRUTH, SCHOENFELD).power + 0.005
    assert power(DESIGN, TRUTH, AVERAGE).power == pytest.approx(0.9, abs=0.01)


def test_under_no_effect_every_test_spends_alpha():
    for test in (LogRank(), SCHOENFELD, AVERAGE):
        assert power(DESIGN, NULL, test).power == pytest.approx(0.025, rel=2e-3)


def test_formula_and_simulation_know_the_same_looks():
    """What stood side by side without a word: a formula that ignores the looks, and a simulation that has them."""
    summary = power_summary(DESIGN, TRUTH, trials=4000, rng=3)
    frame = summary.summary().set_index("method")
    assert abs(frame.loc["exact moments", "power"] - frame.loc["simulated", "power"]) < 0.03
    assert frame.loc["simulated", "std_error"] > 0


def test_words():
    text = power(DESIGN, TRUTH, SCHOENFELD).protocol_text()
    assert "528 events" in text
    for bound in LOOKS.upper:
        assert f"{bound:.4g}" in text


def test_impossible_requests_are_named():
    with pytest.raises(InfeasibleDesignError, match="not below the 1"):
        events_needed(1.0, boundaries=LOOKS)
    with pytest.raises(InvalidValueError, match="hazard_ratio"):
        events_needed(-0.5, boundaries=LOOKS)
    with pytest.raises(InvalidValueError, match="exactly one"):
        events_needed(0.7, 0.9, boundaries=LOOKS)
    with pytest.raises(InvalidValueError, match="events"):
        power_at_events(0.0, 0.7, boundaries=LOOKS)
    with pytest.raises((InfeasibleDesignError, InvalidValueError), match="patients"):
        power(replace(DESIGN, n=529), Scenario.proportional_hazards(Exponential.from_median(5), 0.74), n=400)


@pytest.mark.parametrize(
    ("formula", "drift"),
    [
        ("freedman", lambda hr, r: math.sqrt(r) * (1 - hr) / (1 + r * hr)),
        ("hsieh-freedman", lambda hr, r: 2 * math.sqrt(r) / (1 + r) * (1 - hr) / (1 + hr)),
    ],
)
def test_formulas_of_z_alone_know_that_events_grow_from_look_to_look(formula, drift):
    """Expected z grows with the root of the events, with which the looks are correlated."""
    design = replace(DESIGN, allocation={"control": 1, "experimental": 2})
    events = np.array([look.cut.events for look in design.looks], dtype=float)
    per_root = drift(0.74, 2.0)
    low = np.minimum(design.futility_bounds, design.efficacy_bounds)
    crossed = crossing_probabilities(events, low, np.array(design.efficacy_bounds), per_root * np.sqrt(events))
    found = power(design, TRUTH, LogRank(formula=formula))
    assert found.power == pytest.approx(crossed.upper.sum(), abs=1e-6)


def test_bounds_for_futility_that_alpha_counts_on_are_said_to_be_binding():
    def notes(binding):
        futility = BetaSpending(LanDeMetsPocock(), binding=binding)
        looks = GroupSequentialDesign((0.5, 0.75, 1.0), futility=futility).looks(events=280)
        found = power(replace(DESIGN, n=400, looks=looks), TRUTH)
        return found.notes, looks, found.protocol_text()

    (note,), looks, words = notes(True)
    upper = [look.efficacy_z for look in looks]
    together = multivariate_normal(np.zeros(3), np.sqrt([[1, 2 / 3, 1 / 2], [2 / 3, 1, 3 / 4], [1 / 2, 3 / 4, 1]]))
    said = re.fullmatch(r"the bounds for futility are binding: .* probability (0\.\d+) under the null .*", note)
    assert float(said[1]) == pytest.approx(1 - together.cdf(upper), abs=2e-4)
    assert "a binding futility boundary" in words
    nothing, looks, words = notes(False)
    assert nothing == ()
    assert "The bounds are those of the Lan-DeMets O'Brien-Fleming-like spending function" in words
    assert "a non-binding futility boundary" in words
    assert "for a power of 90%" in words
    assert f"and at 280 events, rejects at z of at least {looks[-1].efficacy_z:.4g}. The bounds" in words


@pytest.mark.parametrize("hazard_ratio", [0.05, 0.95])
def test_extreme_hazard_ratios(hazard_ratio):
    boundaries = GroupSequentialDesign(tuple(k / 10 for k in range(1, 11)), alpha=1e-6)
    events = events_needed(hazard_ratio, boundaries=boundaries)
    assert power_at_events(events, hazard_ratio, boundaries=boundaries) == pytest.approx(0.9, rel=1e-9)


def test_a_fixed_design_is_a_design_with_one_look():
    one = replace(DESIGN, looks=(Look(AtTime(30)),))
    boundaries = GroupSequentialDesign((1.0,))
    assert power(one, TRUTH).power == power(replace(one, looks=boundaries.looks([AtTime(30)])), TRUTH).power
