"""Laws that hold for every two-arm design."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.design import PiecewiseAccrual, UniformAccrual
from analysis.expected.numbers import (
    expected_at_risk,
    expected_enrolled,
    expected_events,
    expected_lost,
    time_of_events,
)
from analysis.expected.trial import ExpectedTrial, Stratum
from analysis.statistical_tests import FlemingHarrington, LogRank, MilestoneDifference, NumberAtRisk, RMSTDifference
from analysis.survival import PiecewiseExponential, Weibull
from tests.large_trials import two_arm_trial

RATES = st.floats(0.005, 0.5)
BREAK = st.floats(0.5, 20.0)


@st.composite
def distributions(draw):
    if draw(st.booleans()):
        return Weibull(draw(st.floats(0.6, 2.0)), draw(st.floats(3.0, 40.0)))
    return PiecewiseExponential([draw(RATES), draw(RATES)], [draw(BREAK)])


@st.composite
def accruals(draw):
    duration = draw(st.floats(2.0, 36.0))
    if draw(st.booleans()):
        return UniformAccrual(duration)
    return PiecewiseAccrual(rates=(1, draw(st.integers(1, 9))), breaks=(duration / 3,), duration=duration)


@st.composite
def trials(draw):
    ratio = draw(st.floats(0.3, 3.0))
    loss = draw(st.one_of(st.none(), st.floats(0.001, 0.05)))
    arms = draw(distributions()), draw(distributions())
    return two_arm_trial(*arms, n=100 * (1 + ratio), accrual=draw(accruals()), allocation_ratio=ratio, dropout=loss)


def swapped(trial):
    return ExpectedTrial(tuple(Stratum(stratum.arms[::-1]) for stratum in trial.strata), trial.accrual)


TIMES = st.floats(4.0, 60.0)
TESTS = (
    LogRank(),
    LogRank(variance="alternative"),
    LogRank(FlemingHarrington(0.5, 0.5)),
    LogRank(NumberAtRisk()),
    RMSTDifference(3.0),
    MilestoneDifference(3.0),
    LogRank(formula="schoenfeld"),
    LogRank(formula="rubinstein"),
)


@settings(max_examples=40, deadline=None)
@given(trials(), TIMES)
def test_patients_are_accounted_for(trial, time):
    events, lost = expected_events(trial, time), expected_lost(trial, time)
    stratum = trial.strata[0]
    entered = expected_enrolled(trial, time) / trial.n
    for arm, part in enumerate(stratum.arms):
        assert 0 <= events[arm] + lost[arm] <= part.n * entered * (1 + 1e-9)
        assert 0 <= expected_at_risk(trial, time, 2.0)[arm] <= part.n


@settings(max_examples=40, deadline=None)
@given(trials(), TIMES)
def test_swapping_the_arms_changes_the_sign(trial, time):
    for test in TESTS:
        one, other = test.moments(trial, time), test.moments(swapped(trial), time)
        assert other.drift == pytest.approx(-one.drift, rel=1e-6, abs=1e-7)
        assert other.spread == pytest.approx(one.spread, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(trials(), TIMES, st.floats(1.5, 50.0))
def test_information_grows_with_the_patients(trial, time, factor):
    for test in (*TESTS, LogRank(formula="lachin-foulkes")):
        few, many = test.moments(trial, time), test.moments(trial.with_n(factor * trial.n), time)
        assert many.drift == pytest.approx(few.drift * np.sqrt(factor), rel=1e-9, abs=1e-12)
        assert many.spread == pytest.approx(few.spread, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(trials(), st.floats(0.05, 0.9))
def test_time_of_events_inverts_expected_events(trial, share):
    target = share * float(expected_events(trial, 200.0).sum())
    assert float(expected_events(trial, time_of_events(trial, target)).sum()) == pytest.approx(target, rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(trials(), TIMES, st.floats(1.0, 30.0))
def test_events_only_grow(trial, time, later):
    assert np.all(expected_events(trial, time + later) >= expected_events(trial, time) - 1e-9)


@settings(max_examples=30, deadline=None)
@given(trials(), TIMES, st.floats(0.001, 0.2))
def test_power_grows_with_alpha(trial, time, alpha):
    moments = LogRank(variance="alternative").moments(trial, time)
    assert moments.power(alpha) <= moments.power(min(2 * alpha, 0.4)) + 1e-12
