"""Numbers are read as journals print them, and in the unit that their report names."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest

from analysis.errors import InvalidValueError, LostZeroWarning, ReportedDataError
from analysis.reported import (
    AtRisk,
    Finding,
    Landmark,
    Quartile,
    Reported,
    ReportedArm,
    ReportedComparison,
    ReportedHazardRatio,
    StratificationFactor,
    TrialTimeline,
    check_comparison,
    load,
)
from analysis.reported.summaries import ReportedInterval

WEEK = 7 / 30.4375


@pytest.mark.parametrize(
    ("printed", "unit", "text", "read_unit"),
    [
        (".39", "ratio", "0.39", "ratio"),
        ("0·39", "ratio", "0.39", "ratio"),
        ("<.001", "p-value", "<0.001", "p-value"),
        ("< .05", "p-value", "< 0.05", "p-value"),
        ("\N{LESS-THAN OR EQUAL TO}0.01", "p-value", "<=0.01", "p-value"),
        ("NR", "months", "not reached", "months"),
        ("NE", "months", "not estimable", "months"),
        ("Not reached", "months", "not reached", "months"),
        ("1,234", "count", "1234", "count"),
        ("12,345,678", "count", "12345678", "count"),
        ("8 weeks", "months", "8", "weeks"),
        ("1.5 years", "months", "1.5", "years"),
        ("30 d", "months", "30", "days"),
        ("11.0 mo", "months", "11.0", "months"),
        ("11.0 mos", "months", "11.0", "months"),
        ("83.6 %", "proportion", "83.6", "percent"),
        ("P = .003", "p-value", "0.003", "p-value"),
        ("p<.001", "p-value", "<0.001", "p-value"),
        ("p-value = 0.04", "p-value", "0.04", "p-value"),
        ("P = 3.29\N{MULTIPLICATION SIGN}10\N{MINUS SIGN}6", "p-value", "0.00000329", "p-value"),
        ("3.29 \N{MULTIPLICATION SIGN} 10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT SIX}", "p-value", "0.00000329", "p-value"),
        ("3.29x10(-6)", "p-value", "0.00000329", "p-value"),
        ("9.63e-8", "p-value", "0.0000000963", "p-value"),
        ("< 10^-4", "p-value", "< 0.0001", "p-value"),
        ("<1E-04", "p-value", "<0.0001", "p-value"),
        ("HR 0.63", "ratio", "0.63", "ratio"),
        ("hazard ratio: 0.63", "ratio", "0.63", "ratio"),
        ("n = 300", "count", "300", "count"),
        ("11.0\N{THIN SPACE}months", "months", "11.0", "months"),
        ("11.0\N{DAGGER}", "months", "11.0", "months"),
    ],
)
def test_digits_are_read_as_they_are_printed(printed: str, unit: str, text: str, read_unit: str) -> None:
    read = Reported.of(printed, unit, "number")
    assert (read.text, read.unit) == (text, read_unit)


@pytest.mark.parametrize("printed", ["1,23", "12,34", "8 patients", "0.5.1", "about 3", "", "n = 3", "p = 3", "*"])
def test_what_is_no_number_is_refused(printed: str) -> None:
    with pytest.raises(InvalidValueError):
        Reported.of(printed, "months", "number")


@pytest.mark.parametrize("printed", ["10-4", "5e-400", "1e5", "10^-4-10^-3"])
def test_what_is_no_power_of_ten_is_refused(printed: str) -> None:
    with pytest.raises(InvalidValueError, match="digits such as"):
        Reported.of(printed, "p-value", "p_value")


@pytest.mark.parametrize(
    ("printed", "text", "sided"),
    [
        ("P = .002 (one-sided)", "0.002", 1),
        ("one-sided P = .002", "0.002", 1),
        ("0.002, two-sided", "0.002", 2),
        ("2-tailed p<0.001", "<0.001", 2),
        ("0.002", "0.002", None),
    ],
)
def test_the_side_of_a_p_value_is_read_with_it(printed: str, text: str, sided: int | None) -> None:
    report = ReportedComparison("PFS", [ReportedArm("new"), ReportedArm("old")], control="old", p_value=printed)
    assert (report.p_value.value.text, report.p_value.sided) == (text, sided)


def test_a_median_in_weeks_beside_one_in_months_is_found() -> None:
    """15.9 without its unit is 15.9 months, three times the 24.3 weeks beside it."""

    def found(a: str, b: str | float, **more: str) -> list[Finding]:
        arms = [ReportedArm("a", n=120, median=a), ReportedArm("b", n=60, median=b)]
        checked = check_comparison(ReportedComparison("PFS", arms, control="b", **more))
        return [finding for finding in checked if finding.check == "mixed-units"]

    assert found("24.3 weeks (16.1-31.9)", 15.9)[0].values == (
        "a 24.3 weeks",
        "a 16.1 weeks",
        "a 31.9 weeks",
        "b 15.9 months",
    )
    assert found("24.3 weeks", "15.9 weeks (12.0-NR)") == found("24.3", 15.9, time_unit="weeks") == []


def test_an_interval_is_read_from_one_string() -> None:
    assert ReportedInterval.of("7.4 to NR", "months", "ci") == ReportedInterval.of(("7.4", "NR"), "months", "ci")


def test_the_unit_of_a_report_holds_for_numbers_without_one() -> None:
    arms = [
        ReportedArm(
            "a",
            n=40,
            median="30",
            median_ci=("24", "NR"),
            landmarks=[Landmark("26", "50%")],
            at_risk=AtRisk((0, 26), (40, 20)),
        ),
        ReportedArm("b", n=40, median="6 months", median_follow_up="2 years"),
    ]
    report = ReportedComparison("PFS", arms, control="b", time_unit="weeks", median_follow_up="52", id="x")
    for one in (report, replace(report, id="y"), replace(replace(report, n_total=80), id="z")):  # read once only
        first, second = one.arms
        assert first.median.value == pytest.approx(30 * WEEK)
        assert first.median_ci.lower.value == pytest.approx(24 * WEEK)
        assert first.landmarks[0].time.value == pytest.approx(26 * WEEK)
        assert first.at_risk.times == pytest.approx((0, 26 * WEEK))
        assert second.median.value == 6.0
        assert second.median_follow_up.value == 24.0
        assert one.median_follow_up.value == pytest.approx(52 * WEEK)


def test_a_row_of_numbers_at_risk_is_read_as_printed() -> None:
    printed = AtRisk(("0", "26 weeks", "1 year"), (1234, 987, 12))
    assert printed.times == pytest.approx((0, 26 * WEEK, 12))
    arms = [ReportedArm("a", n=1234, at_risk=printed), ReportedArm("b", n=40, at_risk=AtRisk((0, "26"), (40, 20)))]
    for one in (
        report := ReportedComparison("PFS", arms, control="b", time_unit="weeks"),
        replace(report, n_total=1274),
    ):
        assert one.arms[0].at_risk.times == printed.times
        assert one.arms[1].at_risk.times == pytest.approx((0, 26 * WEEK))
    assert AtRisk((0, "6 months", 52), (9, 8, 7), unit="weeks").times == pytest.approx((0, 6, 52 * WEEK))


@pytest.mark.parametrize(
    ("times", "counts", "field"),
    [
        ((0, "8 weeks", 16), (9, 8, 7), r"at_risk\.times: got \(0, '8 weeks', 16\); expected a unit at every time"),
        ((0, "< 6"), (9, 8), r"at_risk\.times: got '< 6'"),
        ((0, "NR"), (9, 8), r"at_risk\.times: got 'NR'"),
        ((0, "soon"), (9, 8), r"at_risk\.times: got 'soon'"),
        ((0, None), (9, 8), r"at_risk\.times: got None"),
    ],
)
def test_what_cannot_be_read_in_a_row_of_numbers_at_risk_is_named(times, counts, field) -> None:
    with pytest.raises(InvalidValueError, match=field):
        AtRisk(times, counts)


def test_a_timeline_is_read_as_it_may_be_written() -> None:
    cutoffs = {"interim": "52 weeks", "final": "2017-01-01", "update": np.float64(30.5)}
    found = TrialTimeline(datetime(2015, 1, 1, 9), last_patient_in="1.5 years", cutoffs=cutoffs)
    assert found.first_patient_in == date(2015, 1, 1)
    assert found.months_of_accrual == 18.0
    assert found.cutoffs == {"interim": pytest.approx(52 * WEEK), "final": date(2017, 1, 1), "update": 30.5}


@pytest.mark.parametrize(
    "given", ["soon", "< 6", "NR", True, float("nan"), float("inf"), -3, 0, "2015-13-01", "0", [3]]
)
def test_what_is_neither_a_date_nor_months_is_refused_in_a_timeline(given) -> None:
    """True was a month, and NaN an accrual that says nothing."""
    with pytest.raises(InvalidValueError, match="last_patient_in"):
        TrialTimeline("2015-01-01", last_patient_in=given)
    with pytest.raises(InvalidValueError, match=r"cutoffs\['final'\]"):
        TrialTimeline("2015-01-01", cutoffs={"final": given})


@pytest.mark.parametrize("given", ["soon", "24 months", 24.0, True, "2013-13-01"])
def test_a_data_cut_of_a_report_is_a_date(given) -> None:
    arms = [ReportedArm("a", n=5)]
    for when in ("2013-10-03", date(2013, 10, 3), datetime(2013, 10, 3, 12)):
        assert ReportedComparison("PFS", arms, cutoff=when).cutoff == date(2013, 10, 3)
    with pytest.raises(InvalidValueError, match=r"cutoff: got .*; expected a date"):
        ReportedComparison("PFS", arms, cutoff=given)


@pytest.mark.parametrize("endpoint", ["iDFS", "rPFS", "PFS2"])
def test_endpoints_go_by_their_usual_names(endpoint: str) -> None:
    assert ReportedComparison(endpoint, [ReportedArm("a", n=5)]).endpoint == endpoint.upper()


@pytest.mark.parametrize("given", [0.5, (0.5, "0.38", "0.65"), ("0.51", 0.4, 0.65), 1.0])
def test_a_float_that_may_have_lost_a_zero_is_warned_of(given):
    arms = [ReportedArm("new"), ReportedArm("old")]
    with pytest.warns(LostZeroWarning, match=r"to the first decimal; if a zero stood behind it, write '\d\.\d0'"):
        ReportedComparison("PFS", arms, control="old", hazard_ratio=given)


@pytest.mark.parametrize("given", [0.51, "0.5", ("0.50", "0.4", "0.65"), Decimal("0.5"), (0.51, 0.38, 0.65)])
def test_digits_and_full_floats_are_not_warned_of(given):  # a warning would be an error here
    arms = [ReportedArm("new"), ReportedArm("old")]
    assert ReportedComparison("PFS", arms, control="old", hazard_ratio=given).hazard_ratio is not None


def test_a_p_value_that_may_have_lost_a_zero_is_warned_of():
    with pytest.warns(LostZeroWarning, match="p_value: 0.1 is read"):
        ReportedComparison("PFS", [ReportedArm("new"), ReportedArm("old")], control="old", p_value=0.1)


@pytest.mark.parametrize(
    ("printed", "unit"),
    [
        ("4.6 (3.5-5.6)", "months"),
        ("4.6 months (95% CI, 3.5 to 5.6)", "months"),
        ("4.6 mo, [95% CI: 3.5; 5.6]", "months"),
        ("4.6 months (3.5 to 5.6 months)", "months"),
        ("4.6 weeks (3.5 to 5.6)", "weeks"),
    ],
)
def test_a_median_is_read_with_its_interval(printed: str, unit: str) -> None:
    arm = ReportedArm("a", n=40, median=printed)
    known = ReportedArm("a", n=40, median=f"4.6 {unit}", median_ci=(f"3.5 {unit}", f"5.6 {unit}"))
    for report in (ReportedComparison("PFS", [one, ReportedArm("b")], control="b") for one in (arm, known)):
        assert report.arms[0].median.value == pytest.approx(known.median.value)
        assert report.arms[0].median_ci.lower.value == pytest.approx(known.median_ci.lower.value)
        assert report.arms[0].median_ci.upper.value == pytest.approx(known.median_ci.upper.value)


def test_a_unit_said_once_holds_for_the_limits_though_the_report_has_another() -> None:
    arms = [ReportedArm("a", n=40, median="4.6 months (3.5 to 5.6)"), ReportedArm("b", n=40, median="12")]
    report = ReportedComparison("PFS", arms, control="b", time_unit="weeks")
    assert report.arms[0].median_ci.lower.value == pytest.approx(3.5)
    assert report.arms[1].median.value == pytest.approx(12 * WEEK)


@pytest.mark.parametrize(
    ("printed", "limits", "level"),
    [
        ("40% (33-47)", (0.33, 0.47), 0.95),
        ("40% (33% to 47%)", (0.33, 0.47), 0.95),
        ("40% (90% CI 35, 45)", (0.35, 0.45), 0.9),
        ("0.40 (0.33-0.47)", (0.33, 0.47), 0.95),
    ],
)
def test_a_rate_is_read_with_its_interval(printed: str, limits: tuple[float, float], level: float) -> None:
    landmark = Landmark(6, printed)
    assert landmark.survival.value == pytest.approx(0.4)
    assert (landmark.ci.lower.value, landmark.ci.upper.value) == pytest.approx(limits)
    assert landmark.ci.level == pytest.approx(level)


def test_a_median_not_reached_may_have_a_limit() -> None:
    arm = ReportedArm("a", n=40, median="NR (12.1-NR)")
    assert not arm.median.reached
    assert (arm.median_ci.lower.text, arm.median_ci.upper.reached) == ("12.1", False)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ReportedArm("a", median="4.6 (3.5-5.6)", median_ci=("3.5", "5.6")), "limits once"),
        (lambda: Landmark("6 (5-7)", "40%"), "time: got '6 \\(5-7\\)'"),
        (lambda: ReportedArm("a", n="40 (30-50)"), "n: got"),
        (lambda: ReportedArm("a", median="4.6 (5.6-3.5)"), "a lower limit below"),
        (lambda: ReportedHazardRatio.of("0.63 (0.47)", "hazard_ratio"), "hazard_ratio"),
    ],
)
def test_limits_where_none_can_be_are_refused(make, says) -> None:
    with pytest.raises(InvalidValueError, match=says):
        make()


def test_a_file_may_have_numbers_as_the_abstract_prints_them(tmp_path) -> None:
    text = """
title = "A trial"
summary = "Of two arms."
[arms]
new = "new"
old = "old"
[sources.paper]
citation = "A paper"
kind = "abstract"
[[comparisons]]
id = "pfs"
endpoint = "PFS"
sources = ["paper"]
status = "published"
time_unit = "months"
control = "old"
hazard_ratio = "0.46 (90% CI 0.36-0.59)"
p_value = "P < 10^-4, one-sided"
arms = [
  { name = "new", n = 347, median = "9.5 (95% CI 9.2-11.0)", landmarks = [{ time = 6, survival = "67% (62-72)" }] },
  { name = "old", n = 174, median = "4.6 months (3.5 to 5.6)" },
]
"""
    (tmp_path / "a-trial.toml").write_text(text, encoding="utf-8")
    report = load("a-trial", tmp_path).comparison("pfs")
    assert (report.hazard_ratio.ci.lower.text, report.hazard_ratio.ci.level) == ("0.36", 0.9)
    assert (report.p_value.value.upper, report.p_value.sided) == (0.0001, 1)
    new, old = report.arms
    assert (new.median_ci.upper.text, old.median_ci.lower.text) == ("11.0", "3.5")
    assert new.landmarks[0].ci.upper.value == pytest.approx(0.72)
    twice = text.replace('median = "4.6 months (3.5 to 5.6)"', 'median = "4.6 (3.5 to 5.6)", median_ci = [3.5, 5.6]')
    (tmp_path / "a-trial.toml").write_text(twice, encoding="utf-8")
    with pytest.raises(ReportedDataError, match="limits once"):
        load("a-trial", tmp_path)
    otherwise = text.replace('"P < 10^-4, one-sided"', '{ value = "P < 10^-4, one-sided", sided = 2 }')
    (tmp_path / "a-trial.toml").write_text(otherwise, encoding="utf-8")
    with pytest.raises(ReportedDataError, match="as is printed with the p-value"):
        load("a-trial", tmp_path)


def test_a_report_shows_what_is_printed_as_it_is_printed():
    """The object that a reader writes first was 2,465 letters of Reported(text=.., unit=.., sources=..)."""
    arm = ReportedArm(
        "new",
        n="150",
        median="7.8 (6.9-8.5)",
        landmarks=[Landmark("6", "71.3%", ci=("63.2%", "77.9%"))],
        quartiles=[Quartile(0.25, "3.1")],
        at_risk=AtRisk((0, 6), (150, 98)),
    )
    old = ReportedArm("old", n=148, median="NR")
    report = ReportedComparison(
        "PFS",
        [arm, old],
        control="old",
        hazard_ratio="0.66 (0.50-0.87)",
        p_value="<0.001",
        events_total=213,
        median_follow_up="18.2",
        assessment_interval="8 weeks",
        strata=[StratificationFactor("visceral", n=(170, 128))],
    )
    assert repr(old) == "ReportedArm(name='old', n='148', median='not reached')"
    assert "median='7.8', median_ci='6.9-8.5', landmarks=[Landmark(time='6', survival='71.3%'" in repr(report)
    assert "hazard_ratio='0.66 (95% CI 0.50-0.87)', p_value='<0.001', events_total='213'" in repr(report)
    shown = report.summary().set_index("quantity")
    assert shown.loc["median"].tolist() == ["7.8 months (95% CI 6.9-8.5)", "not reached", ""]
    assert shown["all arms"].to_dict() == {
        "patients": "",
        "events": "213",
        "median": "",
        "time by which 25% had the event": "",
        "survival at 6 months": "",
        "at risk at 0 months": "",
        "at risk at 6 months": "",
        "hazard ratio": "0.66 (95% CI 0.50-0.87)",
        "p-value": "<0.001",
        "median follow-up": "18.2 months",
        "interval between assessments": "8 weeks",
        "stratified by visceral": "170 / 128",
    }
    assert shown.loc["survival at 6 months", "new"] == "71.3% (95% CI 63.2%-77.9%)"
    assert "progression-free survival" in report._repr_html_()
