"""What holds for every group-sequential design."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.sequential import (
    AlphaSpending,
    BetaSpending,
    GroupSequentialDesign,
    HwangShihDeCani,
    KimDeMets,
    LanDeMetsOBrienFleming,
    LanDeMetsPocock,
    conditional_power,
    crossing_probabilities,
    stagewise_inference,
)

FUNCTIONS = st.one_of(
    st.just(LanDeMetsOBrienFleming()),
    st.just(LanDeMetsPocock()),
    st.floats(-6, 3).map(HwangShihDeCani),
    st.floats(0.5, 4).map(KimDeMets),
)
FRACTIONS = st.lists(st.floats(0.1, 0.9), min_size=1, max_size=4).map(
    lambda gaps: tuple(np.r_[np.cumsum(gaps)[:-1], np.sum(gaps)] / np.sum(gaps))
)
SETTINGS = settings(max_examples=40, deadline=None)


@SETTINGS
@given(FUNCTIONS, st.floats(1e-4, 0.2))
@example(HwangShihDeCani(5e-324), 0.125)
def test_spending_increases_from_nothing_to_the_total(function, total):
    spent = function.spent(total, np.linspace(1e-3, 1.0, 50))
    assert np.all(np.diff(spent) >= -1e-16)
    assert spent[-1] == pytest.approx(total, rel=1e-12)
    assert function.spent(total, 1.7) == pytest.approx(total, rel=1e-12)


@SETTINGS
@given(FRACTIONS, FUNCTIONS, st.floats(0.001, 0.1), st.floats(0.5, 0.95))
def test_alpha_power_and_inflation(fractions, function, alpha, power):
    design = GroupSequentialDesign(fractions, alpha=alpha, power=power, efficacy=AlphaSpending(function))
    assert design.crossing(0.0).upper.sum() == pytest.approx(alpha, rel=1e-8)
    assert design.crossing(design.drift).upper.sum() == pytest.approx(power, rel=1e-9)
    assert design.inflation >= 1 - 1e-9
    assert design.expected_fraction(design.drift) <= 1 + 1e-12


@SETTINGS
@given(FRACTIONS, FUNCTIONS, st.floats(-3, 5), st.floats(0.01, 1.0))
def test_rejection_increases_with_the_effect(fractions, function, drift, more):
    design = GroupSequentialDesign(fractions, futility=BetaSpending(function))
    assert design.crossing(drift + more).upper.sum() > design.crossing(drift).upper.sum() - 1e-12


@SETTINGS
@given(FRACTIONS, st.floats(-3, 3))
def test_swapping_the_arms_mirrors_the_bounds(fractions, drift):
    t = np.array(fractions)
    upper, lower = np.linspace(3.0, 2.0, t.size), np.linspace(-1.0, 1.0, t.size)
    one = crossing_probabilities(t, lower, upper, drift * np.sqrt(t))
    other = crossing_probabilities(t, -upper, -lower, -drift * np.sqrt(t))
    assert one.upper == pytest.approx(other.lower, rel=1e-9, abs=1e-14)
    assert one.lower == pytest.approx(other.upper, rel=1e-9, abs=1e-14)


@SETTINGS
@given(FRACTIONS, st.floats(0.1, 50.0), st.floats(-2, 4))
def test_the_unit_of_information_does_not_matter(fractions, unit, drift):
    t = np.array(fractions)
    upper = np.linspace(3.0, 2.0, t.size)
    one = crossing_probabilities(t, -np.inf, upper, drift * np.sqrt(t))
    other = crossing_probabilities(unit * t, -np.inf, upper, drift * np.sqrt(t))
    assert one.upper == pytest.approx(other.upper, rel=1e-9, abs=1e-15)


@SETTINGS
@given(st.floats(-1, 3), st.floats(-1, 4), st.floats(0.05, 1.0))
def test_conditional_power_increases_with_what_was_seen_and_what_is_true(z, drift, more):
    design = GroupSequentialDesign((0.5, 0.8, 1.0))
    here = conditional_power(design, 1, z, drift)
    assert conditional_power(design, 1, z + more, drift) > here - 1e-13
    assert conditional_power(design, 1, z, drift + more) > here - 1e-13


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), st.floats(-1, 4), st.floats(0.05, 1.0))
def test_stagewise_inference_is_ordered(look, z, more):
    design = GroupSequentialDesign((0.4, 0.7, 1.0))
    one, other = (stagewise_inference(design, look, value) for value in (z, z + more))
    assert one.lower < one.estimate < one.upper
    assert other.p_one_sided < one.p_one_sided
    assert other.estimate > one.estimate
