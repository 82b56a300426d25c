"""Two-stage and Bayesian single-arm designs: published shape, inference, deviations, priors, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.conventions import from_json, to_json
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnknownNameError
from analysis.single_arm import (
    AdaptedSecondStage,
    BetaPrior,
    BinomialDesign,
    StratifiedDesign,
    bop2,
    design_space,
    exact_binomial,
    infer,
    predictive_probability_design,
    simon_two_stage,
    stratified_exact,
    with_attained_sizes,
)

REQUEST = {"null_rate": 0.1, "alternative_rate": 0.3, "alpha": 0.05, "power": 0.8}
RATES = {"null_rate": 0.2, "alternative_rate": 0.4, "alpha": 0.1}
SUCCESS = {"rate": 0.2, "threshold": 0.9}
SIMON = BinomialDesign((10, 29), (1, 5), 0.1, 0.3, alpha=0.05, power=0.8)


def test_summary_lists_the_admissible_designs_from_minimax_to_optimal():
    table = simon_two_stage(**REQUEST).summary()
    assert table["design"].tolist() == ["minimax", "admissible", "admissible", "optimal"]
    assert table[["r1", "n1", "r", "n"]].iloc[-1].tolist() == [1, 10, 5, 29]
    assert table["weight_upper"].iloc[0] == 1
    assert table["weight_lower"].iloc[-1] == 0
    assert (table["weight_upper"].iloc[1:].to_numpy() == table["weight_lower"].iloc[:-1].to_numpy()).all()


def test_a_search_that_is_cut_short_says_so():
    wide = {"null_rate": 0.1, "alternative_rate": 0.2, "alpha": 0.05, "power": 0.8}
    assert simon_two_stage(**wide).complete
    assert not simon_two_stage(**wide, n_max=100).complete


def test_stopping_for_efficacy_under_the_alternative_saves_patients_there():
    request = {"null_rate": 0.2, "alternative_rate": 0.4, "alpha": 0.05, "power": 0.9, "n_max": 60}
    futility = simon_two_stage(**request).optimal
    both = simon_two_stage(**request, early_stopping="futility and efficacy", minimise="alternative").optimal
    assert both.efficacy[0] is not None
    assert both.expected_n(0.4) < futility.expected_n(0.4) - 5
    assert f"at least {both.efficacy[0]} have responded" in both.protocol_text()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_max": 20}, InfeasibleDesignError, "the smallest has 25"),
        ({"n_max": 1}, InvalidValueError, "n_max: got 1"),
        ({"power": 0.05}, InfeasibleDesignError, "more than the type I error"),
        ({"alternative_rate": 0.1}, InvalidValueError, "alternative_rate: got 0.1"),
        ({"early_stopping": "efficacy"}, InvalidValueError, "early_stopping: got 'efficacy'"),
        ({"minimise": "alternative"}, InvalidValueError, "minimise: got 'alternative'"),
        ({"minimise": "both", "early_stopping": "futility and efficacy"}, InvalidValueError, "minimise: got 'both'"),
        ({"alternative_rate": 0.101}, InfeasibleDesignError, "give n_max"),
    ],
)
def test_impossible_two_stage_requests(change, error, message):
    with pytest.raises(error, match=message):
        simon_two_stage(**(REQUEST | change))


def test_extreme_error_rates_have_a_two_stage_design():
    found = simon_two_stage(null_rate=0.1, alternative_rate=0.5, alpha=1e-6, power=0.99)
    assert found.complete
    assert found.optimal.attained_alpha <= 1e-6


def test_weights_outside_the_unit_interval_are_refused():
    with pytest.raises(InvalidValueError, match="weight"):
        simon_two_stage(**REQUEST).at_weight(1.5)


def test_inference_of_one_look_is_the_exact_binomial_test():
    found = infer(exact_binomial(30, null_rate=0.15, alpha=0.05), 10, 30)
    reference = stats.binomtest(10, 30, 0.15, alternative="greater")
    interval = stats.binomtest(10, 30).proportion_ci(0.95, method="exact")
    assert found.p_one_sided == pytest.approx(reference.pvalue, rel=1e-12)
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high), abs=1e-10)
    assert found.umvue == pytest.approx(1 / 3)


def test_p_value_rejects_exactly_when_the_design_does():
    design = simon_two_stage(**REQUEST).optimal
    for responders in range(2, 29):
        found = infer(design, responders, 29)
        assert found.rejects == (found.p_one_sided <= design.attained_alpha + 1e-12)
    assert not infer(design, 1, 10).rejects


def test_a_stop_for_futility_is_weaker_and_one_for_efficacy_stronger_than_any_later_result():
    design = BinomialDesign((10, 29), (1, 5), 0.1, efficacy=(5,))
    assert infer(design, 1, 10).p_one_sided > infer(design, 2, 29).p_one_sided
    assert infer(design, 5, 10).p_one_sided < infer(design, 15, 29).p_one_sided
    assert infer(design, 0, 10).p_one_sided == pytest.approx(1)
    assert infer(design, 0, 10).lower == 0
    assert infer(design, 10, 10).upper == 1


def test_of_two_stops_for_efficacy_the_earlier_is_the_stronger_of_two_for_futility_the_weaker():
    design = BinomialDesign((10, 20, 30), (1, 3, 7), 0.2, efficacy=(6, 9))
    strength = [(0, 10), (1, 10), (2, 20), (3, 20), (6, 30), (8, 30), (9, 20), (10, 20), (6, 10), (10, 10)]
    p_values = [infer(design, *outcome).p_one_sided for outcome in strength]
    assert all(np.diff(p_values) < 0)


def test_koyama_chen_interval_is_the_narrower_one():
    exact, narrow = (infer(SIMON, 7, 29, interval=name) for name in ("exact", "koyama-chen"))
    assert narrow.lower == exact.lower
    assert narrow.upper < exact.upper


@pytest.mark.parametrize("outcome", [(2, 10), (12, 10), (1, 29), (5, 20)])
def test_outcomes_the_design_cannot_end_with_are_refused(outcome):
    with pytest.raises(InvalidValueError, match="responders, n"):
        infer(SIMON, *outcome)


def test_unknown_interval_is_refused():
    with pytest.raises(UnknownNameError, match="interval"):
        infer(SIMON, 7, 29, interval="wald")


def test_deviation_functions_want_a_two_stage_futility_design():
    with pytest.raises(InvalidValueError, match="design"):
        AdaptedSecondStage(exact_binomial(30, null_rate=0.15, alpha=0.05), 20)
    with pytest.raises(InvalidValueError, match="alternative_rate"):
        with_attained_sizes(BinomialDesign((10, 29), (1, 5), 0.1), n1=11)
    with pytest.raises(InvalidValueError, match="n2"):
        AdaptedSecondStage(SIMON, 0)
    with pytest.raises(InvalidValueError, match="responders"):
        AdaptedSecondStage(SIMON, 20).critical(1)
    with pytest.raises(InfeasibleDesignError, match="evaluate more"):
        with_attained_sizes(BinomialDesign((2, 4), (0, 3), 0.6, 0.9, alpha=0.01), n1=2, n=3)


def test_adapted_second_stage_tabulates_its_rule():
    table = AdaptedSecondStage(SIMON, 15).summary()
    assert table["responders"].tolist() == list(range(2, 11))
    assert table["conditional_error"].is_monotonic_increasing
    assert (table["critical"] >= table["responders"]).all()


def test_predictive_probability_is_the_sum_over_what_is_still_to_come():
    prior, critical = BetaPrior(0.6, 0.4), BetaPrior(0.6, 0.4).success_count(40, rate=0.6, threshold=0.9)
    assert prior.updated(critical, 40).probability_above(0.6) > 0.9
    assert prior.updated(critical - 1, 40).probability_above(0.6) <= 0.9
    for x in (10, 14, 18):
        to_come = stats.betabinom(17, 0.6 + x, 0.4 + 23 - x).pmf(np.arange(18))
        hand = sum(p for y, p in enumerate(to_come) if prior.updated(x + y, 40).probability_above(0.6) > 0.9)
        assert prior.predictive_probability(x, 23, n_max=40, rate=0.6, threshold=0.9) == pytest.approx(hand)
    assert prior.predictive_probability(critical, 40, n_max=40, rate=0.6, threshold=0.9) == 1
    assert prior.predictive_probability(critical - 1, 40, n_max=40, rate=0.6, threshold=0.9) == 0


def test_bop2_stops_by_its_posterior_cutoff_and_no_grid_point_has_more_power():
    looks, prior = (10, 20, 30), BetaPrior(0.2, 0.8)
    design = bop2(looks=looks, null_rate=0.2, alternative_rate=0.4, alpha=0.1)
    assert design.attained_alpha <= 0.1
    words = design.method.replace(",", "").split()
    cut, gamma = float(words[2]), float(words[4])
    for n, r in zip(looks, design.futility, strict=True):
        cutoff = cut * (n / 30) ** gamma
        assert prior.updated(r, n).probability_above(0.2) < cutoff
        assert prior.updated(r + 1, n).probability_above(0.2) >= cutoff
    for cut in np.arange(0.05, 1, 0.05):
        for gamma in (0, 0.5, 1):
            cutoffs = [cut * (n / 30) ** gamma for n in looks]
            futility = [
                max((x for x in range(n + 1) if prior.updated(x, n).probability_above(0.2) < c), default=-1)
                for n, c in zip(looks, cutoffs, strict=True)
            ]
            other = BinomialDesign(looks, tuple(futility), 0.2, 0.4)
            assert other.attained_alpha > 0.1 or other.attained_power <= design.attained_power + 1e-12


def test_predictive_design_keeps_its_errors_and_follows_its_threshold():
    prior = BetaPrior(0.2, 0.8)
    design = predictive_probability_design(
        looks=range(10, 37), null_rate=0.2, alternative_rate=0.4, alpha=0.1, power=0.9, futility_thresholds=[0.001]
    )
    assert design.attained_alpha <= 0.1
    assert design.attained_power >= 0.9
    threshold = prior.updated(design.critical - 1, 36).probability_above(0.2)
    for n, r in list(zip(design.looks, design.futility, strict=True))[:-1:5]:
        for x, stops in ((r, True), (r + 1, False)):
            if x >= 0:
                chance = prior.predictive_probability(x, n, n_max=36, rate=0.2, threshold=threshold)
                assert (chance < 0.001) == stops


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bop2(**RATES, looks=(10, 20), power=0.95), InfeasibleDesignError, "highest"),
        (lambda: bop2(looks=(2,), null_rate=0.5, alternative_rate=0.9, alpha=1e-3), InfeasibleDesignError, "alpha"),
        (lambda: bop2(**RATES, looks=(20, 10)), InvalidValueError, "looks"),
        (lambda: bop2(**RATES, looks=(10,), lambdas=[2]), InvalidValueError, "lambdas"),
        (lambda: predictive_probability_design(**RATES, looks=(10, 20), power=0.9), InfeasibleDesignError, "power"),
        (lambda: BetaPrior(0, 1), InvalidValueError, "a: got 0"),
        (lambda: BetaPrior.from_interval(0.4, 0.41, 0.5), InvalidValueError, "lower, upper"),
        (lambda: BetaPrior.from_interval(0.4, 0.0, 1.0, level=0.5), InvalidValueError, "lower, upper"),
        (lambda: BetaPrior(1, 1).updated(5, 3), InvalidValueError, "responders"),
        (lambda: BetaPrior(1, 1).predictive_probability(3, 50, n_max=40, **SUCCESS), InvalidValueError, "n: got 50"),
        (lambda: BetaPrior(1, 1).probability_better(BetaPrior(1, 1), margin=10), InvalidValueError, "margin"),
        (lambda: stratified_exact(["a"], [5, 5], null_rates=[0.2], alpha=0.05), InvalidValueError, "sizes"),
        (lambda: stratified_exact(["a", "a"], [5, 5], null_rates=[0.2, 0.2], alpha=0.05), InvalidValueError, "strata"),
        (lambda: stratified_exact(["a"], [5], null_rates=[20], alpha=0.05), InvalidValueError, r"null_rates\[a\]"),
        (lambda: stratified_exact(["a"], [1], null_rates=[0.2], alpha=0.05), InfeasibleDesignError, "add patients"),
    ],
)  # fmt: skip
def test_values_out_of_range_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_one_stratum_is_the_unstratified_test():
    design = stratified_exact(["all"], [30], null_rates=[0.15], alternative_rates=[0.4], alpha=0.05)
    plain = exact_binomial(30, null_rate=0.15, alpha=0.05)
    assert design.critical == plain.critical
    assert design.attained_power == pytest.approx(plain.rejection_probability(0.4), abs=1e-13)
    assert from_json(to_json(design)) == design
    assert f"at least {design.critical} of 30" in design.protocol_text()
    assert design.summary().loc["all", "expected_null"] == pytest.approx(4.5)


def test_ignoring_the_strata_inflates_alpha_when_the_mix_is_better_than_planned():
    pooled = exact_binomial(30, null_rate=0.5 * 0.2 + 0.5 * 0.1, alpha=0.05)
    mixed = StratifiedDesign(("NET G3", "NEC"), (26, 4), (0.2, 0.1), pooled.critical)
    assert mixed.attained_alpha > 0.05
    assert stratified_exact(mixed.strata, mixed.sizes, null_rates=mixed.null_rates, alpha=0.05).attained_alpha <= 0.05


def test_design_space_over_an_uncertain_historical_control():
    avenec = BetaPrior(0.5, 0.5).updated(9, 60)
    table = design_space([25, 30], null_rates=[0.1, 0.2], alpha=0.05, historical=avenec, prior=BetaPrior(2, 2))
    assert len(table) == 4
    row = table.query("n == 30 and null_rate == 0.2").iloc[0]
    assert row["critical"] == 11
    assert row["null_below_historical"] == pytest.approx(stats.beta.sf(0.2, 9.5, 51.5))
    draws = stats.beta.ppf((np.arange(10_000) + 0.5) / 10_000, 9.5, 51.5)
    assert row["alpha_historical"] == pytest.approx(stats.binom.sf(10, 30, draws).mean(), abs=1e-5)
    assert row["rate_for_power_80"] == pytest.approx(0.426, abs=5e-4)
    assert 0.5 < row["assurance"] < 0.8


def test_beating_a_copy_of_oneself_has_probability_one_half():
    belief = BetaPrior(9.5, 51.5)
    assert belief.probability_better(belief) == pytest.approx(0.5, abs=1e-8)
    assert belief.probability_better(belief, margin=0.1) < 0.1


def test_a_reported_interval_becomes_a_belief_of_that_mean_and_width():
    belief = BetaPrior.from_interval(0.408, 0.301, 0.514)
    spread = stats.beta.std(belief.a, belief.b)
    assert belief.mean == pytest.approx(0.408)
    assert spread * 2 * stats.norm.isf(0.025) == pytest.approx(0.514 - 0.301)
    assert belief.interval(0.95) == pytest.approx((0.301, 0.514), abs=5e-3)
