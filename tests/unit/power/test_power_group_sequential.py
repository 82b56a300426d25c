"""Group-sequential designs: published designs, exact identities, extremes and bad input."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from analysis.conventions import from_json, replace, to_json
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnknownNameError
from analysis.sequential import (
    AlphaSpending,
    BetaSpending,
    ExponentialSpending,
    FutilityBounds,
    GroupSequentialDesign,
    HaybittlePeto,
    HwangShihDeCani,
    KimDeMets,
    LanDeMetsOBrienFleming,
    LanDeMetsPocock,
    NullSpending,
    OBrienFleming,
    Pocock,
    UserSpending,
    WangTsiatis,
    crossing_probabilities,
)

TEN_LOOKS = tuple(k / 10 for k in range(1, 11))
EFFICACY = [
    AlphaSpending(LanDeMetsOBrienFleming()),
    AlphaSpending(LanDeMetsPocock()),
    AlphaSpending(HwangShihDeCani(-4.0)),
    AlphaSpending(HwangShihDeCani(0.0)),
    AlphaSpending(KimDeMets(3.0)),
    AlphaSpending(ExponentialSpending(0.8)),
    AlphaSpending(UserSpending((0.5, 1.0), (0.2, 1.0))),
    OBrienFleming(),
    Pocock(),
    WangTsiatis(0.25),
]
FUTILITY = [
    BetaSpending(HwangShihDeCani(-2.0)),
    BetaSpending(LanDeMetsOBrienFleming(), binding=True),
    NullSpending(HwangShihDeCani(-2.0)),
    NullSpending(HwangShihDeCani(-2.0), binding=True),
    NullSpending(LanDeMetsPocock(), total=0.5),
    FutilityBounds((0.0, 0.5)),
    FutilityBounds((None, 0.5), binding=True),
]


def test_bolero_2_spends_0_0066_at_359_of_528_events():
    spent = LanDeMetsOBrienFleming().spent(0.025, 359 / 528)
    assert spent == pytest.approx(0.0066, abs=5e-5)
    assert spent == pytest.approx(2 * norm.sf(norm.isf(0.0125) / math.sqrt(359 / 528)), rel=1e-13)


@pytest.mark.parametrize("efficacy", EFFICACY)
@pytest.mark.parametrize("sided", [1, 2])
def test_alpha_is_spent_and_power_is_had(efficacy, sided):
    design = GroupSequentialDesign((0.3, 0.7, 1.0), alpha=0.05, sided=sided, power=0.8, efficacy=efficacy)
    null = design.crossing(0.0)
    assert (null.upper + null.lower).sum() == pytest.approx(0.05, rel=1e-11)
    assert design.alpha_spent == pytest.approx(np.cumsum(null.upper + null.lower), rel=1e-10)
    assert design.crossing(design.drift).upper.sum() == pytest.approx(0.8, rel=1e-11)
    assert design.inflation > 1


@pytest.mark.parametrize("futility", FUTILITY)
def test_futility_keeps_alpha_and_power(futility):
    design = GroupSequentialDesign((0.3, 0.7, 1.0), power=0.8, futility=futility)
    assert design.crossing(design.drift).upper.sum() == pytest.approx(0.8, rel=1e-10)
    lower = design.lower if futility.binding else np.full(3, -np.inf)
    null = crossing_probabilities(design.fractions, lower, design.upper, 0.0)
    assert null.upper.sum() == pytest.approx(0.025, rel=1e-10)
    if not futility.binding:
        assert design.upper == pytest.approx(GroupSequentialDesign((0.3, 0.7, 1.0)).upper, rel=1e-12)


def test_beta_and_null_spending_spend_what_the_function_says():
    function = HwangShihDeCani(-2.0)
    design = GroupSequentialDesign((0.3, 0.7, 1.0), power=0.8, futility=BetaSpending(function))
    assert design.beta_spent == pytest.approx(function.spent(0.2, [0.3, 0.7, 1.0]), rel=1e-9)
    assert design.lower[-1] == design.upper[-1]
    design = replace(design, futility=NullSpending(function))
    null = design.crossing(0.0)
    total = 1 - null.upper.sum()
    assert np.cumsum(null.lower) == pytest.approx(function.spent(total, [0.3, 0.7, 1.0]), rel=1e-9)


def test_power_can_count_rejections_in_either_direction():
    one, both = (
        GroupSequentialDesign((0.5, 1.0), alpha=0.4, sided=2, power=0.5, efficacy=Pocock(), rejection=rejection)
        for rejection in ("benefit", "either")
    )
    crossed = both.crossing(both.drift)
    assert (crossed.upper + crossed.lower).sum() == pytest.approx(0.5, rel=1e-10)
    assert both.drift < one.drift


def test_results_cannot_be_overwritten():
    design = GroupSequentialDesign((0.5, 1.0))
    for array in (design.upper, design.lower, design.crossing(0.0).upper):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_binding_futility_lowers_the_later_efficacy_bounds():
    free, bound = (
        GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.5,), binding=binding)) for binding in (False, True)
    )
    assert bound.upper[0] == pytest.approx(free.upper[0], rel=1e-12)
    assert bound.upper[1] < free.upper[1]


def test_crossing_agrees_with_the_multivariate_normal():
    t, upper, lower, drift = np.array([0.3, 0.55, 1.0]), [2.8, 2.3, 2.0], [-0.5, 0.4, 2.0], 2.2
    mean = drift * np.sqrt(t)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    crossed = crossing_probabilities(t, lower, upper, mean)

    def going_on_and_then(tail, bound):
        rho = correlation[0, 1]

        def density(first):
            then = tail(bound, mean[1] + rho * (first - mean[0]), np.sqrt(1 - rho**2))
            return norm.pdf(first, mean[0]) * then

        return quad(density, lower[0], upper[0], epsabs=0, epsrel=1e-12)[0]

    assert crossed.upper[0] == pytest.approx(norm.sf(2.8 - mean[0]), rel=1e-13)
    assert crossed.upper[1] == pytest.approx(going_on_and_then(norm.sf, upper[1]), rel=1e-11)
    assert crossed.lower[1] == pytest.approx(going_on_and_then(norm.cdf, lower[1]), rel=1e-11)
    low, high = [*lower[:2], upper[2]], [*upper[:2], 12.0]  # by random points: far fewer digits
    goes_on = multivariate_normal.cdf(high, mean, correlation, lower_limit=low, abseps=1e-9, releps=1e-9, maxpts=10**6)
    assert crossed.upper[2] == pytest.approx(goes_on, rel=1e-6)
    assert crossed.stopping.sum() == pytest.approx(1, rel=1e-14)


def test_integration_does_not_depend_on_its_panels(monkeypatch):
    t = np.array([0.2, 0.45, 0.6, 0.85, 0.9, 0.97, 1.0])
    limits = (np.linspace(-1, 0.8, 7), np.linspace(4, 2, 7), 2 * np.sqrt(t))
    coarse = crossing_probabilities(t, *limits)
    monkeypatch.setattr("analysis.sequential.crossing._PANEL", 0.5)
    fine = crossing_probabilities(t, *limits)
    assert coarse.upper == pytest.approx(fine.upper, rel=1e-11)
    assert coarse.lower == pytest.approx(fine.lower, rel=1e-11)


@pytest.mark.parametrize("alpha", [1e-6, 0.3])
@pytest.mark.parametrize("efficacy", [AlphaSpending(LanDeMetsOBrienFleming()), WangTsiatis(0.25), Pocock()])
def test_ten_looks_at_extreme_alpha(alpha, efficacy):
    design = GroupSequentialDesign(TEN_LOOKS, alpha=alpha, efficacy=efficacy)
    assert design.crossing(0.0).upper.sum() == pytest.approx(alpha, rel=1e-9)
    assert design.crossing(design.drift).upper.sum() == pytest.approx(0.9, rel=1e-10)


def test_one_look_is_the_fixed_design():
    design = GroupSequentialDesign((1.0,), alpha=0.025, power=0.9)
    assert design.upper == pytest.approx([norm.isf(0.025)], rel=1e-12)
    assert design.inflation == pytest.approx(1, rel=1e-12)
    assert design.drift == pytest.approx(norm.isf(0.025) + norm.isf(0.1), rel=1e-11)


def test_shapes_have_their_shape():
    t = np.array([0.25, 0.6, 1.0])
    assert np.ptp(GroupSequentialDesign(tuple(t), efficacy=Pocock()).upper) < 1e-10
    assert np.ptp(GroupSequentialDesign(tuple(t), efficacy=OBrienFleming()).upper * np.sqrt(t)) < 1e-10
    assert GroupSequentialDesign(tuple(t), efficacy=HaybittlePeto()).upper[:2] == pytest.approx([3, 3], rel=1e-11)


def test_respending_uses_the_planned_fractions_and_the_observed_correlation():
    design = GroupSequentialDesign((0.6, 1.0), alpha=0.025)
    seen = design.observed([359, 510], 528, final=True)
    first = float(LanDeMetsOBrienFleming().spent(0.025, 359 / 528))
    assert seen.alpha_spent == pytest.approx([first, 0.025], rel=1e-12)
    assert seen.fractions == pytest.approx((359 / 510, 1.0))
    upper = seen.upper
    rejected = crossing_probabilities([359, 510], -np.inf, upper, 0.0).upper
    assert rejected == pytest.approx([first, 0.025 - first], rel=1e-9)
    assert design.observed([0.6 * 528, 528], 528).upper == pytest.approx(design.upper, rel=1e-12)


def test_operating_characteristics_and_summary_repeat_the_design():
    design = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.0,)))
    frame = design.operating_characteristics((0.0, 1.0))
    assert frame.reject.tolist() == pytest.approx([design.crossing(0.0).upper.sum(), 0.9], rel=1e-10)
    stops = norm.cdf(0.0) + norm.sf(design.upper[0])
    assert frame.expected_fraction[0] == pytest.approx(1 - 0.5 * stops, rel=1e-12)
    assert design.summary().alpha_spent.iloc[-1] == pytest.approx(0.025, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fractions": (0.5, 0.5, 1.0)}, "fractions.*strictly increasing"),
        ({"fractions": (0.5, 0.9)}, "fractions.*increase to 1"),
        ({"fractions": (0.0, 1.0)}, "fractions.*above 0"),
        ({"alpha": 2.5}, "alpha"),
        ({"power": 0.02}, "power.*between alpha"),
        ({"sided": 3}, "sided"),
        ({"sided": 2, "alpha": 0.05, "futility": FutilityBounds((0.0,))}, "futility.*one-sided"),
        ({"spending_time": (0.5,)}, "spending_time"),
    ],
)
def test_impossible_designs_are_named(change, message):
    with pytest.raises(InvalidValueError, match=message):
        GroupSequentialDesign(**({"fractions": (0.5, 1.0)} | change))


def test_unknown_words_are_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"rejection: got 'both'.*either"):
        GroupSequentialDesign((0.5, 1.0), rejection="both")


def test_infeasible_boundaries_say_what_would_be_possible():
    with pytest.raises(InfeasibleDesignError, match="raise the critical value"):
        _ = GroupSequentialDesign((0.5, 1.0), alpha=0.001, efficacy=HaybittlePeto(2.5)).upper
    with pytest.raises(InfeasibleDesignError, match="less on futility"):
        _ = GroupSequentialDesign((0.05, 1.0), futility=FutilityBounds((2.9,)), power=0.999).drift
    with pytest.raises(InfeasibleDesignError, match="name a total below"):
        _ = GroupSequentialDesign((0.3, 1.0), alpha=1e-5, futility=NullSpending(LanDeMetsOBrienFleming())).upper
    with pytest.raises(InfeasibleDesignError, match="meets the efficacy bound at look 1 of 2"):
        _ = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((3.5,))).upper


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KimDeMets(0.0), "rho"),
        (lambda: ExponentialSpending(-1.0), "nu"),
        (lambda: UserSpending((0.5, 0.9), (0.5, 1.0)), "fractions"),
        (lambda: UserSpending((0.5, 1.0), (0.5, 0.4)), "proportions"),
        (lambda: LanDeMetsPocock().spent(0.025, 0.0), "fraction"),
        (lambda: FutilityBounds((float("nan"),)), "values: got nan"),
        (lambda: GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.0, 0.0))).upper, "values.*1 bounds"),
        (lambda: GroupSequentialDesign((0.5, 1.0)).observed([300, 200], 528), "information"),
        (lambda: GroupSequentialDesign((0.5, 1.0)).observed([530, 540], 528), "below the planned maximum"),
        (lambda: GroupSequentialDesign((0.5, 1.0)).observed([100, 200], 0), "maximum"),
        (lambda: crossing_probabilities([2, 1], -1, 2, 0), "information"),
        (lambda: GroupSequentialDesign((0.5, 1.0)).observed([41, 86], 120), "final=True if the trial ends there"),
        (lambda: GroupSequentialDesign((0.5, 1.0)).looks(), "cuts, events"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(InvalidValueError, match=message):
        make()


@pytest.mark.parametrize("efficacy", EFFICACY)
@pytest.mark.parametrize("futility", FUTILITY)
def test_json_round_trip(efficacy, futility):
    design = GroupSequentialDesign((0.3, 0.7, 1.0), efficacy=efficacy, futility=futility).observed([30, 72, 105], 100)
    assert from_json(to_json(design)) == design


def test_protocol_paragraph_prints_the_numbers_of_the_design():
    design = GroupSequentialDesign((0.5, 1.0), futility=BetaSpending(HwangShihDeCani(-2.0)))
    text = design.protocol_text()
    for number in (*design.upper, design.lower[0]):
        assert f"{number:.4f}" in text
    for number in (*design.nominal_p, *design.alpha_spent):
        assert f"{number:.4g}" in text
    assert f"{design.inflation:.4f}" in text
    assert "Lan and DeMets 1983" in text
    assert "Hwang et al. 1990" in text
    assert "non-binding" in text


def test_bounds_of_looks_that_are_over_do_not_move():
    """A look's bound depends on its own information and that before it, whatever comes later and however it ends."""
    for efficacy in EFFICACY:
        design = GroupSequentialDesign((0.3, 0.7, 1.0), efficacy=efficacy)
        first = design.observed([41], 120, final=False).upper[0]
        for later in ([41, 86], [41, 70], [41, 100, 110]):
            assert design.observed(later, 120, final=False).upper[0] == pytest.approx(first, rel=1e-10)
        second = design.observed([41, 86], 120, final=False).upper[1]
        for last in (120, 125, 150):
            assert design.observed([41, 86, last], 120).upper[:2] == pytest.approx([first, second], rel=1e-10)
        ended = design.observed([41, 86], 120, final=True)
        assert ended.upper[0] == pytest.approx(first, rel=1e-10)
        assert ended.alpha_spent[-1] == pytest.approx(0.025, rel=1e-9)
        assert ended.attained_power < design.attained_power
