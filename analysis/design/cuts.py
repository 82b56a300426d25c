"""When the data are cut: by events, by calendar time, or the later or earlier of two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.display import months
from analysis.conventions.values import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROUNDING = 1e-9
"""Months that a cut so long after an entry is late, so that a visit due on that day has happened in any rounding."""


class Clock(Protocol):
    """What a cut may ask of a trial, simulated or expected; every answer is calendar months, one per trial."""

    def nth_event(self, counted: AtEvents) -> NDArray[np.float64]:
        """When as many events of the kind that a cut counts are known; inf where it never comes."""

    def last_entry(self) -> NDArray[np.float64]:
        """When the last patient entered."""

    def nth_entry(self, number: int) -> NDArray[np.float64]:
        """When the `number`-th patient entered; inf where there are fewer."""


@border
class Cut(ABC):
    """A rule for the date of an analysis. A new rule is a new class with these members.

    Examples
    --------
    >>> from analysis.design import AtEvents, AtTime, LaterOf
    >>> isinstance(LaterOf(AtEvents(60), AtTime(24)), Cut)
    True
    """

    @abstractmethod
    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Calendar months of the cut, one per trial; inf where it is never reached."""

    def shortfall(self, expected_events: Callable[[AtEvents], float]) -> str | None:
        """Why the cut cannot be expected ever to come, given the events expected in the end; None if it can."""
        return None

    @property
    def latest(self) -> float | None:
        """Calendar months after which it has come for certain; None where that is not known beforehand."""
        return None

    @property
    def earliest(self) -> float | None:
        """Calendar months before which it cannot come; None where that is not known beforehand."""
        return None


@border
@value
class AtEvents(Cut):
    """Cut when a number of events is known.

    Parameters
    ----------
    events
        Number of events.
    endpoint
        Whose events are counted, ``"PFS"`` or ``"OS"``; None: the design's endpoint.
    arm, stratum
        Count the events of this arm, of this stratum only; None: all together.

    Raises
    ------
    InvalidValueError
        If the number is not a whole number of at least 1.

    Examples
    --------
    >>> str(AtEvents(60)), str(AtEvents(40, stratum="non-visceral"))
    ('at 60 events', 'at 40 events in stratum non-visceral')
    """

    events: int = fields.count("events")
    endpoint: str | None = None
    arm: str | None = None
    stratum: str | None = None

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Calendar time of the event."""
        return clock.nth_event(self)

    def shortfall(self, expected_events: Callable[[AtEvents], float]) -> str | None:
        """Say so if fewer events are expected even without end of follow-up."""
        expected = expected_events(self)
        if self.events <= expected:
            return None
        return f"{self.events} events are asked for and {expected:.1f} are expected however long one waits"

    def __str__(self) -> str:
        where = [f"{name} {of}" for name, of in (("arm", self.arm), ("stratum", self.stratum)) if of]
        kind = f"{self.endpoint} " if self.endpoint else ""
        return f"at {self.events} {kind}events{' in ' + ' and '.join(where) if where else ''}"


@border
@value
class AtTime(Cut):
    """Cut at a calendar time.

    Parameters
    ----------
    time
        Months after the first possible entry.

    Raises
    ------
    InvalidValueError
        If the time is not positive.

    Examples
    --------
    >>> print(AtTime(30))
    at 30 months
    """

    time: float = fields.positive("months")

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Return the time itself."""
        return np.full_like(clock.last_entry(), self.time)

    @property
    def latest(self) -> float:
        """The time."""
        return self.time

    @property
    def earliest(self) -> float:
        """The time."""
        return self.time

    def __str__(self) -> str:
        return f"at {months(self.time)} months"


@border
@value
class AfterLastEntry(Cut):
    """Cut a fixed time after the last patient has entered.

    Parameters
    ----------
    months
        Months after the last entry: the shortest planned follow-up.

    Raises
    ------
    InvalidValueError
        If the number is negative.

    Examples
    --------
    >>> print(AfterLastEntry(12))
    12 months after the last entry
    """

    months: float = fields.not_negative("months")

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Last entry plus the follow-up."""
        return clock.last_entry() + self.months + ROUNDING

    def __str__(self) -> str:
        return f"{months(self.months)} months after the last entry"


@border
@value
class AfterEntry(Cut):
    """Cut a fixed time after a given number of patients has entered: the first stage of a two-stage trial.

    Parameters
    ----------
    patients
        Number of patients.
    months
        Months that the last of them is followed.

    Raises
    ------
    InvalidValueError
        If the number is not a whole number of at least 1, or the months are negative.

    Examples
    --------
    >>> print(AfterEntry(20, 6))
    6 months after patient 20 has entered
    """

    patients: int = fields.count("patients")
    months: float = fields.not_negative("months")

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Entry of the patient plus the follow-up."""
        return clock.nth_entry(self.patients) + self.months + ROUNDING

    def __str__(self) -> str:
        return f"{months(self.months)} months after patient {self.patients} has entered"


def _cut(name: str, given: Any) -> Cut:
    cut: Cut = one_of(name, given, Cut, "AtEvents(60) or AtTime(24)")
    return cut


@border
@value
class LaterOf(Cut):
    """Cut at the later of two cuts.

    Parameters
    ----------
    first, second
        The two cuts.

    Examples
    --------
    >>> str(LaterOf(AtEvents(60), AtTime(24)))
    'at the later of 60 events and 24 months'
    """

    first: Cut = fields.converted(_cut)
    second: Cut = fields.converted(_cut)

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Return the larger of the two times."""
        return np.maximum(self.first.calendar_time(clock), self.second.calendar_time(clock))

    def shortfall(self, expected_events: Callable[[AtEvents], float]) -> str | None:
        """Both have to come."""
        return self.first.shortfall(expected_events) or self.second.shortfall(expected_events)

    @property
    def earliest(self) -> float | None:
        """The later of the two earliest."""
        return max((cut.earliest for cut in (self.first, self.second) if cut.earliest is not None), default=None)

    def __str__(self) -> str:
        return f"at the later of {_when(self.first)} and {_when(self.second)}"


@border
@value
class EarlierOf(Cut):
    """Cut at the earlier of two cuts.

    Parameters
    ----------
    first, second
        The two cuts.

    Examples
    --------
    >>> from analysis.design import AtEvents, AtTime
    >>> print(EarlierOf(AtEvents(60), AtTime(36)))
    at the earlier of 60 events and 36 months
    """

    first: Cut = fields.converted(_cut)
    second: Cut = fields.converted(_cut)

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Return the smaller of the two times."""
        return np.minimum(self.first.calendar_time(clock), self.second.calendar_time(clock))

    def shortfall(self, expected_events: Callable[[AtEvents], float]) -> str | None:
        """One of them has to come."""
        first, second = self.first.shortfall(expected_events), self.second.shortfall(expected_events)
        return f"{first}; {second}" if first and second else None

    @property
    def latest(self) -> float | None:
        """The earlier of the two latest."""
        return min((cut.latest for cut in (self.first, self.second) if cut.latest is not None), default=None)

    def __str__(self) -> str:
        return f"at the earlier of {_when(self.first)} and {_when(self.second)}"


def _when(cut: Cut) -> str:
    return str(cut).removeprefix("at ")
