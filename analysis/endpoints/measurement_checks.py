"""What the measurements of one patient by one reader can contradict, each check a function of the rows."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from analysis.endpoints.lesion_terms import NOT_MEASURED, NOT_READ, TESTS
from analysis.records.findings import DataFinding

if TYPE_CHECKING:
    from collections.abc import Iterator

NON_TARGET_STATES = {
    "ABSENT": "absent",
    "NORMAL": "absent",
    "NON-PATHOLOGICAL": "absent",
    "PRESENT": "present",
    "STABLE": "present",
    "DECREASED": "present",
    "EQUIVOCAL": "present",
    "PATHOLOGICAL": "present",
    "INCREASED": "present",
    "UNEQUIVOCAL PROGRESSION": "progression",
    "UNEQUIVOCAL": "progression",
    "PROGRESSION": "progression",
    "PD": "progression",
    **dict.fromkeys(NOT_MEASURED, "missing"),
}
"""States of non-target and new lesions. A new lesion is there if it is present, progressing or measured."""

Date = date
OTHERS = ("NON-TARGET", "NEW")
MEASURED = {"LDIAM", "DIAMETER", "LPERP", "SAXIS"}
LONGEST_VISIT = timedelta(days=28)
"""Scans of one visit are no further apart: baseline scans are made within 4 weeks (Eisenhauer 2009, section 3.1.1)."""
IN_MM = {*MEASURED, "SUMDIAM"}


class Row(NamedTuple):
    """One measurement."""

    subject: str
    evaluator: str
    visit: str
    visit_number: float
    date: date
    lesion: str
    group: str
    test: str
    text: str
    value: float
    unit: str
    organ: str | None
    earliest: Date
    """The first day that the date can be, if it lacks its day; else the date."""
    baseline: bool = False
    """Whether the table itself says that this is a value of the baseline."""


def finding(severity: Literal["error", "warning"], rule: str, row: Row, message: str, consequence: str) -> DataFinding:
    """Build a finding at a row."""
    return DataFinding(severity, rule, row.subject, row.evaluator, row.visit, message, consequence)


def units(rows: list[Row]) -> Iterator[DataFinding]:
    """Diameters in anything but mm, once for each unit."""
    seen: dict[str, Row] = {}
    for row in rows:
        if row.test in IN_MM:
            seen.setdefault(row.unit, row)
    for unit, row in seen.items():
        if unit != "mm":
            message = f"{_named(row)} is {row.value:g} {unit}" + (", others are in mm" if "mm" in seen else "")
            yield finding("error", "unit", row, message, "convert diameters to mm")


def diameters(rows: list[Row]) -> Iterator[DataFinding]:
    """Diameters below 0, infinite or unreadable."""
    for row in rows:
        if row.test not in IN_MM:
            continue
        if row.value < 0 or row.value == float("inf"):
            yield finding("error", "diameter", row, f"{_named(row)} is {row.value:g} mm", "give at least 0 mm")
        elif row.value != row.value and row.text not in NOT_MEASURED:
            message = f"{_named(row)} is {row.text!r}"
            yield finding("error", "unreadable diameter", row, message, "write a number in mm, or NE if not measured")


def _named(row: Row) -> str:
    """Name a row's lesion, or its sum."""
    return row.lesion or "the sum"


def duplicates(rows: list[Row]) -> Iterator[DataFinding]:
    """One lesion with two values or two dates at one visit, two visits on one day, or one visit at two times."""
    known: dict[tuple[str, str, str], Row] = {}
    days: dict[date, Row] = {}
    first: dict[str, Row] = {}
    last: dict[str, Row] = {}
    for row in rows:
        before = known.setdefault((row.visit, row.lesion, row.test), row)
        if before.text != row.text:
            message = f"{_named(row)} {row.test} is {before.text} and {row.text}"
            yield finding("error", "duplicate visit", row, message, "keep one of them")
        elif before.date != row.date:
            message = f"{_named(row)} {row.test} stands on {before.date:%Y-%m-%d} and {row.date:%Y-%m-%d}"
            yield finding("error", "duplicate visit", row, message, "name the visits apart")
        other = days.setdefault(row.date, row)
        if other.visit != row.visit:
            yield finding("error", "duplicate visit", row, f"same date as {other.visit}", "keep one of them")
            days[row.date] = row
        if row.date < first.setdefault(row.visit, row).date:
            first[row.visit] = row
        if row.date > last.setdefault(row.visit, row).date:
            last[row.visit] = row
    for visit, row in last.items():
        if row.date - first[visit].date > LONGEST_VISIT:
            message = f"stands on {first[visit].date:%Y-%m-%d} and {row.date:%Y-%m-%d}"
            yield finding("error", "duplicate visit", row, message, "name the visits apart")


def order(rows: list[Row]) -> Iterator[DataFinding]:
    """Visit numbers that go up while the dates go down."""
    first: dict[float, Row] = {}
    for row in rows:
        if row.visit_number == row.visit_number and row.date < first.setdefault(row.visit_number, row).date:
            first[row.visit_number] = row
    visits = [first[number] for number in sorted(first)]
    for before, after in pairwise(visits):
        if after.date < before.date:
            message = f"{after.date:%Y-%m-%d} is before {before.visit} ({before.date:%Y-%m-%d})"
            yield finding("error", "dates out of order", after, message, "correct the date")


def states(rows: list[Row]) -> Iterator[DataFinding]:
    """States outside the code list."""
    for row in rows:
        if row.test in ("TUMSTATE", "LNSTATE") and row.text not in NON_TARGET_STATES:
            message = f"{row.lesion} is {row.text!r}"
            yield finding(
                "error", "state outside the code list", row, message, f"use one of {sorted(NON_TARGET_STATES)}"
            )


def lesions(rows: list[Row]) -> Iterator[DataFinding]:
    """Find lesions without a name, in a group that does not exist, or that change their group or organ."""
    known: dict[str, Row] = {}
    for row in rows:
        if row.group not in ("TARGET", "NON-TARGET", "NEW"):
            message = f"{_named(row)} is {row.group!r}"
            yield finding("error", "group", row, message, "use TARGET, NON-TARGET or NEW")
        elif row.test == "SUMDIAM":
            continue
        elif not row.lesion:
            message = f"a {row.group.lower()} lesion's {row.test} without its name"
            yield finding("error", "lesion without a name", row, message, "give the lesion's identifier")
        else:
            before = known.setdefault(row.lesion, row)
            if before.group != row.group:
                message = f"{row.lesion} is {before.group} at {before.visit} and {row.group} here"
                yield finding("error", "lesion changes group", row, message, "keep a lesion in one group")
            if row.organ is not None and row.organ.upper() != (before.organ or row.organ).upper():
                message = f"lesion {row.lesion} lies in {before.organ} and in {row.organ}"
                yield finding("error", "lesion changes organ", row, message, "correct the location")


def sums(rows: list[Row]) -> Iterator[DataFinding]:
    """Find sums of targets where no target is measured."""
    targets = [row for row in rows if row.group == "TARGET"]
    alone = next((row for row in targets if row.test == "SUMDIAM"), None)
    if alone is not None and all(row.test == "SUMDIAM" for row in targets):
        message = f"sum {alone.value:g} mm, no lesions"
        yield finding("error", "sum without lesions", alone, message, "give the lesions, or use target_responses")


CHECKS = (units, diameters, duplicates, order, states, lesions, sums)
"""Checks that leave a patient out. A new check is a new function in this list."""


def check(rows: list[Row]) -> list[DataFinding]:
    """Run every check on one patient's rows by one reader."""
    return [found for run in CHECKS for found in run(rows)]


def known_tests(rows: list[Row]) -> tuple[list[Row], list[DataFinding]]:
    """Keep the rows of tests that are read, with a warning for each test that is not known.

    Sums of other lesions than targets are derived from what is read, and passed over.
    """
    kept = [row for row in rows if row.test in TESTS and not (row.test == "SUMDIAM" and row.group in OTHERS)]
    others = {row.test: row for row in reversed(rows) if row.test not in TESTS and row.test not in NOT_READ}
    found = [
        finding("warning", "test", row, f"{_named(row)} has {name!r}", f"not used; known are {', '.join(TESTS)}")
        for name, row in others.items()
    ]
    return kept, found
