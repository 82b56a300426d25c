"""Counts that are bounds, and more members than anything holds, are refused: nothing is read as what it is not."""

import pytest

from analysis import reconstruct, reconstruct_curve
from analysis.errors import InvalidValueError
from analysis.reported import AtRisk, ReportedArm, ReportedComparison


@pytest.mark.parametrize("given", [{"events": "< 30"}, {"events": ">20"}])
def test_a_count_that_is_a_bound_is_not_read_as_that_count(given):
    report = ReportedComparison("OS", [ReportedArm("drug", **{"n": 40, "median": "9.1"} | given)])
    with pytest.raises(InvalidValueError, match=r"OS: drug\.events: got .*expected a number of patients, not a bound"):
        reconstruct(report, members=2, rng=1)
    assert reconstruct(report, members=2, rng=1, relax=["drug.events"]).faithful.all()


def test_totals_that_are_bounds_are_named_too():
    report = ReportedComparison("OS", [ReportedArm("drug", n=40, median="9.1")], events_total="<30")
    with pytest.raises(InvalidValueError, match=r"OS: events_total: got '<30'"):
        reconstruct(report, members=2, rng=1)


def test_a_curve_does_not_read_a_bound_either():
    arm = ReportedArm("drug", events="<30", at_risk=AtRisk((0, 6), (40, 24)))
    with pytest.raises(InvalidValueError, match="not a bound"):
        reconstruct_curve(ReportedComparison("OS", [arm]), {"drug": [(0, 1.0), (3, 0.8), (6, 0.6)]}, members=2)


def test_a_million_members_are_too_many():
    report = ReportedComparison("OS", [ReportedArm("drug", n=40, median="9.1")])
    with pytest.raises(InvalidValueError, match=r"members: got 1000000; expected at most 100,000 members"):
        reconstruct(report, members=1_000_000, rng=1)
