"""Comparisons against lifelines, scipy and statsmodels, and at the edges of their definitions."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import survdiff

from analysis.errors import InvalidValueError, NotEstimableError, UnknownNameError
from analysis.survival.comparisons import (
    FlemingHarrington,
    ModestlyWeighted,
    cox_hazard_ratio,
    logrank,
    max_combo,
    milestone_difference,
    rmst_difference,
)

DATA = Path(__file__).parents[2] / "reference" / "data"
NAMES = ["test_n20_ties", "test_n100_delayed", "test_n100_noties", "test_n724_ties"]
LATE_BENEFIT = ([2, 3, 4, 5, 8, 9, 9, 11], [1, 1, 1, 1, 1, 0, 1, 0], [0, 0, 1, 0, 1, 1, 0, 1])
ONLY_CONTROL_EVENTS = ([2, 3, 4, 5], [1, 1, 0, 0], [0, 0, 1, 1])


@pytest.fixture(params=NAMES)
def trial(request):
    return pd.read_csv(DATA / f"{request.param}.csv")


def arrays(trial):
    return trial["time"].to_numpy(), trial["event"].to_numpy(), trial["treat"].to_numpy()


def test_logrank_is_that_of_scipy(trial):
    time, event, arm = arrays(trial)
    samples = [stats.CensoredData.right_censored(time[arm == a], event[arm == a] == 0) for a in (1, 0)]
    test = logrank(time, event, arm)
    assert test.p_two_sided == pytest.approx(stats.logrank(*samples).pvalue, rel=1e-9)
    first_is_favoured = stats.logrank(*samples, alternative="less")
    assert test.p_one_sided == pytest.approx(first_is_favoured.pvalue, rel=1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("strata", [False, True])
def test_weighted_and_stratified_logrank_are_those_of_statsmodels(trial, rho, strata):
    time, event, arm = arrays(trial)
    labels = trial["stratum"].to_numpy() if strata else None
    chi_squared, p = survdiff(time, event, arm, weight_type="fh", fh_p=rho, strata=labels)
    test = logrank(time, event, arm, weight=FlemingHarrington(rho, 0), strata=labels)
    assert test.statistic**2 == pytest.approx(chi_squared, rel=1e-9)
    assert test.p_two_sided == pytest.approx(p, rel=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("strata", [False, True])
def test_hazard_ratio_is_that_of_statsmodels(trial, ties, strata):
    time, event, arm = arrays(trial)
    labels = (trial["stratum"] == "A").to_numpy().astype(int) if strata else None
    theirs = PHReg(time, arm.astype(float), status=event, ties=ties, strata=labels).fit()
    ours = cox_hazard_ratio(time, event, arm, ties=ties, strata=labels)
    assert np.log(ours.estimate) == pytest.approx(theirs.params[0], rel=1e-5, abs=1e-8)
    assert ours.log_std_error == pytest.approx(theirs.bse[0], rel=1e-5)
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-9)


def test_hazard_ratio_and_limits_are_those_of_lifelines(trial):
    columns = trial[["time", "event", "treat"]]
    fit = CoxPHFitter(alpha=0.1).fit(columns, "time", "event", fit_options={"precision": 1e-12})
    fitted = fit.summary.loc["treat"]
    ours = cox_hazard_ratio(*arrays(trial), level=0.9)
    assert ours.estimate == pytest.approx(fitted["exp(coef)"], rel=1e-6)
    assert ours.lower == pytest.approx(fitted["exp(coef) lower 90%"], rel=1e-6)
    assert ours.upper == pytest.approx(fitted["exp(coef) upper 90%"], rel=1e-6)
    assert ours.p_two_sided == pytest.approx(fitted["p"], rel=1e-5)


def test_every_statistic_is_negative_where_the_experimental_arm_is_better():
    assert logrank(*LATE_BENEFIT).statistic < 0
    assert logrank(*LATE_BENEFIT).p_one_sided < 0.5
    assert cox_hazard_ratio(*LATE_BENEFIT).estimate < 1
    assert cox_hazard_ratio(*LATE_BENEFIT).p_one_sided < 0.5
    for gain in (rmst_difference(*LATE_BENEFIT, tau=8), milestone_difference(*LATE_BENEFIT, milestone=4)):
        assert gain.estimate > 0
        assert gain.statistic < 0
        assert gain.p_one_sided < 0.5


@pytest.mark.parametrize("transform", ["plain", "log", "log-log", "logit", "arcsine"])
def test_milestone_difference_favours_the_same_arm_on_every_scale(transform):
    gain = milestone_difference(*LATE_BENEFIT, milestone=5, transform=transform)
    assert gain.estimate > 0
    assert gain.lower < gain.estimate < gain.upper
    # the scale's derivative, by differences
    step = 1e-6
    on = import_module("analysis.survival.estimators.intervals").scale(transform)
    s = np.array([0.2, 0.6, 0.95])
    np.testing.assert_allclose(on.slope(s), (on.forward(s + step) - on.forward(s - step)) / (2 * step), rtol=1e-6)
    np.testing.assert_allclose(on.inverse(on.forward(s)), s, rtol=1e-12)


def test_max_combo_of_one_weight_is_that_test(trial):
    weight = FlemingHarrington(0, 1)
    one, test = max_combo(*arrays(trial), weights=[weight]), logrank(*arrays(trial), weight=weight)
    assert one.p_one_sided == pytest.approx(test.p_one_sided, abs=1e-12)
    assert one.p_two_sided == pytest.approx(test.p_two_sided, abs=1e-12)


def test_max_combo_of_the_same_weight_twice_is_that_test(trial):
    twice = max_combo(*arrays(trial), weights=[FlemingHarrington(0, 0)] * 2)
    assert twice.p_one_sided == pytest.approx(logrank(*arrays(trial)).p_one_sided, abs=1e-9)


def test_max_combo_of_two_weights_is_the_bivariate_normal(trial):
    test = max_combo(*arrays(trial), weights=[FlemingHarrington(0, 0), FlemingHarrington(0, 1)])
    normal = stats.multivariate_normal(cov=test.correlation)
    assert test.p_one_sided == pytest.approx(1 - normal.cdf([-test.statistic] * 2), abs=2e-6)


def test_modest_weights_grow_to_the_end_of_the_delay():
    pooled = import_module("analysis.survival.comparisons.two_arms").risk_sets(*LATE_BENEFIT)[0]
    growing = 1 / pooled.survival_before
    until_five = ModestlyWeighted(t_star=5).at_events(pooled)
    early = pooled.time <= 5
    np.testing.assert_allclose(until_five[early], growing[early])
    assert np.ptp(until_five[~early]) == 0
    assert until_five.max() == growing[pooled.time == 5]
    np.testing.assert_allclose(ModestlyWeighted(w_max=1.5).at_events(pooled), np.minimum(growing, 1.5))
    assert ModestlyWeighted(t_star=0.5).at_events(pooled).tolist() == [1] * pooled.time.size


def test_strata_without_events_or_with_one_arm_add_nothing():
    time, event, arm = (np.array(values) for values in LATE_BENEFIT)
    more = np.append(time, [1, 2, 3]), np.append(event, [0, 1, 1]), np.append(arm, [0, 1, 1])
    strata = ["A"] * time.size + ["no event", "one arm", "one arm"]
    assert logrank(*more, strata=strata).statistic == pytest.approx(logrank(*LATE_BENEFIT).statistic, rel=1e-12)
    assert cox_hazard_ratio(*more, strata=strata).estimate == pytest.approx(cox_hazard_ratio(*LATE_BENEFIT).estimate)


def test_time_zero_and_all_events_at_once_are_allowed():
    assert logrank([0, 0, 1, 2], [1, 0, 1, 1], [0, 1, 1, 0]).std_error > 0
    with pytest.raises(NotEstimableError, match="no event with weight"):
        logrank([3, 3, 3, 3], [1, 1, 1, 1], [0, 1, 1, 0])


@pytest.mark.parametrize("compare", [logrank, max_combo, cox_hazard_ratio])
def test_no_events_are_not_estimable(compare):
    with pytest.raises(NotEstimableError):
        compare([1, 2, 3, 4], [0, 0, 0, 0], [0, 1, 0, 1])


@pytest.mark.parametrize("swap", [False, True])
def test_monotone_likelihood_is_named(swap):
    time, event, arm = (np.array(values) for values in ONLY_CONTROL_EVENTS)
    with pytest.raises(NotEstimableError, match="no finite maximum"):
        cox_hazard_ratio(time, event, arm != swap)
    assert np.isfinite(logrank(time, event, arm != swap).statistic)


def test_events_after_the_other_arm_has_ended_do_not_save_the_likelihood():
    with pytest.raises(NotEstimableError, match="no finite maximum"):
        cox_hazard_ratio([2, 3, 4, 5], [1, 1, 1, 1], [0, 0, 1, 1])


def test_differences_that_the_data_cannot_give_are_named():
    with pytest.raises(NotEstimableError, match="control arm at 12 months"):
        milestone_difference([1, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0], milestone=12)
    with pytest.raises(NotEstimableError, match="survival of 1 in the experimental arm"):
        milestone_difference([5, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0], milestone=4)
    with pytest.raises(NotEstimableError, match="after the last follow-up"):
        rmst_difference([5, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0], tau=12)
    with pytest.raises(NotEstimableError, match="no event by tau=2"):
        rmst_difference([5, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0], tau=2)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: logrank([1, 2], [1, 1], [1, 1]), "experimental"),
        (lambda: logrank([1, 2], [1, 1], [0, 0]), "experimental"),
        (lambda: logrank([1, 2], [1, 1], [0, 2]), "experimental"),
        (lambda: logrank([1, 2], [1, 1], [0, 1, 1]), "experimental"),
        (lambda: logrank([1, 2], [1, 3], [0, 1]), "event"),
        (lambda: logrank([-1, 2], [1, 1], [0, 1]), "time"),
        (lambda: logrank([1, 2], [1, 1], [0, 1], strata=["A"]), "strata"),
        (lambda: logrank([1, 2], [1, 1], [0, 1], strata=["A", None]), "strata"),
        (lambda: logrank([1, 2], [1, 1], [0, 1], strata=[1.0, np.nan]), "strata"),
        (lambda: logrank([1, 2], [1, 1], [0, 1], strata=[["A", "B"], ["A", "B"]]), "strata"),
        (lambda: max_combo([1, 2], [1, 1], [0, 1], weights=[]), "weights"),
        (lambda: cox_hazard_ratio([1, 2], [1, 1], [0, 1], level=95), "level"),
        (lambda: FlemingHarrington(-1, 0), "rho"),
        (lambda: FlemingHarrington(0, np.inf), "gamma"),
        (lambda: ModestlyWeighted(), "t_star, w_max"),
        (lambda: ModestlyWeighted(t_star=0), "t_star, w_max"),
        (lambda: ModestlyWeighted(w_max=0.5), "t_star, w_max"),
        (lambda: milestone_difference(*LATE_BENEFIT, milestone=np.inf), "milestone"),
    ],
)
def test_bad_input_is_named(call, field):
    with pytest.raises(InvalidValueError) as caught:
        call()
    assert caught.value.field == field


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="breslow"):
        cox_hazard_ratio(*LATE_BENEFIT, ties="breslo")
    with pytest.raises(UnknownNameError, match="log-log"):
        milestone_difference(*LATE_BENEFIT, milestone=4, transform="loglog")


def test_comparisons_show_as_tables():
    data = ([2, 3, 4, 5, 8, 9], [1, 1, 1, 1, 1, 0], [0, 1, 0, 0, 1, 1])
    for result in (logrank(*data), cox_hazard_ratio(*data), max_combo(*data), rmst_difference(*data, tau=5)):
        shown = result.summary().set_index("item")["value"]
        assert shown["p one sided"] == result.p_one_sided
        assert "<table" in result._repr_html_()
