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


def test_a_stray_click_is_left_out_and_named():
    """A slip of the mouse (0.052 for 0.52) among points a week apart: the curve is that of the clean points."""
    t = np.arange(0, 30.25, 0.25)
    clean = np.column_stack([t, np.round(np.exp(-t / 18) * 0.6 + 0.4, 3)])
    stray = clean.copy()
    stray[40, 1] /= 10
    arm = ReportedArm("a", at_risk=AtRisk((0, 10, 20), (211, 150, 110)))
    report = ReportedComparison(endpoint="OS", arms=[arm])
    right, mended = (reconstruct_curve(report, {"a": points}, members=10) for points in (clean, stray))
    at = [9, 10, 11, 12, 13, 14, 16]
    np.testing.assert_allclose(mended.survival_at("a", at)["mean"], right.survival_at("a", at)["mean"], atol=0.002)
    (found,) = [finding for finding in mended.findings if finding.check == "stray points"]
    assert (found.severity, found.values) == ("error", ("(10, 0.0744)",))
    assert not [finding for finding in right.findings if finding.severity == "error"]


@pytest.mark.parametrize("height", [0.05, 0.95])
def test_a_stray_click_among_few_points_is_left_out(height):
    stray = curve([*POINTS[:4], (7, height), *POINTS[4:]])
    np.testing.assert_allclose(
        stray.survival_at("a", [6, 8, 9])["mean"], curve(POINTS).survival_at("a", [6, 8, 9])["mean"], atol=0.05
    )
    assert [finding.severity for finding in stray.findings if finding.check == "stray points"] == ["error"]


def test_a_small_rise_is_levelled():
    rising = curve([*POINTS[:3], (5, 0.617), *POINTS[3:]]).findings
    (found,) = [finding for finding in rising if finding.check == "rising points"]
    assert (found.severity, found.values) == ("warning", ("(6, 0.62)",))


@pytest.mark.parametrize("begin", [0, 1])
@pytest.mark.parametrize("deepest", [0.3, 0.9])
def test_a_curve_that_is_upside_down_is_an_error(begin, deepest):
    """With its first point and without, and where survival stays high, so that 1 - S is nearly level."""
    rising = [(t, (1 - s) * (1 - deepest) / (1 - 0.32)) for t, s in POINTS][begin:]
    assert any(finding.severity == "error" for finding in curve(rising).findings)


def test_a_shaking_hand_gives_the_curve_and_no_error():
    rng = np.random.default_rng(7)
    t = np.linspace(0, 30, 150)
    points = np.column_stack([t + rng.normal(0, 0.3, t.size), np.exp(-t / 12) + rng.normal(0, 0.01, t.size)])
    report = ReportedComparison(endpoint="OS", arms=[ReportedArm("a", n=300)])
    result = reconstruct_curve(report, {"a": points}, members=20)
    assert not [finding for finding in result.findings if finding.severity == "error"]
    at = np.arange(2, 28, 2.0)
    np.testing.assert_allclose(result.survival_at("a", at)["mean"], np.exp(-at / 12), atol=0.02)


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


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([("0", "1"), ("6", "0.5")], "convert text to numbers"),
        (np.array([["0", "1"], ["6", "0.5"]], dtype=object), "convert text to numbers"),
        (np.ma.masked_array([[0, 1], [6, 0.5], [9, 0.4]], [[0, 0], [0, 1], [0, 0]]), "1 masked values"),
        (np.array([[0, 1], [6, 5]], dtype="timedelta64[D]"), "divide durations"),
        ([(0, 1), (6,)], "sequence of numbers"),
        ([0, 6, 9], "columns time and survival"),
    ],
)
def test_points_that_are_no_numbers_are_refused(points, says):
    with pytest.raises(InvalidValueError, match=f"curves.*{says}"):
        curve(points)
