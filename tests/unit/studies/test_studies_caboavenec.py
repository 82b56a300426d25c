"""CaboAveNEC's exact designs, its simulated trials beside them."""

import numpy as np
import pytest
from scipy.stats import beta, betabinom, binom

from analysis.studies.caboavenec import dcr


def test_the_exact_designs_of_thirty_patients():
    """Recorded independently with the trial's facts; the true rates are the next whole per cent."""
    table = dcr.exact_designs()
    assert table["n"].eq(30).all()
    assert table["null_rate"].tolist() == [0.10, 0.15, 0.20, 0.25, 0.30]
    assert table["critical"].tolist() == [7, 9, 11, 13, 14]
    assert table["attained_alpha"].round(3).tolist() == [0.026, 0.028, 0.026, 0.022, 0.040]
    assert np.ceil(100 * table["rate_for_power_80"]).tolist() == [29, 36, 43, 50, 53]
    assert np.ceil(100 * table["rate_for_power_90"]).tolist() == [33, 40, 47, 54, 57]


def test_simulated_power_is_the_exact_power():
    curve = dcr.power_curve(trials=5_000, seed=11)
    error = np.sqrt(curve["exact"] * (1 - curve["exact"]) / 5_000)
    assert len(curve) == 5 * len(dcr.TRUE_RATES)
    assert (np.abs(curve["simulated"] - curve["exact"]) <= 4.5 * error + 1 / 5_000).all()


def test_dropout_costs_power_because_a_missing_status_is_a_failure():
    without = dcr.power_curve(trials=2_000, seed=11).set_index(["null_rate", "true_rate"])
    lossy = dcr.power_curve(dcr.DROPOUT.value, trials=2_000, seed=11).set_index(["null_rate", "true_rate"])
    assert lossy.loc[(0.15, 0.35), "simulated"] < without.loc[(0.15, 0.35), "simulated"] - 0.02


def test_the_design_is_read_from_the_report():
    assert dcr.planned_enrolment() == 30
    assert dcr.design().arms == ("cabozantinib-avelumab",)
    assert dcr.landmark() == pytest.approx(112 / 30.4375)


def test_controls_are_read_from_the_reports():
    table = dcr.historical_controls()
    assert table[["responders", "n"]].to_numpy().tolist() == [[9, 60], [3, 29], [5, 12]]
    assert ((table["lower"] < table["rate"]) & (table["rate"] < table["upper"])).all()


@pytest.mark.parametrize("table", [dcr.against_history, dcr.assurance])
def test_simulated_averages_are_the_exact_ones(table):
    found = table(trials=4_000, seed=5)
    assert (np.abs(found["simulated"] - found["exact"]) <= 4.5 * found["std_error"]).all()


def test_type_i_error_is_that_of_averaging_the_binomial_over_the_posterior():
    found = dcr.against_history(trials=4_000, seed=5).set_index(["control", "null_rate"])
    rates = beta.rvs(9.5, 51.5, size=200_000, random_state=1)
    expected = binom.sf(8, 30, rates).mean()
    assert found.loc[(dcr.AVENEC.name, 0.15), "exact"] == pytest.approx(expected, abs=0.002)


def test_simulated_two_stage_designs_have_their_exact_characteristics():
    table = dcr.two_stage(trials=2_000, seed=5)
    for name in ("alpha", "power", "stop_early_null"):
        distance = np.abs(table[f"{name}_simulated"] - table[name]) / table[f"{name}_std_error"]
        assert distance.max() <= 4.5, name
    assert (table["enrolled_null"] > table["expected_n_null"]).all()
    assert (table["alpha"] <= 0.05).all()
    assert (table["power"] >= 0.80).all()


def test_the_simulated_stratified_test_has_its_exact_characteristics():
    table = dcr.strata(trials=4_000, seed=5)
    for name in ("alpha", "power"):
        assert (np.abs(table[f"{name}_simulated"] - table[name]) <= 4.5 * table[f"{name}_std_error"]).all()
    assert table[["NET G3", "NEC"]].sum(axis=1).eq(30).all()


def test_more_responders_are_better_evidence():
    table = dcr.better_than(dcr.AVENEC)
    assert table["probability"].is_monotonic_increasing
    assert table.loc[10, "probability"] == pytest.approx(0.9759, abs=5e-4)


def test_the_interim_says_less_against_a_higher_null_rate():
    table = dcr.after_interim()
    assert table["posterior"].is_monotonic_decreasing
    assert table["posterior"].iloc[1] == pytest.approx(beta.sf(0.15, 5.5, 7.5))
    for rule in ("predictive_posterior", "predictive_exact"):
        assert table[rule].is_monotonic_decreasing
    at_15 = table.set_index("null_rate").loc[0.15]
    x = np.arange(19)
    chance = betabinom.pmf(x, 18, 5.5, 7.5)
    assert at_15["critical"] == 9
    assert at_15["predictive_exact"] == pytest.approx(chance[x + 5 >= 9].sum())
