"""Conditional and predictive power, assurance and adjusted inference against their closed forms."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from analysis.conventions import replace
from analysis.errors import InvalidValueError, NotEstimableError
from analysis.power import normal_assurance
from analysis.sequential import (
    AlphaSpending,
    BetaSpending,
    FutilityBounds,
    GroupSequentialDesign,
    HaybittlePeto,
    HwangShihDeCani,
    LanDeMetsPocock,
    NormalPrior,
    Pocock,
    PointsPrior,
    conditional_power,
    prediction_interval,
    predictive_power,
    repeated_inference,
    stagewise_inference,
)
from analysis.sequential.conditional import conditional_crossing

DESIGN = GroupSequentialDesign((0.4, 0.7, 1.0))
FLAT = NormalPrior(0.0, math.inf)


def test_conditional_power_before_the_last_look_is_closed_form():
    t, z, drift, b = 0.7, 1.1, 2.5, DESIGN.upper[-1]
    expected = norm.cdf((z * math.sqrt(t) + drift * (1 - t) - b) / math.sqrt(1 - t))
    assert conditional_power(DESIGN, 2, z, drift) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rejection", ["benefit", "either"])
def test_conditional_power_counts_the_directions_that_the_power_counts(rejection):
    design = GroupSequentialDesign((0.4, 0.7, 1.0), sided=2, rejection=rejection)
    t, z, drift, b = 0.7, -1.5, 0.4, design.upper[-1]
    mean, spread = z * math.sqrt(t) + drift * (1 - t), math.sqrt(1 - t)
    expected = norm.sf(b, mean, spread) + (norm.cdf(-b, mean, spread) if rejection == "either" else 0.0)
    assert conditional_power(design, 2, z, drift) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("futility", [FutilityBounds((0.1, 0.6)), BetaSpending(HwangShihDeCani(-2.0))])
def test_conditional_crossing_averages_to_the_unconditional(futility):
    design = GroupSequentialDesign((0.4, 0.7, 1.0), futility=futility)
    drift, low, high = 2.1, design.lower[0], design.upper[0]

    def weighted(z, look):
        return norm.pdf(z, drift * math.sqrt(0.4)) * conditional_crossing(design, 1, z, drift).upper[look]

    for look in (0, 1):
        total, _ = quad(weighted, low, high, args=(look,), epsabs=1e-11)
        assert total == pytest.approx(design.crossing(drift).upper[look + 1], rel=1e-8)


def test_unplanned_increments_by_both_combinations():
    z, drift, added, t, b = 1.3, 2.0, 0.9, 0.7, DESIGN.upper[-1]
    weights = norm.cdf((z * math.sqrt(t) - b + math.sqrt(0.3) * drift * math.sqrt(added)) / math.sqrt(0.3))
    assert conditional_power(DESIGN, 2, z, drift, increments=[added]) == pytest.approx(weights, rel=1e-12)
    total = t + added
    pooled = norm.cdf((z * math.sqrt(t) + drift * added - b * math.sqrt(total)) / math.sqrt(added))
    value = conditional_power(DESIGN, 2, z, drift, increments=[added], combination="sufficient")
    assert value == pytest.approx(pooled, rel=1e-12)
    same = [conditional_power(DESIGN, 1, z, drift, combination=c) for c in ("inverse-normal", "sufficient")]
    assert same[0] == pytest.approx(same[1], rel=1e-12)


def test_predictive_power_with_the_flat_prior_is_closed_form():
    t, z, b = 0.7, 1.4, DESIGN.upper[-1]
    expected = norm.cdf((z / math.sqrt(t) - b) / math.sqrt((1 - t) / t))
    assert predictive_power(DESIGN, 2, z, FLAT) == pytest.approx(expected, rel=1e-10)


def test_prediction_interval_with_the_flat_prior_is_closed_form():
    t, z = 0.4, 0.8
    low, high = prediction_interval(DESIGN, 1, z, 3, FLAT, level=0.9)
    centre, spread = z / math.sqrt(t), math.sqrt((1 - t) / t)
    assert [low, high] == pytest.approx(norm.interval(0.9, centre, spread), rel=1e-9)


def test_posterior_of_points_is_bayes():
    posterior = PointsPrior((0.0, 3.0), (1.0, 3.0)).updated(1.0, 0.25)
    likelihood = norm.pdf(1.0, [0.0, 1.5]) * [0.25, 0.75]
    assert posterior.weights == pytest.approx(likelihood / likelihood.sum(), rel=1e-12)


@pytest.mark.parametrize("sd", [0.01, 0.7, 25.0])
def test_assurance_of_one_look_is_the_closed_form(sd):
    design = GroupSequentialDesign((1.0,), alpha=0.05, sided=2)
    closed = normal_assurance(1.5, sd, 1.0, alpha=0.05, sided=2)
    assert design.assurance(NormalPrior(1.5, sd)) == pytest.approx(closed, rel=1e-9)


def test_conditional_assurance_of_a_certain_effect():
    crossed = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.2,))).crossing(2.0)
    design = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.2,)))
    expected = crossed.upper[1] / (1 - crossed.upper[0] - crossed.lower[0])
    assert design.assurance(PointsPrior((2.0,), (1.0,)), after_look=1) == pytest.approx(expected, rel=1e-12)


def test_stagewise_inference_of_one_look_is_the_ordinary_one():
    result = stagewise_inference(GroupSequentialDesign((1.0,)), 1, 1.7, level=0.9)
    assert result.p_one_sided == pytest.approx(norm.sf(1.7), rel=1e-12)
    assert [result.lower, result.estimate, result.upper] == pytest.approx(
        [1.7 - norm.isf(0.05), 1.7, 1.7 + norm.isf(0.05)], rel=1e-9
    )


@pytest.mark.parametrize("efficacy", [AlphaSpending(LanDeMetsPocock()), Pocock()])
def test_stagewise_p_at_a_bound_is_the_alpha_spent(efficacy):
    design = GroupSequentialDesign((0.4, 0.7, 1.0), efficacy=efficacy)
    for look in (1, 2, 3):
        result = stagewise_inference(design, look, design.upper[look - 1], level=1 - 2 * design.alpha_spent[look - 1])
        assert result.p_one_sided == pytest.approx(design.alpha_spent[look - 1], rel=1e-10)
        assert result.lower == pytest.approx(0.0, abs=1e-9)


def test_stagewise_inference_counts_binding_lower_bounds():
    design = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.5,), binding=True))
    assert stagewise_inference(design, 2, design.upper[1]).p_one_sided == pytest.approx(0.025, rel=1e-10)
    free = replace(design, futility=FutilityBounds((0.5,)))
    assert stagewise_inference(free, 2, design.upper[1]).p_one_sided > 0.025


@pytest.mark.parametrize("sided", [1, 2])
def test_repeated_p_at_a_bound_is_alpha_and_the_interval_ends_at_zero(sided):
    design = GroupSequentialDesign((0.4, 0.7, 1.0), alpha=0.04, sided=sided)
    for look in (1, 2, 3):
        result = repeated_inference(design, look, design.upper[look - 1])
        assert result.p_value == pytest.approx(0.04, rel=1e-8)
        assert result.lower == pytest.approx(0.0, abs=1e-12)
        assert result.upper == pytest.approx(2 * design.upper[look - 1] / math.sqrt(design.fractions[look - 1]))
        assert result.level == pytest.approx(1 - 0.04 * (2 if sided == 1 else 1))
    assert repeated_inference(design, 2, -1.0 if sided == 1 else 0.0).p_value == 0.5 * sided


KEPT = GroupSequentialDesign((0.3, 0.6, 1.0), futility=FutilityBounds((0.5, 1.2), binding=True))


def test_repeated_intervals_with_binding_futility_are_those_of_rpact():
    # rpact 3.3.4: getRepeatedConfidenceIntervals(getDesignGroupSequential(typeOfDesign="asOF",
    # futilityBounds=c(.5, 1.2), informationRates=c(.3, .6, 1), bindingFutility=TRUE), getDataset(cumulativeEvents=
    # c(60, 120, 200), cumulativeLogRanks=c(.7, 1.5, 2.6)), tolerance=1e-12), as log(ratio) * sqrt(200) / 2; its
    # critical values are good to 1e-8
    z = (0.7, 1.5, 2.6)
    found = [repeated_inference(KEPT, look, z[look - 1], earlier=z[: look - 1]) for look in (1, 2, 3)]
    assert [one.lower for one in found] == pytest.approx([-5.89454003379, -1.50430336273, 0.36514837167], abs=1e-7)
    assert [one.upper for one in found] == pytest.approx([8.45057863549, 5.37728670894, 4.39538462311], abs=1e-7)


@pytest.mark.parametrize("drift", [0.0, 1.0, 3.0, 6.0])
def test_repeated_intervals_hold_whether_or_not_the_trial_stops_for_efficacy(drift):
    """Kept futility, no stop for efficacy: at most alpha of the trials have ever a limit on the wrong side."""
    trials, information = 200_000, KEPT.schedule.information
    steps = np.random.default_rng(8).standard_normal((trials, 3)) * np.sqrt(np.diff(information, prepend=0.0))
    z = np.cumsum(steps, axis=1) / np.sqrt(information) + drift * np.sqrt(information)
    spread, margin = np.sqrt(information), np.array([KEPT.upper, KEPT.lower])
    goes_on, wrong = np.ones(trials, dtype=bool), np.zeros((2, trials), dtype=bool)
    for look in range(3):
        before, root = slice(look), spread[look]
        lower = np.c_[(z[:, look] - margin[0, look]) / root, (z[:, before] - margin[1, before]) / spread[before]].min(1)
        upper = np.c_[(z[:, look] + margin[0, look]) / root, (z[:, before] + margin[1, before]) / spread[before]].max(1)
        wrong |= goes_on & np.array([lower > drift, upper < drift])
        if look == 2:
            some = np.flatnonzero(goes_on)[:20]
            found = [repeated_inference(KEPT, 3, z[i, 2], earlier=z[i, :2]) for i in some]
            assert [one.lower for one in found] == pytest.approx(lower[some].tolist())
            assert [one.upper for one in found] == pytest.approx(upper[some].tolist())
        goes_on &= z[:, look] > KEPT.lower[look]
    assert (wrong.mean(axis=1) < 0.025 + 4 * math.sqrt(0.025 / trials)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: repeated_inference(KEPT, 3, 2.6), "earlier: got None; expected the statistics of the 2 looks before"),
        (lambda: repeated_inference(KEPT, 3, 2.6, earlier=[0.7]), "earlier.*of the 2 looks before"),
        (lambda: repeated_inference(KEPT, 1, 2.6, earlier=[0.7]), "earlier.*none before the first look"),
        (lambda: repeated_inference(KEPT, 3, 2.6, earlier=[0.7, 1.2]), r"earlier: got 1\.2; .*1\.2 at look 2.*binding"),
        (lambda: repeated_inference(KEPT, 2, 2.6, earlier=[math.nan]), "earlier.*NaN"),
        (lambda: repeated_inference(DESIGN, 2, math.nan), "z: got"),
        (lambda: conditional_power(DESIGN, 3, 1.0, 0.0), "look.*1 to 2"),
        (lambda: conditional_power(DESIGN, 1, 1.0, 0.0, increments=[0.3]), "increments.*2 positive"),
        (lambda: conditional_power(DESIGN, 1, 1.0, 0.0, combination="fisher"), "combination"),
        (lambda: prediction_interval(DESIGN, 2, 1.0, 2, FLAT), "at"),
        (lambda: DESIGN.assurance(FLAT), "sd.*proper"),
        (lambda: DESIGN.assurance(FLAT, after_look=3), "after_look"),
        (lambda: NormalPrior(0.0, 0.0), "sd"),
        (lambda: PointsPrior((1.0,), (0.0,)), "weights"),
        (lambda: normal_assurance(1.0, -1.0, 1.0, alpha=0.025), "sd"),
        (lambda: stagewise_inference(DESIGN, 4, 1.0), "look"),
        (lambda: stagewise_inference(DESIGN, 1, 1.0, level=95), "level"),
        (lambda: repeated_inference(DESIGN, 0, 1.0), "look"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(InvalidValueError, match=message):
        make()


def test_assurance_lies_between_the_extremes_of_power():
    prior = PointsPrior((0.0, 3.5), (0.5, 0.5))
    powers = [DESIGN.crossing(d).upper.sum() for d in (0.0, 3.5)]
    assert DESIGN.assurance(prior) == pytest.approx(np.mean(powers), rel=1e-12)


@pytest.mark.parametrize("look", [0, 3, 7])
def test_prediction_needs_an_interim_look(look):
    design, prior = GroupSequentialDesign((1 / 3, 2 / 3, 1.0)), NormalPrior(0.0, 1.0)
    with pytest.raises(InvalidValueError, match="look: got"):
        predictive_power(design, look, 1.0, prior)
    with pytest.raises(InvalidValueError, match="look: got"):
        prediction_interval(design, look, 1.0, 3, prior)


def test_prediction_interval_refuses_percent():
    with pytest.raises(InvalidValueError, match="level: got 95"):
        prediction_interval(GroupSequentialDesign((0.5, 1.0)), 1, 1.0, 2, NormalPrior(0.0, 1.0), level=95)


@pytest.mark.parametrize("bad", [{"alpha": 2.5}, {"alpha": 0.025, "sided": 3}])
def test_normal_assurance_refuses_an_impossible_alpha(bad):
    with pytest.raises(InvalidValueError, match=r"(alpha|sided): got"):
        normal_assurance(0.5, 0.1, 0.25, **bad)


def test_conditional_assurance_needs_a_prior_that_lets_the_look_pass():
    design = GroupSequentialDesign((1 / 3, 2 / 3, 1.0))
    assert design.assurance(PointsPrior((0.0,), (1.0,)), after_look=2) == pytest.approx(
        design.crossing(0.0).upper[2] / (1 - design.crossing(0.0).upper[:2].sum())
    )
    with pytest.raises(NotEstimableError, match="pass look 2"):
        design.assurance(NormalPrior(30.0, 1.0), after_look=2)


@pytest.mark.parametrize(
    "futility", [None, FutilityBounds((0.1, 0.6), binding=True), BetaSpending(HwangShihDeCani(-2.0), binding=True)]
)
@pytest.mark.parametrize("efficacy", [AlphaSpending(LanDeMetsPocock()), Pocock(), HaybittlePeto(3.0)])
def test_repeated_p_is_the_least_alpha_with_which_the_whole_design_rejects(efficacy, futility):
    """Rebuilt with that alpha, binding futility included, the design's bound is just what was seen."""
    design = GroupSequentialDesign((0.4, 0.7, 1.0), efficacy=efficacy, futility=futility)
    earlier = (1.0, 1.6) if futility else None
    at_bound = repeated_inference(design, 3, float(design.upper[2]), earlier=earlier)
    assert at_bound.p_value == pytest.approx(0.025, rel=1e-6)
    found = repeated_inference(design, 3, 2.4, earlier=earlier)
    assert replace(design, alpha=found.p_value).upper[2] == pytest.approx(2.4, abs=1e-6)
