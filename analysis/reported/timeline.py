"""A trial in time: when patients came in, and when its data were cut."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from pydantic import ConfigDict

from analysis.conventions.border import strict_border
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.errors import InvalidValueError
from analysis.reported.number import Reported
from analysis.reported.reading import as_date

if TYPE_CHECKING:
    from analysis.reported.comparison import ReportedComparison


@strict_border
@dataclass(frozen=True)
class TrialTimeline:
    """When patients entered a trial and when its data were cut, printed or assumed.

    Parameters
    ----------
    first_patient_in
        Date of the first patient's entry: month 0 of the trial.
    last_patient_in
        Date, or months after the first patient, as a number or with their unit (``"18 months"``); None where it is not
        known.
    cutoffs
        Data cut-offs that the reports do not print, by the id of a comparison or the name of an analysis
        (``"interim"``): dates, or months after the first patient in the same way. A date that a comparison prints
        counts before these.
    sources, status, note
        Where the dates were read, how they are known, and what was assumed.

    Raises
    ------
    InvalidValueError
        If the last patient came before the first, or the data were cut before the first patient came.

    Examples
    --------
    >>> timeline = TrialTimeline(date(2009, 6, 1), cutoffs={"interim": 20.3})
    >>> round(timeline.month(date(2013, 10, 3)), 1)
    52.1
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    first_patient_in: date
    last_patient_in: date | float | None = None
    cutoffs: Mapping[str, date | float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    status: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_patient_in", as_date(self.first_patient_in, "first_patient_in"))
        object.__setattr__(self, "last_patient_in", _read("last_patient_in", self.last_patient_in))
        cutoffs = {name: _read(f"cutoffs[{name!r}]", when) for name, when in self.cutoffs.items()}
        object.__setattr__(self, "cutoffs", cutoffs)
        last = self.months_of_accrual
        if last is not None and last <= 0:
            expected = f"a date after the first patient's, {self.first_patient_in}"
            raise InvalidValueError("last_patient_in", str(self.last_patient_in), expected, "check both dates")
        for name, cutoff in self.cutoffs.items():
            self._after_the_first(f"cutoffs[{name!r}]", cutoff)

    @property
    def months_of_accrual(self) -> float | None:
        """Months from the first to the last patient; None where it is not known."""
        return None if self.last_patient_in is None else self.month(self.last_patient_in)

    def month(self, when: date | float) -> float:
        """Months from the first patient to a date; months are given back."""
        if isinstance(when, date):
            return (when - self.first_patient_in).days / DAYS_PER_MONTH
        return float(when)

    def cutoff_of(self, comparison: "ReportedComparison") -> float | None:
        """Month at which the data of a comparison were cut; None where nothing says it.

        Raises
        ------
        InvalidValueError
            If the data were cut before the first patient came.
        """
        for when in (comparison.cutoff, self.cutoffs.get(comparison.id), self.cutoffs.get(comparison.analysis or "")):
            if when is not None:
                self._after_the_first(f"{comparison.id or comparison.endpoint}.cutoff", when)
                return self.month(when)
        return None

    def _after_the_first(self, field: str, when: date | float) -> None:
        if not self.month(when) > 0:
            expected = f"a cut-off after the first patient, {self.first_patient_in}"
            raise InvalidValueError(field, str(when), expected, "give a date, or months after the first patient")


def _read(field: str, when: object) -> date | float | None:
    """Read a date, or months after the first patient, as they may be written."""
    if when is None:
        return None
    with suppress(InvalidValueError):
        return as_date(when, field)
    with suppress(InvalidValueError):
        return Reported.plain(when, "months", field).value
    expected = "a date such as 2009-06-01, or months after the first patient"
    raise InvalidValueError(field, when, expected, 'write date(2009, 6, 1), 18.0 or "18 months"')
