"""Frames as they come from a trial: columns taken by their CDISC or plain names, text, numbers and dates read."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Old = TypeVar("Old")
New = TypeVar("New")

Names = tuple[str, ...]
Column = list[str | None]
"""Text of a column, None where it is missing."""
Table = dict[str, Column]
"""Columns of one length by their plain names."""

SAS_EPOCH = date(1960, 1, 1)
WRITE_DATES = "write YYYY-MM-DD"
SAS_DAYS = f"read as days from {SAS_EPOCH}, or seconds, as SAS counts them; give dates as dates if they are not"
SUBJECT: Names = ("USUBJID", "SUBJID", "subject")
VISIT: Mapping[str, Names] = {"visit_number": ("VISITNUM", "visit_number"), "visit": ("VISIT", "visit")}


def columns(frame: pd.DataFrame, needed: Mapping[str, Names], optional: Mapping[str, Names], name: str) -> Table:
    """Take the known columns of a frame under their plain names, as text; what is not there is missing.

    An evaluator and a reader become one ``"evaluator"``, empty where neither is given; so is a subject.

    Raises
    ------
    InvalidValueError
        If it is no frame, a needed column is missing under all its names, or a column stands there twice.

    Examples
    --------
    >>> frame = pd.DataFrame({"USUBJID": [7.0], "TREVAL": ["INVESTIGATOR"]})
    >>> optional = {"evaluator": ("TREVAL",), "reader": ("TREVALID",)}
    >>> columns(frame, {"subject": SUBJECT}, optional, "tr")
    {'subject': ['7'], 'evaluator': ['INVESTIGATOR']}
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidValueError(name, type(frame).__name__, "a pandas DataFrame", "read the table into a frame")
    table: Table = {}
    for field, names in {**needed, **optional}.items():
        found = next((column for column in names if column in frame.columns), None)
        if found is not None:
            if list(frame.columns).count(found) > 1:
                raise InvalidValueError(name, found, "each column once", "drop or rename the other")
            table[field] = text(frame[found])
        elif field in needed:
            raise InvalidValueError(name, list(frame.columns), f"a column {' or '.join(names)}", "add or rename it")
        else:
            table[field] = [None] * len(frame)
    if "evaluator" in table:
        both = list(zip(table["evaluator"], table.pop("reader"), strict=True))
        table["evaluator"] = each(lambda names: " ".join(filter(None, names)), both)
    if "visit_number" in table:
        table["visit_number"] = each(lambda n: None if math.isnan(n) else f"{n:g}", numbers(table["visit_number"]))
    table["subject"] = [subject or "" for subject in table["subject"]]
    return table


def text(column: pd.Series[str]) -> Column:
    """Write a column as stripped text, missing where it is blank; whole numbers are written without a point."""
    if pd.api.types.infer_dtype(column) in ("string", "date"):  # in others 1 and True would be one value
        place, distinct = pd.factorize(column)
        return list(np.array([*map(_written, distinct), None], dtype=object)[place])
    values: Iterable[object] = column
    if column.dtype.kind == "f" and (column.dropna().astype(float) % 1 == 0).all():
        values = column.astype("Int64")
    elif column.dtype.kind == "M":
        values = column.astype("string")
    return [_written(value) for value in values]


def _written(value: Any) -> str | None:
    """Write a value as stripped text, None where it is blank; bytes, as a SAS file has them, are decoded."""
    if isinstance(value, str):
        return value.strip() or None
    if pd.isna(value) is True:
        return None
    return _written(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def each(change: Callable[[Old], New], column: Sequence[Old]) -> list[New]:
    """Change every value of a column, computing once for each distinct one."""
    known = {value: change(value) for value in set(column)}
    return [known[value] for value in column]


def numbers(column: Sequence[str | None]) -> list[float]:
    """Read numbers; NaN where there is none."""
    distinct = list(set(column))
    read = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce").astype(float)
    known = dict(zip(distinct, read.tolist(), strict=True))
    return [known[value] for value in column]


class Day(NamedTuple):
    """The first and the last day that a written date can be: one day, a month, or a year."""

    first: date
    last: date


def dates(column: Column) -> list[Day | None]:
    """Read ISO dates, None where there is none, and days or seconds that SAS counts from 1960; see `is_sas_date`.

    Examples
    --------
    >>> [day and day.last for day in dates(["2024-02-26T10:30", "2024-02", "soon", "23432"])]
    [datetime.date(2024, 2, 26), datetime.date(2024, 2, 29), None, datetime.date(2024, 2, 26)]
    """
    return each(_day, column)


def is_sas_date(written: str | None) -> bool:
    """Whether a number can be a SAS date, days from 1960-01-01, or a SAS datetime, seconds: from 1987 on.

    Examples
    --------
    >>> [is_sas_date(word) for word in ("23432", "2024525000", "20240226", "2024")]
    [True, True, False, False]
    """
    return re.fullmatch(r"[12]\d{4}(\d{5})?(\.0+)?", written or "") is not None


def _day(written: str | None) -> Day | None:
    """Read one date; what a frame of dates cannot hold is no date."""
    if written is not None and is_sas_date(written):
        count = int(float(written))
        return Day(*[SAS_EPOCH + timedelta(seconds=count) if count > 10**8 else SAS_EPOCH + timedelta(days=count)] * 2)
    day = (written or "")[:10].strip().rstrip("-")
    layout = {4: "%Y", 7: "%Y-%m"}.get(len(day), "%Y-%m-%d")
    try:
        first = datetime.strptime(day, layout).date()
    except ValueError:
        return None
    last = first
    if layout == "%Y":
        last = first.replace(month=12, day=31)
    elif layout == "%Y-%m":
        last = first.replace(day=monthrange(first.year, first.month)[1])
    if not (pd.Timestamp.min.date() < first and last < pd.Timestamp.max.date()):
        return None
    return Day(first, last)


def label_key(label: str | None) -> str:
    """Bring a label to what tells it from others: case and blanks do not."""
    return " ".join((label or "").upper().split())


def visit_labels(table: Table, days: Sequence[Day | None]) -> list[str]:
    """Name the visits: by their label, with the number where one label has several; else by number, else by day.

    Labels that differ in case or blanks are one, written as they first stand.

    Examples
    --------
    >>> table = {"subject": ["S1"] * 3, "evaluator": [""] * 3, "visit": ["WEEK 8", "UNSCHEDULED", "UNSCHEDULED"]}
    >>> visit_labels(table | {"visit_number": ["2", "2.1", "3.1"], "date": ["2024-01-01"] * 3}, [None] * 3)
    ['WEEK 8', 'UNSCHEDULED 2.1', 'UNSCHEDULED 3.1']
    """
    first: dict[str, str] = {}
    table = {**table, "visit": [name and first.setdefault(label_key(name), name) for name in table["visit"]]}
    fields = ("subject", "evaluator", "visit", "visit_number")
    known = defaultdict[tuple[str | None, ...], set[str]](set)
    for *place, number in dict.fromkeys(zip(*(table[field] for field in fields), strict=True)):
        if number is not None:
            known[tuple(place)].add(number)
    several = {place for place, found in known.items() if len(found) > 1}
    labels = []
    for *place, number, written, day in zip(*(table[field] for field in fields), table["date"], days, strict=True):
        label = place[2]
        if label is not None and several and tuple(place) in several:
            label = None if number is None else f"{label} {number}"
        by_number = None if number is None else f"VISIT {number}"
        labels.append(label or by_number or str(written or "" if day is None else day.last))
    return labels
