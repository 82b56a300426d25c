"""When patients are scanned: the schedule, its window, visits missed or late, scans between visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.border import strict_border
from analysis.design import Assessments
from analysis.endpoints.options import of_kind
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.endpoints.codes import Floats


@strict_border
@dataclass(frozen=True)
class Attendance:
    """A schedule and how it is kept.

    Parameters
    ----------
    assessments
        The schedule, with its window and the probability of a missed visit; visits may be irregular.
    until
        Months of follow-up: the last scheduled visit is not after it.
    late
        Probability that a visit is late.
    late_by
        Mean delay of a late visit in months (exponential, ending before the next scheduled visit).
    unscheduled
        Probability of a scan between two scheduled visits, at any time between them.
    survival_until
        Months for which deaths are known, `until` if None. Progression-free survival counts deaths up to `until` only.

    Raises
    ------
    InvalidValueError
        If there is no visit, a probability is none, or deaths are known for less long than scans go on.

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> Attendance(Assessments.every(8 * WEEK), until=12).until
    12
    """

    assessments: Assessments
    until: float
    late: float = 0.0
    late_by: float = 0.25
    unscheduled: float = 0.0
    survival_until: float | None = None

    def __post_init__(self) -> None:
        of_kind("assessments", self.assessments, Assessments)
        if not self.assessments.scheduled(self.until).size:
            raise InvalidValueError(
                "until", self.until, "months of follow-up with a visit", "follow patients for longer"
            )
        for field in ("late", "unscheduled"):
            if not 0 <= getattr(self, field) < 1:
                raise InvalidValueError(field, getattr(self, field), "a probability below 1", "give a fraction")

        if not self.until <= self.follow_up < np.inf:
            raise InvalidValueError(
                "survival_until", self.survival_until, f"a finite time, at least {self.until:g}", "follow for longer"
            )

    @property
    def follow_up(self) -> float:
        """Months for which deaths are known."""
        return self.until if self.survival_until is None else self.survival_until

    def draw(self, patients: int, rng: np.random.Generator) -> Floats:
        """Draw the months of the scans in order, shape (patients, visits); inf after the last."""
        planned = self.assessments.scheduled(self.until)
        at = np.broadcast_to(planned, (patients, planned.size)).copy()
        if self.assessments.window:
            at += self.assessments.window * (2 * rng.random(at.shape) - 1)
        if self.late:
            room = np.append(np.diff(planned), np.inf) * 0.9
            delay = np.minimum(self.late_by * rng.standard_exponential(at.shape), room)
            at += np.where(rng.random(at.shape) < self.late, delay, 0.0)
        if self.assessments.missed:
            at[rng.random(at.shape) < self.assessments.missed] = np.inf
        if self.unscheduled:
            before = np.concatenate(([0.0], planned[:-1]))
            between = before + (planned - before) * rng.random(at.shape)
            between[rng.random(at.shape) >= self.unscheduled] = np.inf
            at = np.concatenate((at, between), axis=1)
        at.sort(axis=1)
        return at
