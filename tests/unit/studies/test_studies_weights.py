"""Which assumption moves what the scans show: one at a time, in order of weight."""

import numpy as np
import pytest

from analysis.studies.caboavenec import definitions, weights
from analysis.studies.elacestrant import scans


@pytest.fixture(params=[weights.what_moves_control, scans.what_moves_rate], ids=["CaboAveNEC", "elacestrant"])
def table(request):
    return request.param()


def test_the_weightiest_stands_on_top(table):
    assert table["replaced"].iloc[0] == "as assumed"
    assert (np.diff(table["difference"].abs()[1:]) <= 0).all()
    np.testing.assert_allclose(table["rate"] - table["rate"].iloc[0], table["difference"], atol=1e-12)


def test_every_assumption_is_varied(table):
    named = weights.OTHERWISE if "an iUPD at week 16 is control" in set(table["replaced"]) else scans.WEIGHED
    assert set(named.value) <= set(table["replaced"])


def test_disease_control_as_assumed_is_that_of_the_study():
    seen = definitions.operating_characteristics()
    seen = seen[(seen["definition"] == "control at landmark") & (seen["iupd"] == "failure")]["rate"].iloc[0]
    table = weights.what_moves_control().set_index(["replaced", "by"])
    assert table["rate"].iloc[0] == pytest.approx(seen, abs=4 * 0.004)
    # more new lesions, more deaths, more missed scans: less control
    for what in ("new lesions a month", "death a month"):
        assert table.loc[(what, "2"), "rate"] < table.loc[(what, "0.5"), "rate"]
    assert table.loc[("scans missed", "0.1"), "rate"] < table.loc[("scans missed", "0"), "rate"]
    assert table.loc[("pseudo-progression", "0.15"), "rate"] > table.loc[("pseudo-progression", "0"), "rate"]


def test_the_elacestrant_rate_falls_with_error_and_with_sites_that_are_not_avid():
    table = scans.what_moves_rate().set_index(["replaced", "by"])["rate"]
    assert table[("measurement error", "0")] > table.iloc[0] > table[("measurement error", "0.14")]
    share = "patients with a site that is not avid"
    assert table[(share, "0")] > table.iloc[0] > table[(share, "0.5")]
