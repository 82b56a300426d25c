"""Numbers that are expected by a calendar time: enrolled, at risk, events, lost; and when events come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.expected.process import risk_processes
from analysis.expected.quadrature import Quadrature

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.conventions.checks import FloatArray
    from analysis.expected.trial import Arm, ExpectedTrial


def expected_enrolled(trial: ExpectedTrial, time: float) -> float:
    """Patients expected to have entered by a calendar time in months, all arms together."""
    return trial.n * float(trial.accrual.enrolled_fraction(time))


def expected_events(trial: ExpectedTrial, time: float) -> FloatArray:
    """Events expected to have been seen by a calendar time in months, by arm, the control first."""
    first, *others = risk_processes(trial, time)
    return sum((process.events for process in others), start=first.events)


def expected_lost(trial: ExpectedTrial, time: float) -> FloatArray:
    """Patients expected to have been lost to follow-up by a calendar time, by arm, the control first."""
    lost = np.zeros(len(trial.strata[0].arms))
    for stratum, process in zip(trial.strata, risk_processes(trial, time), strict=True):
        for k, arm in enumerate(stratum.arms):
            if arm.loss is not None:
                at_risk, hazard = process.at_risk[k], arm.loss.hazard(process.grid.time)
                rate = np.multiply(at_risk, hazard, out=np.zeros_like(at_risk), where=at_risk > 0)
                lost[k] += process.grid.integral(rate)
    return lost


def expected_at_risk(trial: ExpectedTrial, time: float, follow_up: float) -> FloatArray:
    """Patients expected to be at risk `follow_up` months after entry at an analysis at month `time`, by arm."""
    entered = trial.accrual.enrolled_fraction(time - follow_up) if follow_up <= trial.follow_up else 0.0

    def left(arm: Arm) -> float:
        return float(arm.n * arm.event_time.survival(follow_up) * arm.retention(np.array(follow_up)) * entered)

    total: FloatArray = np.sum([[left(arm) for arm in stratum.arms] for stratum in trial.strata], axis=0)
    return total


def events_in_the_end(trial: ExpectedTrial) -> float:
    """Events that are expected however long one waits, all arms together."""
    return sum(arm.n * _ever_observed(arm) for stratum in trial.strata for arm in stratum.arms)


def _ever_observed(arm: Arm) -> float:
    if arm.loss is None:
        return float(1 - arm.event_time.survival(arm.follow_up))
    end = min(float(arm.event_time.quantile(1 - 1e-15)), float(arm.loss.quantile(1 - 1e-15)), arm.follow_up)
    if not np.isfinite(end):  # some never fail, and some are never lost: all that happens does so before this
        seen = [curve.quantile(np.linspace(0, 1, 64)[:-1]) for curve in (arm.event_time, arm.loss)]
        end = 64 * max(float(times[np.isfinite(times)].max()) for times in seen)
    grid = Quadrature.over(end, arm.change_points, [arm.event_time, arm.loss])
    alive = arm.event_time.survival(grid.time)
    with np.errstate(invalid="ignore"):  # a curve that comes down to 0 has no end to its hazard there
        density = np.where(alive > 0, alive * arm.event_time.hazard(grid.time), 0.0)
    return float(grid.integral(density * arm.retention(grid.time)))


def time_of_events(trial: ExpectedTrial, events: float) -> float:
    """Calendar month at which a number of events is expected, all arms together.

    Raises
    ------
    InvalidValueError
        If `events` is not above 0.
    InfeasibleDesignError
        If so many events are not expected however long one waits; says how many are.
    """
    if not 0 < events < np.inf:
        raise InvalidValueError("events", events, "a number of events above 0", "give the target")
    likely = trial.accrual.duration + 1
    if not any(_seen_by(trial, late) > events for late in (likely, 2 * likely)):
        in_the_end = events_in_the_end(trial)
        if events >= in_the_end:
            raise InfeasibleDesignError(
                f"events: {events:g} are asked for, but only {in_the_end:.1f} of the {trial.n:g} patients are expected "
                f"to have one however long one waits; ask for fewer, or enrol {trial.n * events / in_the_end:.0f} or "
                "more"
            )
    return first_time(lambda time: events - _seen_by(trial, time), likely)


def _seen_by(trial: ExpectedTrial, time: float) -> float:
    return float(expected_events(trial, time).sum())


def first_time(missing: Callable[[float], float], likely: float) -> float:
    """Find the time at which a number that falls with time becomes 0, from a likely one on."""
    early, late = 0.0, likely
    while missing(late) > 0:
        early, late = late, 2 * late
    time: float = brentq(missing, max(early, 1e-9 * late), late, xtol=1e-9, rtol=1e-12)
    return time
