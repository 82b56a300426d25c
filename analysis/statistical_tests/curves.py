"""What tests of Kaplan-Meier curves share: estimates by stratum and arm on risk sets, and their large samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.special import ndtri

from analysis.conventions.checks import SAME_TIME
from analysis.errors import InfeasibleDesignError
from analysis.expected.process import risk_processes
from analysis.statistical_tests.moments import Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.engine.risk_sets import RiskSets
    from analysis.expected.process import RiskProcess
    from analysis.expected.trial import ExpectedTrial


WELL_DETERMINED = 0.99
"""Share of trials that determine a statistic, above which nothing need be said."""

ENOUGH = 25.0
"""Patients of a single arm, with an event and without, from which on the normal approximation of its curve is not
warned of: with fewer, power of 0.05 to 0.8 was off by up to 0.1 in simulation."""

ENOUGH_OF_TWO = 10.0
"""The same for each of two arms that are compared, whose skewness cancels out in part."""


def by_stratum(sets: RiskSets) -> tuple[FloatArray, FloatArray]:
    """Give two empty arrays, estimate and variance by (trial, stratum, arm), control first."""
    first, second = np.empty((2, sets.trials, sets.strata, 2))
    return first, second


def over_strata(sets: RiskSets, values: FloatArray, power: int = 1) -> FloatArray:
    """Sum values of shape (trials, strata, ...) with the strata's shares of the patients, to a power."""
    patients = sets.patients.sum(axis=2)
    shares = (patients / np.maximum(patients.sum(axis=1, keepdims=True), 1)) ** power
    return np.asarray((values * shares.reshape(*shares.shape, *(1,) * (values.ndim - 2))).sum(axis=1))


def estimation(
    estimate: FloatArray, se: FloatArray, margin: float, level: float, z: FloatArray | None = None
) -> tuple[FloatArray, ...]:
    """Columns z, estimate, std_error, lower and upper of a difference that is good above the margin."""
    half = -ndtri((1 - level) / 2) * se
    if z is None:
        z = np.divide(estimate - margin, se, out=np.full_like(se, np.nan), where=se > 0)
    return z, estimate, se, estimate - half, estimate + half


def estimate_moments(effect: float, variance: float, name: str, advice: str) -> Moments:
    """Give the moments of an estimate less its margin.

    Raises
    ------
    InfeasibleDesignError
        If it has no variance or no value: nobody is expected to have an event, or to be left.
    """
    if not (variance > 0 and np.isfinite(effect) and np.isfinite(variance)):
        raise InfeasibleDesignError(
            f"{name}: expected patients with an event by then and patients left, in one arm at least (in both on other "
            f"scales than the plain one); {advice}"
        )
    sd = float(np.sqrt(variance))
    return Moments(float(effect), sd, sd)


@njit(inline="always")
def _counts(sets: RiskSets, row: int, arm: int) -> tuple[int, int]:
    in_arm, events_in_arm = sets.n_risk_experimental[row], sets.n_event_experimental[row]
    if arm == 1:
        return in_arm, events_in_arm
    return sets.n_risk[row] - in_arm, sets.n_event[row] - events_in_arm


@njit(nogil=True, cache=True, error_model="numpy")
def restricted_means(sets: RiskSets, tau: float, mean: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
    """Write each arm's restricted mean and its Greenwood-type variance; NaN where a curve ends before tau above 0."""
    for block in range(sets.first.size - 1):
        trial, stratum = block // sets.strata, block % sets.strata
        begin, end = sets.first[block], sets.first[block + 1]
        for arm in range(2):
            survival, area, before = 1.0, 0.0, 0.0
            for row in range(begin, end):
                at_risk, events = _counts(sets, row, arm)
                if sets.time[row] > tau:
                    break
                if events > 0:
                    area += survival * (sets.time[row] - before)
                    before = sets.time[row]
                    survival *= 1.0 - events / at_risk
            total = area + survival * (tau - before)
            spread, survival, area, before = 0.0, 1.0, 0.0, 0.0
            for row in range(begin, end):
                at_risk, events = _counts(sets, row, arm)
                if sets.time[row] > tau:
                    break
                if events > 0:
                    area += survival * (sets.time[row] - before)
                    before = sets.time[row]
                    survival *= 1.0 - events / at_risk
                    if events < at_risk:
                        spread += (total - area) ** 2 * events / (at_risk * (at_risk - events))
            followed = sets.last_time[trial, stratum, arm] >= tau * (1 - SAME_TIME) or survival == 0.0
            mean[trial, stratum, arm] = total if followed else np.nan
            variance[trial, stratum, arm] = spread if followed else np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def survivals(sets: RiskSets, time: float, survival: NDArray[np.float64], relative: NDArray[np.float64]) -> None:
    """Write each arm's survival at a time and its relative Greenwood variance, 0 once the curve is at 0."""
    for block in range(sets.first.size - 1):
        trial, stratum = block // sets.strata, block % sets.strata
        for arm in range(2):
            alive, spread = 1.0, 0.0
            for row in range(sets.first[block], sets.first[block + 1]):
                at_risk, events = _counts(sets, row, arm)
                if sets.time[row] > time * (1 + SAME_TIME):
                    break
                if events > 0:
                    alive *= 1.0 - events / at_risk
                    spread += events / (at_risk * (at_risk - events)) if events < at_risk else 0.0
            followed = sets.last_time[trial, stratum, arm] >= time * (1 - SAME_TIME) or alive == 0.0
            survival[trial, stratum, arm] = alive if followed else np.nan
            relative[trial, stratum, arm] = spread if alive > 0.0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def quantiles(sets: RiskSets, left: float, quantile: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
    """Write the time at which each arm's curve comes down to `left`, and the variance of it.

    The standard error is half the width of the test-based interval of one standard error: between the times at which
    the curve comes down to `left` plus and minus Greenwood's standard error there. Between event times these are
    interpolated: as steps they lie a whole number of events apart, which makes the error of small samples too large or
    too small by turns. NaN where the curve does not come so far.
    """
    for block in range(sets.first.size - 1):
        trial, stratum = block // sets.strata, block % sets.strata
        for arm in range(2):
            at, error, _ = _crossing(sets, block, arm, left)
            _, _, early = _crossing(sets, block, arm, left + error)
            _, _, late = _crossing(sets, block, arm, left - error)
            quantile[trial, stratum, arm] = at
            variance[trial, stratum, arm] = (late - early) ** 2 / 4.0


@njit(inline="always")
def _crossing(sets: RiskSets, block: int, arm: int, left: float) -> tuple[float, float, float]:
    """First time at which a curve is at or below `left`, Greenwood's error there, and the time interpolated."""
    alive, spread, before = 1.0, 0.0, 0.0
    for row in range(sets.first[block], sets.first[block + 1]):
        at_risk, events = _counts(sets, row, arm)
        if events > 0:
            above, alive = alive, alive * (1.0 - events / at_risk)
            spread += events / (at_risk * (at_risk - events)) if events < at_risk else 0.0
            if alive <= left + 1e-12:
                time = sets.time[row]
                share = min(max((above - left) / (above - alive), 0.0), 1.0)
                return time, left * np.sqrt(spread), before + share * (time - before)
            before = sets.time[row]
    return np.nan, np.nan, np.nan


def processes_to(
    trial: ExpectedTrial, time: float, field: str, months: float, *, stratified: bool = True
) -> list[tuple[RiskProcess, float]]:
    """Give the expected course of each stratum up to a follow-up time, with its share of the patients.

    Raises
    ------
    InfeasibleDesignError
        If nobody can be followed so long at an analysis at calendar month `time`.
    """
    longest = min(time, trial.follow_up)
    if not (months < time and months <= trial.follow_up * (1 + SAME_TIME)):  # only the first patient has all of `time`
        raise InfeasibleDesignError(
            f"{field}: {months:.3g} months of follow-up are asked for at an analysis after {longest:.3g}, when nobody "
            "can have more than that; analyse later or look earlier"
        )
    processes = risk_processes(trial, time, until=months, stratified=stratified)
    return [(process, float(process.patients.sum()) / trial.n) for process in processes]


def left_at(
    trial: ExpectedTrial, time: float, field: str, months: float, *, stratified: bool = True
) -> tuple[str, ...]:
    """Say so where in many trials the curve of an arm, or of a stratum of it, ends before a time."""
    determined = 1.0
    for process, _ in processes_to(trial, time, field, months, stratified=stratified):
        determined *= float(np.prod(1 - _cut_short(process)))
    if determined >= WELL_DETERMINED:
        return ()
    return (few_determined(determined, f"have curves up to {months:.4g} months in every arm and stratum", "time"),)


def _cut_short(process: RiskProcess) -> FloatArray:
    """Chance that a curve ends before the course does, by arm: the last patient is lost, and has no event."""
    patients = process.patients
    gone = 1 - np.minimum(process.at_risk / patients[:, None, None], 1.0)
    last_has_event = process.grid.integral(gone ** (patients - 1)[:, None, None] * process.event_rate)
    return np.asarray(np.clip(gone[:, -1, -1] ** patients - last_has_event, 0.0, 1.0))


def few_determined(share: float, what: str, earlier: str) -> str:
    """Say that many trials have no result, which a formula does not know."""
    return (
        f"only about {100 * share:.0f}% of trials {what}, the others do not reject: the formula does not know this; "
        f"analyse later, ask for an earlier {earlier}, or simulate"
    )


def few_events(trial: ExpectedTrial, months: float) -> tuple[str, ...]:
    """Say so where an arm that is compared has too few events by a time for the normal approximation."""
    arms = zip(*(stratum.arms for stratum in trial.strata), strict=True)
    fewest = min(sum(part.n * (1 - float(part.event_time.survival(months))) for part in arm) for arm in arms)
    return few_patients(fewest, f"with an event by month {months:.4g} in one arm", ENOUGH_OF_TWO)


def few_patients(expected: float, which: str, enough: float = ENOUGH) -> tuple[str, ...]:
    """Say so where a curve is known from too few patients for the normal approximation."""
    if expected >= enough:
        return ()
    return (
        f"about {expected:.1f} patients are expected {which}, too few for the normal approximation: ask for the power "
        "by simulation, and for its type I error",
    )


def greenwood(process: RiskProcess) -> FloatArray:
    """Greenwood's sum in large samples: the integral of the hazard over the number at risk, by arm."""
    with np.errstate(divide="ignore", invalid="ignore"):
        increments = np.where(process.event_rate > 0, process.event_rate / process.at_risk**2, 0.0)
    return process.grid.integral(increments)


def expected_restricted_means(process: RiskProcess) -> tuple[FloatArray, FloatArray]:
    """Restricted means to the end of the course and the variances of their estimates, by arm."""
    means = process.grid.integral(process.survival)
    to_come = np.stack(
        [mean - process.grid.running_integral(s) for mean, s in zip(means, process.survival, strict=True)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        increments = np.where(process.event_rate > 0, to_come**2 * process.event_rate / process.at_risk**2, 0.0)
    return means, process.grid.integral(increments)
