"""Exact single-stage designs: the published table for 30 patients, both sample-size rules, bad input."""

from math import ceil, comb

import numpy as np
import pytest

from analysis.conventions import from_json, to_json
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnknownNameError
from analysis.single_arm import (
    BinomialDesign,
    exact_binomial,
    exact_binomial_power,
    single_stage,
)
from analysis.single_arm.single_stage import normal_approximation_n

REQUEST = {"null_rate": 0.2, "alternative_rate": 0.4, "alpha": 0.1, "power": 0.9}


@pytest.mark.parametrize(
    ("null_rate", "critical", "alpha", "rate_80", "rate_90"),
    [
        (0.10, 7, 0.026, 0.29, 0.33),
        (0.15, 9, 0.028, 0.36, 0.40),
        (0.20, 11, 0.026, 0.43, 0.47),
        (0.25, 13, 0.022, 0.50, 0.54),
        (0.30, 14, 0.040, 0.53, 0.57),
    ],
)
def test_thirty_patients_against_ten_to_thirty_per_cent(null_rate, critical, alpha, rate_80, rate_90):
    # the table gives the smallest whole per cent with at least that power
    design = exact_binomial(30, null_rate=null_rate, alpha=0.05)
    assert design.critical == critical
    assert design.attained_alpha == pytest.approx(alpha, abs=5e-4)
    assert ceil(100 * design.detectable_rate(0.8)) == round(100 * rate_80)
    assert ceil(100 * design.detectable_rate(0.9)) == round(100 * rate_90)


def test_rejection_probability_is_the_binomial_tail():
    design = exact_binomial(30, null_rate=0.15, alpha=0.05)
    for rate in (0.0, 0.15, 0.37, 1.0):
        tail = sum(comb(30, k) * rate**k * (1 - rate) ** (30 - k) for k in range(9, 31))
        assert design.rejection_probability(rate) == pytest.approx(tail, abs=1e-13)


def test_detectable_rate_has_the_power_it_was_asked_for():
    design = exact_binomial(30, null_rate=0.15, alpha=0.05)
    assert design.rejection_probability(design.detectable_rate(0.9)) == pytest.approx(0.9, abs=1e-9)


def test_both_sample_size_rules_are_offered_by_name():
    first, conservative = single_stage(**REQUEST, rule="first"), single_stage(**REQUEST)
    assert (first.n, conservative.n) == (36, 42)
    table = exact_binomial_power(np.arange(1, 300), null_rate=0.2, alternative_rate=0.4, alpha=0.1).set_index("n")
    assert table.loc[: first.n - 1, "power"].max() < 0.9 <= table.loc[first.n, "power"]
    assert table.loc[conservative.n - 1, "power"] < 0.9 <= table.loc[conservative.n :, "power"].min()


def test_saw_tooth_power_falls_where_the_critical_value_steps():
    table = exact_binomial_power(np.arange(10, 60), null_rate=0.2, alternative_rate=0.4, alpha=0.05)
    steps = np.diff(table["critical"]) > 0
    change = np.diff(table["power"])
    assert steps.any()
    assert np.all(change[steps] < 0)
    assert np.all(change[~steps] > 0)


def test_extreme_error_rates():
    design = single_stage(null_rate=0.3, alternative_rate=0.5, alpha=1e-6, power=0.999)
    assert 0 < design.attained_alpha <= 1e-6
    assert design.attained_power >= 0.999


def test_design_round_trips_through_json_and_says_its_numbers():
    design = exact_binomial(30, null_rate=0.15, alpha=0.05, alternative_rate=0.4)
    assert from_json(to_json(design)) == design
    text = design.protocol_text()
    for number in (
        "15%",
        "30 patients",
        "at least 9",
        f"{design.attained_alpha:.4f}",
        "40%",
        f"{design.attained_power:.4f}",
    ):
        assert number in text
    assert "A'Hern" in text


def test_json_of_another_kind_is_refused():
    with pytest.raises(UnknownNameError, match="kind: got 'group-sequential'"):
        from_json('{"kind": "group-sequential"}')
    with pytest.raises(InvalidValueError, match="colour"):
        from_json('{"kind": "single_arm.BinomialDesign", "colour": 1}')
    with pytest.raises(InvalidValueError, match="text: got"):
        from_json("{")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"null_rate": 15}, "null_rate: got 15"),
        ({"null_rate": 0.5}, "alternative_rate: got 0.4"),
        ({"alpha": 0.0}, "alpha: got 0.0"),
        ({"power": 1.0}, "power: got 1.0"),
        ({"rule": "smallest"}, "rule: got 'smallest'"),
    ],
)
def test_values_out_of_range_are_named(change, message):
    with pytest.raises(InvalidValueError, match=message):
        single_stage(**(REQUEST | change))


def test_impossible_requests_say_what_would_be_possible():
    with pytest.raises(InfeasibleDesignError, match="more than the type I error"):
        single_stage(**(REQUEST | {"power": 0.05}))
    with pytest.raises(InfeasibleDesignError, match="needs 42 patients"):
        single_stage(**REQUEST, n_max=41)
    with pytest.raises(InfeasibleDesignError, match="smallest n that can reject is 9"):
        exact_binomial(8, null_rate=0.7, alpha=0.05)
    assert exact_binomial(9, null_rate=0.7, alpha=0.05).critical == 9
    with pytest.raises(InfeasibleDesignError, match="ask for more than that"):
        exact_binomial(30, null_rate=0.15, alpha=0.05).detectable_rate(0.02)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"looks": (30, 20)}, "looks"),
        ({"looks": (0, 20)}, "looks"),
        ({"futility": (3,)}, "futility"),
        ({"futility": (5, 3)}, "futility"),
        ({"futility": (11, 12)}, "futility"),
        ({"efficacy": (3, 4)}, "efficacy"),
        ({"efficacy": (2,)}, "efficacy"),
    ],
)
def test_decision_rules_that_leave_no_way_on_are_refused(fields, message):
    values = {"looks": (10, 29), "futility": (1, 5), "null_rate": 0.1} | fields
    with pytest.raises(InvalidValueError, match=message):
        BinomialDesign(**values)


def test_a_rate_in_per_cent_is_refused_not_guessed():
    with pytest.raises(InvalidValueError, match="not per cent"):
        exact_binomial(30, null_rate=0.15, alpha=0.05).rejection_probability(36.0)


def test_normal_approximation_needs_fewer_patients_than_the_exact_test():
    approximate = normal_approximation_n(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8)
    assert approximate < single_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8, rule="first").n
