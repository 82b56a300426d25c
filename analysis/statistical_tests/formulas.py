"""Textbook approximations of the log-rank test's moments, beside its exact ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InfeasibleDesignError
from analysis.expected.numbers import expected_events
from analysis.expected.process import risk_processes
from analysis.expected.score import (
    average_hazard_ratio,
    experimental_share,
    log_hazard_ratio,
    no_events,
    score_moments,
)
from analysis.statistical_tests.moments import Moments, from_information
from analysis.survival import ProportionalHazards

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.expected.process import RiskProcess
    from analysis.expected.trial import ExpectedTrial, Stratum
    from analysis.statistical_tests.weights import Weight


@dataclass(frozen=True)
class Formula:
    """One approximation.

    Attributes
    ----------
    title
        What to call it in tables.
    moments
        Moments of z in a trial at a calendar month, for a hazard-ratio margin and a weight.
    reference
        Where it comes from.
    weighted
        Whether it knows weights.
    """

    title: str
    moments: Callable[[ExpectedTrial, float, float, Weight], Moments]
    reference: str
    weighted: bool = False


def _log_ratio(trial: ExpectedTrial, time: float, margin: float) -> float:
    """Log of the average hazard ratio over the margin; below 0 favours the experimental arm."""
    return float(np.log(average_hazard_ratio(trial, time) / margin))


def harmonic_information(trial: ExpectedTrial, time: float) -> float:
    """``1 / (1 / d0 + 1 / d1)`` with d0 and d1 the events of the arms, summed over strata."""
    information = 0.0
    for process in risk_processes(trial, time):
        control, experimental = process.events
        information += float(control * experimental / (control + experimental)) if control + experimental > 0 else 0.0
    if not information > 0:
        raise no_events(time)
    return information


def _schoenfeld(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Information ``d p (1 - p)``, d events and p the experimental share of patients."""
    share = trial.n_experimental / trial.n
    information = float(expected_events(trial, time).sum()) * share * (1 - share)
    return from_information(_log_ratio(trial, time, margin), information, information)


def _freedman(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Give the expected z ``sqrt(d r) (m - HR) / (m + r HR)``."""
    ratio = average_hazard_ratio(trial, time) / margin
    r = trial.allocation_ratio
    return _by_events(trial, time, np.sqrt(r) * (1 - ratio) / (1 + r * ratio))


def _hsieh_freedman(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Freedman's formula for equal arms, its information scaled by ``4 r / (1 + r)^2`` for unequal ones."""
    ratio = average_hazard_ratio(trial, time) / margin
    r = trial.allocation_ratio
    return _by_events(trial, time, 2 * np.sqrt(r) / (1 + r) * (1 - ratio) / (1 + ratio))


def _by_events(trial: ExpectedTrial, time: float, per_root_event: float) -> Moments:
    """Give a score whose information is the number of events, so that z grows with its root from look to look."""
    events = float(expected_events(trial, time).sum())
    return Moments(events * per_root_event, float(np.sqrt(events)), float(np.sqrt(events)))


def _rubinstein(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Variance ``1 / d0 + 1 / d1``, d0 and d1 the events of the arms."""
    information = harmonic_information(trial, time)
    return from_information(_log_ratio(trial, time, margin), information, information)


def _lachin_foulkes(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Variance ``1 / d0 + 1 / d1`` under the null, with the mean of the hazards, and under the scenario."""
    ratio, r = average_hazard_ratio(trial, time), trial.allocation_ratio
    null = harmonic_information(_under_null(trial, (1 + r * ratio) / (1 + r * margin), margin), time)
    return from_information(float(np.log(ratio / margin)), null, harmonic_information(trial, time))


def _bernstein_lagakos(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """As Lachin and Foulkes, but under the null the control arm keeps its hazard."""
    null = harmonic_information(_under_null(trial, 1.0, margin), time)
    return from_information(_log_ratio(trial, time, margin), null, harmonic_information(trial, time))


def _under_null(trial: ExpectedTrial, level: float, margin: float) -> ExpectedTrial:
    """Give the trial with the control hazard times `level`, and that times `margin` in the experimental arm."""
    controls = [stratum.arms[0].event_time for stratum in trial.strata]
    return trial.with_event_times(
        [(ProportionalHazards(c, level), ProportionalHazards(c, level * margin)) for c in controls]
    )


def _average_hazard_ratio(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Log average hazard ratio, its information summed over the periods of constant hazards."""
    null, information = ahr_information(trial, time)
    return from_information(_log_ratio(trial, time, margin), null, information)


def ahr_information(trial: ExpectedTrial, time: float) -> tuple[float, float]:
    """Information on the log average hazard ratio at calendar month `time`: under the null, under the scenario."""
    share = trial.n_experimental / trial.n
    null = information = 0.0
    for stratum, process in zip(trial.strata, risk_processes(trial, time), strict=True):
        null += float(process.events.sum()) * share * (1 - share)
        by_period = _events_by_period(stratum, process)
        if any(min(events) <= 0 for events in by_period):  # no ratio in a period: there is one period
            by_period = [(float(process.events[0]), float(process.events[1]))]
        for control, experimental in by_period:
            information += control * experimental / (control + experimental)
    if not information > 0:
        raise no_events(time)
    return null, information


def _events_by_period(stratum: Stratum, process: RiskProcess) -> list[tuple[float, float]]:
    changes = np.unique(np.concatenate([arm.event_time.change_points for arm in stratum.arms]))
    period = np.searchsorted(changes, process.grid.time[:, 0])
    by_period = [
        process.grid.integral(np.where((period == p)[:, None], process.event_rate, 0.0)) for p in np.unique(period)
    ]
    return [(float(control), float(experimental)) for control, experimental in by_period if control + experimental > 0]


def _generalized_schoenfeld(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Score whose mean is linear in the log hazard ratio at each time: ``W log(HR(t)) V(t)``, V its variance."""
    mean = variance = 0.0
    for process in risk_processes(trial, time, change_points=weight.change_points):
        w, share = weight.large_sample(process), experimental_share(process)
        rate = share * (1 - share) * process.event_rate.sum(axis=0)
        local = np.where(rate > 0, rate * (np.log(margin) - log_hazard_ratio(process)), 0.0)
        if not np.all(np.isfinite(local)):
            raise InfeasibleDesignError(
                "formula: got 'generalized schoenfeld' with a stretch in which one arm has no events; expected a "
                "hazard ratio at every time; take formula='exact'"
            )
        mean += float(process.grid.integral(w * local))
        variance += float(process.grid.integral(w**2 * rate))
    if not variance > 0:
        raise no_events(time)
    return Moments(mean, float(np.sqrt(variance)), float(np.sqrt(variance)))


def _averaged_null(trial: ExpectedTrial, time: float, margin: float, weight: Weight) -> Moments:
    """Weighted test with the null variance of a trial whose arms both have the mean hazard.

    The expected score per unit of information meets the null information of another trial, so under delayed effects
    and unequal arms the power is off by several points.
    """
    mean = variance = null = 0.0
    share = trial.n_experimental / trial.n
    for process in risk_processes(trial, time, change_points=weight.change_points):
        averaged = _with_mean_hazard(process, share)
        score, information = score_moments(process, weight.large_sample(process), margin)
        mean, variance = mean + score, variance + information
        null += score_moments(averaged, weight.large_sample(averaged), margin)[1]
    if not variance > 0:
        raise no_events(time)
    return from_information(-mean / variance, null, variance)


def _with_mean_hazard(process: RiskProcess, share: float) -> RiskProcess:
    """Give the course in which both arms have the patients' mean of the two hazards at each time."""
    at_risk = np.maximum(process.at_risk, np.finfo(float).tiny)
    hazard = process.event_rate / at_risk
    mean = (1 - share) * hazard[0] + share * hazard[1]
    survival = np.exp(-process.grid.running_integral(mean))
    observed = np.divide(process.at_risk, process.survival, out=np.zeros_like(at_risk), where=process.survival > 0)
    null_at_risk = observed * survival
    return replace(process, survival=np.stack([survival] * 2), at_risk=null_at_risk, event_rate=null_at_risk * mean)


FORMULAS = {
    "schoenfeld": Formula("Schoenfeld", _schoenfeld, "Schoenfeld D, Biometrika 1981;68:316-319"),
    "freedman": Formula("Freedman", _freedman, "Freedman LS, Statistics in Medicine 1982;1:121-129"),
    "hsieh-freedman": Formula("Hsieh-Freedman", _hsieh_freedman, "Hsieh FY, Statistics in Medicine 1992;11:1091-1098"),
    "rubinstein": Formula(
        "Rubinstein", _rubinstein, "Rubinstein LV et al., Journal of Chronic Diseases 1981;34:469-479"
    ),
    "lachin-foulkes": Formula("Lachin-Foulkes", _lachin_foulkes, "Lachin JM, Foulkes MA, Biometrics 1986;42:507-519"),
    "bernstein-lagakos": Formula(
        "Bernstein-Lagakos",
        _bernstein_lagakos,
        "Bernstein D, Lagakos SW, Journal of Statistical Computation and Simulation 1978;8:65-73",
    ),
    "average hazard ratio": Formula(
        "average hazard ratio", _average_hazard_ratio, "Mukhopadhyay P et al., JAMA Oncology 2022;8:1294-1300"
    ),
    "generalized schoenfeld": Formula(
        "generalized Schoenfeld", _generalized_schoenfeld, "Schoenfeld D, Biometrika 1981;68:316-319", weighted=True
    ),
    "averaged null": Formula("averaged null", _averaged_null, "gsDesign2, gs_design_wlr", weighted=True),
}
