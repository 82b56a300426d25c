"""Moments integrated as R's ``integrate`` does it at the tolerances that npsurvSS and gsDesign2 leave it.

``integrate`` runs QUADPACK's ``dqags``, as `scipy.integrate.quad` does, with a relative and absolute tolerance of
1.2e-4 unless told otherwise; the integrals are of order 0.1, so it stops early at the kinks of accrual and delayed
effects. Values of these tools that differ from the package's in the fourth digit are reproduced here to six.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.integrate import quad

from analysis.expected.trial import Stratum
from analysis.statistical_tests.moments import Moments
from analysis.survival import Exponential, PiecewiseExponential

if TYPE_CHECKING:
    from analysis.expected.trial import ExpectedTrial

DEFAULT = np.finfo(float).eps ** 0.25


def r_integrate(f: Callable[[float], float], end: float, tolerance: float = DEFAULT) -> float:
    return float(quad(f, 0.0, end, epsabs=tolerance, epsrel=tolerance, limit=100)[0])


class ScalarHazard:
    """A piecewise exponential distribution for one time at a call, in plain Python for speed."""

    def __init__(self, distribution: PiecewiseExponential | Exponential | None) -> None:
        if distribution is None:
            self.rates, self.breaks = [0.0], []
        elif isinstance(distribution, Exponential):
            self.rates, self.breaks = [distribution.rate], []
        else:
            self.rates, self.breaks = distribution.rates.tolist(), distribution.breaks.tolist()

    def hazard(self, t: float) -> float:
        return self.rates[bisect_right(self.breaks, t)]

    def survival(self, t: float) -> float:
        total, start = 0.0, 0.0
        for rate, end in zip(self.rates, [*self.breaks, math.inf], strict=True):
            total += rate * max(min(t, end) - start, 0.0)
            start = end
        return math.exp(-total)


class Integrands:
    """Functions of follow-up time for one stratum, per patient of the trial, as both tools write them."""

    def __init__(self, stratum: Stratum, trial: ExpectedTrial, time: float) -> None:
        self.arms = stratum.arms
        self.trial, self.time = trial, time
        self.shares = (1 - trial.n_experimental / trial.n, trial.n_experimental / trial.n)
        self.event = [ScalarHazard(arm.event_time) for arm in self.arms]
        self.loss = [ScalarHazard(arm.loss) for arm in self.arms]
        ends = [0.0, *trial.accrual.rate_changes.tolist()]
        self.entry = (ends, trial.accrual.enrolled_fraction(ends).tolist())

    def entered(self, calendar: float) -> float:
        (ends, enrolled), i = self.entry, 0
        if calendar >= ends[-1]:
            return 1.0
        i = bisect_right(ends, calendar) - 1
        return enrolled[i] + (enrolled[i + 1] - enrolled[i]) * (calendar - ends[i]) / (ends[i + 1] - ends[i])

    def at_risk(self, arm: int, t: float) -> float:
        followed = self.loss[arm].survival(t) * self.entered(self.time - t)
        return self.shares[arm] * self.event[arm].survival(t) * followed

    def hazard(self, arm: int, t: float) -> float:
        return self.event[arm].hazard(t)

    def failed(self, t: float) -> float:
        return 1 - sum(share * event.survival(t) for share, event in zip(self.shares, self.event, strict=True))

    def mean(self, t: float) -> float:
        a, b = self.at_risk(0, t), self.at_risk(1, t)
        return a * b / (a + b) * (self.hazard(0, t) - self.hazard(1, t)) if a + b > 0 else 0.0

    def variance(self, t: float) -> float:
        a, b = self.at_risk(0, t), self.at_risk(1, t)
        return a * b / (a + b) ** 2 * (a * self.hazard(0, t) + b * self.hazard(1, t)) if a + b > 0 else 0.0


def fleming_harrington(rho: float, gamma: float) -> Callable[[Integrands, float], float]:
    return lambda f, t: (1 - f.failed(t)) ** rho * f.failed(t) ** gamma


def modest(tau: float, w_max: float) -> Callable[[Integrands, float], float]:
    return lambda f, t: min(w_max, 1 / (1 - f.failed(min(t, tau))))


Weighting = Callable[["Integrands", float], float]


def score(trial: ExpectedTrial, time: float, weight: Weighting, mean_tolerance: float = DEFAULT) -> tuple[float, float]:
    """Mean and null variance of the score per patient."""
    f = Integrands(trial.strata[0], trial, time)
    mean = r_integrate(lambda t: weight(f, t) * f.mean(t), time, mean_tolerance)
    return mean, r_integrate(lambda t: weight(f, t) ** 2 * f.variance(t), time)


def score_test(trial: ExpectedTrial, time: float, weight: Weighting) -> Moments:
    """npsurvSS: mean and variance at the default tolerance."""
    mean, variance = score(trial, time, weight)
    sd = float(np.sqrt(variance * trial.n))
    return Moments(mean * trial.n, sd, sd)


def averaged_null(trial: ExpectedTrial, time: float, weight: Weighting) -> Moments:
    """gsDesign2: the mean to 1e-5, variances at the default, that of the null from the mean hazard in both arms."""
    mean, variance = score(trial, time, weight, 1e-5)
    stratum, share = trial.strata[0], trial.n_experimental / trial.n
    distributions = [arm.event_time for arm in stratum.arms]
    changes = np.union1d(distributions[0].change_points, distributions[1].change_points)
    starts = np.concatenate([[0.0], changes])
    hazard = (1 - share) * distributions[0].hazard(starts) + share * distributions[1].hazard(starts)
    both = PiecewiseExponential(hazard, changes)
    null = Stratum(tuple(replace(arm, event_time=both) for arm in stratum.arms))
    _, null_variance = score(replace(trial, strata=(null,)), time, weight)
    n = trial.n
    return Moments(mean / variance, 1 / float(np.sqrt(null_variance * n)), 1 / float(np.sqrt(variance * n)))


def quantile_difference(trial: ExpectedTrial, time: float, p: float) -> Moments:
    """npsurvSS: variance of each arm's quantile from one integral at the default tolerance."""
    f = Integrands(trial.strata[0], trial, time)
    quantiles = [float(arm.event_time.quantile(p)) for arm in f.arms]
    variance = sum(
        r_integrate(lambda t, arm=arm: f.hazard(arm, t) / f.at_risk(arm, t), end) / f.hazard(arm, end) ** 2
        for arm, end in enumerate(quantiles)
    )
    sd = float(np.sqrt(variance / trial.n))
    return Moments(quantiles[1] - quantiles[0], sd, sd)


def rmst_difference(trial: ExpectedTrial, time: float, tau: float, *, log: bool = False) -> Moments:
    """npsurvSS: nested integrals at the default tolerance."""
    f = Integrands(trial.strata[0], trial, time)
    means, variances = [], []
    for arm, event in enumerate(f.event):
        survival = event.survival
        means.append(r_integrate(survival, tau))

        def increment(t: float, arm: int = arm, survival: Any = survival) -> float:
            to_come = quad(survival, t, tau, epsabs=DEFAULT, epsrel=DEFAULT, limit=100)[0]
            return to_come**2 * f.hazard(arm, t) / f.at_risk(arm, t)

        variances.append(r_integrate(increment, tau))
    if log:
        variances = [v / m**2 for v, m in zip(variances, means, strict=True)]
        means = [float(np.log(m)) for m in means]
    sd = float(np.sqrt(sum(variances) / trial.n))
    return Moments(means[1] - means[0], sd, sd)


def generalized_schoenfeld(trial: ExpectedTrial, time: float) -> Moments:
    """npsurvSS: mean linear in the log hazard ratio, at the default tolerance."""
    f = Integrands(trial.strata[0], trial, time)
    mean = r_integrate(lambda t: -math.log(f.hazard(1, t) / f.hazard(0, t)) * f.variance(t), time)
    sd = float(np.sqrt(r_integrate(f.variance, time) * trial.n))
    return Moments(mean * trial.n, sd, sd)


def cox_wald(trial: ExpectedTrial, time: float) -> Moments:
    """npsurvSS: log hazard ratio of proportional hazards, its information at the default tolerance."""
    f = Integrands(trial.strata[0], trial, time)

    def information(t: float) -> float:
        a, b = (f.at_risk(arm, t) * f.hazard(arm, t) for arm in (0, 1))
        return a * b / (a + b) if a + b > 0 else 0.0

    sd = float(1 / np.sqrt(r_integrate(information, time) * trial.n))
    return Moments(-math.log(f.hazard(1, 0.0) / f.hazard(0, 0.0)), sd, sd)
