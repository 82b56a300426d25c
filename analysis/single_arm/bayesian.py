"""Single-arm designs monitored by posterior or predictive probability, with exact frequentist error rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from analysis.conventions.border import border
from analysis.conventions.checks import count, error_rates, increasing, probability, rates
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.single_arm.beta_prior import BetaPrior
from analysis.single_arm.design import BinomialDesign

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_LAMBDAS = tuple(round(0.01 * k, 2) for k in range(1, 100))
_GAMMAS = tuple(round(0.025 * k, 3) for k in range(41))
_FUTILITY_THRESHOLDS = (0.001, 0.002, 0.005, *(round(0.01 * k, 2) for k in range(1, 100)))


@border
def bop2(
    *,
    looks: Sequence[int],
    null_rate: float,
    alternative_rate: float,
    alpha: float,
    power: float | None = None,
    prior: BetaPrior | None = None,
    lambdas: Sequence[float] | None = None,
    gammas: Sequence[float] | None = None,
) -> BinomialDesign:
    """Find the Bayesian optimal phase II design (BOP2) for a binary endpoint.

    After n of N patients the trial stops if the posterior probability of a rate above the null rate is below
    ``lambda * (n / N) ** gamma``; at the end it rejects the null hypothesis otherwise. Of all ``lambda`` and
    ``gamma`` on the grid whose exact type I error rate is at most ``alpha``, those with the highest power are taken,
    and of these the ones with the smallest expected size under the null rate.

    Parameters
    ----------
    looks
        Patients evaluated at each look, cumulative, the last one N.
    null_rate, alternative_rate
        Response rates in (0, 1), the alternative above the null.
    alpha
        One-sided type I error rate, an upper limit.
    power
        Power the design must have at the alternative rate; None takes the highest there is.
    prior
        Prior of the response rate; left out: one patient's worth at the null rate, ``BetaPrior(null_rate, 1 -
        null_rate)``.
    lambdas, gammas
        The grid, ``lambda`` in (0, 1) and ``gamma`` at least 0; by default 0.01 to 0.99 by 0.01, and 0 to 1 by 0.025.

    Returns
    -------
    BinomialDesign
        Its ``method`` says lambda, gamma and the prior.

    Raises
    ------
    InvalidValueError
        If a rate or a probability is out of range, or the looks do not increase.
    InfeasibleDesignError
        If no design on the grid keeps alpha, or reaches the power; says the highest power there is.

    References
    ----------
    Zhou H, Lee JJ, Yuan Y (2017). BOP2: Bayesian optimal design for phase II clinical trials with simple and complex
    endpoints. Statistics in Medicine 36:3302-3314.

    Examples
    --------
    >>> design = bop2(looks=(10, 20, 30), null_rate=0.2, alternative_rate=0.4, alpha=0.1)
    >>> design.futility, round(design.attained_alpha, 4), round(design.attained_power, 4)
    ((1, 5, 8), 0.0953, 0.8307)
    """
    rates(null_rate, alternative_rate)
    probability("alpha", alpha)
    belief = prior or BetaPrior(null_rate, 1 - null_rate)
    cuts_tried, powers_tried = _LAMBDAS if lambdas is None else lambdas, _GAMMAS if gammas is None else gammas
    if not all(0 < value < 1 for value in cuts_tried) or not all(value >= 0 for value in powers_tried):
        raise InvalidValueError("lambdas, gammas", (lambdas, gammas), "in (0, 1) and not negative", "correct the grid")
    looks = _numbers(looks)
    above = [_posterior_above(n, null_rate, belief) for n in looks]
    rules: dict[tuple[int, ...], str] = {}
    for cut in cuts_tried:
        for gamma in powers_tried:
            cuts = [cut * (n / looks[-1]) ** gamma for n in looks]
            futility = tuple(int(np.sum(p < c)) - 1 for p, c in zip(above, cuts, strict=True))
            rules.setdefault(tuple(np.maximum.accumulate(futility).tolist()), f"lambda {cut:g}, gamma {gamma:g}")
    words = f"prior beta({belief.a:g}, {belief.b:g})"
    kept = _keeping_alpha(
        (
            BinomialDesign(
                tuple(looks), rule, null_rate, alternative_rate, (), alpha, power, f"BOP2, {cutoff}, {words}"
            )
            for rule, cutoff in rules.items()
            if rule[-1] < looks[-1]
        ),
        alpha,
    )
    best = max(kept, key=lambda design: (round(design.attained_power, 12), -design.expected_n(null_rate)))
    if power is not None and best.attained_power < power:
        raise _underpowered(power, best.attained_power)
    return best


@border
def predictive_probability_design(
    *,
    looks: Sequence[int],
    null_rate: float,
    alternative_rate: float,
    alpha: float,
    power: float,
    prior: BetaPrior | None = None,
    futility_thresholds: Sequence[float] | None = None,
) -> BinomialDesign:
    """Find the predictive-probability design of Lee and Liu for given looks.

    The trial stops at a look if the predictive probability of success at the end is below a futility threshold;
    success is a posterior probability of a rate above the null rate that exceeds a success threshold. All success
    thresholds that differ in their rule and all futility thresholds given are tried; of those that keep alpha and
    reach the power, the design with the smallest expected size under the null rate is taken. Lee and Liu's N is the
    smallest last look that has one.

    Parameters
    ----------
    looks
        Patients evaluated at each look, cumulative, the last one the maximum size.
    null_rate, alternative_rate
        Response rates in (0, 1), the alternative above the null.
    alpha
        One-sided type I error rate, an upper limit.
    power
        Power at the alternative rate, a lower limit.
    prior
        Prior of the response rate; left out: ``BetaPrior(null_rate, 1 - null_rate)``.
    futility_thresholds
        Predictive probabilities below which the trial stops, in (0, 1), that are tried; by default 0.001, 0.002, 0.005
        and 0.01 to 0.99 by 0.01.

    Returns
    -------
    BinomialDesign
        Its ``method`` says the futility threshold, the range of success thresholds, and the prior.

    Raises
    ------
    InvalidValueError
        If a rate or a probability is out of range, or the looks do not increase.
    InfeasibleDesignError
        If no thresholds keep alpha and reach the power; says the highest power there is.

    References
    ----------
    Lee JJ, Liu DD (2008). A predictive probability design for phase II cancer clinical trials. Clinical Trials
    5:93-106.

    Examples
    --------
    >>> design = predictive_probability_design(
    ...     looks=range(10, 37), null_rate=0.2, alternative_rate=0.4, alpha=0.1, power=0.9, prior=BetaPrior(0.2, 0.8)
    ... )
    >>> design.critical, round(design.attained_alpha, 3), round(design.attained_power, 3)
    (11, 0.086, 0.902)
    """
    rates(null_rate, alternative_rate)
    error_rates(alpha, power)
    belief = prior or BetaPrior(null_rate, 1 - null_rate)
    thresholds = _FUTILITY_THRESHOLDS if futility_thresholds is None else futility_thresholds
    if not all(0 < value < 1 for value in thresholds):
        raise InvalidValueError("futility_thresholds", futility_thresholds, "probabilities in (0, 1)", "correct them")
    looks = _numbers(looks)
    n_max, words = looks[-1], f"prior beta({belief.a:g}, {belief.b:g})"
    above = _posterior_above(n_max, null_rate, belief)
    rules: dict[tuple[int, ...], str] = {}
    for critical in range(1, n_max + 1):
        if stats.binom.sf(critical - 1, n_max, alternative_rate) < power:
            break
        success = f"success above a posterior probability in [{above[critical - 1]:.4g}, {above[critical]:.4g})"
        predictive = [_predictive_success(n, n_max, critical, belief) for n in looks[:-1]]
        for threshold in thresholds:
            interim = tuple(int(np.sum(p < threshold)) - 1 for p in predictive)
            method = f"predictive probability, stop below {threshold:g}, {success}, {words}"
            rules.setdefault((*interim, critical - 1), method)
    kept = _keeping_alpha(
        (
            BinomialDesign(tuple(looks), rule, null_rate, alternative_rate, (), alpha, power, method)
            for rule, method in rules.items()
        ),
        alpha,
    )
    powerful = [design for design in kept if design.attained_power >= power]
    if not powerful:
        raise _underpowered(power, max(design.attained_power for design in kept))
    return min(powerful, key=lambda design: design.expected_n(null_rate))


def _keeping_alpha(designs: Iterable[BinomialDesign], alpha: float) -> list[BinomialDesign]:
    kept = [design for design in designs if design.attained_alpha <= alpha]
    if not kept:
        raise InfeasibleDesignError(
            f"alpha: got {alpha!r}; no rule on the grid keeps it; widen the grid or add patients"
        )
    return kept


def _underpowered(power: float, highest: float) -> InfeasibleDesignError:
    return InfeasibleDesignError(
        f"power: got {power!r}; the highest with these looks is {highest:.4f}; add patients or move the rates apart"
    )


def _posterior_above(n: int, rate: float, prior: BetaPrior) -> NDArray[np.float64]:
    """Posterior probability of exceeding the rate for 0 to n responders, rising."""
    x = np.arange(n + 1)
    return np.asarray(stats.beta.sf(rate, prior.a + x, prior.b + n - x))


def _predictive_success(n: int, n_max: int, critical: int, prior: BetaPrior) -> NDArray[np.float64]:
    """Predictive probability of at least ``critical`` responders at the end for 0 to n responders so far, rising."""
    x = np.arange(n + 1)
    return np.asarray(stats.betabinom.sf(critical - x - 1, n_max - n, prior.a + x, prior.b + n - x))


def _numbers(looks: Sequence[int]) -> list[int]:
    """Numbers of patients at the looks, increasing."""
    found = [count("looks", look, "patients") for look in increasing("looks", list(looks))]
    if not found:
        raise InvalidValueError("looks", looks, "a number of patients at least", "write looks=[10, 20, 30]")
    return found
