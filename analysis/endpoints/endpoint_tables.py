"""Endpoints of a trial's patients as a frame, and summarised by reader: rates, medians of times, medians of sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import pandas as pd
from scipy.stats import binomtest

from analysis.conventions.border import border
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.endpoints.codes import IRECIST, RECIST
from analysis.endpoints.options import as_number
from analysis.errors import InvalidValueError
from analysis.survival import kaplan_meier

if TYPE_CHECKING:
    from analysis.endpoints.histories import ResponseHistory
    from analysis.endpoints.response import Derived
    from analysis.endpoints.size_measures import Measured
    from analysis.endpoints.time_to_event import Duration

FIELDS = ["value", "per_cent", "days", "event", "reason"]
COLUMNS = ["endpoint", "category", "patients", "count", "statistic", "estimate", "lower", "upper"]
PLACES = {term: place for terms in (RECIST.terms, IRECIST.terms) for place, term in enumerate(terms)}
"""Where a category is listed, from a complete response to no assessment; others come after them."""


class Endpoint(Protocol):
    """Any endpoint: of responses, of disease control, of size, or a time."""

    def derive(self, history: ResponseHistory) -> Derived | Duration | Measured | None:
        """Derive the endpoint for one patient."""


def check_endpoints(endpoints: Mapping[str, Endpoint]) -> None:
    """Check that there is a name for each endpoint, and that each is one."""
    if not isinstance(endpoints, Mapping):
        raise InvalidValueError("endpoints", endpoints, "a dict of names and endpoints", 'give {"BOR": ...}')
    for name, endpoint in endpoints.items():
        if isinstance(endpoint, type) or not hasattr(endpoint, "derive"):
            field = f"endpoints[{name!r}]"
            raise InvalidValueError(field, endpoint, "an endpoint", "build one, e.g. BestOverallResponse()")


@border
def derive_endpoints(
    histories: Mapping[tuple[str, str], ResponseHistory], endpoints: Mapping[str, Endpoint]
) -> pd.DataFrame:
    """Derive endpoints for every patient and reader.

    Parameters
    ----------
    histories
        By subject and evaluator, as `read_responses` gives them.
    endpoints
        The endpoints, by the names that they shall have.

    Returns
    -------
    pandas.DataFrame
        One row for each subject, evaluator and endpoint: value, per_cent, days, event, reason, date. `value` is that
        of a response endpoint, `per_cent` that of a measure of size; `days`, `event` and `reason` are those of a time.
        What does not exist for a patient has no row.

    Raises
    ------
    InvalidValueError
        If the endpoints are no dict of endpoints.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import BestOverallResponse, ResponseHistory
    >>> seen = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26)], ["PR"])
    >>> derive_endpoints({("S1", ""): seen}, {"BOR": BestOverallResponse()})["value"].tolist()
    ['PR']
    """
    check_endpoints(endpoints)
    found = []
    for key, history in histories.items():
        for name, endpoint in endpoints.items():
            derived = endpoint.derive(history)
            if derived is not None:
                values = [getattr(derived, field, None) for field in FIELDS]
                found.append((*key, name, *values, getattr(derived, "date", getattr(derived, "end", None))))
    frame = pd.DataFrame(found, columns=["subject", "evaluator", "endpoint", *FIELDS, "date"])
    return frame.astype({"per_cent": float, "days": float})


@border
def summarise(endpoints: pd.DataFrame, *, by: Sequence[str] = ("evaluator",), level: float = 0.95) -> pd.DataFrame:
    """Summarise endpoints over patients.

    Parameters
    ----------
    endpoints
        As `derive_endpoints` lays them out.
    by
        Columns whose values are summarised apart, as ``("arm", "evaluator")``.
    level
        Two-sided confidence level.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then endpoint, category, patients, count, statistic, estimate, lower, upper. A response
        endpoint has a row for each category that somebody has, best first, ``"Y"`` alone where it asks a question: the
        `count` of patients in it, and their rate in per cent with exact (Clopper-Pearson) limits. A time has its number
        of events as `count`, and its Kaplan-Meier median in months, the first day counted as in ADTTE, with log-log
        limits. A size has its median in per cent with its quartiles.

    Raises
    ------
    InvalidValueError
        If the level is not between 0 and 1, a column is missing, or a subject has an endpoint twice in a part.

    Examples
    --------
    >>> frame = pd.DataFrame({"evaluator": "", "endpoint": "ORR", "value": ["Y", "N", "N", "N"]})
    >>> summarise(frame.assign(per_cent=None, days=None, event=None))[["count", "estimate"]].values.tolist()
    [[1.0, 25.0]]
    """
    if not 0 < as_number(level) < 1:
        raise InvalidValueError("level", level, "a level between 0 and 1", "give 0.95 for 95%")
    needed = (*by, "endpoint", "value", "per_cent", "days", "event")
    missing = [name for name in needed if name not in getattr(endpoints, "columns", ())]
    if missing:
        got = f"a table without {', '.join(missing)}"
        raise InvalidValueError("endpoints", got, "the table that derive gives", "give derive(...).endpoints")
    _refuse_twice(endpoints, by)
    had = {str(name): set(of["value"].dropna()) for name, of in endpoints.groupby("endpoint", sort=False)}
    rows: list[tuple[object, ...]] = []
    for key, of in endpoints.groupby([*by, "endpoint"], sort=False, dropna=False):
        value, size, days = of["value"].dropna(), of["per_cent"].dropna().astype(float), of["days"].dropna()
        if len(value):
            values = had[str(key[-1])]
            for category in ["Y"] if values <= {"Y", "N"} else sorted(values, key=_place):
                count = int((value == category).sum())
                limits = binomtest(count, len(value)).proportion_ci(level, method="exact")
                rate = (100 * count / len(value), 100 * limits.low, 100 * limits.high)
                rows.append((*key, category, len(value), count, "rate, per cent", *rate))
        if len(size):
            middle, low, high = size.quantile([0.5, 0.25, 0.75])
            rows.append((*key, None, len(size), len(size), "median and quartiles, per cent", middle, low, high))
        if len(days):
            event = of.loc[days.index, "event"].astype(bool)
            curve = kaplan_meier((days.astype(float) + 1) / DAYS_PER_MONTH, event)
            limits = curve.median_ci(level, scale="log-log")
            rows.append((*key, None, len(days), int(event.sum()), "median, months", curve.median(), *limits))
    return pd.DataFrame(rows, columns=[*by, *COLUMNS])


def _place(category: str) -> tuple[int, str]:
    return PLACES.get(category, len(PLACES)), category


def _refuse_twice(endpoints: pd.DataFrame, by: Sequence[str]) -> None:
    """Refuse a subject that would count twice: endpoints of two sources (TR and RS), or of two criteria."""
    if "subject" not in endpoints.columns:
        return
    twice = endpoints.duplicated(["subject", *by, "endpoint"])
    if twice.any():
        first = endpoints[twice].iloc[0]
        got = f"{first['endpoint']} of {first['subject']} twice"
        remedy = "select one source or criterion, as table[table['SRCDOM'] == 'TR'], or name it in by="
        raise InvalidValueError("endpoints", got, f"each endpoint of a subject once by {', '.join(by)}", remedy)
