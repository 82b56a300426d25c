"""Search for two-stage single-arm survival designs: optimal and minimax."""

from __future__ import annotations

from math import ceil, inf, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize, special, stats

from analysis.design import UniformAccrual
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.single_arm.checks import check_errors
from analysis.power.single_arm.survival_design import survival_accrual_duration
from analysis.power.single_arm.survival_tests import FollowUp
from analysis.power.single_arm.two_stage_survival import TwoStageSurvivalDesign, both_above, correlation

if TYPE_CHECKING:
    from analysis.power.moments import Moments
    from analysis.power.single_arm.survival_tests import OneSampleTest
    from analysis.survival import Distribution

# The search ends when the expected size, which falls and then rises, has not fallen for so many sizes in a row.
PATIENCE = 8


class TwoStageSurvivalDesigns(NamedTuple):
    """The optimal two-stage design and the minimax one."""

    optimal: TwoStageSurvivalDesign
    minimax: TwoStageSurvivalDesign


def two_stage_survival(
    test: OneSampleTest,
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

    For each number of patients the interim time and its critical score are chosen to minimise the expected number
    under the null hypothesis, at the type I error rate and power asked for. ``optimal`` has the smallest expected
    number of all, ``minimax`` the smallest number of patients that has a design.

    Parameters
    ----------
    test
        ``OneSampleLogRank``, ``Landmark`` or ``RestrictedMean``.
    null, truth
        Distributions of the event time under the null hypothesis and under the alternative.
    rate
        Patients who enter per month.
    follow_up
        Months from the last entry to the final analysis.
    alpha
        One-sided type I error rate.
    power
        Power under ``truth``.
    dropout
        Distribution of the time to loss to follow-up; None if nobody is lost.

    Returns
    -------
    TwoStageSurvivalDesigns

    Raises
    ------
    InvalidValueError
        If the rate or the follow-up is not positive, or ``null`` is not the null hypothesis of the test.
    InfeasibleDesignError
        If the power is not above alpha, the truth is no better than the null hypothesis, or the accrual ends before
        the test can be looked at.

    References
    ----------
    Wu J, Chen L, Wei J, Weiss H, Chauhan A (2020). Two-stage phase II survival trial design. Pharmaceutical Statistics
    19:214-229.

    Examples
    --------
    >>> from analysis.power.single_arm import OneSampleLogRank
    >>> from analysis.survival import Exponential
    >>> null, truth = Exponential.from_median(4.0), Exponential.from_median(7.0)
    >>> found = two_stage_survival(
    ...     OneSampleLogRank(null), null=null, truth=truth, rate=3.0, follow_up=4.0, alpha=0.05, power=0.8
    ... )
    >>> [(design.n, design.interim_n, round(design.expected_n(null), 1)) for design in found]
    [(37, 18, 27.1), (33, 21, 29.3)]
    """
    check_errors(alpha, power)
    for field, value in (("rate", rate), ("follow_up", follow_up)):
        if not (np.isfinite(value) and value > 0):
            raise InvalidValueError(field, value, "a positive number", "give patients a month, and months")
    effect = test.moments(null, FollowUp(UniformAccrual(1.0), max(test.earliest, follow_up) + 2.0)).effect
    if abs(effect) > 1e-6:
        raise InvalidValueError(
            "null", null, f"the null hypothesis of {test!r}", "give the distribution at which its effect is 0"
        )
    duration = survival_accrual_duration(
        test, truth, rate=rate, follow_up=follow_up, alpha=alpha, power=power, dropout=dropout
    )
    request = _Request(test, null, truth, rate, follow_up, alpha, power, dropout)
    found: list[tuple[float, TwoStageSurvivalDesign]] = []
    n = max(2, ceil(rate * duration) - 2)
    largest = 2 * n + 50
    while n <= largest and (len(found) <= PATIENCE or _least(found[-PATIENCE:]) <= _least(found)):
        best = _best_interim(request, n)
        if best is not None:
            found.append(best)
        n += 1
    if not found:
        raise InfeasibleDesignError(
            f"test: got {test!r}; accrual of {rate:g} patients a month ends before a useful interim look; "
            "use a single-stage design"
        )
    return TwoStageSurvivalDesigns(min(found, key=lambda pair: pair[0])[1], found[0][1])


def _least(found: list[tuple[float, TwoStageSurvivalDesign]]) -> float:
    return min(size for size, _ in found)


class _Request(NamedTuple):
    test: OneSampleTest
    null: Distribution
    truth: Distribution
    rate: float
    follow_up: float
    alpha: float
    power: float
    dropout: Distribution | None


def _best_interim(request: _Request, n: int) -> tuple[float, TwoStageSurvivalDesign] | None:
    """Interim look with the smallest expected size for n patients; None if none has the power."""
    duration = n / request.rate
    first = max(request.test.earliest, 0.05 * duration)
    if first >= duration:
        return None
    times = np.linspace(first, duration, 14)[1:-1]
    sizes = [_expected_size(request, n, time)[0] for time in times]
    at = int(np.argmin(sizes))
    if not np.isfinite(sizes[at]):
        return None
    step = times[1] - times[0]
    refined = optimize.minimize_scalar(
        lambda time: min(_expected_size(request, n, time)[0], 2.0 * n),
        bounds=(max(first, times[at] - step), min(duration, times[at] + step)),
        method="bounded",
        options={"xatol": 1e-4 * duration},
    )
    time = float(refined.x) if refined.fun <= sizes[at] else float(times[at])
    size, interim_critical, critical = _expected_size(request, n, time)
    design = TwoStageSurvivalDesign(
        request.test, request.null, request.truth, _schedule(request, n), n, time, interim_critical, critical
    )
    return size, design


def _schedule(request: _Request, n: int) -> FollowUp:
    duration = n / request.rate
    return FollowUp(UniformAccrual(duration), duration + request.follow_up, request.dropout)


def _expected_size(request: _Request, n: int, time: float) -> tuple[float, float, float]:
    """Find the expected size under the null hypothesis and both critical scores; it is infinite without the power."""
    final = _schedule(request, n)
    interim = FollowUp(final.accrual, time, request.dropout)
    null = [request.test.moments(request.null, at) for at in (interim, final)]
    truth = [request.test.moments(request.truth, at) for at in (interim, final)]
    null_correlation, truth_correlation = correlation(*null), correlation(*truth)

    def critical(interim_critical: float) -> float:
        def excess(c: float) -> float:
            a, b = _standardised(null[0], n, interim_critical), _standardised(null[1], n, c)
            return both_above(a, b, null_correlation) - request.alpha

        return float(optimize.brentq(excess, -6.0, 8.0, xtol=1e-10))

    def spare_power(interim_critical: float) -> float:
        a = _standardised(truth[0], n, interim_critical)
        b = _standardised(truth[1], n, critical(interim_critical))
        return both_above(a, b, truth_correlation) - request.power

    highest = float(stats.norm.isf(request.alpha)) - 1e-3
    if spare_power(-6.0) < 0:
        return inf, inf, inf
    interim_critical = (
        float(optimize.brentq(spare_power, -6.0, highest, xtol=1e-10)) if spare_power(highest) < 0 else highest
    )
    stops = float(special.ndtr(_standardised(null[0], n, interim_critical)))
    return n - stops * (n - request.rate * time), interim_critical, critical(interim_critical)


def _standardised(moments: Moments, n: int, critical: float) -> float:
    return (critical * moments.null_sd - sqrt(n) * moments.effect) / moments.sd
