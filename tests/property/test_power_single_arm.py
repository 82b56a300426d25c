"""Single-arm designs: enumeration agrees with the compiled searches, and what must hold for every design holds."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import InfeasibleDesignError
from analysis.single_arm import (
    AdaptedSecondStage,
    BetaPrior,
    BinomialDesign,
    exact_binomial,
    infer,
    simon_two_stage,
    single_stage,
    stratified_exact,
    with_attained_sizes,
)
from analysis.single_arm.outcomes import outcomes


def binomial(n: int, rate: float) -> np.ndarray:
    return np.array([comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)])


def two_stage_by_hand(n1, r1, e1, r, n, rate):
    """Rejection probability and expected size, by summing over every pair of stage results."""
    first, second = binomial(n1, rate), binomial(n - n1, rate)
    reject, size = 0.0, 0.0
    for x1, x2 in product(range(n1 + 1), range(n - n1 + 1)):
        probability = first[x1] * second[x2]
        if x1 <= r1:
            size += probability * n1
        elif e1 is not None and x1 >= e1:
            reject += probability
            size += probability * n1
        else:
            reject += probability * (x1 + x2 > r)
            size += probability * n
    return reject, size


designs = st.builds(
    lambda n1, n2, low, high, gap: (n1, min(low, n1 - 1), n1 + n2, min(max(low, high), n1 + n2 - 1), gap),
    st.integers(2, 12), st.integers(1, 12), st.integers(0, 6), st.integers(1, 14), st.integers(0, 5),
)  # fmt: skip
rates = st.floats(0.02, 0.98)


@given(designs, rates)
def test_two_stage_characteristics_are_the_sums_over_all_results(design, rate):
    n1, r1, n, r, gap = design
    e1 = r1 + 2 + gap if r1 + 2 + gap <= n1 else None
    found = BinomialDesign((n1, n), (r1, r), 0.3, efficacy=(e1,))
    reject, size = two_stage_by_hand(n1, r1, e1, r, n, rate)
    assert found.rejection_probability(rate) == pytest.approx(reject, abs=1e-12)
    assert found.expected_n(rate) == pytest.approx(size, abs=1e-10)
    row = found.operating_characteristics([rate]).iloc[0]
    assert row["p_stop_futility"] + row["p_stop_efficacy"] == pytest.approx(
        found.early_stopping_probability(rate), abs=1e-12
    )


@given(designs, rates)
def test_outcome_probabilities_sum_to_one_and_the_umvue_is_unbiased(design, rate):
    n1, r1, n, r, gap = design
    e1 = r1 + 2 + gap if r1 + 2 + gap <= n1 else None
    found = outcomes(BinomialDesign((n1, n), (r1, r), 0.3, efficacy=(e1,)))
    probability = found.probability(rate)[0]
    assert probability.sum() == pytest.approx(1, abs=1e-12)
    assert probability @ found.umvue == pytest.approx(rate, abs=1e-12)


@given(st.tuples(rates, rates).map(sorted), designs)
def test_power_rises_with_the_true_rate(pair, design):
    n1, r1, n, r, _ = design
    found = BinomialDesign((n1, n), (r1, r), 0.3)
    low, high = (found.rejection_probability(rate) for rate in pair)
    assert low <= high + 1e-12


def enumerated(p0, p1, alpha, power, n_max, *, efficacy, under):
    """Smallest expected size for each maximum size, over every design."""
    best: dict[int, float] = {}
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            for r1, r in product(range(n1), range(n)):
                if r < r1:
                    continue
                stops = range(r1 + 2, n1 + 1) if efficacy else ()
                for e1 in (None, *stops):
                    if two_stage_by_hand(n1, r1, e1, r, n, p1)[0] < power:
                        continue
                    if two_stage_by_hand(n1, r1, e1, r, n, p0)[0] > alpha:
                        continue
                    size = two_stage_by_hand(n1, r1, e1, r, n, p1 if under == "alternative" else p0)[1]
                    best[n] = min(best.get(n, np.inf), size)
    return best


@pytest.mark.parametrize(
    ("efficacy", "under"),
    [(False, "null"), (True, "null"), (True, "alternative")],
    ids=["futility", "both", "alternative"],
)
@pytest.mark.parametrize(("p0", "p1", "alpha", "power"), [(0.2, 0.6, 0.1, 0.8), (0.1, 0.5, 0.05, 0.75)])
def test_search_finds_what_enumeration_finds(p0, p1, alpha, power, efficacy, under):
    n_max = 14
    best = enumerated(p0, p1, alpha, power, n_max, efficacy=efficacy, under=under)
    found = simon_two_stage(
        null_rate=p0,
        alternative_rate=p1,
        alpha=alpha,
        power=power,
        n_max=n_max,
        early_stopping="futility and efficacy" if efficacy else "futility",
        minimise=under,
    )
    rate = p1 if under == "alternative" else p0
    assert found.minimax.n == min(best)
    assert found.minimax.expected_n(rate) == pytest.approx(best[min(best)], abs=1e-10)
    assert found.optimal.expected_n(rate) == pytest.approx(min(best.values()), abs=1e-10)
    for design in found.admissible:
        assert design.expected_n(rate) == pytest.approx(best[design.n], abs=1e-10)
    for weight in np.linspace(0, 1, 41):
        least = min(weight * n + (1 - weight) * size for n, size in best.items())
        chosen = found.at_weight(weight)
        assert weight * chosen.n + (1 - weight) * chosen.expected_n(rate) == pytest.approx(least, abs=1e-9)


requests = st.tuples(
    st.floats(0.05, 0.6), st.floats(0.15, 0.35), st.sampled_from([0.01, 0.05, 0.1]), st.sampled_from([0.7, 0.8, 0.9])
)


@given(requests)
@settings(max_examples=40, deadline=None)
def test_found_designs_keep_what_was_asked_and_stopping_early_saves_patients(request):
    p0, gain, alpha, power = request
    asked = {"null_rate": p0, "alternative_rate": p0 + gain, "alpha": alpha, "power": power}
    found = simon_two_stage(**asked)
    assert found.complete
    for design in found.admissible:
        assert design.attained_alpha <= alpha + 1e-9
        assert design.attained_power >= power - 1e-9
    sizes = [design.expected_n(p0) for design in found.admissible]
    assert all(np.diff(sizes) < 0)
    assert found.optimal.expected_n(p0) < single_stage(**asked, rule="first").n
    both = simon_two_stage(**asked, early_stopping="futility and efficacy", n_max=found.optimal.n)
    assert both.optimal.expected_n(p0) <= found.optimal.expected_n(p0) + 1e-9


def enumerated_in_arrays(p0, p1, alpha, power, n_max, *, efficacy, under):
    """As ``enumerated``, with whole arrays over both first-stage counts and the final one, for larger sizes."""
    best: dict[int, float] = {}
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            x, r = np.arange(n1 + 1), np.arange(n)
            low, high = np.arange(n1)[:, None, None], np.arange(1, n1 + 2)[None, :, None]
            reject, stop = [], []
            for rate in (p0, p1):
                joint = stats.binom.pmf(x, n1, rate)[:, None] * stats.binom.sf(r - x[:, None], n - n1, rate)
                total = np.vstack([np.zeros(n), joint.cumsum(axis=0)])
                at_least = stats.binom.sf(np.arange(1, n1 + 2) - 1, n1, rate)[None, :, None]
                reject.append(total[None, 1 : n1 + 2] - total[1 : n1 + 1, None] + at_least)
                stop.append(stats.binom.cdf(low, n1, rate) + at_least)
            kept = (reject[0] <= alpha) & (reject[1] >= power) & (high >= low + 2) & (low <= r)
            kept &= efficacy | (high == n1 + 1)
            if kept.any():
                size = n1 + (1 - stop[under == "alternative"]) * (n - n1)
                best[n] = min(best.get(n, np.inf), float(np.broadcast_to(size, kept.shape)[kept].min()))
    return best


@pytest.mark.parametrize(
    ("efficacy", "under"),
    [(False, "null"), (True, "null"), (True, "alternative")],
    ids=["futility", "both", "alternative"],
)
@pytest.mark.parametrize(
    ("p0", "p1", "alpha", "power"),
    [
        (0.1, 0.3, 0.1, 0.9),
        (0.3, 0.6, 0.05, 0.8),
        (0.6, 0.85, 0.05, 0.8),
        (0.05, 0.25, 0.05, 0.9),
        (0.45, 0.7, 0.1, 0.8),
    ],
)
def test_search_finds_what_enumeration_finds_up_to_forty_patients(p0, p1, alpha, power, efficacy, under):
    n_max = 30 if efficacy else 40
    best = enumerated_in_arrays(p0, p1, alpha, power, n_max, efficacy=efficacy, under=under)
    found = simon_two_stage(
        null_rate=p0,
        alternative_rate=p1,
        alpha=alpha,
        power=power,
        n_max=n_max,
        early_stopping="futility and efficacy" if efficacy else "futility",
        minimise=under,
    )
    rate = p1 if under == "alternative" else p0
    assert found.minimax.n == min(best)
    assert found.optimal.expected_n(rate) == pytest.approx(min(best.values()), abs=1e-9)
    assert [design.expected_n(rate) for design in found.admissible] == pytest.approx(
        [best[design.n] for design in found.admissible], abs=1e-9
    )


@pytest.mark.parametrize(
    ("p0", "p1", "alpha", "power"), [(0.2, 0.5, 0.05, 0.8), (0.1, 0.4, 0.05, 0.9), (0.5, 0.8, 0.1, 0.8)]
)
def test_no_design_beyond_a_complete_search_expects_fewer_patients(p0, p1, alpha, power):
    found = simon_two_stage(null_rate=p0, alternative_rate=p1, alpha=alpha, power=power)
    assert found.complete
    best = enumerated_in_arrays(p0, p1, alpha, power, found.searched_to + 12, efficacy=False, under="null")
    assert found.optimal.expected_n(p0) == pytest.approx(min(best.values()), abs=1e-9)
    beyond = [size for n, size in best.items() if n > found.searched_to]
    assert min(beyond) > found.optimal.expected_n(p0)


@given(st.integers(2, 60), st.floats(0.05, 0.6), st.sampled_from([0.025, 0.05, 0.1]))
def test_exact_test_uses_the_smallest_count_that_keeps_alpha(n, null_rate, alpha):
    try:
        design = exact_binomial(n, null_rate=null_rate, alpha=alpha)
    except InfeasibleDesignError:
        assert null_rate**n > alpha
        return
    probability = binomial(n, null_rate)
    assert probability[design.critical :].sum() <= alpha * (1 + 1e-12)
    assert probability[design.critical - 1 :].sum() > alpha * (1 - 1e-12)


@given(designs, rates, st.sampled_from([0.8, 0.9, 0.95]))
@settings(max_examples=60, deadline=None)
def test_exact_interval_covers_and_the_median_unbiased_estimate_is_inside(design, rate, level):
    n1, r1, n, r, gap = design
    e1 = r1 + 2 + gap if r1 + 2 + gap <= n1 else None
    plan = BinomialDesign((n1, n), (r1, r), 0.3, efficacy=(e1,))
    found = outcomes(plan)
    covered = 0.0
    for k, probability in enumerate(found.probability(rate)[0]):
        result = infer(plan, int(found.responders[k]), int(found.n[k]), level=level)
        assert result.lower <= result.median_unbiased <= result.upper
        covered += probability * (result.lower <= rate <= result.upper)
    assert covered >= level - 1e-9


@given(st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_adapted_second_stage_keeps_alpha_whatever_its_size(n2):
    design = BinomialDesign((17, 37), (3, 10), 0.2, 0.4)
    adapted = AdaptedSecondStage(design, n2)
    assert adapted.rejection_probability(0.2) <= design.attained_alpha + 1e-12


def test_adapted_second_stage_of_the_planned_size_is_the_plan():
    design = BinomialDesign((17, 37), (3, 10), 0.2, 0.4)
    adapted = AdaptedSecondStage(design, 20)
    assert adapted.rejection_probability(0.2) == pytest.approx(design.attained_alpha, abs=1e-12)
    assert adapted.rejection_probability(0.4) == pytest.approx(design.attained_power, abs=1e-12)
    assert [adapted.critical(x) for x in (4, 7, 11)] == [11, 11, 11]


@given(st.integers(13, 21), st.integers(32, 44))
def test_attained_sizes_keep_alpha_and_the_planned_stage_one_risk(n1, n):
    design = BinomialDesign((17, 37), (3, 10), 0.2, 0.4, alpha=0.1, power=0.9)
    attained = with_attained_sizes(design, n1=n1, n=n)
    assert attained.attained_alpha <= 0.1
    assert attained.early_stopping_probability(0.4) <= design.early_stopping_probability(0.4) + 1e-12
    if (n1, n) == (17, 37):
        assert attained.futility == design.futility


@given(st.floats(0.3, 20), st.floats(0.3, 60), designs)
@settings(max_examples=40, deadline=None)
def test_assurance_is_the_power_averaged_over_the_prior(a, b, design):
    n1, r1, n, r, _ = design
    plan = BinomialDesign((n1, n), (r1, r), 0.3)
    # midpoints of equally probable slices of the prior
    slices = stats.beta.ppf((np.arange(4_000) + 0.5) / 4_000, a, b)
    assert plan.assurance(BetaPrior(a, b)) == pytest.approx(plan.rejection_probability(slices).mean(), abs=5e-4)


@given(
    st.lists(st.tuples(st.integers(1, 8), st.floats(0.05, 0.7)), min_size=1, max_size=3), st.sampled_from([0.05, 0.2])
)
def test_stratified_count_is_the_convolution_of_its_strata(strata, alpha):
    sizes, null_rates = zip(*strata, strict=True)
    names = [str(k) for k in range(len(sizes))]
    try:
        design = stratified_exact(names, sizes, null_rates=null_rates, alpha=alpha)
    except InfeasibleDesignError:
        assert np.prod([p**n for n, p in strata]) > alpha
        return
    total = 0.0
    for counts in product(*(range(n + 1) for n in sizes)):
        if sum(counts) >= design.critical:
            total += np.prod([binomial(n, p)[x] for (n, p), x in zip(strata, counts, strict=True)])
    assert design.attained_alpha == pytest.approx(total, abs=1e-12)
    assert total <= alpha * (1 + 1e-12)  # a tail that is alpha in rounding counts
