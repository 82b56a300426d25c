"""Elacestrant + exemestane: EMERALD's rates, what scans make of them, and the power against them."""

import numpy as np
import pytest

from analysis.studies.elacestrant import pfs_rate


def test_an_exponential_through_the_median_misses_the_printed_rates():
    table = pfs_rate.printed_rates().set_index(["population", "arm"])
    mutated = table.loc["ESR1 mutated"]
    assert mutated["printed"].tolist() == pytest.approx([0.408, 0.191])
    assert mutated["exponential"].round(2).tolist() == [0.33, 0.11]
    assert (np.abs(table["difference"]) > 0.05).all()


def test_the_scan_of_week_24_decides_at_6_months():
    assert pfs_rate.landmark() == pytest.approx(168 / 30.4375)


@pytest.mark.parametrize(("arm", "printed"), [("elacestrant", 0.4156), ("SOC", 0.2172)])
def test_the_reconstruction_gives_the_printed_rate_back(arm, printed):
    rate = pfs_rate.reconstruction(arm).survival_at(arm, [pfs_rate.MONTHS])
    assert rate["mean"].item() == pytest.approx(printed, abs=5e-5)


def test_the_truth_has_the_rate_asked_for():
    assert float(pfs_rate.truth(0.6).survival(pfs_rate.landmark())) == pytest.approx(0.6)


def test_simulated_power_under_scans_is_the_exact_power():
    curve = pfs_rate.power_curve(trials=4_000, seed=3)
    error = np.sqrt(curve["exact"] * (1 - curve["exact"]) / 4_000)
    assert (np.abs(curve["simulated"] - curve["exact"]) <= 4.5 * error + 1 / 4_000).all()


def test_rates_fall_from_one_scan_to_the_next():
    table = pfs_rate.rates_under_scans((8, 9)).set_index(["arm", "interval"])
    assert table.loc[("SOC", 9), "scan"] == 18
    assert table.loc[("SOC", 9), "mean"] > table.loc[("SOC", 8), "mean"] > 0.2172


def test_the_null_rates_are_the_rates_under_scans_rounded_up():
    rates = pfs_rate.rates_under_scans((pfs_rate.SCANS.value,)).set_index("arm")["mean"]
    rounded = [np.ceil(rates[arm] / 0.05) * 0.05 for arm in (pfs_rate.STANDARD, pfs_rate.ELACESTRANT)]
    assert list(pfs_rate.NULL_RATES.value) == pytest.approx(rounded)


def test_type_i_error_against_emerald_is_simulated_as_it_is_exact():
    table = pfs_rate.against_history(trials=4_000, seed=5)
    assert (np.abs(table["simulated"] - table["exact"]) <= 4.5 * table["std_error"]).all()
    beliefs = pfs_rate.history()
    assert beliefs["elacestrant"].mean == pytest.approx(0.408)
    assert beliefs["SOC"].interval(0.95) == pytest.approx((0.105, 0.278), abs=0.02)


def test_simulated_two_stage_designs_have_their_exact_characteristics():
    table = pfs_rate.two_stage(trials=2_000, seed=5)
    for name in ("alpha", "power", "stop_early_null"):
        assert (np.abs(table[f"{name}_simulated"] - table[name]) <= 4.5 * table[f"{name}_std_error"]).all()


def test_power_falls_with_the_share_of_sites_that_are_not_avid():
    table = pfs_rate.avidity(trials=2_000, seed=5)
    assert table.loc[table["share"] == 0, "rate"].tolist() == pytest.approx([0.6] * 6)
    worst = table[table["hazard_ratio"] == 3.0].set_index(["n", "share"])["exact"]
    assert worst[30, 0.0] > worst[30, 0.25] > worst[30, 0.5]
    assert table["rate"].min() == pytest.approx(0.5 * 0.6 + 0.5 * 0.6**3, abs=1e-3)
    assert (np.abs(table["simulated"] - table["exact"]) <= 4.5 * table["std_error"] + 1e-3).all()
