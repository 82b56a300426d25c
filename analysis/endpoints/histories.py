"""One patient's responses in order of date, with what else decides an endpoint: death, new therapy, discontinuation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.border import strict_border
from analysis.endpoints.codes import Criteria, code_list
from analysis.endpoints.options import as_date
from analysis.endpoints.sequences import STOP, up_to
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@strict_border
@dataclass(frozen=True)
class Sizes:
    """Sums of target diameters behind a history.

    Parameters
    ----------
    baseline
        Sum at baseline, mm.
    date
        Date of the baseline scan.
    sums
        Sum at each assessment, mm; NaN where a target is missing.

    Examples
    --------
    >>> from datetime import date
    >>> Sizes(50.0, date(2024, 1, 1), (30.0, 60.0)).baseline
    50.0
    """

    baseline: float
    date: date
    sums: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, given in (("baseline", (self.baseline,)), ("sums", self.sums)):
            if any(size < 0 or size == np.inf for size in given):
                raise InvalidValueError(name, getattr(self, name), "millimetres of at least 0", "correct the sum")


@strict_border
@dataclass(frozen=True)
class ResponseHistory:
    """The responses of one patient by one reader.

    Parameters
    ----------
    subject
        Identifier of the patient.
    reference
        Date of randomisation or of the first dose: what windows and times are counted from.
    dates
        Dates of the assessments, in order; two on one day keep the order given.
    responses
        Overall response at each, a term of the criteria; None where a record carries no response.
    criteria
        ``"RECIST 1.1"`` or ``"iRECIST"``.
    death, new_therapy, discontinuation
        Dates of death, of the start of a new anticancer therapy, of clinical progression or the end of follow-up for
        response; None if they did not happen.
    has_baseline
        Whether the patient had a baseline assessment.
    sizes
        Sums of target diameters; None where only responses are known.

    Attributes
    ----------
    code, day
        Code of each response, and days from the reference date to it, shape (assessments,).

    Raises
    ------
    InvalidValueError
        If the dates go back or their number is not that of the responses.
    UnknownNameError
        If a response is not a term of the criteria.

    Examples
    --------
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["SD", "PD"])
    >>> history.day.tolist()
    [56.0, 112.0]
    """

    subject: str
    reference: date
    dates: Sequence[date]
    responses: Sequence[str | None]
    criteria: Criteria = "RECIST 1.1"
    death: date | None = None
    new_therapy: date | None = None
    discontinuation: date | None = None
    has_baseline: bool = True
    sizes: Sizes | None = None
    code: NDArray[np.int8] = field(init=False, repr=False, compare=False)
    day: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for given in ("dates", "responses"):
            value = getattr(self, given)
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise InvalidValueError(given, value, "a sequence", "give a list, empty if there is no assessment")
        object.__setattr__(self, "reference", as_date("reference", self.reference))
        object.__setattr__(self, "dates", tuple(as_date("dates", when) for when in self.dates))
        object.__setattr__(self, "responses", tuple(self.responses))
        for happened in ("death", "new_therapy", "discontinuation"):
            if getattr(self, happened) is not None:
                object.__setattr__(self, happened, as_date(happened, getattr(self, happened)))
        if len(self.dates) != len(self.responses):
            raise InvalidValueError(
                "responses", self.responses, f"one for each of {len(self.dates)} dates", "use None where one is missing"
            )
        for before, after in zip(self.dates, self.dates[1:], strict=False):
            if after < before:
                raise InvalidValueError(
                    "dates", str(after), f"a date not before {before}", "sort the assessments by date"
                )
        if self.sizes is not None and len(self.sizes.sums) != len(self.dates):
            raise InvalidValueError(
                "sizes", self.sizes.sums, f"one for each of {len(self.dates)} dates", "use NaN where one is missing"
            )
        terms = code_list(self.criteria)
        code = np.array([terms.code(response) for response in self.responses], dtype=np.int8)
        day = np.array([float((when - self.reference).days) for when in self.dates])
        code.flags.writeable = day.flags.writeable = False
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "day", day)

    @property
    def stop(self) -> int:
        """Code of the response after which records no longer count: PD or iCPD."""
        return STOP[self.criteria]

    def days_to(self, when: date | None) -> float:
        """Days from the reference date; inf if it did not happen."""
        return np.inf if when is None else float((when - self.reference).days)

    def on_day(self, day: float) -> date:
        """Date that lies so many days after the reference date."""
        return self.reference + timedelta(days=round(day))

    def kept(self, cut_at_progression: bool = True) -> int:
        """Count the records that an endpoint may use: up to and including the first PD, and before any new therapy."""
        n = int(np.searchsorted(self.day, self.days_to(self.new_therapy), side="left"))
        return int(up_to(self.code, n, self.stop)) if cut_at_progression else n

    def until(self, when: date) -> ResponseHistory:
        """Keep the records up to and including a date, e.g. a date of progression that another source gives."""
        kept = sum(at <= as_date("when", when) for at in self.dates)
        sizes = self.sizes and replace(self.sizes, sums=self.sizes.sums[:kept])
        return replace(self, dates=self.dates[:kept], responses=self.responses[:kept], sizes=sizes)
