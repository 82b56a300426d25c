"""The check of a digitised curve shows where points and numbers disagree."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis import reconstruct_curve
from analysis.errors import InvalidValueError
from analysis.plots import PAGE_WIDTH, curve_check
from analysis.reported import AtRisk, ReportedArm, ReportedComparison

T = np.linspace(0, 24, 60)
POINTS = {"drug": np.column_stack([T, np.exp(-T / 20)]), "control": np.column_stack([T, np.exp(-T / 10)])}
AT_RISK = {"drug": (200, 140, 80), "control": (200, 100, 40)}


def drawn(points, at_risk=AT_RISK, **options):
    arms = [ReportedArm(arm, at_risk=AtRisk((0, 6, 12), at_risk[arm])) for arm in points]
    report = ReportedComparison(endpoint="OS", arms=arms, control="control")
    result = reconstruct_curve(report, points, members=10, **options)
    return result, curve_check(result, points, figure=Figure(figsize=(7, 6)), **options).axes


@pytest.mark.parametrize("unit", [{}, {"unit": "percent"}])
def test_points_on_the_curve_have_no_distance(unit):
    points = {arm: each * (1, 100) if unit else each for arm, each in POINTS.items()}
    _, (above, middle, below) = drawn(points, **unit)
    shown = np.concatenate([line.get_xydata() for line in above.lines if line.get_marker() == "."])
    assert len(shown) == 120
    assert np.abs([line.get_ydata() for line in middle.lines if line.get_marker() == "."]).max() < 1.5
    assert not any("(" in text.get_text() for text in below.texts)


def test_a_stray_point_is_crossed_and_its_distance_written():
    stray = {arm: each.copy() for arm, each in POINTS.items()}
    stray["drug"][30, 1] = 0.05
    result, (above, middle, _) = drawn(stray)
    (cross,) = [line for line in above.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert cross.get_xydata().tolist() == [stray["drug"][30].tolist()]
    (text,) = middle.texts
    off = 0.05 - result.survival_at("drug", [T[30]])["mean"][0]
    assert text.get_text() == f"{100 * off:+.0f}"
    assert cross.get_color() == text.get_color() != above.lines[1].get_color()


def test_a_number_at_risk_that_is_not_given_back_stands_beside_the_printed_one():
    _, (_, _, below) = drawn(POINTS, AT_RISK | {"control": (200, 100, 0)})
    texts = [text.get_text() for text in below.texts]
    assert "200" in texts
    assert any(text.startswith("0 (") for text in texts)


def test_points_of_every_arm_are_asked_for():
    result, _ = drawn(POINTS)
    with pytest.raises(InvalidValueError, match="points of 'control'"):
        curve_check(result, {"drug": POINTS["drug"]})


def test_the_check_has_its_numbers_and_a_sentence():
    result, _ = drawn(POINTS)
    shown = curve_check(result, POINTS)
    assert shown.figure.get_figwidth() == pytest.approx(PAGE_WIDTH)
    assert shown.numbers.groupby("arm")["time"].size().to_dict() == {"drug": 60, "control": 60}
    farthest = shown.numbers.query("arm == 'drug'")["residual"].abs().max()
    assert f"drug 60, the farthest {farthest:.1f} points" in shown.alt
