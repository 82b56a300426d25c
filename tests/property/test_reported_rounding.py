"""Whatever the truth was, the box of its printed digits holds it, and a report of true numbers contradicts nothing."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm

from analysis.reported import (
    Reported,
    ReportedArm,
    ReportedComparison,
    ReportedProportion,
    ReportedPValue,
    ReportedTrial,
    check,
    check_comparison,
    events_from_ci,
    least_events,
    log_ratio_std_error,
)
from analysis.reported.recovered import log_asymmetry, wald_statistic

Z = norm.isf(0.025)


@st.composite
def wald_reports(draw):
    """A hazard ratio and its 95% limits with 2 or 3 decimals, and the log ratio and standard error behind them."""
    log_ratio, error = draw(st.floats(-1.6, 1.6)), draw(st.floats(0.05, 0.6))
    decimals = draw(st.integers(2, 3))
    digits = [f"{math.exp(log_ratio + shift * Z * error):.{decimals}f}" for shift in (0, -1, 1)]
    assume(float(digits[1]) > 0)
    arms = [ReportedArm("new"), ReportedArm("old")]
    return ReportedComparison("OS", arms, control="old", hazard_ratio=digits), log_ratio, error


@given(st.floats(0, 1e4), st.integers(0, 4), st.sampled_from(["months", "weeks", "days", "years"]))
def test_the_box_of_a_printed_time_holds_the_time(time, decimals, unit):
    months = Reported("1", unit).value
    printed = Reported(f"{time:.{decimals}f}", unit)
    assert printed.lower <= time * months * (1 + 1e-9) + 1e-9
    assert printed.upper >= time * months * (1 - 1e-9) - 1e-9
    assert math.isclose(printed.upper - printed.lower, 10.0**-decimals * months, rel_tol=1e-6, abs_tol=1e-9)


@given(st.decimals(0, 1000, places=3))
def test_reading_keeps_the_digits(digits):
    assert Reported.of(digits, "months", "median").text == f"{digits:.3f}"
    assert Reported.of(str(digits), "months", "median") == Reported.of(digits, "months", "median")


@given(wald_reports())
def test_the_error_and_the_statistic_lie_in_their_ranges(report):
    comparison, log_ratio, error = report
    recovered, wald = log_ratio_std_error(comparison.hazard_ratio), wald_statistic(comparison.hazard_ratio)
    assert recovered.lower - 1e-9 <= error <= recovered.upper + 1e-9
    assert wald.lower - 1e-9 <= log_ratio / error <= wald.upper + 1e-9
    assert log_asymmetry(comparison.hazard_ratio) == 0 or abs(log_asymmetry(comparison.hazard_ratio)) < 1e-9


@given(wald_reports(), st.sampled_from([None, 1, 2]))
def test_a_wald_interval_with_its_own_p_contradicts_nothing(report, sided):
    comparison, log_ratio, error = report
    z = log_ratio / error
    p = norm.cdf(z) if sided == 1 else 2 * norm.sf(abs(z))
    text = "< 0.001" if p < 0.001 else f"{p:.3f}"
    with_p = ReportedComparison(
        "OS",
        comparison.arms,
        control="old",
        hazard_ratio=comparison.hazard_ratio,
        p_value=ReportedPValue(Reported(text, "p-value"), sided),
        events_total=math.ceil(4 / error**2),
    )
    assert check_comparison(with_p) == []


@given(wald_reports(), st.floats(0.05, 0.95))
def test_events_are_fewest_with_equal_arms_and_never_below_the_bound(report, share):
    ratio = report[0].hazard_ratio
    equal, unequal = events_from_ci(ratio), events_from_ci(ratio, (share, 1 - share))
    assert equal.estimate <= unequal.estimate * (1 + 1e-12)
    assert least_events(ratio) <= equal.estimate <= equal.upper


@given(st.integers(1, 400), st.data(), st.integers(0, 2))
def test_a_rounded_count_agrees_with_its_share(of, data, decimals):
    count = data.draw(st.integers(0, of))
    share = Reported(f"{100 * count / of:.{decimals}f}", "percent")
    numbers = {"count": Reported(str(count), "count"), "of": Reported(str(of), "count"), "share": share}
    for left_out in (None, "count"):
        given_numbers = {name: number for name, number in numbers.items() if name != left_out}
        entry = ReportedProportion("orr", "ORR", ("paper",), "published", **given_numbers)
        assert check(ReportedTrial("trial", "", {}, (), None, "", (), (), (entry,))) == []
