"""CaboAveNEC's exact designs, its simulated trials beside them."""

import numpy as np
import pytest

from analysis.studies import caboavenec


def test_the_exact_designs_of_thirty_patients():
    """Recorded independently with the trial's facts; the true rates are the next whole per cent."""
    table = caboavenec.exact_designs()
    assert table["n"].eq(30).all()
    assert table["null_rate"].tolist() == [0.10, 0.15, 0.20, 0.25, 0.30]
    assert table["critical"].tolist() == [7, 9, 11, 13, 14]
    assert table["attained_alpha"].round(3).tolist() == [0.026, 0.028, 0.026, 0.022, 0.040]
    assert np.ceil(100 * table["rate_for_power_80"]).tolist() == [29, 36, 43, 50, 53]
    assert np.ceil(100 * table["rate_for_power_90"]).tolist() == [33, 40, 47, 54, 57]


def test_simulated_power_is_the_exact_power():
    curve = caboavenec.power_curve(trials=5_000, seed=11)
    error = np.sqrt(curve["exact"] * (1 - curve["exact"]) / 5_000)
    assert len(curve) == 5 * len(caboavenec.TRUE_RATES)
    assert (np.abs(curve["simulated"] - curve["exact"]) <= 4.5 * error + 1 / 5_000).all()


def test_dropout_costs_power_because_a_missing_status_is_a_failure():
    without = caboavenec.power_curve(trials=2_000, seed=11).set_index(["null_rate", "true_rate"])
    lossy = caboavenec.power_curve(caboavenec.DROPOUT.value, trials=2_000, seed=11).set_index(
        ["null_rate", "true_rate"]
    )
    assert lossy.loc[(0.15, 0.35), "simulated"] < without.loc[(0.15, 0.35), "simulated"] - 0.02


def test_the_design_is_read_from_the_report():
    assert caboavenec.planned_enrolment() == 30
    assert caboavenec.design().arms == ("cabozantinib-avelumab",)
    assert caboavenec.landmark() == pytest.approx(112 / 30.4375)
