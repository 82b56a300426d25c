"""What a refusal proposes: the numbers that it is enough to relax, and how the report can be read so that it is met."""

import re
from dataclasses import replace

import pytest

from analysis.errors import InfeasibleReportError
from analysis.reconstruction import reconstruct
from analysis.reported import ReportedArm, ReportedComparison


def test_an_impossible_report_says_which_number_it_is_enough_to_relax():
    arms = [ReportedArm("a", n=100, median="8.0"), ReportedArm("b", n=100, median="5.0")]
    impossible = ReportedComparison(
        "PFS", arms, control="b", hazard_ratio=("0.60", "0.43", "0.83"), p_value="0.60", events_total=150
    )
    with pytest.raises(InfeasibleReportError, match=r"it is enough to relax 'p_value' or 'hazard_ratio'$"):
        reconstruct(impossible, 20)


def test_a_p_value_that_can_be_one_sided_is_said_to_be() -> None:
    """Which is often not said: MONALEESA-2, SOLAR-1 and BOLERO-2 print a one-sided p."""
    arms = [ReportedArm("new", n=100, median="9.0"), ReportedArm("old", n=100, median="5.6")]
    report = ReportedComparison("PFS", arms, control="old", hazard_ratio="0.60 (0.40-0.90)", p_value="0.007")
    said = r"its p-value can be a one-sided one: say so if it is; else it is enough to relax .*'p_value'"
    with pytest.raises(InfeasibleReportError, match=said):
        reconstruct(report, 20)
    assert reconstruct(replace(report, p_value="one-sided P = .007"), 20).faithful.all()
    with pytest.raises(InfeasibleReportError) as told:
        reconstruct(replace(report, p_value="two-sided P = .007"), 20)
    assert "can be a one-sided one" not in str(told.value)


@pytest.mark.parametrize(("limits", "level"), [("0.46-0.78", "90%"), ("0.39-0.93", "99%")])
def test_an_interval_that_can_be_of_another_level_is_said_to_be(limits: str, level: str) -> None:
    """Which abstracts often leave out: phase II trials print intervals of 80 or 90%, SELECT and others of 99%."""
    arms = [ReportedArm("new", n=100, median="8.3", events=80), ReportedArm("old", n=100, median="5.6", events=88)]
    report = ReportedComparison("PFS", arms, control="old", hazard_ratio=f"0.60 ({limits})")
    with pytest.raises(InfeasibleReportError) as told:
        reconstruct(report, 20)
    assert re.findall(r"can be one of (\d+%): say so", str(told.value)) == [level]
    assert reconstruct(replace(report, hazard_ratio=f"0.60 ({level} CI {limits})"), 20).faithful.all()


def test_reports_that_cannot_hold_together_say_which_number_it_is_enough_to_relax():
    arms = [ReportedArm("a", n=60, median="6.0"), ReportedArm("b", n=60, median="4.0")]
    late = ReportedComparison("PFS", arms, control="b", id="late", analysis="final", events_total=100)
    early = replace(late, id="early", analysis="interim", events_total=70, hazard_ratio="0.60 (0.37-0.97)")
    reports = [replace(early, p_value="0.60"), late]
    with pytest.raises(InfeasibleReportError, match=r"enough to relax .*\{'early': 'p_value'\}") as raised:
        reconstruct(reports, 2)
    assert "early: hazard_ratio is printed as 0.60" in str(raised.value)


def test_reports_whose_interval_can_be_of_another_level_say_so():
    def of(endpoint, medians, events, ratio):
        arms = [ReportedArm(name, n=100, median=m, events=d) for name, m, d in zip("ab", medians, events, strict=True)]
        return ReportedComparison(endpoint, arms, control="b", hazard_ratio=ratio, id=endpoint)

    reports = [of("PFS", ("8.3", "5.6"), (80, 88), "0.60 (0.46-0.78)"), of("OS", ("22.0", "18.1"), (50, 58), "0.80")]
    said = "right, PFS: the interval of its hazard ratio can be one of 90%: say so if it is; else it is enough to relax"
    with pytest.raises(InfeasibleReportError, match=said):
        reconstruct(reports, 2)
    reports[0] = replace(reports[0], hazard_ratio="0.60 (90% CI 0.46-0.78)")
    assert reconstruct(reports, 2).faithful.all()
