"""What a trial is expected to look like at an analysis, by months since entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.expected.quadrature import CALM, FULL, LIGHT, STEEP, Quadrature

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.expected.trial import ExpectedTrial, Stratum
    from analysis.survival import Distribution

REMEMBERED = 3
"""Courses that a trial keeps: a search asks again where it started, and the moments of a test where it ended."""


@dataclass(frozen=True)
class RiskProcess:
    """The expected course of a stratum, or of all strata pooled.

    The first axis of the arrays is the arm, the control first; the others are those of `grid`.

    Attributes
    ----------
    grid
        Nodes of follow-up time, from 0 to the longest follow-up.
    survival
        Probability of no event by then.
    at_risk
        Patients who are followed so long without event or loss.
    event_rate
        Events per month of follow-up.
    patients
        Patients by arm.
    """

    grid: Quadrature
    survival: FloatArray
    at_risk: FloatArray
    event_rate: FloatArray
    patients: FloatArray

    @property
    def events(self) -> FloatArray:
        """Expected events by arm, shape ``(arms,)``."""
        return self.grid.integral(self.event_rate)

    @cached_property
    def pooled_hazard(self) -> FloatArray:
        """Hazard per month of a patient at risk, whichever arm."""
        at_risk = self.at_risk.sum(axis=0)
        hazard: FloatArray = np.zeros_like(at_risk)
        np.divide(self.event_rate.sum(axis=0), at_risk, out=hazard, where=at_risk > 0)
        return hazard

    @cached_property
    def pooled_cumulative_hazard(self) -> FloatArray:
        """What the pooled Nelson-Aalen estimate converges to; its exponential is the pooled survival.

        Where the hazard rises from nothing, a polynomial through it dips a little below 0: its integral does not.
        """
        return np.maximum(self.grid.running_integral(self.pooled_hazard), 0.0)


def risk_processes(
    trial: ExpectedTrial,
    time: float,
    *,
    until: float = np.inf,
    change_points: FloatArray | None = None,
    stratified: bool = True,
) -> list[RiskProcess]:
    """Give the expected course of every stratum at an analysis, or of all of them pooled.

    Parameters
    ----------
    trial
        The trial.
    time
        Calendar months of the analysis, above 0.
    until
        Follow-up months to which the course is wanted; all of it by default.
    change_points
        Follow-up months at which a later integrand is not smooth, beside those of hazards and accrual.
    stratified
        False: pool the strata.

    Returns
    -------
    list of RiskProcess
        At follow-up time t, ``n * S(t) * P(not lost by t) * P(entered by time - t)`` are at risk in each arm.

    Raises
    ------
    InvalidValueError
        If `time` is not above 0.
    """
    if not 0 < time < np.inf:
        raise InvalidValueError("time", time, "calendar months above 0", "give the time of the analysis")
    asked = time, until, stratified
    simple = change_points is None or not change_points.size
    if simple and asked in trial.processes:
        return trial.processes[asked]
    groups = [[stratum] for stratum in trial.strata] if stratified else [list(trial.strata)]
    found = [_course(trial, strata, time, until, change_points) for strata in groups]
    if simple:
        trial.processes[asked] = found
        if len(trial.processes) > REMEMBERED:
            del trial.processes[next(iter(trial.processes))]
    return found


def _course(
    trial: ExpectedTrial, strata: list[Stratum], time: float, until: float, change_points: FloatArray | None
) -> RiskProcess:
    changes = [*(stratum.change_points for stratum in strata), time - trial.accrual.rate_changes]
    if change_points is not None:
        changes.append(change_points)
    curves = {
        id(curve): curve
        for stratum in strata
        for arm in stratum.arms
        for curve in (arm.event_time, arm.loss)
        if curve is not None
    }
    end, points = min(time, until, trial.follow_up), np.concatenate(changes)
    straight = {key for key, curve in curves.items() if curve.piecewise_exponential_until}
    smooth = [curve for key, curve in curves.items() if key not in straight]
    grid = Quadrature.over(end, points, smooth, FULL if smooth else LIGHT)
    if any(_most_grown(curves[key], grid) > (STEEP if smooth else CALM) for key in straight):
        grid = Quadrature.over(end, points, list(curves.values()), grid.rule)
    courses = {key: _along(curve, grid) for key, curve in curves.items()}
    entered = trial.accrual.enrolled_fraction(time - grid.time)
    arms = len(strata[0].arms)
    survival, at_risk, event_rate = np.zeros((3, arms, *grid.time.shape))
    patients = np.zeros(arms)
    for stratum in strata:
        for k, arm in enumerate(stratum.arms):
            alive, hazard = courses[id(arm.event_time)]
            left = arm.n * alive
            followed = left * entered if arm.loss is None else left * courses[id(arm.loss)][0] * entered
            if isfinite(hazard[-1, -1]) and isfinite(hazard[0, 0]):
                event_rate[k] += followed * hazard
            else:  # where nobody is left the hazard may be infinite, or none
                event_rate[k] += np.multiply(followed, hazard, out=np.zeros_like(followed), where=followed > 0)
            survival[k] += left
            at_risk[k] += followed
            patients[k] += arm.n
    return RiskProcess(grid, survival / patients[:, None, None], at_risk, event_rate, patients)


def _along(curve: Distribution, grid: Quadrature) -> tuple[FloatArray, FloatArray]:
    """Survival and hazard of a curve at the nodes; a hazard that is constant on every panel is given once for each."""
    until = curve.piecewise_exponential_until
    if until >= grid.time[-1, -1]:
        return _along_straight(curve, grid.middle, grid.from_middle)
    straight = grid.middle[:, 0] < until
    alive, hazard = curve.survival(grid.time[~straight]), curve.hazard(grid.time[~straight])
    if not until:
        return alive, hazard
    before, constant = _along_straight(curve, grid.middle[straight], grid.from_middle[straight])
    return np.concatenate([before, alive]), np.concatenate([np.broadcast_to(constant, before.shape), hazard])


def _along_straight(curve: Distribution, middle: FloatArray, from_middle: FloatArray) -> tuple[FloatArray, FloatArray]:
    hazard = curve.hazard(middle)
    return np.exp(-(curve.cumulative_hazard(middle) + hazard * from_middle)), hazard


def _most_grown(curve: Distribution, grid: Quadrature) -> float:
    """Give about the most that a cumulative hazard grows on a panel; infinite where the curve comes down to 0."""
    return 2 * float((curve.hazard(grid.time[:, -1:]) * grid.half_width).max())
