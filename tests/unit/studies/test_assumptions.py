"""Assumptions as a table: a value of several parts is told in words."""

from analysis.endpoints import Rate, Stein, Tumours
from analysis.studies.assumptions import Assumption, assumption_table
from analysis.studies.elacestrant import scans
from analysis.studies.xenera1 import two_readers


def test_a_value_of_several_parts_is_told_by_those_that_were_chosen() -> None:
    tumours = Tumours(Stein(Rate(0.03, 1.2), Rate(0.02, 1.0)), targets=2, death=0.003)
    table = assumption_table([Assumption("disease", tumours, "a month", "a choice"), Assumption("n", 30, "", "")])
    assert table["value"].tolist() == [
        "growth (growth (median 0.03, between patients 1.2), shrinkage (median 0.02, between patients 1)), targets 2, "
        "death 0.003",
        30,
    ]


def test_no_table_of_the_studies_shows_python() -> None:
    for assumptions in (two_readers.ASSUMPTIONS, scans.ASSUMPTIONS):
        assert not any("=" in str(value) for value in assumption_table(assumptions)["value"])
