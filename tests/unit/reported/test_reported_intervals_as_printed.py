"""Estimates with their intervals in one string, however journals word them."""

from dataclasses import replace

import pytest

from analysis.errors import InvalidValueError
from analysis.reported import Reported, ReportedArm, ReportedHazardRatio
from analysis.reported.summaries import ReportedInterval


@pytest.mark.parametrize(
    "printed",
    [
        "0.63 (0.47-0.86)",
        "0.63 (0.47\N{EN DASH}0.86)",
        "0·63 [95% CI 0·47 to 0·86]",
        ".63 (.47, .86)",
        "HR 0.63 (95% CI, 0.47-0.86)",
        "0.63; 95% CI, 0.47 to 0.86",
        "HR, 0.63, 95%\N{NO-BREAK SPACE}CI: 0.47\N{EN DASH}0.86",
        "HR: 0.63, 95%CI [0.47;0.86]",
        "0.63 (95 % CI 0.47\N{MINUS SIGN}0.86)",
        "0.63 (95% confidence interval [CI], 0.47 to 0.86)",
        "hazard ratio, 0.63; 95% confidence interval, 0.47 to 0.86",
        "0.63 (CI 95% 0.47-0.86)",
        "0.63 (IC95%: 0.47-0.86)",
        "0.63 (95% C.I. 0.47-0.86)",
    ],
)
def test_a_ratio_is_read_with_its_interval(printed: str) -> None:
    ratio = ReportedHazardRatio.of(printed, "hazard_ratio")
    assert ratio == ReportedHazardRatio.of(("0.63", "0.47", "0.86"), "hazard_ratio")


def test_the_level_of_an_interval_is_said_with_all_its_digits() -> None:
    assert str(ReportedHazardRatio.of("0.63 (97.5% CI 0.47-0.86)", "hazard_ratio")) == "0.63 (97.5% CI 0.47-0.86)"
    assert str(ReportedHazardRatio.of("0.63; 97.5 % CI [0.47; 0.86]", "hazard_ratio")) == "0.63 (97.5% CI 0.47-0.86)"


def test_the_unit_of_a_median_may_stand_behind_its_limits() -> None:
    arm = ReportedArm("a", n=60, median="24.3 (90% CI, 16.1-31.9) weeks")
    assert (arm.median, arm.median_ci) == (
        Reported.of("24.3 weeks", "months", "median"),
        replace(ReportedInterval.of(("16.1 weeks", "31.9 weeks"), "months", "ci"), level=0.9),
    )


@pytest.mark.parametrize("printed", ["0.63 (0.47-0.86; P=.003)", "0.63 (0.47-0.86), p < 0.001", "0.63, p-value = 0.01"])
def test_a_p_value_within_a_ratio_is_not_lost(printed: str) -> None:
    with pytest.raises(InvalidValueError, match="give the p-value by itself"):
        ReportedHazardRatio.of(printed, "hazard_ratio")
