"""Times to progression, death and response of one patient, each with its censoring rule and the reason for its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.conventions.border import border, strict_border
from analysis.conventions.checks import count
from analysis.conventions.display import short_repr
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.design import Assessments
from analysis.endpoints import events, sequences
from analysis.endpoints.options import as_number, check_flags, check_kind
from analysis.endpoints.response import BestOverallResponse, Confirmation, compiled, is_controlled
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date

    from analysis.endpoints.codes import Floats
    from analysis.endpoints.histories import ResponseHistory


LONGEST = 600.0  # months for which a schedule is followed
CompiledRule = tuple[bool, bool, bool, bool, bool, float, "Floats", "Floats", int]


@border
@dataclass(frozen=True)
class Duration:
    """A time, whether it ended in an event, and why.

    Parameters
    ----------
    days
        End minus start in days, a plain difference.
    event
        False if censored.
    reason
        One of ``"progression"``, ``"death"``, ``"response"``, or why it was censored.
    start, end
        The dates that it lies between.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> from analysis.endpoints import ProgressionFreeSurvival
    >>> found = ProgressionFreeSurvival().derive(history)
    >>> found.days, found.event, found.reason
    (112.0, True, 'progression')
    """

    days: float
    event: bool
    reason: str
    start: date
    end: date

    def __str__(self) -> str:
        return f"{self.days:g} days from {self.start} to {self.end}, {'' if self.event else 'censored: '}{self.reason}"

    @property
    def cdisc_days(self) -> float:
        """Days as CDISC counts durations: end minus start plus one."""
        return self.days + 1


@strict_border
@dataclass(frozen=True)
class Censoring:
    """When a patient counts as progressed, and when as censored.

    Parameters
    ----------
    evaluable_only
        Whether a patient is censored at the last evaluable assessment (else at the last one with a response, be it
        NE, ND or MISSING).
    at_new_therapy
        Whether a new therapy that starts before progression or death, or on the same day, censors at the last
        assessment before it: what counts has to come before the therapy, as it does for responses. Scans from its day
        on neither resolve nor confirm an iUPD.
    at_discontinuation
        Whether clinical progression or discontinuation censors at the last assessment up to it. Scans after it neither
        resolve nor confirm an iUPD.
    needs_baseline
        Whether a patient without a baseline is censored on the reference date (day 1).
    longest_gap
        Days after the last assessment beyond which progression or death censors there: the protocol's two missed
        assessments; inf if a gap does not censor.
    schedule
        The trial's own assessments, where one number of days cannot say it because the interval changes: progression or
        death then censors at the last assessment before it if `missed` scheduled visits lie between the two, with their
        whole windows.
    missed
        Number of scheduled visits in a row that may not be missed.
    unresolved_counts
        iRECIST: whether an iUPD that nothing evaluable but iUPD follows is a progression at its date.

    Notes
    -----
    FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics (2018), appendix; Seymour et al. 2017
    for iRECIST. That a therapy on the day of progression censors is admiralonco's convention (Creating ADTTE,
    ``PDDT < NACTDT``). Of new therapy and discontinuation the earlier decides.

    Examples
    --------
    >>> Censoring.fda(longest_gap=126).at_new_therapy
    True
    """

    evaluable_only: bool = True
    at_new_therapy: bool = False
    at_discontinuation: bool = False
    needs_baseline: bool = False
    longest_gap: float = np.inf
    unresolved_counts: bool = True
    schedule: Assessments | None = None
    missed: int = 2

    def __repr__(self) -> str:
        return short_repr(self)

    def __post_init__(self) -> None:
        check_flags(
            self, "evaluable_only", "at_new_therapy", "at_discontinuation", "needs_baseline", "unresolved_counts"
        )
        if not as_number(self.longest_gap) > 0:
            raise InvalidValueError("longest_gap", self.longest_gap, "days above 0", "give inf if no gap censors")

        check_kind(self, Assessments, "schedule", optional=True)
        count("missed", self.missed, "visits")
        if self.schedule is not None and self.longest_gap < np.inf:
            got = f"longest_gap={self.longest_gap:g} and a schedule"
            raise InvalidValueError("schedule", got, "one of the two", "leave longest_gap out")

    @classmethod
    def fda(cls, longest_gap: float | Assessments, *, missed: int = 2) -> Censoring:
        """Censor at new therapy, after missed assessments, at discontinuation and without a baseline.

        Parameters
        ----------
        longest_gap
            Days, or the trial's `Assessments`, of which `missed` in a row may not be missed.
        missed
            Number of scheduled visits, if a schedule is given.

        Examples
        --------
        >>> from analysis.conventions import WEEK
        >>> every_8_then_12 = Assessments.changing([(8 * WEEK, 24 * WEEK), (12 * WEEK, None)], window=1 * WEEK)
        >>> Censoring.fda(every_8_then_12).schedule is every_8_then_12
        True
        """
        if isinstance(longest_gap, Assessments):
            return cls(True, True, True, True, schedule=longest_gap, missed=missed)
        return cls(True, True, True, True, longest_gap)

    @cached_property
    def compiled(self) -> CompiledRule:
        """What `events.progression_or_death` reads."""
        return (
            self.evaluable_only,
            self.at_new_therapy,
            self.at_discontinuation,
            self.needs_baseline,
            self.unresolved_counts,
            float(self.longest_gap),
            *self._scheduled,
            self.missed,
        )

    @property
    def _scheduled(self) -> tuple[Floats, Floats]:
        """First and last day of the window of each scheduled visit, for as long as anybody is followed."""
        if self.schedule is None:
            return np.zeros(0), np.zeros(0)
        visits, window = self.schedule.scheduled(LONGEST), self.schedule.window
        opens, closes = (np.round(DAYS_PER_MONTH * (visits + side * window), 6) for side in (-1, 1))
        return opens, closes


EVENT_OR_LAST_ASSESSMENT = Censoring()
"""Progression or death whenever they come, else the last evaluable assessment, else the reference date."""


class TimeEndpoint(Protocol):
    """A time that is read off a patient's history; None for a patient it does not exist for."""

    def derive(self, history: ResponseHistory) -> Duration | None:
        """Derive the time for one patient."""


@border
@dataclass(frozen=True)
class ProgressionFreeSurvival:
    """Reference date to progression or death; iPFS for a history of iRECIST responses.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> scans = [date(2024, 2, 26), date(2024, 4, 22), date(2024, 6, 17)]
    >>> seen = ResponseHistory("S1", date(2024, 1, 1), scans, ["iUPD", "NE", "iCPD"], "iRECIST")
    >>> ProgressionFreeSurvival().derive(seen)
    Duration(days=56.0, event=True, reason='progression', start=..., end=datetime.date(2024, 2, 26))
    """

    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT

    def __post_init__(self) -> None:
        check_kind(self, Censoring, "censoring")

    def derive(self, history: ResponseHistory) -> Duration:
        """Derive the time for one patient."""
        days, event, reason = events.progression_or_death(
            history.code,
            history.day,
            len(history.code),
            history.stop,
            history.has_baseline,
            history.days_to(history.death),
            history.days_to(history.new_therapy),
            history.days_to(history.discontinuation),
            self.censoring.compiled,
        )
        end = history.on_day(days)
        return Duration(float(days), bool(event), events.REASONS[reason], history.reference, end)


def since(start: date, duration: Duration) -> Duration:
    """Count a duration from a later start."""
    return Duration(
        max(float((duration.end - start).days), 0.0), duration.event, duration.reason, start, max(start, duration.end)
    )


@strict_border
@dataclass(frozen=True)
class DurationOfResponse:
    """First CR or PR (confirmed, if `confirmation` is given) to progression or death, among responders.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> DurationOfResponse().derive(history).days
    56.0
    """

    confirmation: Confirmation | None = None
    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT

    def __post_init__(self) -> None:
        check_kind(self, Confirmation, "confirmation", optional=True)
        check_kind(self, Censoring, "censoring")

    def derive(self, history: ResponseHistory) -> Duration | None:
        """Derive the time for one patient; None for a patient without a response."""
        response = TimeToResponse(self.confirmation).derive(history)
        return response and since(response.end, ProgressionFreeSurvival(self.censoring).derive(history))


@border
@dataclass(frozen=True)
class TimeToResponse:
    """Reference date to the first CR or PR (the first that is later confirmed), among responders.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> TimeToResponse().derive(history).days
    56.0
    """

    confirmation: Confirmation | None = None

    def __post_init__(self) -> None:
        check_kind(self, Confirmation, "confirmation", optional=True)

    def derive(self, history: ResponseHistory) -> Duration | None:
        """Derive the time for one patient; None for a patient without a response."""
        index = sequences.first_response(history.code, history.day, history.kept(), compiled(self.confirmation))
        if index < 0:
            return None
        return Duration(float(history.day[index]), True, "response", history.reference, history.dates[index])


@border
@dataclass(frozen=True)
class DurationOfDiseaseControl:
    """Reference date to progression or death, among patients whose best response is disease control.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> DurationOfDiseaseControl().derive(history).days
    112.0
    """

    best: BestOverallResponse = field(default_factory=BestOverallResponse)
    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT

    def __post_init__(self) -> None:
        check_kind(self, BestOverallResponse, "best")
        check_kind(self, Censoring, "censoring")

    def derive(self, history: ResponseHistory) -> Duration | None:
        """Derive the time for one patient; None for a patient without disease control."""
        controlled = is_controlled(self.best.derive(history), history)
        return ProgressionFreeSurvival(self.censoring).derive(history) if controlled else None
