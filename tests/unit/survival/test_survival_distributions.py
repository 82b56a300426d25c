"""Distributions against scipy.stats, quadrature and values worked out by hand."""

import pickle
from itertools import pairwise

import attrs
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from analysis.conventions import from_json, to_json
from analysis.errors import InvalidValueError
from analysis.survival.distributions import (
    Distribution,
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

TO_ZERO = Tabulated([0, 2, 5, 12], [1, 0.9, 0.5, 0])
CURED = PiecewiseExponential([0.1, 0], [3])
ALL = [
    Exponential(0.1),
    Weibull(0.7, 10),
    Weibull(1.4, 8),
    LogLogistic(1.5, 7),
    LogLogistic(0.7, 7),
    LogNormal(2, 0.8),
    PiecewiseExponential([0.1, 0, 0.3], [3, 6]),
    CURED,
    Tabulated([2, 5, 5.5, 12], [0.9, 0.5, 0.5, 0.1]),
    TO_ZERO,
    Tabulated([4], [0]),
    ProportionalHazards(Weibull(1.2, 9), [1, 0.6], [3]),
    ProportionalHazards(PiecewiseExponential([0.1, 0.2, 0.3], [3, 6]), [1.3, 0, 0.6], [3, 5]),
    ProportionalHazards(TO_ZERO, 0.5),
    Mixture([Exponential(0.1), Weibull(0.7, 10), TO_ZERO], [1, 2, 1]),
    Mixture([CURED, TO_ZERO]),
    Earliest([Weibull(1.4, 8), Exponential(0.01)]),
    Earliest([LogLogistic(0.7, 7), PiecewiseExponential([0.1, 0, 0.3], [3, 6]), TO_ZERO]),
    Earliest([CURED, CURED]),
]
every_distribution = pytest.mark.parametrize("distribution", ALL, ids=repr)


@pytest.mark.parametrize(
    ("ours", "scipys"),
    [
        (Exponential(0.07), stats.expon(scale=1 / 0.07)),
        (Weibull(1.3, 9), stats.weibull_min(1.3, scale=9)),
        (LogLogistic(1.8, 6), stats.fisk(1.8, scale=6)),
        (LogNormal(1.9, 0.7), stats.lognorm(0.7, scale=np.exp(1.9))),
    ],
)
def test_closed_forms_are_those_of_scipy(ours, scipys):
    t, p = np.array([0.01, 0.5, 3, 9, 40, 200]), np.array([0, 1e-6, 0.2, 0.5, 0.9, 1])
    np.testing.assert_allclose(ours.survival(t), scipys.sf(t), rtol=1e-12)
    np.testing.assert_allclose(ours.hazard(t), scipys.pdf(t) / scipys.sf(t), rtol=1e-9)
    np.testing.assert_allclose(ours.cumulative_hazard(t), -scipys.logsf(t), rtol=1e-10)
    np.testing.assert_allclose(ours.quantile(p), scipys.ppf(p), rtol=1e-12)
    assert ours.median == pytest.approx(scipys.median(), rel=1e-12)


@pytest.mark.parametrize("distribution", [Exponential(0.07), Weibull(1.3, 9), PiecewiseExponential([0.1, 0.3], [4])])
def test_mean_is_the_unrestricted_one(distribution):
    area, _ = quad(distribution.survival, 0, 400, points=[4], epsabs=1e-12, limit=200)
    assert distribution.rmst(np.inf) == pytest.approx(area, rel=1e-9)


@every_distribution
@pytest.mark.parametrize("tau", [2.0, 7.0, 30.0])
def test_rmst_is_the_area_under_the_curve(distribution, tau):
    inner = [point for point in distribution.change_points if point < tau]
    area, _ = quad(distribution.survival, 0, tau, points=inner or None, epsabs=1e-12, epsrel=1e-12, limit=200)
    assert distribution.rmst(tau) == pytest.approx(area, abs=1e-9)


@every_distribution
def test_hazard_is_the_slope_of_the_cumulative_hazard(distribution):
    t = np.array([0.5, 2.5, 3.9, 5.2, 6.5, 8, 11])
    t = t[distribution.survival(t + 0.1) > 0]
    slope = (distribution.cumulative_hazard(t + 1e-6) - distribution.cumulative_hazard(t - 1e-6)) / 2e-6
    np.testing.assert_allclose(distribution.hazard(t), slope, rtol=1e-6, atol=1e-8)


@every_distribution
def test_before_and_at_the_start_nobody_has_failed(distribution):
    assert distribution.survival(-1) == 1
    assert distribution.survival(0) == 1
    assert distribution.cumulative_hazard(-1) == 0
    assert distribution.hazard(-1) == 0
    assert distribution.quantile(0) == 0
    assert distribution.rmst(0) == 0


@every_distribution
def test_draws_follow_the_distribution_and_the_seed(distribution):
    draws = distribution.sample(20_000, 7)
    t = np.array([0.5, 1, 2, 4, 6, 8, 11, 20])
    empirical = (draws[:, None] > t).mean(axis=0)
    assert np.abs(empirical - distribution.survival(t)).max() < 1.95 / np.sqrt(draws.size)  # Kolmogorov, p = 0.001
    np.testing.assert_array_equal(draws, distribution.sample(20_000, np.random.default_rng(7)))
    assert distribution.sample((3, 2), 1).shape == (3, 2)


@every_distribution
def test_numbers_in_numbers_out_and_arrays_in_arrays_out(distribution):
    assert isinstance(distribution, Distribution)
    for method in ("survival", "hazard", "cumulative_hazard", "rmst"):
        assert type(getattr(distribution, method)(3)) is np.float64
        assert getattr(distribution, method)([[1, 2], [3, 4]]).shape == (2, 2)
    assert type(distribution.quantile(0.3)) is np.float64
    assert distribution.quantile([[0.1], [0.2]]).shape == (2, 1)


@every_distribution
def test_a_distribution_is_a_value(distribution):
    copy = pickle.loads(pickle.dumps(distribution))
    assert copy == distribution
    assert hash(copy) == hash(distribution)
    assert distribution != Exponential(0.123)


@every_distribution
def test_a_distribution_is_made_again_from_its_fields(distribution):
    assert attrs.evolve(distribution) == distribution
    assert from_json(to_json(distribution)) == distribution


def test_weights_are_made_again_from_the_normalised_ones():
    for count in range(1, 60):
        mixed = Mixture([Exponential(0.1)] * count, np.arange(1, count + 1))
        assert Mixture(mixed.components, mixed.weights) == mixed


def test_piecewise_exponential_by_hand():
    delayed = PiecewiseExponential([0.1, 0.05], [3])
    assert delayed.cumulative_hazard(5) == pytest.approx(0.4)
    assert delayed.hazard([2.999, 3]).tolist() == [0.1, 0.05]
    assert delayed.quantile(1 - np.exp(-0.4)) == pytest.approx(5)


def test_a_cured_share_never_fails():
    assert CURED.survival(np.inf) == pytest.approx(np.exp(-0.3))
    assert CURED.median == np.inf
    assert CURED.rmst(np.inf) == np.inf
    assert np.isinf(CURED.sample(1000, 1)).mean() == pytest.approx(np.exp(-0.3), abs=0.05)
    assert Mixture([CURED, Exponential(0.1)]).quantile(0.9) == np.inf


def test_curve_by_points_passes_through_them_and_goes_on():
    curve = Tabulated([6, 12], [0.8, 0.4])
    np.testing.assert_allclose(curve.survival([6, 12]), [0.8, 0.4])
    assert curve.survival(9) == pytest.approx(np.sqrt(0.8 * 0.4))
    assert curve.survival(18) == pytest.approx(0.2)


def test_curve_by_points_may_stay_level_and_come_down_to_zero():
    level = Tabulated([5, 10, 15], [0.5, 0.5, 0.2])
    assert level.survival(7) == 0.5
    assert level.hazard(7) == 0
    assert level.median == pytest.approx(5)
    assert TO_ZERO.survival([8.5, 12, 20]).tolist() == pytest.approx([0.25, 0, 0])
    assert TO_ZERO.quantile(1) == 12
    assert TO_ZERO.cumulative_hazard(12) == np.inf


@pytest.mark.parametrize("level", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_level_stretch_is_reached_at_its_first_time(level):
    for curve in (Tabulated([3, 5, 9], [0.95, level, level]), Tabulated([3, 5, 9, 12], [0.95, level, level, 0])):
        assert curve.quantile(1 - level) == pytest.approx(5)


def test_delayed_and_crossing_effects_by_hand():
    delayed = ProportionalHazards(Exponential(0.1), [1, 0.5], [3])
    assert delayed == ProportionalHazards(Exponential(0.1), [1, 0.5], [3])
    same = PiecewiseExponential([0.1, 0.05], [3])
    t = np.linspace(0, 30, 61)
    np.testing.assert_allclose(delayed.survival(t), same.survival(t), rtol=1e-14)
    np.testing.assert_allclose(delayed.quantile(np.linspace(0, 0.99)), same.quantile(np.linspace(0, 0.99)), rtol=1e-12)
    assert delayed.rmst(24) == pytest.approx(same.rmst(24), rel=1e-12)


def test_no_hazard_after_a_ratio_of_zero():
    stopped = ProportionalHazards(Exponential(0.1), [1, 0], [3])
    assert stopped.quantile(0.5) == np.inf
    assert stopped.quantile(1 - np.exp(-0.2)) == pytest.approx(2)


def test_a_strong_effect_keeps_the_digits_of_the_tail():
    strong = ProportionalHazards(Exponential(1.0), 0.01)
    np.testing.assert_allclose(
        strong.quantile([0.5, 0.9, 0.999]), Exponential(0.01).quantile([0.5, 0.9, 0.999]), rtol=1e-12
    )


def test_mixture_is_the_mean_of_its_components():
    mixed = Mixture([Exponential(0.1), Exponential(0.02)], [3, 1])
    assert mixed.weights == (0.75, 0.25)
    assert mixed.survival(10) == pytest.approx(0.75 * np.exp(-1) + 0.25 * np.exp(-0.2))
    assert mixed.hazard(0) == pytest.approx(0.08)
    assert mixed.hazard(500) == pytest.approx(0.02)


def test_arrays_of_a_distribution_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        PiecewiseExponential([0.1, 0.2], [3]).rates[0] = 5


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Exponential(0), "rate"),
        (lambda: Exponential(-0.1), "rate"),
        (lambda: Exponential(np.nan), "rate"),
        (lambda: Exponential("fast"), "rate"),
        (lambda: Exponential.from_median(0), "median"),
        (lambda: Weibull(0, 3), "shape"),
        (lambda: Weibull(1, np.inf), "scale"),
        (lambda: LogLogistic(1, -2), "scale"),
        (lambda: LogNormal(np.nan, 1), "mu"),
        (lambda: LogNormal(1, 0), "sigma"),
        (lambda: PiecewiseExponential([0.1, -0.1], [3]), "rates"),
        (lambda: PiecewiseExponential([0.1, 0.2], []), "rates"),
        (lambda: PiecewiseExponential([0.1, 0.2, 0.3], [6, 3]), "breaks"),
        (lambda: PiecewiseExponential([0.1, 0.2], [0]), "breaks"),
        (lambda: PiecewiseExponential([0.1, np.nan], [3]), "rates"),
        (lambda: PiecewiseExponential([[0.1, 0.2]], [3]), "rates"),
        (lambda: PiecewiseExponential("x", [3]), "rates"),
        (lambda: Tabulated([1, 2], [0.5, 0.6]), "points"),
        (lambda: Tabulated([0, 2], [100, 50]), "points"),
        (lambda: Tabulated([2, 2], [0.8, 0.6]), "times"),
        (lambda: Tabulated([], []), "times"),
        (lambda: Tabulated([0], [1]), "times"),
        (lambda: Tabulated([1, 2], [0.5]), "points"),
        (lambda: ProportionalHazards(Exponential(0.1), [-1]), "ratios"),
        (lambda: ProportionalHazards(Exponential(0.1), [1, 0.5]), "ratios"),
        (lambda: ProportionalHazards(Exponential(0.1), 0.5).rmst(np.inf), "tau"),
        (lambda: ProportionalHazards(TO_ZERO, [1, 0.5], [12]), "breaks"),
        (lambda: Mixture([]), "components"),
        (lambda: Earliest([]), "components"),
        (lambda: Mixture([Exponential(0.1)], [0]), "weights"),
        (lambda: Mixture([Exponential(0.1)], [1, 2]), "weights"),
        (lambda: Exponential(0.1).quantile(50), "p"),
        (lambda: Exponential(0.1).quantile(np.nan), "p"),
        (lambda: Exponential("0.1"), "rate"),
        (lambda: Exponential(True), "rate"),
    ],
)
def test_bad_input_is_named(make, field):
    with pytest.raises(InvalidValueError) as caught:
        make()
    assert caught.value.field == field


@pytest.mark.parametrize(
    "late",
    [
        ProportionalHazards(Weibull(2.9, 3.8), (0.0, 1.66), [22.8]),
        ProportionalHazards(Tabulated([1.65, 9.84], [0.07, 0.0]), (0.02, 0.01), [2.46]),
        ProportionalHazards(LogNormal(0.0, 0.3), (0.0, 0.09), [15.0]),
    ],
)
def test_a_curve_that_falls_late_and_fast_has_its_area(late):
    edges = [0.0, *late.change_points.tolist(), *late.quantile(1 - 0.5 ** np.arange(1, 50)).tolist(), 40.0]
    edges = [edge for edge in sorted(set(edges)) if edge <= 40]
    area = sum(quad(lambda t: float(late.survival(t)), a, b, epsabs=1e-13)[0] for a, b in pairwise(edges))
    assert late.rmst(40.0) == pytest.approx(area, abs=1e-9)
