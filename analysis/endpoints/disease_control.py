"""Disease control by its four definitions: as best response, at a landmark scan, until it, free of progression."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from analysis.conventions.border import border, strict_border
from analysis.endpoints import events
from analysis.endpoints.options import check_days, check_kind, check_name
from analysis.endpoints.response import BestOverallResponse, Derived, answer, is_controlled
from analysis.endpoints.time_to_event import EVENT_OR_LAST_ASSESSMENT, Censoring, ProgressionFreeSurvival

if TYPE_CHECKING:
    from analysis.endpoints.histories import ResponseHistory

ControlDefinition = Literal["control at landmark", "control until landmark", "progression-free at landmark"]
DEFINITIONS: tuple[ControlDefinition, ...] = get_args(ControlDefinition)
"""Of disease control at a landmark, in the order in which they are derived together."""
UnconfirmedAs = Literal["failure", "control", "resolved later"]


@border
@dataclass(frozen=True)
class ControlAsBestResponse:
    """Whether the best overall response is CR, PR, SD or NON-CR/NON-PD.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> ControlAsBestResponse().derive(history).value
    'Y'
    """

    best: BestOverallResponse = field(default_factory=BestOverallResponse)

    def __post_init__(self) -> None:
        check_kind(self, BestOverallResponse, "best")

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        found = self.best.derive(history)
        return Derived("Y", found.date, found.index) if is_controlled(found, history) else Derived("N")


@border
@dataclass(frozen=True)
class ControlAtLandmark:
    """Whether the scan at the landmark shows disease control. A patient without an evaluable scan there is a failure.

    Parameters
    ----------
    landmark
        Days after the reference date.
    before, after
        Days by which the scan may be early or late.
    unconfirmed
        How an iUPD at the landmark counts: ``"failure"``, ``"control"``, or by ``"resolved later"``: control if a
        later scan shows iCR, iPR or iSD before any iCPD, failure if it is confirmed or nothing follows.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> scans = [date(2024, 2, 26), date(2024, 4, 22), date(2024, 6, 17)]
    >>> seen = ResponseHistory("S1", date(2024, 1, 1), scans, ["iSD", "iUPD", "iPR"], "iRECIST")
    >>> [ControlAtLandmark(112, unconfirmed=how).derive(seen).value for how in ("failure", "resolved later")]
    ['N', 'Y']
    """

    landmark: int
    before: int = 14
    after: int = 14
    unconfirmed: UnconfirmedAs = "failure"

    def __post_init__(self) -> None:
        check_days(self, "landmark", "before", "after")
        check_name(self, "unconfirmed", events.UNCONFIRMED)

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        index = events.status_at(
            history.code,
            history.day,
            history.kept(),
            history.stop,
            float(self.landmark),
            float(self.before),
            float(self.after),
            events.UNCONFIRMED.index(self.unconfirmed),
        )
        return answer(history, index)


@border
@dataclass(frozen=True)
class ControlUntilLandmark:
    """Whether disease control lasted at least until the landmark.

    It was seen at the landmark (less `before` days) or later, and neither death nor progression came up to the day of
    the landmark.

    Parameters
    ----------
    landmark
        Days after the reference date.
    before
        Days by which the scan that shows control may be early.
    censoring
        How progression is dated, as for `ProgressionFreeSurvival`: under iRECIST an iUPD that is resolved later is
        none.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> scans = [date(2024, 2, 26), date(2024, 4, 10), date(2024, 4, 20)]
    >>> seen = ResponseHistory("S1", date(2024, 1, 1), scans, ["SD", "SD", "PD"])
    >>> [ControlUntilLandmark(day).derive(seen).value for day in (105, 112)]
    ['Y', 'N']
    """

    landmark: int
    before: int = 14
    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT

    def __post_init__(self) -> None:
        check_days(self, "landmark", "before")
        check_kind(self, Censoring, "censoring")

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        seen = ProgressionFreeSurvival(self.censoring).derive(history)
        lost = min(seen.days if seen.event else np.inf, history.days_to(history.death))
        index = events.control_until(
            history.code, history.day, history.kept(), history.stop, float(self.landmark), float(self.before), lost
        )
        return answer(history, index)


@strict_border
@dataclass(frozen=True)
class ProgressionFreeAtLandmark:
    """Whether progression or death came after the landmark's window, or was looked for in vain up to the window.

    A patient censored before is a failure. A progression that the next scan after the landmark shows is a success
    here, a failure of `ControlUntilLandmark` if the landmark's scan is missing.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> ProgressionFreeAtLandmark(90).derive(history).value
    'Y'
    """

    landmark: int
    before: int = 14
    after: int = 14
    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT

    def __post_init__(self) -> None:
        check_days(self, "landmark", "before", "after")
        check_kind(self, Censoring, "censoring")

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        seen = ProgressionFreeSurvival(self.censoring).derive(history)
        free = events.is_free_at(seen.days, seen.event, self.landmark, self.before, self.after)
        return Derived("Y" if free else "N", seen.end)
