"""Frames as they come from a trial: columns taken by their CDISC or plain names, text and dates read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Names = tuple[str, ...]

SUBJECT: Names = ("USUBJID", "SUBJID", "subject")
VISIT: Mapping[str, Names] = {"visit_number": ("VISITNUM", "visit_number"), "visit": ("VISIT", "visit")}
PLACE = ["subject", "evaluator", "visit"]


def columns(frame: pd.DataFrame, needed: Mapping[str, Names], optional: Mapping[str, Names], name: str) -> pd.DataFrame:
    """Take the known columns of a frame under their plain names, as text; what is not there is missing.

    An evaluator and a reader become one ``"evaluator"``, empty where neither is given.

    Raises
    ------
    InvalidValueError
        If it is no frame, a needed column is missing under all its names, or a column stands there twice.

    Examples
    --------
    >>> frame = pd.DataFrame({"USUBJID": [7.0], "TREVAL": ["INVESTIGATOR"]})
    >>> optional = {"evaluator": ("TREVAL",), "reader": ("TREVALID",)}
    >>> columns(frame, {"subject": SUBJECT}, optional, "tr").values.tolist()
    [['7', 'INVESTIGATOR']]
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidValueError(name, type(frame).__name__, "a pandas DataFrame", "read the table into a frame")
    out: dict[str, pd.Series[str]] = {}
    for field, names in {**needed, **optional}.items():
        found = next((column for column in names if column in frame.columns), None)
        if found is not None:
            if list(frame.columns).count(found) > 1:
                raise InvalidValueError(name, found, "each column once", "drop or rename the other")
            out[field] = text(frame[found])
        elif field in needed:
            raise InvalidValueError(name, list(frame.columns), f"a column {' or '.join(names)}", "add or rename it")
        else:
            out[field] = pd.Series(np.full(len(frame), None, dtype=object), dtype="string")
    taken = pd.DataFrame(out)
    if "evaluator" in taken:
        evaluator, reader = taken["evaluator"].fillna(""), taken["reader"].dropna()
        named = (evaluator[reader.index] + " " + reader).str.strip()
        taken["evaluator"] = evaluator.mask(taken["reader"].notna(), named)
        taken = taken.drop(columns="reader")
    if "visit_number" in taken:
        place, written = distinct(taken["visit_number"])
        number = pd.to_numeric(written, errors="coerce").astype("Float64")
        taken["visit_number"] = spread(number.map("{:g}".format, na_action="ignore").astype("string"), place)
    taken["subject"] = taken["subject"].fillna("")
    return taken


def text(column: pd.Series[str]) -> pd.Series[str]:
    """Write a column as stripped text, missing where it is blank; whole numbers are written without a point."""
    plain = column.reset_index(drop=True)
    whole = plain.dtype.kind == "f" and bool((plain.dropna().astype(float) % 1 == 0).all())
    place, values = distinct(plain if plain.dtype.kind == "f" else plain.astype("string"))
    shown = (values.astype("Int64") if whole else values).astype("string").str.strip()
    return spread(shown.mask(shown == ""), place)


def distinct(column: pd.Series[Any]) -> tuple[NDArray[np.intp], pd.Series[Any]]:
    """Distinct values of a column, and which of them each row has, -1 where it is missing."""
    place, values = pd.factorize(column)
    return place, pd.Series(values)


def spread(values: pd.Series[Any], place: NDArray[np.intp]) -> pd.Series[Any]:
    """Put distinct values back where each stood; missing where the place is -1."""
    return pd.Series(values.array.take(place, allow_fill=True))


def dates(column: pd.Series[str]) -> tuple[pd.Series[pd.Timestamp], pd.Series[bool]]:
    """Read ISO dates; a month without a day is its last day. Returns the dates and which of them were partial."""
    place, written = distinct(column.astype("string"))
    day = written.str.strip().str.slice(0, 10)
    partial = day.str.fullmatch(r"\d{4}-\d{2}").fillna(False).astype(bool)
    whole = pd.to_datetime(day.where(~partial), format="%Y-%m-%d", errors="coerce")
    months = pd.to_datetime(day.where(partial), format="%Y-%m", errors="coerce") + pd.offsets.MonthEnd(0)
    read, which = spread(whole.fillna(months), place), spread(partial.astype("boolean"), place)
    return read.set_axis(column.index), which.fillna(False).astype(bool).set_axis(column.index)


def visit_labels(frame: pd.DataFrame) -> pd.Series[str]:
    """Name the visits: by their label, with the number where one label has several; else by number, else by date.

    Examples
    --------
    >>> frame = pd.DataFrame({"subject": "S1", "evaluator": "", "visit": ["WEEK 8", "UNSCHEDULED", "UNSCHEDULED"]})
    >>> visit_labels(frame.assign(visit_number=["2", "2.1", "3.1"], date="2024-01-01")).tolist()
    ['WEEK 8', 'UNSCHEDULED 2.1', 'UNSCHEDULED 3.1']
    """
    number, label = (frame[field].astype("string") for field in ("visit_number", "visit"))
    several = (frame.groupby(PLACE)["visit_number"].transform("nunique") > 1).fillna(False).astype(bool)
    label = label.mask(several, label[several] + " " + number[several])
    return label.fillna("VISIT " + number[label.isna()]).fillna(frame["date"].astype("string")).fillna("")
