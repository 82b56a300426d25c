"""Laws that every distribution, estimator and comparison keeps."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.errors import NotEstimableError
from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    ModestlyWeighted,
    RMSTDifference,
)
from analysis.survival.distributions import (
    Earliest,
    Exponential,
    LogLogistic,
    LogNormal,
    Mixture,
    PiecewiseExponential,
    ProportionalHazards,
    Tabulated,
    Weibull,
)
from analysis.survival.estimators import kaplan_meier, numbers_at_risk, reverse_kaplan_meier, rmst

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ratio = st.integers(0, 200).map(lambda percent: percent / 100)
rate, scale, shape = st.floats(0.005, 1), st.floats(1, 40), st.floats(0.4, 3)
gaps = st.lists(st.floats(0.1, 10), min_size=1, max_size=5)


@st.composite
def piecewise(draw, distribution):
    breaks = np.cumsum(draw(gaps))
    values = draw(st.lists(ratio, min_size=breaks.size + 1, max_size=breaks.size + 1))
    return distribution(values, breaks)


@st.composite
def tabulated(draw):
    times = np.cumsum(draw(gaps))
    kept = draw(st.lists(st.integers(0, 100), min_size=times.size, max_size=times.size))
    return Tabulated(times, np.cumprod(np.divide(kept, 100)))


simple = st.one_of(
    st.builds(Exponential, rate),
    st.builds(Weibull, shape, scale),
    st.builds(LogLogistic, shape, scale),
    st.builds(LogNormal, st.floats(0, 3), st.floats(0.3, 1.5)),
    piecewise(PiecewiseExponential),
    tabulated(),
)


def effect_on(baseline):
    last = baseline.change_points.max(initial=30.0)
    reach = last if baseline.cumulative_hazard(2 * last) < np.inf else baseline.quantile(1) / 2
    return st.builds(
        lambda ratios, share: ProportionalHazards(baseline, ratios, [share * reach]),
        st.tuples(ratio, ratio),
        st.floats(0.1, 0.9),
    )


distributions = st.one_of(
    simple,
    simple.flatmap(effect_on),
    st.lists(simple, min_size=1, max_size=3).map(Mixture),
    st.lists(simple, min_size=1, max_size=3).map(Earliest),
)
times = st.lists(st.floats(0, 60), min_size=2, max_size=12).map(sorted)


@given(distributions, times)
def test_survival_falls_from_one_and_is_the_exponential_of_minus_the_cumulative_hazard(distribution, t):
    survival = distribution.survival(t)
    assert np.all((survival >= 0) & (survival <= 1))
    assert np.all(np.diff(survival) <= 1e-15)
    np.testing.assert_allclose(np.exp(-distribution.cumulative_hazard(t)), survival, rtol=1e-12, atol=1e-300)
    assert np.all(distribution.hazard(t)[survival > 0] >= 0)


@given(distributions, st.lists(st.floats(0, 0.999), min_size=1, max_size=8))
def test_quantile_is_the_first_time_by_which_the_share_has_failed(distribution, p):
    p = np.array(p)
    t = distribution.quantile(p)
    reached = np.isfinite(t)
    np.testing.assert_allclose(1 - distribution.survival(t[reached]), p[reached], atol=1e-9)
    assert np.all(1 - distribution.survival(t[reached] * (1 - 1e-6)) <= p[reached] + 1e-12)
    assert np.all(1 - distribution.survival(1e12) <= p[~reached] + 1e-12)


@given(distributions, times)
def test_restricted_mean_grows_between_the_rectangles_below_and_above(distribution, t):
    t = np.array(t)
    growth, width = np.diff(distribution.rmst(t)), np.diff(t)
    survival = distribution.survival(t)
    assert np.all(growth <= survival[:-1] * width + 1e-9)
    assert np.all(growth >= survival[1:] * width - 1e-9)


@st.composite
def samples(draw, min_size=1):
    n = draw(st.integers(min_size, 40))
    time = draw(st.lists(st.integers(0, 15), min_size=n, max_size=n))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.array(time, dtype=float), np.array(event)


@st.composite
def trials(draw):
    time, event = draw(samples(min_size=6))
    arm = np.array(draw(st.lists(st.booleans(), min_size=time.size, max_size=time.size)))
    assume(0 < arm.sum() < arm.size)
    return time, event, arm


def estimable(test, *trial, **options):
    try:
        return test.analyse(*trial, **options)
    except NotEstimableError:
        assume(False)


@given(samples())
def test_without_censoring_the_curve_is_the_empirical_one(sample):
    time, _ = sample
    curve = kaplan_meier(time, np.ones(time.size))
    np.testing.assert_allclose(curve.survival, [(time > t).mean() for t in curve.time], atol=1e-12)
    p = curve.survival
    inner = (p > 0) & (p < 1)
    np.testing.assert_allclose(curve.std_error[inner], np.sqrt(p * (1 - p) / time.size)[inner], rtol=1e-9)


@given(samples(), st.sampled_from(["log", "log-log", "plain", "logit", "arcsine"]), st.sampled_from([0.5, 0.8, 0.95]))
def test_limits_enclose_the_curve_and_the_median(sample, scale, level):
    curve = kaplan_meier(*sample)
    lower, upper = curve.pointwise_limits(level, scale=scale)
    known = curve.survival > 0
    assert np.all((lower[known] <= curve.survival[known] + 1e-12) & (curve.survival[known] <= upper[known] + 1e-12))
    assert np.all((lower[known] >= 0) & (upper[known] <= 1))
    low, high = curve.median_ci(level, scale=scale)
    assert low <= curve.median() <= high


@given(samples(), st.floats(0.01, 0.99))
def test_quantile_rules_are_in_order(sample, p):
    curve = kaplan_meier(*sample)
    first, middle, last = (curve.quantile(p, rule=rule) for rule in ("first", "midpoint", "last"))
    assert first <= middle <= last


@given(samples(), st.lists(st.floats(0, 20), min_size=1, max_size=6))
def test_risk_table_adds_up_to_the_patients(sample, ticks):
    time, event = sample
    tied, table = (numbers_at_risk(time, event, ticks, timefix=fix) for fix in (True, False))
    assert np.all(tied.n_risk + tied.n_event + tied.n_censor == time.size)
    assert np.all(table.n_risk + table.n_event + table.n_censor == time.size)
    assert table.n_risk.tolist() == [(time >= tick).sum() for tick in ticks]


@given(samples())
def test_follow_up_exchanges_events_and_censorings(sample):
    time, event = sample
    reverse = reverse_kaplan_meier(time, event)
    np.testing.assert_array_equal(reverse.n_event, kaplan_meier(time, event).n_censor)


@given(samples(), st.floats(0.5, 10))
def test_restricted_mean_scales_with_the_unit_of_time(sample, unit):
    time, event = sample
    assume(time.max() > 0)
    months, other = rmst(time, event, time.max()), rmst(time * unit, event, (time * unit).max())
    assert other.estimate == pytest.approx(months.estimate * unit)
    assert other.std_error == pytest.approx(months.std_error * unit)


WEIGHTS = [FlemingHarrington(0, 0), FlemingHarrington(0.5, 1), ModestlyWeighted(t_star=4), ModestlyWeighted(w_max=2)]


@given(trials(), st.sampled_from(WEIGHTS), st.randoms(use_true_random=False))
def test_logrank_flips_with_the_arms_and_ignores_the_order_of_patients(trial, weight, random):
    time, event, arm = trial
    test = estimable(LogRank(weight), time, event, arm)
    swapped = LogRank(weight).analyse(time, event, ~arm)
    assert swapped.z == pytest.approx(-test.z, abs=1e-9)
    assert swapped.p_one_sided == pytest.approx(1 - test.p_one_sided, abs=1e-9)
    order = np.array(random.sample(range(time.size), time.size))
    shuffled = LogRank(weight).analyse(time[order], event[order], arm[order])
    assert shuffled.z == pytest.approx(test.z, abs=1e-12)


@given(trials())
def test_logrank_knows_only_the_order_of_times(trial):
    time, event, arm = trial
    test = estimable(LogRank(), time, event, arm, strata=np.zeros(time.size))
    assert LogRank().analyse(np.exp(time / 3), event, arm).z == pytest.approx(test.z, abs=1e-12)


@given(trials(), st.sampled_from(["efron", "breslow"]))
def test_hazard_ratio_inverts_with_the_arms_and_maximises_the_likelihood(trial, ties):
    time, event, arm = trial
    ratio = estimable(CoxHazardRatio(ties=ties), time, event, arm)
    swapped = CoxHazardRatio(ties=ties).analyse(time, event, ~arm)
    assert swapped.estimate == pytest.approx(1 / ratio.estimate, rel=1e-6)
    assert swapped.lower == pytest.approx(1 / ratio.upper, rel=1e-6)
    assert swapped.std_error == pytest.approx(ratio.std_error, rel=1e-6)
    assert ratio.lower < ratio.estimate < ratio.upper
    assert ratio.details["log_likelihood"] >= ratio.details["log_likelihood_null"] - 1e-9


@given(trials())
def test_hazard_ratio_of_a_doubled_trial_is_the_same_by_strata(trial):
    time, event, arm = trial
    ratio = estimable(CoxHazardRatio(), time, event, arm)
    twice = [np.tile(values, 2) for values in trial]
    doubled = CoxHazardRatio().analyse(*twice, strata=np.repeat(["A", "B"], time.size))
    assert doubled.estimate == pytest.approx(ratio.estimate, rel=1e-6)
    assert doubled.std_error == pytest.approx(ratio.std_error / np.sqrt(2), rel=1e-6)


@given(trials(), st.integers(1, 12))
def test_differences_flip_with_the_arms(trial, at):
    time, event, arm = trial
    for test in (RMSTDifference(at), MilestoneDifference(at)):
        gain = estimable(test, time, event, arm)
        loss = test.analyse(time, event, ~arm)
        assert loss.estimate == pytest.approx(-gain.estimate, abs=1e-12)
        assert np.sign(gain.z) == np.sign(gain.estimate)


@settings(max_examples=30)
@given(trials())
def test_max_combo_lies_between_its_best_component_and_bonferroni(trial):
    combined, weights = estimable(MaxCombo(), *trial), MaxCombo().weights
    best = min(estimable(LogRank(weight), *trial).p_one_sided for weight in weights)
    assert best - 1e-5 <= combined.p_one_sided <= min(1, len(weights) * best) + 1e-5
