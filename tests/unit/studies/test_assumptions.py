"""Assumptions as a table: a value of several parts is told in words."""

import re

from analysis.endpoints import Rate, Stein, Tumours
from analysis.studies.assumptions import Assumption, assumption_table
from analysis.studies.caboavenec import comparison, dcr, disease, markers, quality, treatment
from analysis.studies.elacestrant import pet, pfs_rate, scans, selection
from analysis.studies.xenera1 import own_curves, plan, two_readers

ROOMS = comparison, dcr, disease, markers, quality, treatment, pet, pfs_rate, scans, selection, own_curves, two_readers
LISTED = [*(room.ASSUMPTIONS for room in ROOMS), plan.ASSUMPTIONS, plan.OTHERWISE]


def test_a_value_of_several_parts_is_told_by_those_that_were_chosen() -> None:
    tumours = Tumours(Stein(Rate(0.03, 1.2), Rate(0.02, 1.0)), targets=2, death=0.003)
    table = assumption_table([Assumption("disease", tumours, "a month", "a choice"), Assumption("n", 30, "", "")])
    assert table["value"].tolist() == [
        "growth (growth (median 0.03, between patients 1.2), shrinkage (median 0.02, between patients 1)), targets 2, "
        "death 0.003",
        30,
    ]


def test_no_table_of_the_studies_shows_python() -> None:
    """One showed ``lesions=Gamma(``, another two a dictionary, a third ``(8.0, 16.0)``."""
    for assumptions in LISTED:
        told = assumption_table(assumptions)["value"].astype(str)
        assert [value for value in told if re.search(r"[={\[]|(^|[ ,(])'|^\(|None|\d\.\d{5}", value)] == []


def test_numbers_are_told_by_four_digits_at_most() -> None:
    values = [1 / 3, 3.0, 0.06, 200_000, (0.4, 2 / 3, "lost"), None, {"a": (0.1, 0.2), "b": 3}]
    table = assumption_table([Assumption(str(value), value, "", "") for value in values])
    assert table["value"].tolist() == ["0.3333", "3", "0.06", 200_000, "0.4, 0.6667, lost", "none", "a 0.1, 0.2; b 3"]
