"""Beliefs borrowed from earlier trials: known limits, an independent Monte Carlo integration, effective sizes."""

import numpy as np
import pytest
from scipy import special, stats

from analysis.errors import InvalidValueError
from analysis.proportions import BorrowedRate, commensurate_prior, meta_analytic_prior
from analysis.proportions.borrowing import LOGITS


def beta(a, b):
    rate = special.expit(LOGITS)
    return BorrowedRate(stats.beta.pdf(rate, a, b) * rate * (1 - rate), "beta")


@pytest.mark.parametrize(("a", "b"), [(9.5, 51.5), (1, 1), (0.5, 0.5), (30, 2)])
def test_a_beta_belief_is_worth_its_patients(a, b):
    belief = beta(a, b)
    assert belief.effective_sample_size == pytest.approx(a + b, rel=1e-3)
    assert belief.mean == pytest.approx(a / (a + b), rel=1e-3)
    assert belief.interval(0.9) == pytest.approx(stats.beta.interval(0.9, a, b), abs=2e-3)
    n = 12
    assert belief.probability_of_count(n) == pytest.approx(stats.betabinom.pmf(np.arange(n + 1), n, a, b), abs=1e-3)


def test_the_meta_analytic_prior_is_what_monte_carlo_integration_gives():
    """Importance sampling from the prior of mean and tau, with the trials' rates drawn about it."""
    rng = np.random.default_rng(7)
    draws = 400_000
    tau = np.abs(rng.normal(0, 0.5, draws))
    mean = rng.normal(-1.8, 1.0, draws)
    weight = stats.norm.pdf(mean, 0, 10) / stats.norm.pdf(mean, -1.8, 1.0)
    for x, n in ((9, 60), (3, 29)):
        weight = weight * stats.binom.pmf(x, n, special.expit(rng.normal(mean, tau)))
    new = special.expit(rng.normal(mean, tau))
    found = meta_analytic_prior([9, 3], [60, 29], heterogeneity=0.5)
    assert found.mean == pytest.approx(np.average(new, weights=weight), abs=0.002)
    order = np.argsort(new)
    below = np.cumsum(weight[order]) / weight.sum()
    low, high = np.interp([0.05, 0.95], below, new[order])
    assert found.interval(0.9) == pytest.approx((low, high), abs=0.004)


def test_without_heterogeneity_trials_are_pooled_and_with_much_little_is_borrowed():
    pooled = meta_analytic_prior([9, 3], [60, 29], heterogeneity=1e-3)
    assert pooled.effective_sample_size == pytest.approx(89, rel=0.03)
    assert pooled.mean == pytest.approx(12 / 89, abs=0.003)
    sizes = [meta_analytic_prior([9, 3], [60, 29], heterogeneity=h).effective_sample_size for h in (0.1, 0.5, 1.0, 2.0)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 12


def test_a_commensurate_prior_runs_from_the_trial_itself_to_nothing():
    near, far = commensurate_prior(9, 60, spread=1e-3), commensurate_prior(9, 60, spread=3.0)
    assert near.effective_sample_size == pytest.approx(60, rel=0.02)
    assert far.effective_sample_size < 5
    logit = special.logit(9 / 60)
    middle = commensurate_prior(9, 60, spread=0.5)
    sd = np.hypot(np.sqrt(1 / 9 + 1 / 51), 0.5)
    assert np.median(special.logit(np.array(middle.interval(0.5)))) == pytest.approx(logit, abs=0.08)
    low, high = special.logit(np.array(middle.interval(0.95)))
    assert (high - low) == pytest.approx(2 * 1.96 * sd, rel=0.05)


def test_a_robust_prior_is_worth_less_and_its_tail_is_heavier():
    plain = meta_analytic_prior([9, 3], [60, 29], heterogeneity=0.5)
    robust = plain.mixed(0.2)
    assert robust.effective_sample_size < plain.effective_sample_size
    assert robust.interval(0.95)[1] > plain.interval(0.95)[1]
    assert plain.mixed(0.0).mean == pytest.approx(plain.mean)


def test_more_responders_make_it_more_probable_to_be_better():
    prior = meta_analytic_prior([9, 3], [60, 29], heterogeneity=0.5)
    chances = [prior.probability_exceeded(x, 30) for x in range(31)]
    assert chances == sorted(chances)
    assert chances[0] < 0.1
    assert chances[30] > 0.999


@pytest.mark.parametrize(
    "call",
    [
        lambda: meta_analytic_prior([61], [60], heterogeneity=0.5),
        lambda: meta_analytic_prior([9, 3], [60], heterogeneity=0.5),
        lambda: meta_analytic_prior([], [], heterogeneity=0.5),
        lambda: meta_analytic_prior([9], [60], heterogeneity=0),
        lambda: meta_analytic_prior([0.15], [60], heterogeneity=0.5),
        lambda: commensurate_prior(9, 60, spread=-1),
        lambda: beta(1, 1).mixed(20),
        lambda: beta(1, 1).interval(95),
        lambda: beta(1, 1).probability_exceeded(31, 30),
    ],
)
def test_wrong_calls_are_refused_by_name(call):
    with pytest.raises(InvalidValueError, match="expected"):
        call()
