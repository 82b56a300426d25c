"""Progression as it is seen: the first attended visit after it, between visits that may shift or be missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.checks import SAME_TIME
from analysis.engine.streams import hashed_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.design import Assessments


class Visits(NamedTuple):
    """A schedule for compiled code: `interval` is inf where no visit follows the listed times."""

    times: NDArray[np.float64]
    interval: float
    window: float
    missed: float
    midpoint: bool


def visits_of(assessments: Assessments) -> Visits:
    """Turn a schedule into what compiled code reads."""
    interval = np.inf if assessments.interval is None else assessments.interval
    midpoint = assessments.recording == "midpoint"
    return Visits(np.array(assessments.times), interval, assessments.window, assessments.missed, midpoint)


@njit(inline="always")
def look_for(visits: Visits, seed: np.uint64, progression: float, until: float) -> tuple[float, float]:
    """Last attended visit before the progression is seen and the visit that sees it, inf if none does by `until`.

    What happens at a visit is a function of the patient's seed and the visit's number, so asking twice gives one
    answer.
    """
    last, number = 0.0, 0
    listed = visits.times.size
    latest = until * (1 + SAME_TIME)  # a visit on the last day is one
    while True:
        if number < listed:
            at = visits.times[number]
        else:
            at = visits.times[listed - 1] + (number - listed + 1) * visits.interval
        if not at - visits.window <= latest:
            return last, np.inf
        if visits.window > 0.0:
            at += visits.window * (2.0 * hashed_uniform(seed, 2 * number) - 1.0)
        attended = visits.missed == 0.0 or hashed_uniform(seed, 2 * number + 1) >= visits.missed
        if attended and at <= latest:
            if at >= progression:
                return last, at
            last = at
        number += 1


class Observations(NamedTuple):
    """One endpoint of a batch, arrays of shape (trials, n), months since time zero.

    `time` is the recorded time of the event or, without one, of loss to follow-up; `known` is when an event is known,
    `left` the last visit before it. Where `assessed`, censoring falls on the last visit, found from `visits` and
    `seed`.
    """

    time: NDArray[np.float64]
    known: NDArray[np.float64]
    left: NDArray[np.float64]
    event: NDArray[np.bool_]
    assessed: bool
    visits: Visits
    seed: NDArray[np.uint64]


@njit(nogil=True, cache=True, error_model="numpy")
def see_progression(
    progression: NDArray[np.float64], death: NDArray[np.float64], loss: NDArray[np.float64], seen: Observations
) -> None:
    """Record progression or death as the schedule sees it, all arrays of shape (trials, n).

    Writes the recorded time (of loss where there is no event), when it is known, the last visit before it, and whether
    it is an event. `death` may be empty: nobody dies before progression.
    """
    visits = seen.visits
    for trial in range(progression.shape[0]):
        for i in range(progression.shape[1]):
            dies = death[trial, i] if death.size else np.inf
            until = min(loss[trial, i], dies)
            last, at = 0.0, np.inf
            if progression[trial, i] < until:
                last, at = look_for(visits, seen.seed[trial, i], progression[trial, i], until)
            if at < np.inf:
                seen.time[trial, i] = (last + at) / 2.0 if visits.midpoint else at
                seen.known[trial, i], seen.left[trial, i], seen.event[trial, i] = at, last, True
            else:
                seen.time[trial, i] = seen.known[trial, i] = seen.left[trial, i] = until
                seen.event[trial, i] = dies <= loss[trial, i] and dies < np.inf
