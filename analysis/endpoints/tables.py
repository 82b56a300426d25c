"""Frames as they come from a trial: columns taken by their CDISC or plain names, text, numbers and dates read."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

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


def date_remedy(written: str | None) -> str:
    """Say how to write a date that cannot be read; a number of five digits may be one of SAS.

    Examples
    --------
    >>> date_remedy("soon")
    'write YYYY-MM-DD'
    >>> "it is 2014-01-02" in date_remedy("19725")
    True
    """
    if written is None or not re.fullmatch(r"[12]\d{4}(\.0+)?", written):
        return "write YYYY-MM-DD"
    day = SAS_EPOCH + timedelta(days=int(float(written)))
    convert = "pd.to_datetime(x, unit='D', origin='1960-01-01')"
    return f"write YYYY-MM-DD; as a SAS date, days from {SAS_EPOCH}, it is {day}: {convert}"


def dates(column: Column) -> tuple[list[date | None], list[bool]]:
    """Read ISO dates, None where there is none; a month without a day is its last day, and said to be partial.

    Examples
    --------
    >>> dates(["2024-02-26T10:30", "2024-02", "soon"])
    ([datetime.date(2024, 2, 26), datetime.date(2024, 2, 29), None], [False, True, False])
    """
    read = each(_day, column)
    return [day for day, _ in read], [is_month for _, is_month in read]


def _day(written: str | None) -> tuple[date | None, bool]:
    """Read one date, and whether it is a month; what a frame of dates cannot hold is no date."""
    day = (written or "")[:10].strip()
    is_month = re.fullmatch(r"\d{4}-\d{2}", day) is not None
    try:
        when = datetime.strptime(day, "%Y-%m" if is_month else "%Y-%m-%d").date()
    except ValueError:
        return None, False
    if is_month:
        when = when.replace(day=monthrange(when.year, when.month)[1])
    if not pd.Timestamp.min.date() < when < pd.Timestamp.max.date():
        return None, False
    return when, is_month


def visit_labels(table: Table, days: Sequence[date | None]) -> list[str]:
    """Name the visits: by their label, with the number where one label has several; else by number, else by day.

    Examples
    --------
    >>> table = {"subject": ["S1"] * 3, "evaluator": [""] * 3, "visit": ["WEEK 8", "UNSCHEDULED", "UNSCHEDULED"]}
    >>> visit_labels(table | {"visit_number": ["2", "2.1", "3.1"], "date": ["2024-01-01"] * 3}, [None] * 3)
    ['WEEK 8', 'UNSCHEDULED 2.1', 'UNSCHEDULED 3.1']
    """
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
        labels.append(label or by_number or str(day or written or ""))
    return labels
