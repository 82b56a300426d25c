"""Estimators against lifelines, scipy and statsmodels, and at the edges of their definitions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.errors import InvalidValueError, NotEstimableError, UnknownNameError
from analysis.survival.estimators import kaplan_meier, numbers_at_risk, reverse_kaplan_meier, rmst

DATA = Path(__file__).parents[2] / "reference" / "data"
NAMES = ["test_n20_ties", "test_n100_delayed", "test_n100_noties", "test_n724_ties"]


@pytest.fixture(params=NAMES)
def sample(request):
    d = pd.read_csv(DATA / f"{request.param}.csv")
    return d["time"].to_numpy(), d["event"].to_numpy()


def test_curve_and_limits_are_those_of_lifelines(sample):
    ours, theirs = kaplan_meier(*sample), KaplanMeierFitter().fit(*sample)
    np.testing.assert_allclose(ours.survival, theirs.predict(ours.time), rtol=1e-10)
    lower, upper = ours.pointwise_limits(0.9, scale="log-log")
    limits = KaplanMeierFitter(alpha=0.1).fit(*sample).confidence_interval_.loc[ours.time].to_numpy()
    inner = (ours.survival > 0) & (ours.survival < 1)
    np.testing.assert_allclose(np.column_stack([lower, upper])[inner], limits[inner], rtol=1e-8)
    assert ours.median(rule="first") == theirs.median_survival_time_


def test_curve_and_plain_limits_are_those_of_scipy(sample):
    time, event = sample
    theirs = stats.ecdf(stats.CensoredData.right_censored(time, event == 0)).sf
    ours = kaplan_meier(time, event)
    np.testing.assert_allclose(ours.survival, theirs.probabilities, rtol=1e-12)
    limits = theirs.confidence_interval(0.95, method="linear")
    inner = (ours.survival > 0) & (ours.survival < 1)
    lower, upper = ours.pointwise_limits(0.95, scale="plain")
    np.testing.assert_allclose(lower[inner], limits.low.probabilities[inner], rtol=1e-9)
    np.testing.assert_allclose(upper[inner], limits.high.probabilities[inner], rtol=1e-9)


@pytest.mark.parametrize(
    ("scale", "name"),
    [("plain", "linear"), ("log", "log"), ("log-log", "cloglog"), ("logit", "logit"), ("arcsine", "asinsqrt")],
)
def test_median_limits_are_those_of_statsmodels(sample, scale, name):
    ours, theirs = kaplan_meier(*sample), SurvfuncRight(*sample)
    assert ours.median_ci(scale=scale, rule="last")[0] == theirs.quantile_ci(0.5, method=name)[0]


def plateau():
    """Four patients, the second event leaves exactly half; the next event is at 7."""
    return kaplan_meier([1, 3, 7, 9], [1, 1, 1, 1])


def test_median_on_a_level_stretch_follows_the_named_rule():
    assert plateau().median() == 5
    assert plateau().median(rule="midpoint") == 5
    assert plateau().median(rule="first") == 3
    assert plateau().median(rule="last") == 7
    assert kaplan_meier([1, 3, 7, 9], [1, 1, 0, 0]).median() == 6  # to the last follow-up, as R does


def test_lifelines_scipy_and_statsmodels_rules_are_the_named_ones():
    assert KaplanMeierFitter().fit([1, 3, 7, 9]).median_survival_time_ == plateau().median(rule="first")
    assert SurvfuncRight([1, 3, 7, 9], np.ones(4)).quantile(0.5) == plateau().median(rule="last")


def test_median_not_reached_is_infinite():
    curve = kaplan_meier([1, 5, 5, 5], [1, 0, 0, 0])
    assert curve.median() == np.inf
    assert curve.median_ci(scale="log")[1] == np.inf


def test_events_come_before_censorings_at_the_same_time():
    curve = kaplan_meier([2, 2, 4], [1, 0, 1])
    assert curve.survival.tolist() == pytest.approx([2 / 3, 0])
    assert curve.n_risk.tolist() == [3, 1]


def test_events_at_time_zero_count():
    curve = kaplan_meier([0, 0, 3], [1, 0, 1])
    assert curve.survival_at(0) == pytest.approx(2 / 3)
    for before in (-0.1, float("nan")):
        with pytest.raises(InvalidValueError, match="months from 0 on"):
            curve.survival_at(before)
    assert rmst([0, 0, 3], [1, 0, 1], 3).estimate == pytest.approx(2)


def test_survival_is_unknown_after_the_last_censoring_and_zero_after_the_last_event():
    assert np.isnan(kaplan_meier([1, 2], [1, 0]).survival_at(2.1))
    assert kaplan_meier([1, 2], [1, 0]).survival_at(2) == 0.5
    assert kaplan_meier([1, 2], [0, 1]).survival_at([2.1, 50]).tolist() == [0, 0]


def test_no_event_leaves_the_curve_at_one():
    curve = kaplan_meier([1, 2, 3], [0, 0, 0])
    assert curve.survival.tolist() == [1, 1, 1]
    assert curve.pointwise_limits(scale="log-log")[0].tolist() == [1, 1, 1]
    assert curve.median_ci(scale="log-log") == (np.inf, np.inf)


def test_standard_error_is_unknown_where_nobody_is_left():
    curve = kaplan_meier([1, 2], [1, 1])
    lower, upper = curve.pointwise_limits(scale="log")
    assert np.isnan(curve.std_error[-1])
    assert lower[-1] == 0
    assert np.isnan(upper[-1])


def test_risk_table_counts_just_before_each_tick():
    table = numbers_at_risk([3, 3, 6, 6, 9], [1, 0, 1, 1, 0], [0, 3, 6, 9, 12])
    assert table.n_risk.tolist() == [5, 5, 3, 1, 0]
    assert table.n_event.tolist() == [0, 0, 1, 3, 3]
    assert table.n_censor.tolist() == [0, 0, 1, 1, 2]


def test_median_follow_up_is_that_of_the_reversed_indicator(sample):
    time, event = sample
    theirs = KaplanMeierFitter().fit(time, 1 - event)
    assert reverse_kaplan_meier(time, event).median(rule="first") == theirs.median_survival_time_


def test_rmst_ends_with_the_follow_up():
    with pytest.raises(NotEstimableError, match="tau=4 after the last follow-up at 3"):
        rmst([1, 2, 3], [1, 1, 0], tau=4)
    assert rmst([1, 2, 3], [1, 1, 1], tau=50).estimate == pytest.approx(2)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: kaplan_meier([], []), "time"),
        (lambda: kaplan_meier([1, -2], [1, 0]), "time"),
        (lambda: kaplan_meier([1, np.nan], [1, 0]), "time"),
        (lambda: kaplan_meier([1, np.inf], [1, 0]), "time"),
        (lambda: kaplan_meier(["a", "b"], [1, 0]), "time"),
        (lambda: kaplan_meier([1, 2], [1, 2]), "event"),
        (lambda: kaplan_meier([1, 2], [1, np.nan]), "event"),
        (lambda: kaplan_meier([1, 2], [1]), "event"),
        (lambda: kaplan_meier([[1, 2]], [[1, 0]]), "time"),
        (lambda: numbers_at_risk([1, 2], [1, 0], [-1]), "ticks"),
        (lambda: rmst([1, 2], [1, 1], tau=0), "tau"),
        (lambda: rmst([1, 2], [1, 1], tau=1, level=95), "level"),
        (lambda: plateau().pointwise_limits(95, scale="log"), "level"),
        (lambda: plateau().quantile(0), "p"),
    ],
)
def test_bad_input_is_named(call, field):
    with pytest.raises(InvalidValueError) as caught:
        call()
    assert caught.value.field == field


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="log-log"):
        plateau().pointwise_limits(scale="loglog")
    with pytest.raises(UnknownNameError, match="midpoint"):
        plateau().median(rule="middle")


def test_survival_at_an_unknown_time_is_refused():
    curve = kaplan_meier([1, 2], [1, 1])  # it comes down to 0, so that every later time is known
    assert curve.survival_at(5.0) == 0.0
    with pytest.raises(InvalidValueError, match="months from 0 on"):
        curve.survival_at([np.nan, 5.0])


def test_estimates_show_as_tables():
    curve = kaplan_meier([2, 3, 3, 5, 8], [1, 1, 0, 1, 0])
    assert curve.summary()["n_risk"].tolist() == [5, 4, 2, 1]
    assert numbers_at_risk([2, 3, 3, 5], [1, 1, 0, 0], [0, 3]).summary()["n_risk"].tolist() == [4, 3]
    shown = rmst([2, 3, 3, 5, 8], [1, 1, 0, 1, 0], tau=6).summary().set_index("item")["value"]
    assert shown["estimate"] == pytest.approx(4.3)
    assert shown["tau"] == 6
    assert all("<table" in result._repr_html_() for result in (curve, rmst([2, 3], [1, 0], tau=2)))
