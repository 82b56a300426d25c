"""Search for two-stage single-arm designs on a time-to-event endpoint: optimal and minimax."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize, special, stats

from analysis.conventions.border import border
from analysis.conventions.checks import error_rates, positive
from analysis.design import AccrualRate, AtTime, Look, TrialDesign, UniformAccrual
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.expected.trial import Arm, ExpectedTrial, Stratum

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.statistical_tests import OneArmTest
    from analysis.statistical_tests.moments import Moments
    from analysis.survival import Distribution

# The search ends when the expected size, which falls and then rises, has not fallen for so many sizes in a row.
PATIENCE = 8
# Beyond nine standard deviations no probability is left that a design could notice.
FAR = 9.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)
ARM = "treatment"


class TwoStageSurvivalDesigns(NamedTuple):
    """The optimal two-stage design and the minimax one."""

    optimal: TrialDesign
    minimax: TrialDesign


@border
def two_stage_survival(
    test: OneArmTest,
    *,
    null: Distribution,
    truth: Distribution,
    rate: float,
    follow_up: float,
    alpha: float,
    power: float,
    dropout: Distribution | None = None,
) -> TwoStageSurvivalDesigns:
    """Find two-stage single-arm survival designs that stop for futility, accrual going on until the interim look.

    For each number of patients the interim time and its critical z are chosen to minimise the expected number under the
    null hypothesis, at the type I error rate and power asked for. ``optimal`` has the smallest expected number of all,
    ``minimax`` the smallest number of patients that has a design.

    Parameters
    ----------
    test
        `OneSampleLogRank`, `LandmarkSurvival` or `RestrictedMean`.
    null, truth
        Distributions of the event time under the null hypothesis and under the alternative.
    rate
        Patients who enter per month.
    follow_up
        Months from the last entry to the final analysis.
    alpha
        One-sided type I error rate.
    power
        Power under `truth`.
    dropout
        Distribution of the time to loss to follow-up; None if nobody is lost.

    Returns
    -------
    TwoStageSurvivalDesigns
        Trial designs, whose operating characteristics `analysis.power.power` gives by formula and by simulation.

    Raises
    ------
    InvalidValueError
        If the rate or the follow-up is not positive, or `null` is not the null hypothesis of the test.
    InfeasibleDesignError
        If the power is not above alpha, the truth is no better than the null hypothesis, or the accrual ends before
        the test can be looked at.

    References
    ----------
    Wu J, Chen L, Wei J, Weiss H, Chauhan A (2020). Two-stage phase II survival trial design. Pharmaceutical Statistics
    19:214-229.

    Examples
    --------
    >>> from analysis.statistical_tests import OneSampleLogRank
    >>> from analysis.survival import Exponential
    >>> null, truth = Exponential.from_median(4.0), Exponential.from_median(7.0)
    >>> found = two_stage_survival(
    ...     OneSampleLogRank(null), null=null, truth=truth, rate=3.0, follow_up=4.0, alpha=0.05, power=0.8
    ... )
    >>> [design.n for design in found]
    [37, 33]
    >>> print(found.optimal.looks[0])
    at 5.79 months, stops at z of at most 0.005606
    """
    error_rates(alpha, power)
    positive("rate", rate, "patients per month")
    positive("follow_up", follow_up)
    request = _Request(test, null, truth, rate, follow_up, alpha, power, dropout)
    one = ExpectedTrial((Stratum((Arm(1.0, null),)),), UniformAccrual(1.0))
    if abs(test.moments(one, max(test.earliest, follow_up) + 2.0).effect) > 1e-6:
        expected = f"the null hypothesis of the {test.name}"
        raise InvalidValueError("null", null, expected, "give the distribution at which its effect is 0")
    found: list[tuple[float, TrialDesign]] = []
    n = max(2, ceil(single_stage_size(request)) - 2)
    largest = 2 * n + 50
    while n <= largest and (len(found) <= PATIENCE or _least(found[-PATIENCE:]) <= _least(found)):
        best = _best_interim(request, n)
        if best is not None:
            found.append(best)
        n += 1
    if not found:
        raise InfeasibleDesignError(
            f"test: got {test.name}; accrual of {rate:g} patients a month ends before a useful interim look; "
            "use a single-stage design"
        )
    return TwoStageSurvivalDesigns(min(found, key=lambda pair: pair[0])[1], found[0][1])


def _least(found: list[tuple[float, TrialDesign]]) -> float:
    return min(size for size, _ in found)


class _Request(NamedTuple):
    test: OneArmTest
    null: Distribution
    truth: Distribution
    rate: float
    follow_up: float
    alpha: float
    power: float
    dropout: Distribution | None

    def trial(self, event_time: Distribution, n: float) -> ExpectedTrial:
        """Give a single arm of n patients who enter at the rate."""
        return ExpectedTrial((Stratum((Arm(n, event_time, self.dropout),)),), UniformAccrual(n / self.rate))

    def moments(self, event_time: Distribution, n: float, time: float) -> Moments:
        """Give the moments of the test at a calendar month."""
        return self.test.moments(self.trial(event_time, n), time)

    def end(self, n: float) -> float:
        """Calendar months of the final analysis."""
        return n / self.rate + self.follow_up


def single_stage_size(request: _Request) -> float:
    """Patients with whom a single analysis, `follow_up` after the last of them entered, has the power."""

    def missing(n: float) -> float:
        factor = request.moments(request.truth, n, request.end(n)).size_factor(request.power, request.alpha)
        return n * factor - n

    upper = request.rate * max(2 * request.test.earliest, request.follow_up, 1.0)
    while missing(upper) > 0:
        upper *= 2
    lower = upper / 2
    while missing(lower) < 0:
        lower /= 2
    return float(optimize.brentq(missing, lower, upper, xtol=1e-10))


def _best_interim(request: _Request, n: int) -> tuple[float, TrialDesign] | None:
    """Interim look with the smallest expected size for n patients; None if none has the power."""
    duration = n / request.rate
    first = max(request.test.earliest, 0.05 * duration)
    if first >= duration:
        return None
    sizes_at = _sizes(request, n)
    times = np.linspace(first, duration, 14)[1:-1]
    sizes = [sizes_at(time)[0] for time in times]
    at = int(np.argmin(sizes))
    if not np.isfinite(sizes[at]):
        return None
    step = times[1] - times[0]
    refined = optimize.minimize_scalar(
        lambda time: min(sizes_at(time)[0], 2.0 * n),
        bounds=(max(first, times[at] - step), min(duration, times[at] + step)),
        method="bounded",
        options={"xatol": 1e-4 * duration},
    )
    time = float(refined.x) if refined.fun <= sizes[at] else float(times[at])
    size, interim_critical, critical = sizes_at(time)
    design = TrialDesign(
        n=n,
        accrual=AccrualRate(request.rate),
        looks=[
            Look(AtTime(time), futility_z=interim_critical),
            Look(AtTime(request.end(n)), efficacy_z=critical),
        ],
        allocation={ARM: 1},
        control=None,
        dropout=request.dropout,
        alpha=request.alpha,
    )
    return size, design


def _sizes(request: _Request, n: int) -> Callable[[float], tuple[float, float, float]]:
    """Give the expected size under the null hypothesis and both critical z, by interim time."""
    final = [request.moments(curve, n, request.end(n)) for curve in (request.null, request.truth)]

    def sizes(time: float) -> tuple[float, float, float]:
        interim = [request.moments(curve, n, time) for curve in (request.null, request.truth)]
        null_correlation, truth_correlation = (correlation(*pair) for pair in zip(interim, final, strict=True))

        def critical(interim_critical: float) -> float:
            def excess(c: float) -> float:
                a, b = _standardised(interim[0], interim_critical), _standardised(final[0], c)
                return both_above(a, b, null_correlation) - request.alpha

            return float(optimize.brentq(excess, -6.0, 8.0, xtol=1e-10))

        def spare_power(interim_critical: float) -> float:
            a = _standardised(interim[1], interim_critical)
            b = _standardised(final[1], critical(interim_critical))
            return both_above(a, b, truth_correlation) - request.power

        highest = float(stats.norm.isf(request.alpha)) - 1e-3
        if spare_power(-6.0) < 0:
            return inf, inf, inf
        interim_critical = (
            float(optimize.brentq(spare_power, -6.0, highest, xtol=1e-10)) if spare_power(highest) < 0 else highest
        )
        stops = float(special.ndtr(_standardised(interim[0], interim_critical)))
        return n - stops * (n - request.rate * time), interim_critical, critical(interim_critical)

    return sizes


def _standardised(moments: Moments, critical: float) -> float:
    return (critical * moments.null_sd - moments.effect) / moments.sd


def correlation(interim: Moments, final: Moments) -> float:
    """Correlation of the two looks' z if the increments of information are independent (Wu et al. 2020).

    The spread of a count of events grows with information, that of an estimate shrinks.
    """
    return min(interim.sd, final.sd) / max(interim.sd, final.sd)


def both_above(a: float, b: float, correlation: float) -> float:
    """Probability that the first of two correlated standard normal variables is above a and the second above b."""
    lower = max(b, -FAR)
    half = (FAR - lower) / 2
    z = lower + half * (1 + NODES)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    above = special.ndtr((correlation * z - a) / np.sqrt(1 - correlation**2))
    return float(half * (WEIGHTS @ (density * above)))
