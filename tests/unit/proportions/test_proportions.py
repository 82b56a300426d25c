"""Comparisons of two proportions against SciPy and statsmodels, against enumeration, and on tables with empty cells."""

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import StratifiedTable

from analysis.errors import InvalidValueError
from analysis.proportions import compare_proportions, exact_limits, proportion_power
from analysis.proportions.tables import unconditional_tails

TABLES = [(9, 30, 9, 60), (0, 12, 5, 20), (12, 12, 5, 20), (1, 3, 1, 4), (30, 482, 6, 238), (7, 19, 9, 60)]


@pytest.mark.parametrize("table", TABLES)
def test_fisher_and_the_odds_ratio_are_scipys(table):
    x, n, y, m = table
    cells = [[x, n - x], [y, m - y]]
    found = compare_proportions(*table)
    assert found.p_value == pytest.approx(stats.fisher_exact(cells).pvalue, rel=1e-9)
    assert found.p_value_higher == pytest.approx(stats.fisher_exact(cells, "greater").pvalue, rel=1e-9)
    assert found.p_value_lower == pytest.approx(stats.fisher_exact(cells, "less").pvalue, rel=1e-9)
    ratio = stats.contingency.odds_ratio(cells)
    limits = ratio.confidence_interval(0.95)
    assert found.odds_ratio == pytest.approx(ratio.statistic, rel=1e-6)
    assert (found.odds_ratio_lower, found.odds_ratio_upper) == pytest.approx((limits.low, limits.high), rel=1e-6)


@pytest.mark.parametrize("table", [*TABLES, (4, 4, 0, 9)])
def test_limits_of_the_difference_solve_the_score_equation(table):
    """The rates under the null are found by maximising the likelihood; statsmodels 0.14 does not find them."""
    x, n, y, m = table
    found = compare_proportions(*table, level=0.9)
    for limit in {found.difference_lower, found.difference_upper} - {1.0, -1.0}:

        def minus_log_likelihood(q, d=limit):
            return -stats.binom.logpmf(x, n, q + d) - stats.binom.logpmf(y, m, q)

        within = (max(0.0, -limit) + 1e-9, min(1.0, 1 - limit) - 1e-9)
        q = optimize.minimize_scalar(minus_log_likelihood, bounds=within, method="bounded", options={"xatol": 1e-12}).x
        p = q + limit
        error = math.sqrt((p * (1 - p) / n + q * (1 - q) / m) * (n + m) / (n + m - 1))
        assert abs(x / n - y / m - limit) / error == pytest.approx(stats.norm.isf(0.05), abs=1e-5)


@pytest.mark.parametrize("table", TABLES[:4])
def test_boschloo_is_scipys(table):
    x, n, y, m = table
    found = compare_proportions(*table, method="unconditional")
    scipys = stats.boschloo_exact([[x, y], [n - x, m - y]], alternative="greater", n=256)
    assert found.p_value_higher == pytest.approx(scipys.pvalue, abs=2e-5)


def test_strata_add_up_as_every_table_of_their_margins_does():
    x, n, y, m = (2, 4), (5, 6), (1, 2), (7, 9)
    found = compare_proportions(x, n, y, m)
    ways = {}
    for a, b in itertools.product(range(4), range(7)):
        chance = stats.hypergeom.pmf(a, 12, 3, 5) * stats.hypergeom.pmf(b, 15, 6, 6)
        ways[a + b] = ways.get(a + b, 0.0) + chance
    assert found.p_value_higher == pytest.approx(sum(p for total, p in ways.items() if total >= 6))
    assert found.p_value == pytest.approx(sum(p for p in ways.values() if p <= ways[6] * (1 + 1e-7)))


def test_odds_ratio_over_many_strata_is_near_mantels_and_haenszels():
    rng = np.random.default_rng(1)
    n, m = np.full(6, 200), np.full(6, 150)
    base = np.linspace(0.1, 0.6, 6)
    x, y = rng.binomial(n, 2 * base / (1 - base + 2 * base)), rng.binomial(m, base)
    table = StratifiedTable([[[a, p - a], [b, q - b]] for a, p, b, q in zip(x, n, y, m, strict=True)])
    found = compare_proportions(x.tolist(), n.tolist(), y.tolist(), m.tolist())
    assert found.odds_ratio == pytest.approx(table.oddsratio_pooled, rel=0.01)
    low, high = table.oddsratio_pooled_confint()
    assert (found.odds_ratio_lower, found.odds_ratio_upper) == pytest.approx((low, high), rel=0.03)


def test_satos_limits_cover():
    rng = np.random.default_rng(2)
    n, m, base = np.array([40, 60]), np.array([50, 30]), np.array([0.2, 0.5])
    inside = 0
    for _ in range(400):
        x, y = rng.binomial(n, base + 0.1), rng.binomial(m, base)
        found = compare_proportions(x.tolist(), n.tolist(), y.tolist(), m.tolist())
        inside += found.difference_lower <= 0.1 <= found.difference_upper
    assert 0.92 < inside / 400 < 0.98


def test_power_is_what_enumeration_gives_and_the_unconditional_test_keeps_its_level():
    n, m, alpha = 9, 7, 0.05
    power = sum(
        stats.binom.pmf(x, n, 0.8) * stats.binom.pmf(y, m, 0.2)
        for x, y in itertools.product(range(n + 1), range(m + 1))
        if stats.fisher_exact([[x, n - x], [y, m - y]], "greater").pvalue <= alpha
    )
    assert proportion_power(0.8, n, 0.2, m, alpha=alpha) == pytest.approx(power)
    sizes = [proportion_power(p, n, p, m, alpha=alpha, method="unconditional") for p in np.linspace(0.013, 0.987, 38)]
    assert max(sizes) <= alpha + 1e-6
    assert (unconditional_tails(n, m) <= compare_tails(n, m) + 1e-12).all()


def compare_tails(n, m):
    return np.array([[compare_proportions(x, n, y, m).p_value_higher for y in range(m + 1)] for x in range(n + 1)])


def test_one_margin_alone_says_nothing():
    found = compare_proportions(0, 10, 0, 20)
    assert math.isnan(found.odds_ratio)
    assert (found.p_value, found.odds_ratio_lower, found.odds_ratio_upper) == (1.0, 0.0, math.inf)
    assert exact_limits(10, 10)[1] == 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: compare_proportions(31, 30, 9, 60),
        lambda: compare_proportions(0.3, 30, 9, 60),
        lambda: compare_proportions([1, 2], [3, 4], [1], [2]),
        lambda: compare_proportions([1, 2], [3, 4], [1, 1], [2, 2], method="unconditional"),
        lambda: compare_proportions(1, 0, 1, 2),
        lambda: proportion_power(42, 30, 0.15, 60),
        lambda: proportion_power(0.4, 30, 0.15, 60, control_responders=61),
        lambda: exact_limits("9", 30),
        lambda: compare_proportions(1, 10**9, 1, 10),
        lambda: compare_proportions(1, 5_000, 1, 5_000, method="unconditional"),
        lambda: proportion_power(0.4, 10**9, 0.15, 60),
    ],
)
def test_what_is_no_count_is_refused_by_name(call):
    with pytest.raises(InvalidValueError, match="expected"):
        call()
