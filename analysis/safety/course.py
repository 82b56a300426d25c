"""How treatment goes in simulated patients: adverse events that interrupt, reduce or end it, and its planned end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.conventions.border import border, strict_border
from analysis.conventions.checks import increasing, number, positive, probabilities, times
from analysis.conventions.display import short_repr
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray

ONGOING, PLANNED_END, ADVERSE_EVENT, OTHER, DISEASE = 0, 1, 2, 3, 4
ENDS = ("ongoing", "planned end", "adverse event", "other reason", "progression or death")
"""Why treatment ended, by its code."""


class Course(NamedTuple):
    """How treatment went in a batch of patients; times in months from the first dose.

    Attributes
    ----------
    stop
        When treatment ended for good before any progression or death, inf where it did not; shape (patients,).
    why
        Code of the reason, see `ENDS`.
    event
        When the adverse events came, in order, inf after the last; shape (patients, events).
    away
        Months for which each event interrupts treatment; 0 where it does not.
    level
        Share of the planned dose from each event on.

    Examples
    --------
    >>> from analysis.safety import TreatmentCourse
    >>> TreatmentCourse(0.1, ends=0.5, longest=12).longest
    12
    """

    stop: FloatArray
    why: NDArray[np.int8]
    event: FloatArray
    away: FloatArray
    level: FloatArray

    def __repr__(self) -> str:
        return short_repr(self)


@strict_border
@dataclass(frozen=True)
class TreatmentCourse:
    """Adverse events that matter to treatment, grade 3 or more for instance, what they do, and its planned end.

    Parameters
    ----------
    adverse_events
        Rate per month of treatment.
    frailty
        Variance of a gamma factor of each patient on that rate; 0 if all patients have one rate.
    interrupts, reduces, ends
        Probabilities that an event interrupts, reduces, or ends treatment; one that ends it does nothing else.
    interruption
        Mean length of an interruption in months (exponential).
    levels
        Doses after one reduction, two .., as shares of the planned dose, decreasing; the last one stays.
    other
        Rate per month at which treatment ends for another reason.
    longest
        Months after which treatment ends as planned; None if it goes on until progression.

    Raises
    ------
    InvalidValueError
        If a number is outside what it can be.

    Examples
    --------
    >>> TreatmentCourse(0.1, interrupts=0.4, ends=0.1, longest=12).levels
    (0.5,)
    """

    adverse_events: float
    frailty: float = 0.0
    interrupts: float = 0.0
    reduces: float = 0.0
    ends: float = 0.0
    interruption: float = 0.25
    levels: tuple[float, ...] = (0.5,)
    other: float = 0.0
    longest: float | None = None

    def __post_init__(self) -> None:
        for name in ("adverse_events", "frailty", "other"):
            number(name, getattr(self, name), at_least=0, unit="events per month")
        probabilities("interrupts, reduces, ends", [self.interrupts, self.reduces, self.ends])
        positive("interruption", self.interruption)
        if not increasing("levels, from the last", self.levels[::-1]) or self.levels[0] >= 1:
            expected = "shares of the planned dose below 1, one for each reduction"
            raise InvalidValueError("levels", self.levels, expected, "write e.g. (0.5, 0.25)")
        if self.longest is not None:
            positive("longest", self.longest)

    def draw(self, patients: int, until: float, rng: np.random.Generator) -> Course:
        """Draw the course of so many patients up to `until` months, whatever their disease does."""
        factor = np.ones(patients)
        if self.frailty:
            factor = rng.gamma(1 / self.frailty, self.frailty, patients)
        event = self._events(factor * self.adverse_events, until, rng)
        happened = np.isfinite(event)
        shape = event.shape
        ended = happened & (rng.random(shape) < self.ends)
        away = np.where(rng.random(shape) < self.interrupts, self.interruption * rng.standard_exponential(shape), 0.0)
        lowered = happened & ~ended & (rng.random(shape) < self.reduces)
        steps = np.array([1.0, *self.levels])
        level = steps[np.minimum(np.cumsum(lowered, axis=1), len(self.levels))]
        first_end = np.where(ended, event, np.inf).min(axis=1, initial=np.inf)
        other = rng.standard_exponential(patients) / self.other if self.other > 0 else np.full(patients, np.inf)
        planned = np.full(patients, np.inf if self.longest is None else self.longest)
        times = np.stack([planned, first_end, other])
        why = np.array([PLANNED_END, ADVERSE_EVENT, OTHER], np.int8)[times.argmin(axis=0)]
        stop = times.min(axis=0)
        # what comes after the end of treatment is no event of it
        event = np.where(event <= stop[:, None], event, np.inf)
        return Course(
            stop,
            np.where(np.isfinite(stop), why, ONGOING).astype(np.int8),
            event,
            np.where(np.isfinite(event) & ~ended, away, 0.0),
            level,
        )

    def _events(self, rate: FloatArray, until: float, rng: np.random.Generator) -> FloatArray:
        """Draw the times of a Poisson process for each patient, as many as it takes to get past `until`."""
        patients = len(rate)
        found = [np.zeros((patients, 0))]
        last = np.zeros(patients)
        while (last <= until).any() and self.adverse_events > 0:
            with np.errstate(divide="ignore"):
                gaps = rng.standard_exponential((patients, 8)) / rate[:, None]
            more = last[:, None] + np.cumsum(gaps, axis=1)
            found.append(more)
            last = more[:, -1]
        event = np.concatenate(found, axis=1)
        event[event > until] = np.inf
        kept = np.isfinite(event).any(axis=0)
        return event[:, kept]


@border
def dose_given(course: Course, until: FloatArray) -> FloatArray:
    """Months of the planned dose that each patient received up to `until` or the end of treatment.

    Divided by the months of treatment it is the relative dose intensity.

    Examples
    --------
    >>> course = Course(
    ...     np.array([np.inf]), np.zeros(1, np.int8), np.array([[2.0]]), np.array([[1.0]]), np.array([[0.5]])
    ... )
    >>> dose_given(course, np.array([6.0])).tolist()
    [3.5]
    """
    end = np.minimum(times("until", until), course.stop)
    edges = np.minimum(np.column_stack([course.event, np.full(len(end), np.inf)]), end[:, None])
    given, resumed = edges[:, 0].copy(), np.zeros(len(end))
    for k in range(course.event.shape[1]):
        resumed = np.maximum(resumed, edges[:, k] + course.away[:, k])
        given += course.level[:, k] * np.maximum(edges[:, k + 1] - np.maximum(resumed, edges[:, k]), 0.0)
    return np.asarray(given, dtype=float)
