"""Numbers that are expected by a calendar time: enrolled, at risk, events, lost; and when events come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.quadrature import Quadrature
from analysis.power.trial import entry_rate_changes

if TYPE_CHECKING:
    from analysis.design import Accrual
    from analysis.power.quadrature import FloatArray
    from analysis.power.trial import Arm, Stratum, TwoArmTrial

CONTROL, EXPERIMENTAL = 0, 1


@dataclass(frozen=True)
class RiskProcess:
    """What a stratum is expected to look like at an analysis, by months since entry.

    The first axis of the arrays is the arm, control and then experimental; the others are those of `grid`.

    Parameters
    ----------
    grid
        Nodes of follow-up time, from 0 to the longest follow-up.
    survival
        Probability of no event by then.
    at_risk
        Patients who are followed so long without event or loss.
    event_rate
        Events per month of follow-up.
    """

    grid: Quadrature
    survival: FloatArray
    at_risk: FloatArray
    event_rate: FloatArray

    @property
    def events(self) -> FloatArray:
        """Expected events by arm, shape ``(2,)``."""
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
        """What the pooled Nelson-Aalen estimate converges to; its exponential is the pooled survival."""
        return self.grid.running_integral(self.pooled_hazard)


def risk_process(
    stratum: Stratum,
    accrual: Accrual,
    time: float,
    *,
    until: float = np.inf,
    change_points: FloatArray | None = None,
) -> RiskProcess:
    """Give the expected course of a stratum at an analysis.

    Parameters
    ----------
    stratum
        The two arms.
    accrual
        How patients enter.
    time
        Calendar months of the analysis, above 0.
    until
        Follow-up months to which the course is wanted; all of it by default.
    change_points
        Follow-up months at which a later integrand is not smooth, beside those of hazards and accrual.

    Returns
    -------
    RiskProcess
        At follow-up time t, ``n * S(t) * P(not lost by t) * P(entered by time - t)`` are at risk in each arm.

    Raises
    ------
    InvalidValueError
        If `time` is not above 0.
    """
    if not 0 < time < np.inf:
        raise InvalidValueError("time", time, "calendar months above 0", "give the time of the analysis")
    changes = [stratum.change_points, time - entry_rate_changes(accrual)]
    if change_points is not None:
        changes.append(change_points)
    grid = Quadrature.over(min(time, until), np.concatenate(changes))
    entered = accrual.enrolled_fraction(time - grid.time)
    survival, at_risk, hazard = np.empty((3, 2, *grid.time.shape))
    for arm, part in ((CONTROL, stratum.control), (EXPERIMENTAL, stratum.experimental)):
        survival[arm] = part.event_time.survival(grid.time)
        hazard[arm] = part.event_time.hazard(grid.time)
        at_risk[arm] = part.n * survival[arm] * part.retention(grid.time) * entered
    # where nobody is left the hazard may be infinite
    event_rate = np.multiply(at_risk, hazard, out=np.zeros_like(at_risk), where=at_risk > 0)
    return RiskProcess(grid, survival, at_risk, event_rate)


def risk_processes(
    trial: TwoArmTrial, time: float, *, until: float = np.inf, change_points: FloatArray | None = None
) -> list[RiskProcess]:
    """Give the expected course of every stratum; see `risk_process`."""
    return [
        risk_process(stratum, trial.accrual, time, until=until, change_points=change_points) for stratum in trial.strata
    ]


def expected_enrolled(trial: TwoArmTrial, time: float) -> float:
    """Patients expected to have entered by a calendar time in months, all arms together."""
    return trial.n * float(trial.accrual.enrolled_fraction(time))


def expected_events(trial: TwoArmTrial, time: float) -> FloatArray:
    """Events expected to have been seen by a calendar time.

    Parameters
    ----------
    trial
        The trial.
    time
        Calendar months since the first possible entry, above 0.

    Returns
    -------
    ndarray
        Control and experimental arm, shape ``(2,)``.

    Raises
    ------
    InvalidValueError
        If `time` is not above 0.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.6, n=100, accrual=UniformAccrual(18))
    >>> expected_events(trial, 30.0).round(2)
    array([35.96, 26.96])
    """
    total: FloatArray = np.sum([process.events for process in risk_processes(trial, time)], axis=0)
    return total


def expected_lost(trial: TwoArmTrial, time: float) -> FloatArray:
    """Patients expected to have been lost to follow-up by a calendar time: control and experimental, shape ``(2,)``."""
    lost = np.zeros(2)
    for stratum, process in zip(trial.strata, risk_processes(trial, time), strict=True):
        for arm, part in ((CONTROL, stratum.control), (EXPERIMENTAL, stratum.experimental)):
            if part.loss is not None:
                at_risk, hazard = process.at_risk[arm], part.loss.hazard(process.grid.time)
                rate = np.multiply(at_risk, hazard, out=np.zeros_like(at_risk), where=at_risk > 0)
                lost[arm] += process.grid.integral(rate)
    return lost


def expected_at_risk(trial: TwoArmTrial, time: float, follow_up: float) -> FloatArray:
    """Patients expected to be at risk `follow_up` months after entry at an analysis at calendar month `time`.

    Returns
    -------
    ndarray
        Control and experimental arm, shape ``(2,)``.
    """
    entered = trial.accrual.enrolled_fraction(time - follow_up)

    def left(arm: Arm) -> float:
        return float(arm.n * arm.event_time.survival(follow_up) * arm.retention(np.array(follow_up)) * entered)

    total: FloatArray = np.sum([(left(s.control), left(s.experimental)) for s in trial.strata], axis=0)
    return total


def events_in_the_end(trial: TwoArmTrial) -> float:
    """Events that are expected however long one waits, both arms together."""
    total = 0.0
    for stratum in trial.strata:
        for arm in (stratum.control, stratum.experimental):
            total += arm.n * _ever_observed(arm)
    return total


def _ever_observed(arm: Arm) -> float:
    if arm.loss is None:
        return float(1 - arm.event_time.survival(np.inf))
    # In u = S(t) the loss is seen at the quantiles of the event time, which makes the range finite.
    end = float(min(arm.event_time.quantile(1 - 1e-15), arm.loss.quantile(1 - 1e-15)))
    grid = Quadrature.over(end, arm.change_points)
    density = arm.event_time.survival(grid.time) * arm.event_time.hazard(grid.time) * arm.retention(grid.time)
    return float(grid.integral(density))


def time_of_events(trial: TwoArmTrial, events: float) -> float:
    """Calendar month at which a number of events is expected.

    Parameters
    ----------
    trial
        The trial.
    events
        Events, both arms together.

    Returns
    -------
    float
        Months since the first possible entry; the expected number of events at that time is `events`.

    Raises
    ------
    InvalidValueError
        If `events` is not above 0.
    InfeasibleDesignError
        If so many events are not expected however long one waits; says how many are.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(
    ...     Exponential.from_median(11), hazard_ratio=0.6, n=100, accrual=UniformAccrual(18), dropout=0.005
    ... )
    >>> round(time_of_events(trial, 60), 3)
    29.842
    """
    if not 0 < events < np.inf:
        raise InvalidValueError("events", events, "a number of events above 0", "give the target")
    in_the_end = events_in_the_end(trial)
    if events >= in_the_end:
        raise InfeasibleDesignError(
            f"events: {events:g} are asked for, but only {in_the_end:.1f} of the {trial.n:g} patients are expected to "
            f"have one however long one waits; ask for fewer, or enrol {trial.n * events / in_the_end:.0f} or more"
        )

    def missing(time: float) -> float:
        return events - float(np.sum(expected_events(trial, time)))

    early, late = 0.0, trial.accrual.duration + 1
    while missing(late) > 0:
        early, late = late, 2 * late
    time: float = brentq(missing, max(early, 1e-9 * late), late, xtol=1e-9, rtol=1e-12)
    return time
