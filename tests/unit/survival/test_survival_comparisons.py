"""Comparisons against lifelines, scipy and statsmodels, and at the edges of their definitions."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy import integrate, stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import survdiff

from analysis.errors import InvalidValueError, NotEstimableError, UnknownNameError
from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    ModestlyWeighted,
    QuantileDifference,
    RMSTDifference,
    Weight,
)
from analysis.statistical_tests.tails import probability_outside
from analysis.survival import kaplan_meier, numbers_at_risk, reverse_kaplan_meier, rmst

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
    test = LogRank().analyse(time, event, arm)
    assert test.p_two_sided == pytest.approx(stats.logrank(*samples).pvalue, rel=1e-9)
    first_is_favoured = stats.logrank(*samples, alternative="less")
    assert test.p_one_sided == pytest.approx(first_is_favoured.pvalue, rel=1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("strata", [False, True])
def test_weighted_and_stratified_logrank_are_those_of_statsmodels(trial, rho, strata):
    time, event, arm = arrays(trial)
    labels = trial["stratum"].to_numpy() if strata else None
    chi_squared, p = survdiff(time, event, arm, weight_type="fh", fh_p=rho, strata=labels)
    test = LogRank(FlemingHarrington(rho, 0)).analyse(time, event, arm, strata=labels)
    assert test.z**2 == pytest.approx(chi_squared, rel=1e-9)
    assert test.p_two_sided == pytest.approx(p, rel=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("strata", [False, True])
def test_hazard_ratio_is_that_of_statsmodels(trial, ties, strata):
    time, event, arm = arrays(trial)
    labels = (trial["stratum"] == "A").to_numpy().astype(int) if strata else None
    theirs = PHReg(time, arm.astype(float), status=event, ties=ties, strata=labels).fit()
    ours = CoxHazardRatio(ties=ties).analyse(time, event, arm, strata=labels)
    assert np.log(ours.estimate) == pytest.approx(theirs.params[0], rel=1e-5, abs=1e-8)
    assert ours.std_error == pytest.approx(theirs.bse[0], rel=1e-5)
    assert ours.details["log_likelihood"] == pytest.approx(theirs.llf, rel=1e-9)


def test_hazard_ratio_and_limits_are_those_of_lifelines(trial):
    columns = trial[["time", "event", "treat"]]
    fit = CoxPHFitter(alpha=0.1).fit(columns, "time", "event", fit_options={"precision": 1e-12})
    fitted = fit.summary.loc["treat"]
    ours = CoxHazardRatio(level=0.9).analyse(*arrays(trial))
    assert ours.estimate == pytest.approx(fitted["exp(coef)"], rel=1e-6)
    assert ours.lower == pytest.approx(fitted["exp(coef) lower 90%"], rel=1e-6)
    assert ours.upper == pytest.approx(fitted["exp(coef) upper 90%"], rel=1e-6)
    assert ours.p_two_sided == pytest.approx(fitted["p"], rel=1e-5)


def test_z_is_positive_where_the_experimental_arm_is_better():
    assert LogRank().analyse(*LATE_BENEFIT).z > 0
    assert MaxCombo().analyse(*LATE_BENEFIT).z > 0
    assert LogRank().analyse(*LATE_BENEFIT).p_one_sided < 0.5
    assert CoxHazardRatio().analyse(*LATE_BENEFIT).estimate < 1
    assert CoxHazardRatio().analyse(*LATE_BENEFIT).z > 0
    assert CoxHazardRatio().analyse(*LATE_BENEFIT).p_one_sided < 0.5
    for gain in (RMSTDifference(8).analyse(*LATE_BENEFIT), MilestoneDifference(4).analyse(*LATE_BENEFIT)):
        assert gain.estimate > 0
        assert gain.z > 0
        assert gain.p_one_sided < 0.5


@pytest.mark.parametrize("transform", ["plain", "log", "log-log", "logit", "arcsine"])
def test_milestone_difference_favours_the_same_arm_on_every_scale(transform):
    gain = MilestoneDifference(5, scale=transform).analyse(*LATE_BENEFIT)
    assert gain.estimate > 0
    assert gain.lower < gain.estimate < gain.upper
    # the scale's derivative, by differences
    step = 1e-6
    on = import_module("analysis.conventions.scales").scale(transform)
    s = np.array([0.2, 0.6, 0.95])
    np.testing.assert_allclose(on.slope(s), (on.forward(s + step) - on.forward(s - step)) / (2 * step), rtol=1e-6)
    np.testing.assert_allclose(on.inverse(on.forward(s)), s, rtol=1e-12)


def test_max_combo_of_one_weight_is_that_test(trial):
    weight = FlemingHarrington(0, 1)
    one, test = MaxCombo([weight]).analyse(*arrays(trial)), LogRank(weight).analyse(*arrays(trial))
    assert one.p_one_sided == pytest.approx(test.p_one_sided, abs=1e-12)
    assert one.p_two_sided == pytest.approx(test.p_two_sided, abs=1e-12)


def test_max_combo_of_the_same_weight_twice_is_that_test(trial):
    twice = MaxCombo([FlemingHarrington(0, 0)] * 2).analyse(*arrays(trial))
    assert twice.p_one_sided == pytest.approx(LogRank().analyse(*arrays(trial)).p_one_sided, abs=1e-9)


def test_max_combo_of_two_weights_is_the_bivariate_normal(trial):
    test = MaxCombo([FlemingHarrington(0, 0), FlemingHarrington(0, 1)]).analyse(*arrays(trial))
    normal = stats.multivariate_normal(cov=test.details["correlation"])
    assert test.p_one_sided == pytest.approx(1 - normal.cdf([test.details["largest_z"]] * 2), abs=2e-6)


@pytest.mark.parametrize("months", [1.0, 0.6, 0.4, 0.25, 0.1])
def test_max_combo_of_a_strong_effect_keeps_its_digits(months):
    """1 less what is inside the region has no digits left: p was below 0, and its z nothing, in half of such trials."""
    rng = np.random.default_rng(2)
    treat = np.repeat([0, 1], 150)
    time = rng.exponential(np.where(treat == 1, 1.0, months))
    test = MaxCombo([FlemingHarrington(0, 0), FlemingHarrington(0, 1)]).analyse(time, np.ones(300), treat)
    z, correlation = test.details["largest_z"], test.details["correlation"][0, 1]
    spread = np.sqrt(1 - correlation**2)
    both = integrate.quad(
        lambda x: stats.norm.pdf(x) * stats.norm.sf((z - correlation * x) / spread), z, z + 12, epsrel=1e-10, epsabs=0
    )[0]
    p = 2 * stats.norm.sf(z) - both
    assert test.p_one_sided == pytest.approx(p, rel=1e-6)
    assert test.z == pytest.approx(stats.norm.isf(p), rel=1e-6)


@pytest.mark.parametrize("z", [1.0, 3.0, 5.0, 7.0, 12.0])
@pytest.mark.parametrize("lower", [False, True])
def test_the_tail_of_four_tests_is_that_of_draws_given_that_one_is_beyond(z, lower):
    """Unbiased however far out: each draw has one component beyond the bound, and counts by how many are."""
    loadings = np.array([[1, 0.2, 0.1, 0.3], [0.6, 0.8, 0.1, 0.1], [0.9, 0.1, 0.7, 0.2], [0.5, 0.5, 0.1, 0.9]])
    correlation = loadings @ loadings.T / np.outer(*[np.linalg.norm(loadings, axis=1)] * 2)
    rng, size = np.random.default_rng(3), 50_000
    counts = []
    for one in range(4):
        beyond = stats.norm.isf(rng.random(size) * stats.norm.sf(z))
        drawn = rng.standard_normal((size, 4)) @ np.linalg.cholesky(correlation).T
        drawn += np.outer(beyond - drawn[:, one], correlation[:, one])
        counts.append(1 / np.maximum((drawn > z).sum(axis=1) + (lower * (drawn < -z)).sum(axis=1), 1))
    p = stats.norm.sf(z) * np.mean(counts, axis=1).sum() * (1 + lower)
    error = stats.norm.sf(z) * np.sqrt(np.var(counts, axis=1).sum() / size) * (1 + lower)
    found = probability_outside(-z if lower else -np.inf, z, np.tril(correlation))
    assert found == pytest.approx(p, abs=4 * error + 1e-9 * p)


@pytest.mark.parametrize("z", [15.5, 30.0])
def test_the_tail_of_tests_goes_on_as_far_as_anybody_asks(z):
    correlation = np.array([[1, 0.6, 0.9, 0.5], [0.6, 1, 0.7, 0.9], [0.9, 0.7, 1, 0.6], [0.5, 0.9, 0.6, 1.0]])
    found = probability_outside(-np.inf, z, correlation)
    assert stats.norm.sf(z) < found < 4 * stats.norm.sf(z)
    assert found < probability_outside(-np.inf, z - 0.6, correlation)
    assert probability_outside(-z, z, correlation) == pytest.approx(2 * found, rel=1e-6)


class Growing(Weight):
    """Magirr and Burman's weight, written as its definition at the event times."""

    label = "growing"

    def __init__(self, t_star=np.inf, w_max=np.inf):
        self.t_star, self.w_max = t_star, w_max

    def at_events(self, pooled):
        after = pooled.survival_before * (1 - pooled.n_event / pooled.n_risk)
        floor = after[pooled.time < self.t_star - 1e-9].min(initial=1.0)
        return np.minimum(1 / np.maximum(pooled.survival_before, floor), self.w_max)


@pytest.mark.parametrize("limits", [{"t_star": 5}, {"t_star": 0.5}, {"w_max": 1.5}, {"t_star": 8, "w_max": 1.4}])
def test_modest_weights_grow_to_the_end_of_the_delay(trial, limits):
    for data in (arrays(trial), LATE_BENEFIT):
        ours = LogRank(ModestlyWeighted(**limits)).analyse(*data)
        assert ours.z == pytest.approx(LogRank(Growing(**limits)).analyse(*data).z, rel=1e-12)
    assert LogRank(ModestlyWeighted(t_star=0.5)).analyse(*LATE_BENEFIT).z == LogRank().analyse(*LATE_BENEFIT).z


def test_strata_without_events_or_with_one_arm_add_nothing():
    time, event, arm = (np.array(values) for values in LATE_BENEFIT)
    more = np.append(time, [1, 2, 3]), np.append(event, [0, 1, 1]), np.append(arm, [0, 1, 1])
    strata = ["A"] * time.size + ["no event", "one arm", "one arm"]
    assert LogRank().analyse(*more, strata=strata).z == pytest.approx(LogRank().analyse(*LATE_BENEFIT).z, rel=1e-12)
    assert CoxHazardRatio().analyse(*more, strata=strata).estimate == pytest.approx(
        CoxHazardRatio().analyse(*LATE_BENEFIT).estimate
    )


def test_time_zero_and_all_events_at_once_are_allowed():
    assert LogRank().analyse([0, 0, 1, 2], [1, 0, 1, 1], [0, 1, 1, 0]).details["score_variance"] > 0
    with pytest.raises(NotEstimableError, match="4 events"):
        LogRank().analyse([3, 3, 3, 3], [1, 1, 1, 1], [0, 1, 1, 0])


@pytest.mark.parametrize("test", [LogRank(), MaxCombo(), CoxHazardRatio()])
def test_no_events_are_not_estimable(test):
    with pytest.raises(NotEstimableError):
        test.analyse([1, 2, 3, 4], [0, 0, 0, 0], [0, 1, 0, 1])


@pytest.mark.parametrize("swap", [False, True])
def test_monotone_likelihood_is_named(swap):
    time, event, arm = (np.array(values) for values in ONLY_CONTROL_EVENTS)
    with pytest.raises(NotEstimableError, match="no finite maximum"):
        CoxHazardRatio().analyse(time, event, arm != swap)
    assert np.isfinite(LogRank().analyse(time, event, arm != swap).z)


def test_events_after_the_other_arm_has_ended_do_not_save_the_likelihood():
    with pytest.raises(NotEstimableError, match="no finite maximum"):
        CoxHazardRatio().analyse([2, 3, 4, 5], [1, 1, 1, 1], [0, 0, 1, 1])


def test_differences_that_the_data_cannot_give_are_named():
    with pytest.raises(NotEstimableError, match="12 months must lie within follow-up"):
        MilestoneDifference(12).analyse([1, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0])
    with pytest.raises(NotEstimableError, match="4 months must lie within follow-up"):
        MilestoneDifference(4, scale="log-log").analyse([5, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0])
    with pytest.raises(NotEstimableError, match="tau=12 must lie within the follow-up"):
        RMSTDifference(12).analyse([5, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0])
    with pytest.raises(NotEstimableError, match="tau=2 must lie"):
        RMSTDifference(2).analyse([5, 20, 3, 9], [1, 1, 1, 0], [1, 1, 0, 0])


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: LogRank().analyse([1, 2], [1, 1], [1, 1]), "experimental"),
        (lambda: LogRank().analyse([1, 2], [1, 1], [0, 0]), "experimental"),
        (lambda: LogRank().analyse([1, 2], [1, 1], [0, 2]), "experimental"),
        (lambda: LogRank().analyse([1, 2], [1, 1], [0, 1, 1]), "experimental"),
        (lambda: LogRank().analyse([1, 2], [1, 3], [0, 1]), "event"),
        (lambda: LogRank().analyse([-1, 2], [1, 1], [0, 1]), "time"),
        (lambda: LogRank().analyse([1, 2], [1, 1], [0, 1], strata=["A"]), "strata"),
        (lambda: LogRank().analyse([1, 2], [1, 1], [0, 1], strata=["A", None]), "strata"),
        (lambda: LogRank().analyse([1, 2], [1, 1], [0, 1], strata=[1.0, np.nan]), "strata"),
        (lambda: LogRank().analyse([1, 2], [1, 1], [0, 1], strata=[["A", "B"], ["A", "B"]]), "strata"),
        (lambda: MaxCombo([]).analyse([1, 2], [1, 1], [0, 1]), "weights"),
        (lambda: CoxHazardRatio(level=95).analyse([1, 2], [1, 1], [0, 1]), "level"),
        (lambda: FlemingHarrington(-1, 0), "rho"),
        (lambda: FlemingHarrington(0, np.inf), "gamma"),
        (lambda: ModestlyWeighted(), "t_star, w_max"),
        (lambda: ModestlyWeighted(t_star=0), "t_star, w_max"),
        (lambda: ModestlyWeighted(w_max=0.5), "t_star, w_max"),
        (lambda: MilestoneDifference(np.inf).analyse(*LATE_BENEFIT), "milestone"),
    ],
)
def test_bad_input_is_named(call, field):
    with pytest.raises(InvalidValueError) as caught:
        call()
    assert caught.value.field == field


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="breslow"):
        CoxHazardRatio(ties="breslo").analyse(*LATE_BENEFIT)
    with pytest.raises(UnknownNameError, match="log-log"):
        MilestoneDifference(4, scale="loglog").analyse(*LATE_BENEFIT)


def test_comparisons_show_as_tables():
    data = ([2, 3, 4, 5, 8, 9], [1, 1, 1, 1, 1, 0], [0, 1, 0, 0, 1, 1])
    for result in (
        LogRank().analyse(*data),
        CoxHazardRatio().analyse(*data),
        MaxCombo().analyse(*data),
        RMSTDifference(5).analyse(*data),
    ):
        shown = result.summary().set_index("item")["value"]
        assert shown["p, one-sided"] == result.p_one_sided
        assert "<table" in result._repr_html_()


@pytest.mark.parametrize(
    ("time", "says"),
    [
        (["2", "3", "4", "5"], "convert text to numbers first"),
        (pd.Series(["2", "3", "4", "5"]), "convert text to numbers first"),
        (pd.to_timedelta([60, 90, 120, 150], unit="D"), "divide durations by one month"),
        (pd.Series([2, None, 4, 5], dtype="Int64"), "NaN at position 1"),
    ],
)
def test_times_that_are_no_numbers_are_refused_with_what_to_do(time, says):
    with pytest.raises(InvalidValueError, match=f"time: got .*{says}"):
        LogRank().analyse(time, [1, 1, 0, 1], [0, 1, 0, 1])


def test_a_long_value_is_shown_short():
    with pytest.raises(InvalidValueError) as caught:
        LogRank().analyse(np.arange(1, 500), ["x"] * 499, [0, 1] * 249 + [0])
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_times_that_are_equal_but_for_floating_point_are_tied():
    """Exit minus entry; the values are those of R survival 3.5-3 with its timefix."""
    entry = np.array([1.1, 2.1, 0.4, 3.3, 0.7, 1.9, 2.6, 1.3])
    leave = np.array([4.3, 5.3, 3.6, 6.5, 6.8, 8.0, 8.7, 7.4])
    data = leave - entry, [1, 1, 1, 0, 1, 0, 1, 1]
    arm = [0, 1, 0, 1, 0, 1, 0, 1]
    assert np.unique(data[0]).size > 2
    assert kaplan_meier(*data).survival[-1] == pytest.approx(0.1563, abs=5e-5)
    assert CoxHazardRatio().analyse(*data, arm).estimate == pytest.approx(0.4036, abs=5e-5)
    assert LogRank().analyse(*data, arm).z ** 2 == pytest.approx(1.2727, abs=5e-5)
    for unit in (1e-200, 30.4375, 1e200):
        assert LogRank().analyse(data[0] * unit, data[1], arm).z ** 2 == pytest.approx(1.2727, abs=5e-5)


def test_ties_of_floating_point_can_be_told_apart():
    times, event = np.array([4.3 - 1.1, 5.3 - 2.1, 3.6 - 0.4, 7.5]), [1, 1, 1, 0]
    assert kaplan_meier(times, event).time.tolist() == [3.2, 7.5]
    assert kaplan_meier(times, event, timefix=False).time.size == 3
    assert reverse_kaplan_meier(times, event, timefix=False).time.size == 3
    assert rmst(times, event, 5).estimate == pytest.approx(rmst(times, event, 5, timefix=False).estimate)
    data = np.array([3.2, 3.2, 3.2 - 1e-9, 3.2 - 1e-9, 7.5, 8]), [1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 1]
    tied, apart = (LogRank().analyse(*data, timefix=fix).z for fix in (True, False))
    assert abs(tied - apart) > 0.1


def test_a_tick_a_landmark_and_a_start_are_times_too():
    """5.3 - 2.1 is below 3.2 by the last bit, yet whoever left then was at risk at a tick of 3.2."""
    assert 5.3 - 2.1 < 3.2 < 8.3 - 5.1
    assert numbers_at_risk([5.3 - 2.1, 7.5], [1, 0], [3.2]).n_risk.tolist() == [2]
    assert numbers_at_risk([5.3 - 2.1, 7.5], [1, 0], [3.2], timefix=False).n_risk.tolist() == [1]
    assert kaplan_meier([8.3 - 5.1, 7.5], [1, 0]).survival_at(3.2) == 0.5
    assert kaplan_meier([8.3 - 5.1, 7.5], [1, 0], timefix=False).survival_at(3.2) == 1
    late, early = [3.2, 0, 0, 0], [8.3 - 5.1, 5, 6, 7.5]
    with pytest.raises(InvalidValueError, match=r"start: got .3\.2 with"):
        LogRank().analyse(early, [1, 1, 1, 0], [0, 1, 0, 1], start=late)


@pytest.mark.parametrize(
    ("time", "event", "says"),
    [
        (np.ma.masked_array([1.0, 2, 3], [0, 1, 0]), [1, 1, 1], "time: got '1 masked values'"),
        ([1, 2, 3], np.ma.masked_array([1, 1, 1], [0, 1, 1]), "event: got '2 masked values'"),
        ([True, False, True], [1.0, 2, 3], "time: got 'True and False'"),
    ],
)
def test_masked_values_and_swapped_arguments_are_refused(time, event, says):
    with pytest.raises(InvalidValueError, match=says):
        kaplan_meier(time, event)


def test_the_error_of_a_median_is_half_of_an_interval_between_interpolated_times():
    rng = np.random.default_rng(2)
    arms = [np.sort(rng.exponential(mean, n)) for mean, n in ((5.0, 20), (9.0, 30))]
    errors = []
    for time in arms:
        n, failed = time.size, np.arange(time.size + 1) / time.size
        greenwood = 0.5 * np.sqrt(sum(1 / ((n - k) * (n - k - 1)) for k in range(n // 2)))
        early, late = np.interp([0.5 - greenwood, 0.5 + greenwood], failed, [0.0, *time])
        errors.append((late - early) / 2)
    experimental = np.repeat([False, True], [20, 30])
    found = QuantileDifference(0.5).analyse(np.concatenate(arms), np.ones(50), experimental)
    assert found.std_error == pytest.approx(np.hypot(*errors), rel=1e-12)
    assert found.estimate == pytest.approx(arms[1][14] - arms[0][9], rel=1e-12)
