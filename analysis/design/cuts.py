"""When the data are cut: by events, by calendar time, or the later or earlier of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.design.checks import count, not_negative, positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ROUNDING = 1e-9
"""Months that a cut so long after an entry is late, so that a visit due on that day has happened in any rounding."""


class Clock(Protocol):
    """What a cut may ask of simulated trials; every answer is calendar months, one per trial."""

    def nth_event(self, number: int, endpoint: str | None) -> NDArray[np.float64]:
        """When the `number`-th event of the endpoint (None: the design's own) is known; inf where it never comes."""

    def last_entry(self) -> NDArray[np.float64]:
        """When the last patient entered."""

    def nth_entry(self, number: int) -> NDArray[np.float64]:
        """When the `number`-th patient entered; inf where there are fewer."""


class Cut(Protocol):
    """A rule for the date of an analysis. A new rule is a new class with these members."""

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Calendar months of the cut, one per trial; inf where it is never reached."""

    def shortfall(self, expected_events: Mapping[str | None, float]) -> str | None:
        """Why the cut cannot be expected ever to come, given the events expected in the end; None if it can."""


@dataclass(frozen=True)
class AtEvents:
    """Cut when a number of events is known, all arms together.

    Parameters
    ----------
    events
        Number of events.
    endpoint
        Whose events are counted, ``"PFS"`` or ``"OS"``; None: the design's endpoint.

    Raises
    ------
    InvalidValueError
        If the number is not a whole number of at least 1.
    """

    events: int
    endpoint: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", count("events", self.events, "events"))

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Calendar time of the event."""
        return clock.nth_event(self.events, self.endpoint)

    def shortfall(self, expected_events: Mapping[str | None, float]) -> str | None:
        """Say so if fewer events are expected even without end of follow-up."""
        expected = expected_events[self.endpoint]
        if self.events <= expected:
            return None
        return f"{self.events} events are asked for and {expected:.1f} are expected however long one waits"

    def __str__(self) -> str:
        return f"at {self.events} {self.endpoint + ' ' if self.endpoint else ''}events"


@dataclass(frozen=True)
class AtTime:
    """Cut at a calendar time.

    Parameters
    ----------
    time
        Months after the first possible entry.

    Raises
    ------
    InvalidValueError
        If the time is not positive.
    """

    time: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", positive("time", self.time))

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Return the time itself."""
        return np.full_like(clock.last_entry(), self.time)

    def shortfall(self, expected_events: Mapping[str | None, float]) -> str | None:
        """Give None: a calendar time always comes."""
        return None

    def __str__(self) -> str:
        return f"at {self.time:g} months"


@dataclass(frozen=True)
class AfterLastEntry:
    """Cut a fixed time after the last patient has entered.

    Parameters
    ----------
    months
        Months after the last entry: the shortest planned follow-up.

    Raises
    ------
    InvalidValueError
        If the number is negative.
    """

    months: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "months", not_negative("months", self.months))

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Last entry plus the follow-up."""
        return clock.last_entry() + self.months + ROUNDING

    def shortfall(self, expected_events: Mapping[str | None, float]) -> str | None:
        """Give None: it always comes."""
        return None

    def __str__(self) -> str:
        return f"{self.months:g} months after the last entry"


@dataclass(frozen=True)
class AfterEntry:
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
    """

    patients: int
    months: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "patients", count("patients", self.patients, "patients"))
        object.__setattr__(self, "months", not_negative("months", self.months))

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Entry of the patient plus the follow-up."""
        return clock.nth_entry(self.patients) + self.months + ROUNDING

    def shortfall(self, expected_events: Mapping[str | None, float]) -> str | None:
        """Give None: the cut does not wait for events."""
        return None

    def __str__(self) -> str:
        return f"{self.months:g} months after patient {self.patients} has entered"


@dataclass(frozen=True)
class LaterOf:
    """Cut at the later of two cuts.

    Parameters
    ----------
    first, second
        The two cuts.

    Examples
    --------
    >>> str(LaterOf(AtEvents(60), AtTime(24)))
    'later of (at 60 events, at 24 months)'
    """

    first: Cut
    second: Cut

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Return the larger of the two times."""
        return np.maximum(self.first.calendar_time(clock), self.second.calendar_time(clock))

    def shortfall(self, expected_events: Mapping[str | None, float]) -> str | None:
        """Both have to come."""
        return self.first.shortfall(expected_events) or self.second.shortfall(expected_events)

    def __str__(self) -> str:
        return f"later of ({self.first}, {self.second})"


@dataclass(frozen=True)
class EarlierOf:
    """Cut at the earlier of two cuts.

    Parameters
    ----------
    first, second
        The two cuts.
    """

    first: Cut
    second: Cut

    def calendar_time(self, clock: Clock) -> NDArray[np.float64]:
        """Return the smaller of the two times."""
        return np.minimum(self.first.calendar_time(clock), self.second.calendar_time(clock))

    def shortfall(self, expected_events: Mapping[str | None, float]) -> str | None:
        """One of them has to come."""
        first, second = self.first.shortfall(expected_events), self.second.shortfall(expected_events)
        return f"{first}; {second}" if first and second else None

    def __str__(self) -> str:
        return f"earlier of ({self.first}, {self.second})"
