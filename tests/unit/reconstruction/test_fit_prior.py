"""The fit of the shape prior, on figures drawn from known hazards."""

from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from analysis.reconstruction.prior import FOLLOW_UP_EDGES, SHAPE_EDGES

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fit_prior

    return fit_prior


def weibull_arms(figures: int, seed: int, shape_of_median: float = 0.0) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """Pairs of Weibull arms; the shape rises by ``shape_of_median`` with the log of the median in years."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(figures):
        median = np.exp(rng.normal(np.log(12), 0.8))
        k = np.exp(0.3 + shape_of_median * np.log(median / 12))
        arms = []
        for _ in range(2):
            time = median * (rng.exponential(size=200) / np.log(2)) ** (1 / k)
            end = rng.uniform(1.5, 4) * median
            arms.append((np.minimum(time, end), time <= end))
        out.append(arms)
    return out


def test_follow_up_that_ends_on_one_day_leaves_the_fit_finite(fit: ModuleType) -> None:
    rng = np.random.default_rng(3)
    arms = []
    for _ in range(14):
        end = rng.uniform(20, 80)
        time = np.minimum(rng.exponential(60, (2, 150)), end)
        lost = (time < end) & (rng.random((2, 150)) < 0.3)
        arms.append([(time[k], lost[k] | (time[k] == end)) for k in (0, 1)])  # of censoring, the day of the cut with it
    priors, unit = fit.fit_pairs(arms, np.repeat("PFS", 14), FOLLOW_UP_EDGES)
    assert np.isfinite(unit).all()
    for pair in priors.values():
        assert np.abs(pair.mean).max() < 6
        assert np.sqrt(np.diag(pair.shared)).max() < 3


def test_shapes_that_change_with_the_median_are_found_as_a_trend(fit: ModuleType) -> None:
    groups = np.repeat("OS", 40)
    flat, _ = fit.fit_pairs(weibull_arms(40, 1), groups, SHAPE_EDGES)
    steep, _ = fit.fit_pairs(weibull_arms(40, 1, shape_of_median=0.4), groups, SHAPE_EDGES)
    early = slice(2, 8)  # a steeper Weibull has less hazard early on
    assert abs(flat["OS"].trend[early].mean()) < 0.15
    assert steep["OS"].trend[early].mean() < -0.25


def test_a_group_of_one_figure_is_that_of_all_figures(fit: ModuleType) -> None:
    groups = np.array(["OS"] * 20 + ["DFS"])
    priors, _ = fit.fit_pairs(weibull_arms(21, 2), groups, SHAPE_EDGES)
    assert np.abs(priors["DFS"].trend - priors["default"].trend).max() < 0.2
    assert np.abs(priors["DFS"].mean - priors["default"].mean).max() < 0.3


def test_figures_with_a_median_not_reached_have_shapes_in_units_of_their_follow_up(fit: ModuleType) -> None:
    rng = np.random.default_rng(5)
    figures = []
    for reached in [True] * 8 + [False] * 12:
        hazard = np.log(2) / 10 if reached else 0.004
        arms = []
        for _ in range(2):
            time, end = rng.exponential(1 / hazard, 200), rng.uniform(30, 60, 200)
            arms.append(SimpleNamespace(time=np.minimum(time, end), event=time <= end))
        figures.append(SimpleNamespace(endpoint="OS", arms=arms, medians_reached=reached))
    prior = fit.fit_prior(figures).for_endpoint("OS")
    middle = slice(3, 12)
    np.testing.assert_allclose(np.exp(prior.shape.mean[middle]).mean(), np.log(2), rtol=0.15)
    np.testing.assert_allclose(np.exp(prior.immature.mean[middle]).mean(), 0.004 * 45, rtol=0.25)
