"""Clicks and cells that are wrong: refused, or named by an error finding; never another curve in silence."""

import numpy as np
import pytest

from analysis import reconstruct, reconstruct_curve
from analysis.errors import InvalidValueError
from analysis.reported import AtRisk, ReportedArm, ReportedComparison

POINTS = [(0, 1), (2, 0.9), (4, 0.75), (6, 0.62), (9, 0.45), (12, 0.37), (15, 0.32)]


def curve(points, **options):
    report = ReportedComparison(endpoint="OS", arms=[ReportedArm("a", n=40)])
    return reconstruct_curve(report, {"a": points}, members=5, rng=1, **options)


def test_proportions_said_to_be_per_cent_are_refused():
    with pytest.raises(InvalidValueError, match="leave unit='percent' out"):
        curve(POINTS, unit="percent")
    as_percent = [(t, 100 * s) for t, s in POINTS]
    np.testing.assert_allclose(
        curve(as_percent, unit="percent").survival_at("a", [6])["mean"], curve(POINTS).survival_at("a", [6])["mean"]
    )


def test_a_stray_click_is_an_error_that_names_the_point():
    stray = [*POINTS[:3], (5, 0.05), *POINTS[3:]]
    (found,) = [finding for finding in curve(stray).findings if finding.check == "rising points"]
    assert found.severity == "error"
    assert "(6, 0.62)" in found.values
    small = [*POINTS[:3], (5, 0.61), *POINTS[3:]]
    (found,) = [finding for finding in curve(small).findings if finding.check == "rising points"]
    assert found.severity == "warning"


def test_clicks_left_of_the_axis_are_judged_by_its_length():
    assert curve([(-0.5, 0.99), (1, 0.98), (20, 0.5), (60, 0.2)]).faithful.size == 5
    with pytest.raises(InvalidValueError, match="check the axes of the figure"):
        curve([(-0.5, 0.99), (1, 0.9), (6, 0.5)])


@pytest.mark.parametrize("counts", [(50, np.nan, 5), (50, None, 5), (50, 20.5, 5), (50, "20", 5), (True, 1, 0)])
def test_numbers_at_risk_are_whole_numbers(counts):
    with pytest.raises(InvalidValueError, match=r"at_risk\.counts: got .* whole numbers of patients"):
        AtRisk((0, 6, 12), counts)
    assert AtRisk((0, 6), np.array([50.0, 20.0])).counts == (50, 20)


def test_a_limit_that_is_not_estimable_is_refused_with_what_to_do():
    arms = [ReportedArm("new", n=50, median="not reached"), ReportedArm("old", n=50, median="8.0")]
    report = ReportedComparison(endpoint="OS", arms=arms, control="old", hazard_ratio=("0.10", "0.01", "not estimable"))
    with pytest.raises(InvalidValueError, match=r"hazard_ratio\.ci: got '0\.01-not estimable'"):
        reconstruct(report, members=5, rng=1)
    assert reconstruct(report, members=5, rng=1, relax="hazard_ratio.ci").faithful.size == 5
