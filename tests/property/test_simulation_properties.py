"""Laws that hold for any data: risk sets against a naive count, signs, units, the inverse of a cumulative hazard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.conventions.monte_carlo import proportion
from analysis.design import AtEvents, Look, Scenario, TrialDesign, UniformAccrual
from analysis.engine.clock import nth_event_time
from analysis.engine.hazards import event_times, event_times_after, hazard_tables
from analysis.engine.patients import NO_VISITS, Batch, Observations
from analysis.engine.risk_sets import Comparison, risk_sets, snapshot
from analysis.engine.streams import chunk_state, fill_uniform, unit_exponentials
from analysis.simulation import simulate
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.survival.distributions import Exponential, PiecewiseExponential, Weibull

NONE = np.empty((0, 0))
months = st.one_of(st.integers(0, 6).map(float), st.floats(0, 40, allow_nan=False, width=32))


@st.composite
def trials(draw):
    n = draw(st.integers(2, 25))
    time = np.array([draw(st.lists(months, min_size=n, max_size=n))])
    event = np.array([draw(st.lists(st.booleans(), min_size=n, max_size=n))])
    entry = np.array([draw(st.lists(months, min_size=n, max_size=n))])
    return time, event, entry, draw(st.integers(1, n - 1)), draw(st.floats(0.5, 60))


@settings(max_examples=150, deadline=None)
@given(trials(), st.booleans())
def test_risk_sets_are_those_of_a_naive_count(data, delayed):
    time, event, entry, controls, cut = data
    start = np.minimum(time / 2, 3.0) if delayed else NONE
    origin = entry - start if delayed else entry
    seen = Observations(time, time, time, event, False, NO_VISITS, np.empty((0, 0), np.uint64))
    known = snapshot(Batch(entry, origin, start, {"PFS": seen}), seen, np.array([cut]))
    sets = risk_sets(known, Comparison(np.array([0, controls, time.size]), 2, 0, 1), stratified=True)
    enrolled = entry[0] < cut
    happened = event[0] & (origin[0] + time[0] <= cut)
    observed = np.where(happened, time[0], np.minimum(time[0], cut - origin[0]))
    begun = start[0] if delayed else np.full(time.size, -1.0)
    arm = np.arange(time.size) >= controls
    moments = np.unique(observed[enrolled & happened])
    assert sets.first.tolist() == [0, len(moments)]
    for row, moment in enumerate(moments):
        at_risk = enrolled & (observed >= moment) & (begun < moment)
        died = enrolled & happened & (observed == moment)
        counts = [at_risk.sum(), (at_risk & arm).sum(), died.sum(), (died & arm).sum()]
        assert [column[row] for column in sets[1:5]] == counts
        assert sets.time[row] == pytest.approx(moment, rel=1e-14)
    for side, members in enumerate((~arm, arm)):
        latest = observed[enrolled & members].max(initial=0.0)
        assert sets.last_time[0, 0, side] == pytest.approx(latest)


@settings(max_examples=100, deadline=None)
@given(trials(), st.integers(1, 12))
def test_the_nth_event_is_the_nth_of_a_sort(data, number):
    time, event, entry, _, _ = data
    out = np.empty(1)
    nth_event_time(entry, time, event, number, out)
    calendar = np.sort((entry + time)[event])
    assert out[0] == (calendar[number - 1] if number <= calendar.size else np.inf)


def test_the_nth_event_among_many_on_one_day():
    entry, time = np.zeros((1, 500)), np.repeat([[1.0, 5.0]], 250, axis=0).reshape(1, 500)
    time[0, :3] = 1e6, 3.0, 1.0 + 1e-9
    for number in (1, 200, 249, 251, 400, 500):
        out = np.empty(1)
        nth_event_time(entry, time, np.ones((1, 500), bool), number, out)
        assert out[0] == np.sort(time[0])[number - 1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 1.5), min_size=1, max_size=6),
    st.lists(st.floats(0.01, 5), min_size=6, max_size=6),
    st.floats(0, 3),
)
def test_event_times_invert_the_cumulative_hazard(rates, gaps, start):
    true = PiecewiseExponential(rates, np.cumsum(gaps[: len(rates) - 1]))
    tables = hazard_tables([true])
    exponential = np.array([[1e-9, 0.01, 0.3, 1.0, 2.5, 9.0, 13.0]])
    bounds, member = np.array([0, exponential.size]), np.zeros(1, np.int64)
    times = exponential.copy()
    event_times(tables, member, bounds, times)
    later = exponential.copy()
    event_times_after(tables, member, bounds, np.full_like(exponential, start), later)
    for drawn, reached in ((times, exponential), (later, exponential + true.cumulative_hazard(start))):
        finite = np.isfinite(drawn)
        assert true.cumulative_hazard(drawn[finite]) == pytest.approx(reached[finite], rel=1e-6, abs=1e-9)
        assert (true.cumulative_hazard(1e12) <= reached[~finite] * (1 + 1e-9)).all()
    assert (later >= start).all()


def test_a_curve_of_many_thousand_pieces_is_followed_to_its_end_beside_another():
    rng = np.random.default_rng(1)
    true = PiecewiseExponential(rng.uniform(0.02, 0.1, 40_001), np.linspace(0.001, 40, 40_000))
    exponential = rng.exponential(size=(1, 20_000))
    times = exponential.copy()
    beside = PiecewiseExponential(10 * true.rates, true.breaks)
    event_times(hazard_tables([beside, true]), np.zeros(1, np.int64), np.array([0, 0, times.size]), times)
    assert true.cumulative_hazard(times[0]) == pytest.approx(exponential[0], rel=1e-9, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.2, 3), st.floats(1, 40), st.floats(0.5, 2))
def test_signs_and_units(seed, ratio, median, shape):
    """Swapping the arms flips z; doubling all times changes no test."""
    control = Weibull(shape, median)
    design = TrialDesign(n=60, accrual=UniformAccrual(12), looks=(Look(AtEvents(40)),))
    swapped = TrialDesign(n=60, accrual=UniformAccrual(12), looks=(Look(AtEvents(40)),), control="experimental")
    tests = (LogRank(), CoxHazardRatio())
    scenario = Scenario.proportional_hazards(control, ratio)
    result, mirror = (simulate(d, scenario, trials=20, rng=seed, tests=tests) for d in (design, swapped))
    assert mirror.statistic() == pytest.approx(-result.statistic(), rel=1e-9, abs=1e-12)
    estimates = [r.statistic("Cox HR (efron)", "estimate") for r in (result, mirror)]
    assert estimates[0] * estimates[1] == pytest.approx(1.0, rel=1e-6)
    doubled = TrialDesign(n=60, accrual=UniformAccrual(24), looks=(Look(AtEvents(40)),))
    slow = simulate(doubled, Scenario.proportional_hazards(Weibull(shape, 2 * median), ratio), trials=20, rng=seed)
    assert slow.statistic() == pytest.approx(result.statistic(), rel=1e-6, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_patients_under_another_hazard_ratio(seed):
    design = TrialDesign(n=80, accrual=UniformAccrual(12), looks=(Look(AtEvents(50)),))
    control = Exponential.from_median(9)
    powers = [
        simulate(design, Scenario.proportional_hazards(control, ratio), trials=300, rng=seed).statistic()
        for ratio in (0.5, 0.52)
    ]
    assert np.corrcoef(powers[0][:, 0], powers[1][:, 0])[0, 1] > 0.95


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10_000), st.floats(0, 1))
def test_wilson_intervals_hold_their_estimate(n, share):
    hits = np.arange(n) < round(share * n)
    estimate = proportion(hits)
    assert 0 <= estimate.lower <= estimate.value <= estimate.upper <= 1
    assert estimate.std_error > 0


def test_uniforms_and_exponentials():
    uniform = np.empty((8, 10_000))
    fill_uniform(chunk_state(np.random.SeedSequence(5), 3), uniform.ravel())
    assert 0 < uniform.min() < 1e-3
    assert 1 - 1e-3 < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * uniform.size))
    assert np.corrcoef(uniform.ravel()[:-1], uniform.ravel()[1:])[0, 1] == pytest.approx(
        0, abs=4 / np.sqrt(uniform.size)
    )
    out = np.empty((8, 9_000))
    unit_exponentials(uniform, 1000, out)
    assert out == pytest.approx(-np.log1p(-uniform[:, 1000:]), rel=1e-15)


def test_the_generator_is_xoshiro256_plus_plus():
    """First outputs from the state 1, 2, 3, 4, as published with the reference implementation in C."""
    published = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]
    out = np.empty(5)
    fill_uniform(np.array([1, 2, 3, 4], np.uint64), out)
    assert out.tolist() == [((x >> 12 | 1) + 0.0) / 2.0**52 for x in published]
