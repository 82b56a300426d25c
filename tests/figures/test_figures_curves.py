"""Panels of reconstructions: their texts stand inside the figure and over no other."""

import pytest

from analysis.figures.curves import Panel, draw_panels
from analysis.reconstruction import reconstruct
from analysis.reported import Landmark, ReportedArm, ReportedComparison
from tests.figures.layout import overlaps


@pytest.fixture(scope="module")
def crossing():
    treated = ReportedArm("xentuzumab", n=50, median="12.7")
    control = ReportedArm("placebo", n=51, median="11.0", landmarks=(Landmark(6, "96%"),))  # hardly room for its name
    report = ReportedComparison("PFS", [treated, control], control="placebo", hazard_ratio=("1.19", "0.55", "2.59"))
    return reconstruct(report, members=20, rng=1)


@pytest.mark.parametrize("columns", [1, 2])
def test_no_text_of_a_panel_stands_over_another(crossing, columns):
    panels = [Panel(title, crossing, "Progression-free", 24) for title in ("Independent review", "Investigator")]
    drawing = draw_panels(panels, "A note of its own.", columns)
    assert overlaps(drawing.figure) == []
    assert set(drawing.numbers["panel"]) == {"Independent review", "Investigator"}
