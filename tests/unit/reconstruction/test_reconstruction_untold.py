"""A report without a point of a curve is reconstructed, and the result says that the curve is a guess."""

import pytest

from analysis.reconstruction import reconstruct
from analysis.reported import AtRisk, Landmark, ReportedArm, ReportedComparison


def report(control=None, new=None, **of_both):
    arms = [ReportedArm("control", n=40, **(control or {})), ReportedArm("new", n=40, **(new or {}))]
    return ReportedComparison("PFS", arms=arms, control="control", id="pfs", **of_both)


def untold(result):
    return [finding for finding in result.findings if finding.check == "curve-not-told"]


SILENT = {
    "nothing": report(),
    "a ratio between two unknown curves": report(hazard_ratio="0.60"),
    "a p-value": report(p_value="0.03"),
    "events of nobody knows how long a follow-up": report({"events": 20}, {"events": 12}),
    "a rate that is not estimable, and all at risk in the beginning": report(
        {"landmarks": (Landmark(6, "NE"),)}, {"at_risk": AtRisk((0,), (40,))}
    ),
}


@pytest.mark.parametrize("told", SILENT)
def test_curves_of_which_nothing_is_printed_are_said_to_be_guesses(told):
    """They were taken in silence: 77% at 6 months, from two numbers of patients."""
    [finding] = untold(reconstruct(SILENT[told], members=10, rng=1))
    assert finding.severity == "warning"
    assert "control and new" in finding.message
    assert "what is usual for PFS" in finding.message


def test_an_arm_that_nothing_ties_to_the_other_is_named():
    [finding] = untold(reconstruct(report({"median": "5.0"}), members=10, rng=1))
    assert "patients of new have" in finding.message
    assert "median of control 5.0 months" in finding.values


@pytest.mark.parametrize(
    "told",
    [
        report({"median": "5.0"}, hazard_ratio="0.60"),
        report({"median": "NR"}, {"median": "NR"}),
        report({"events": 20}, {"events": 12}, median_follow_up="12.0"),
        report({"landmarks": (Landmark(6, "48%"),)}, {"at_risk": AtRisk((0, 6), (40, 22))}),
    ],
)
def test_a_point_of_a_curve_or_what_ties_it_to_one_is_enough(told):
    assert untold(reconstruct(told, members=10, rng=1)) == []


def test_reports_of_the_same_patients_tell_each_others_curves():
    interim = report({"events": 9}, {"events": 5}, median_follow_up="4.0")
    early = ReportedComparison("OS", arms=report().arms, control="control", id="os")
    [finding] = untold(reconstruct([interim, early], members=10, rng=1).analysis("os"))
    assert finding.where == "os"
