"""What a report implies: standard errors and events, against Cox fits of simulated trials."""

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from analysis.errors import InvalidValueError
from analysis.reported import (
    Reported,
    ReportedHazardRatio,
    ReportedInterval,
    events_from_ci,
    least_events,
    load,
    log_ratio_std_error,
)
from analysis.reported.recovered import log_asymmetry, wald_statistic


def ratio(*digits, level=0.95):
    estimate, lower, upper = (Reported(text, "ratio") for text in digits)
    return ReportedHazardRatio(estimate, ReportedInterval(lower, upper, level))


def test_the_interval_of_another_level_has_another_width():
    error = log_ratio_std_error(ratio("0.50", "0.25", "1.00", level=0.90))
    assert error.estimate == pytest.approx(math.log(4) / (2 * 1.6448536269514722))
    assert error.lower < error.estimate < error.upper


def test_events_of_xenera_1_are_recovered_from_its_intervals():
    recovered = {
        name: events_from_ci(load("xenera-1").comparison(f"pfs-{name}").hazard_ratio)
        for name in ("independent", "investigator")
    }
    assert round(recovered["independent"].estimate) == 26
    assert round(recovered["investigator"].estimate) == 46


def test_the_events_of_bolero_2_lie_in_the_recovered_range():
    for name in ("pfs-final-local", "os-final"):
        comparison = load("bolero-2").comparison(name)
        events = events_from_ci(comparison.hazard_ratio, (485, 239))
        assert events.lower <= comparison.events_total.value <= events.upper
        assert least_events(comparison.hazard_ratio) <= comparison.events_total.value


@pytest.mark.parametrize(
    ("n_experimental", "n_control", "true_ratio"), [(100, 100, 1.0), (80, 40, 0.4), (150, 50, 2.0)]
)
def test_a_cox_fit_reported_with_two_digits_gives_its_events_back(n_experimental, n_control, true_ratio):
    rng = np.random.default_rng(20140923)
    arm = np.repeat([1, 0], [n_experimental, n_control])
    time = rng.exponential(10 / np.where(arm == 1, true_ratio, 1.0))
    censored = rng.uniform(5, 25, arm.size)
    data = pd.DataFrame({"time": np.minimum(time, censored), "event": time <= censored, "arm": arm})
    fit = CoxPHFitter().fit(data, "time", "event").summary.loc["arm"]
    names = ("exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%")
    reported = ratio(*(f"{fit[name]:.2f}" for name in names))
    error, events = log_ratio_std_error(reported), data["event"].sum()
    assert error.lower <= fit["se(coef)"] <= error.upper
    assert wald_statistic(reported).lower <= fit["z"] <= wald_statistic(reported).upper
    assert least_events(reported) <= events
    assert 4 / fit["se(coef)"] ** 2 <= events  # the theorem behind it, without rounding
    recovered = events_from_ci(reported, (n_experimental, n_control))
    assert recovered.lower <= events <= recovered.upper
    assert log_asymmetry(reported) == 0


def test_asymmetry_is_signed_and_in_half_widths():
    assert log_asymmetry(ratio("0.45", "0.30", "0.98")) < -0.25
    assert log_asymmetry(ratio("0.60", "0.30", "0.68")) > 0.25
    exact = ratio("1.0000", "0.5000", "3.0000")
    assert log_asymmetry(exact) == pytest.approx(-math.log(1.5) / 2 / (math.log(6) / 2), rel=1e-3)


def test_a_limit_that_rounds_to_nought_leaves_the_error_open():
    error = log_ratio_std_error(ratio("0.10", "0.004", "2.5"))
    assert math.isfinite(error.upper)
    assert log_ratio_std_error(ratio("0.1", "0.01", "1.0")).upper < math.inf
    with pytest.raises(InvalidValueError, match="limits above 0"):
        log_ratio_std_error(ratio("0.10", "0.00", "2.50"))


def test_what_cannot_be_recovered_is_refused():
    with pytest.raises(InvalidValueError, match=r"hazard_ratio\.ci: got None"):
        log_ratio_std_error(ReportedHazardRatio(Reported("0.45", "ratio")))
    with pytest.raises(InvalidValueError, match="allocation: got"):
        events_from_ci(ratio("0.45", "0.38", "0.54"), (2, 0))
