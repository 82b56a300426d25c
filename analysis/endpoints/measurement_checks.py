"""What the measurements of one patient by one reader can contradict, each check a function of the rows."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from analysis.endpoints.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

NON_TARGET_STATES = {
    "ABSENT": "absent",
    "RESOLVED": "absent",
    "NORMAL": "absent",
    "PRESENT": "present",
    "STABLE": "present",
    "DECREASED": "present",
    "EQUIVOCAL": "present",
    "INCREASED": "present",
    "UNEQUIVOCAL PROGRESSION": "progression",
    "UNEQUIVOCAL": "progression",
    "PROGRESSION": "progression",
    "PD": "progression",
    "NOT EVALUABLE": "missing",
    "NOT DONE": "missing",
    "NE": "missing",
    "": "missing",
}
"""States of non-target and new lesions. A new lesion is there if it is present, progressing or measured."""

MEASURED = {"LDIAM", "DIAMETER", "LPERP", "SAXIS"}


class Row(NamedTuple):
    """One measurement."""

    subject: str
    evaluator: str
    visit: str
    visit_number: float
    date: pd.Timestamp
    lesion: str
    group: str
    test: str
    text: str
    value: float
    unit: str
    organ: str | None


def finding(severity: Literal["error", "warning"], rule: str, row: Row, message: str, consequence: str) -> Finding:
    """Build a finding at a row."""
    return Finding(severity, rule, row.subject, row.evaluator, row.visit, message, consequence)


def units(rows: list[Row]) -> Iterator[Finding]:
    """Diameters in anything but mm."""
    seen = {row.unit: row for row in rows if row.test in MEASURED}
    for unit, row in seen.items():
        if unit != "mm":
            message = f"{row.lesion} is {row.value:g} {unit}" + (", others are in mm" if "mm" in seen else "")
            yield finding("error", "unit", row, message, "convert diameters to mm")


def impossible(rows: list[Row]) -> Iterator[Finding]:
    """Diameters below 0."""
    for row in rows:
        if row.test in MEASURED and row.value < 0:
            yield finding("error", "diameter", row, f"{row.lesion} is {row.value:g} mm", "give at least 0 mm")


def duplicates(rows: list[Row]) -> Iterator[Finding]:
    """One lesion with two values at one visit, or two visits on one day."""
    known: dict[tuple[str, str, str], Row] = {}
    days: dict[pd.Timestamp, Row] = {}
    for row in rows:
        before = known.setdefault((row.visit, row.lesion, row.test), row)
        if before.text != row.text:
            message = f"{row.lesion} {row.test} is {before.text} and {row.text}"
            yield finding("error", "duplicate visit", row, message, "keep one of them")
        other = days.setdefault(row.date, row)
        if other.visit != row.visit:
            yield finding("error", "duplicate visit", row, f"same date as {other.visit}", "keep one of them")
            days[row.date] = row


def order(rows: list[Row]) -> Iterator[Finding]:
    """Visit numbers that go up while the dates go down."""
    first: dict[float, Row] = {}
    for row in rows:
        if row.visit_number == row.visit_number:
            known = first.setdefault(row.visit_number, row)
            first[row.visit_number] = min(known, row, key=lambda one: one.date)
    visits = [first[number] for number in sorted(first)]
    for before, after in pairwise(visits):
        if after.date < before.date:
            message = f"{after.date:%Y-%m-%d} is before {before.visit} ({before.date:%Y-%m-%d})"
            yield finding("error", "dates out of order", after, message, "correct the date")


def states(rows: list[Row]) -> Iterator[Finding]:
    """States outside the code list."""
    for row in rows:
        if row.test == "TUMSTATE" and row.text not in NON_TARGET_STATES:
            message = f"{row.lesion} is {row.text!r}"
            yield finding(
                "error", "state outside the code list", row, message, f"use one of {sorted(NON_TARGET_STATES)}"
            )


def groups(rows: list[Row]) -> Iterator[Finding]:
    """Find groups that are neither target, non-target nor new."""
    for row in rows:
        if not row.group.startswith(("TARGET", "NON-TARGET", "NEW")):
            yield finding("error", "group", row, f"{row.lesion} is {row.group!r}", "use TARGET, NON-TARGET or NEW")


CHECKS = (units, impossible, duplicates, order, states, groups)
"""Checks that leave a patient out. A new check is a new function in this list."""


def check(rows: list[Row]) -> list[Finding]:
    """Run every check on one patient's rows by one reader."""
    return [found for run in CHECKS for found in run(rows)]
