"""Measurements as they come from TR, with the organs and the new lesions of TU."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.endpoints.accepted_records import Accepted, accepted_readers
from analysis.endpoints.lesion_terms import ABSENT, NOT_MEASURED, NOT_READ, TOO_SMALL, group_of, test_of
from analysis.endpoints.measurement_checks import Row, finding
from analysis.records.findings import DataFinding
from analysis.records.tables import (
    SAS_DAYS,
    SUBJECT,
    VISIT,
    WRITE_DATES,
    columns,
    dates,
    each,
    is_sas_date,
    label_key,
    numbers,
    visit_labels,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd

    from analysis.records.tables import Day, Table

TR_COLUMNS = {
    "subject": SUBJECT,
    "lesion": ("TRLNKID", "lesion"),
    "group": ("TRGRPID", "group"),
    "test": ("TRTESTCD", "test"),
    "date": ("TRDTC", "ADT", "date"),
}
TR_OPTIONAL = {
    **VISIT,
    "evaluator": ("TREVAL", "evaluator"),
    "reader": ("TREVALID", "reader"),
    "organ": ("TRLOC", "organ"),
    "status": ("TRSTAT", "status"),
    "original": ("TRORRES",),
    "accepted": ("TRACPTFL", "accepted"),
    "baseline": ("TRBLFL", "TRLOBXFL", "ABLFL", "baseline"),
}
RESULTS = (("TRSTRESC", "TRSTRESU"), ("TRORRES", "TRORRESU"), ("TRSTRESN", "TRSTRESU"), ("value", "unit"))
"""Columns of the result, the first that is there, each with the column of its unit."""
TU_COLUMNS = {"subject": SUBJECT, "lesion": ("TULNKID", "lesion")}
TU_OPTIONAL = {
    "organ": ("TULOC", "organ"),
    "identified": ("TUSTRESC", "TUORRES", "group"),
    "date": ("TUDTC", "date"),
    **VISIT,
    "evaluator": ("TUEVAL", "evaluator"),
    "reader": ("TUEVALID", "reader"),
}
MILLIMETRES = {**dict.fromkeys(ABSENT, 0.0), **dict.fromkeys(TOO_SMALL, 5.0)}
"""Words that stand for a diameter."""

Key = tuple[str, str]
"""A subject and an evaluator."""


def measurements(
    tr: pd.DataFrame, tu: pd.DataFrame | None = None
) -> tuple[dict[Key, list[Row]], list[DataFinding], Accepted]:
    """Read TR and TU into the rows of each subject and evaluator, with findings for what cannot be placed.

    Besides, the readers who are accepted at each visit of each subject.

    New lesions that stand in TU alone are rows of their own. Rows without a readable date are findings only.

    Raises
    ------
    InvalidValueError
        If a needed column is missing.
    """
    result, unit = next((pair for pair in RESULTS if pair[0] in getattr(tr, "columns", ())), RESULTS[0])
    needed = {**TR_COLUMNS, "text": (result, *(names[0] for names in RESULTS if names[0] != result))}
    table = columns(tr, needed, {**TR_OPTIONAL, "unit": (unit,)}, "tr")
    located = None if tu is None else columns(tu, TU_COLUMNS, TU_OPTIONAL, "tu")
    if located is not None:
        new = list(_new_lesions(table, located))
        table = {field: [*column, *(row.get(field) for row in new)] for field, column in table.items()}
    when = dates(table["date"])
    lesion = [name or "" for name in table["lesion"]]
    word = each(lambda written: (written or "").upper(), table["text"])
    status, original = (each(_not_done, table[field]) for field in ("status", "original"))
    contradicted = [
        (done_not or read_not) and bool(written) and not _not_done(written)
        for done_not, read_not, written in zip(status, original, word, strict=True)
    ]
    word = ["NOT EVALUABLE" if wrong else written for wrong, written in zip(contradicted, word, strict=True)]
    tests = each(lambda name: (test_of(name or "", "T1"), test_of(name or "", "")), table["test"])
    read: dict[str, Sequence[Any]] = {
        "subject": table["subject"],
        "evaluator": table["evaluator"],
        "visit": visit_labels(table, when),
        "visit_number": numbers(table["visit_number"]),
        "lesion": lesion,
        "group": each(lambda name: group_of(name or ""), table["group"]),
        "test": [alone if name else summed for (alone, summed), name in zip(tests, lesion, strict=True)],
        "text": each(lambda written: "ABSENT" if written in ABSENT else written, word),
        "value": [MILLIMETRES.get(written, number) for written, number in zip(word, numbers(word), strict=True)],
        "unit": each(lambda unit: (unit or "mm").lower(), table["unit"]),
        "organ": table["organ"],
        "baseline": each(lambda flag: (flag or "").upper() in ("Y", "1", "TRUE"), table["baseline"]),
    }
    read["organ"], findings = _organs(read, located)
    placed = _days(read, when)
    read["date"] = [day and day.last for day in placed]
    read["earliest"] = [day and day.first for day in placed]
    rows = [Row(*values) for values in zip(*(read[field] for field in Row._fields), strict=True)]
    kept = [
        day is not None and not (_decides_nothing(row) and not row.lesion and row.test != "SUMDIAM")
        for row, day in zip(rows, placed, strict=True)
    ]
    grouped: dict[Key, list[Row]] = {}
    for row, is_kept in zip(rows, kept, strict=True):
        of_reader = grouped.setdefault((row.subject, row.evaluator), [])
        if is_kept:
            of_reader.append(row)
    doubted = [
        finding("warning", "not done with a result", row, f"{row.lesion}: {text!r}", "correct the one or the other")
        for row, text, both in zip(rows, table["text"], contradicted, strict=True)
        if both
    ]
    if any(is_sas_date(word) for word in set(table["date"])):
        message = f"dates are numbers, as {next(word for word in table['date'] if is_sas_date(word))}"
        findings.append(DataFinding("warning", "SAS dates", "", "", "", message, SAS_DAYS))
    accepted = accepted_readers(table, list(read["visit"]))
    return grouped, [*_unplaced(rows, when, placed, table["date"]), *findings, *doubted], accepted


def _not_done(written: str | None) -> bool:
    """Whether a word says that there is no result, by the status or by what was collected."""
    return bool(written) and str(written).upper() in NOT_MEASURED


def _decides_nothing(row: Row) -> bool:
    """Whether a row cannot change a response: a sum or a percentage beside its lesions, or nothing measured."""
    return row.test == "SUMDIAM" or row.test in NOT_READ or (row.value != row.value and row.text in NOT_MEASURED)


def _days(read: Mapping[str, Sequence[Any]], when: Sequence[Day | None]) -> list[Day | None]:
    """Days of the rows: those that are written, else the first of their visit; None where it has none."""
    of_visit: dict[tuple[str, str, str], Day] = {}
    visits = list(zip(read["subject"], read["evaluator"], read["visit"], strict=True))
    for visit, day in zip(visits, when, strict=True):
        if day is not None and visit[2] and (visit not in of_visit or day.last < of_visit[visit].last):
            of_visit[visit] = day
    return [of_visit.get(visit) if day is None else day for visit, day in zip(visits, when, strict=True)]


def _unplaced(
    rows: list[Row], when: Sequence[Day | None], placed: Sequence[Day | None], written: list[str | None]
) -> Iterator[DataFinding]:
    """Rows without a date and rows without a subject; what decides nothing is said once for each visit."""
    once: set[tuple[str, str, str, str]] = set()
    for row, own, day, text in zip(rows, when, placed, written, strict=True):
        if own is not None:
            continue
        said = "no date" if text is None else f"date {text!r}"
        named = (f"{row.lesion}: " if row.lesion else "") + said
        if (day is None or text is not None) and not _decides_nothing(row):
            yield finding("error", "unreadable date", row, named, WRITE_DATES)
        elif text is not None or not _decides_nothing(row):
            yield finding(
                "warning",
                "undated row",
                row,
                named,
                f"taken as {day.last}, the day of its visit" if day else "not used",
            )
        elif day is None:
            place = (row.subject, row.evaluator, row.visit, row.text)
            if place not in once:
                once.add(place)
                what = row.text.lower() if row.text in NOT_MEASURED and row.text else row.test
                yield finding("warning", "undated row", row, f"{what}, no date", "it decides nothing and is not used")
    for row in rows:
        if not row.subject:
            message = f"a row of {row.lesion or 'no lesion'} without a subject"
            yield finding("error", "missing subject", row, message, "name the subject")


class Visit(NamedTuple):
    """What tells a visit from another: label, number and date as they are written, and the day that the date is."""

    visit: str | None
    visit_number: str | None
    written: str | None
    day: Day | None

    @property
    def name(self) -> str:
        """Label with number, or the day of a visit that has neither."""
        named = f"{self.visit or ''} {self.visit_number or ''}"
        return str(self.day.last if self.day else self.written or "") if named == " " else label_key(named)

    @property
    def keys(self) -> dict[str, object]:
        """What it can be known by, beside other visits: number, day, and label, whatever its case and blanks."""
        return {"visit_number": self.visit_number, "day": self.day, "visit": label_key(self.visit) or None}

    def completed(self, others: Collection[Visit]) -> Visit:
        """Take what is missing, and how the label is written, from the same visit among others.

        It is the one of the same number, else of the same day, else of the same label, if that has one number.
        """
        for field, value in self.keys.items():
            same = [] if value is None else [other for other in others if other.keys[field] == value]
            if not same or (field == "visit" and len({other.visit_number for other in same}) > 1):
                continue
            other = next((one for one in same if one.day == self.day), same[0])
            dated = other if self.day is None else self
            return Visit(other.visit, other.visit_number, dated.written, dated.day)
        return self

    def after(self, other: Visit) -> bool:
        """Whether both have a day, and this one is later."""
        return self.day is not None and other.day is not None and self.day.last > other.day.last


NOWHERE = Visit(None, None, None, None)


def _new_lesions(table: Table, located: Table) -> Iterator[dict[str, str | None]]:
    """Rows of measurements for new lesions that TU identifies and TR does not mention at that visit.

    A lesion that TR does not follow at all is there at every later visit. A row without a visit or a date takes it from
    TR: the visit of the same day, the date of the same visit; with neither it says nothing of a lesion that TR follows.
    A TU without evaluators counts for all of them.
    """
    new = [row for row in _records(located) if group_of(row["identified"] or "") == "NEW" and row["lesion"]]
    if not new:
        return
    subjects, names = ({row[field] for row in new} for field in ("subject", "lesion"))
    visits = defaultdict[str, dict[str, dict[Visit, str]]](lambda: defaultdict(dict))
    followed = defaultdict[tuple[str | None, ...], set[str]](set)
    fields = ("subject", "evaluator", "lesion", "visit", "visit_number", "date")
    rows = zip(*(table[field] for field in fields), dates(table["date"]), strict=True)
    for subject, evaluator, lesion, *written in rows:
        if subject not in subjects:
            continue
        visit = Visit(*written)
        visits[subject or ""][evaluator or ""].setdefault(visit, visit.name)
        if lesion in names:
            followed[subject, evaluator, lesion].add(visit.name)
    if not any(located["evaluator"]):
        new = [{**row, "evaluator": reader} for row in new for reader in visits[row["subject"] or ""]]
    first, later = list[tuple[dict[str, str | None], Visit]](), list[tuple[dict[str, str | None], Visit]]()
    for row, day in zip(new, dates([row["date"] for row in new]), strict=True):
        known = visits[row["subject"] or ""][row["evaluator"] or ""]
        at = Visit(row["visit"], row["visit_number"], row["date"], day).completed(known)
        if at == NOWHERE and (row["subject"], row["evaluator"], row["lesion"]) in followed:
            continue
        first.append((row, at))
        if (row["subject"], row["evaluator"], row["lesion"]) not in followed:
            once = {name: visit for visit, name in reversed(known.items())}
            later += [(row, visit) for visit in known if once[visit.name] is visit and visit.after(at)]
    for row, visit in [*first, *later]:
        if visit.name not in followed.get((row["subject"], row["evaluator"], row["lesion"]), ()):
            at_visit = {"visit": visit.visit, "visit_number": visit.visit_number, "date": visit.written}
            yield {**row, **at_visit, "group": "NEW", "test": "TUMSTATE", "text": "PRESENT", "unit": "mm"}


def _records(table: Table) -> Iterator[dict[str, str | None]]:
    """Rows of a table."""
    return (dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True))


def _organs(read: Mapping[str, Sequence[Any]], located: Table | None) -> tuple[list[str | None], list[DataFinding]]:
    """Find the organ of each row, with findings for lesions that lie in two in TU or, if targets, in none.

    It is that of the lesion in TU, else its own, else the first that TR names for the lesion. A TU without evaluators
    counts for all of them.
    """
    lesions = list(zip(read["subject"], read["evaluator"], read["lesion"], strict=True))
    own: dict[tuple[str, str, str], str | None] = {}
    for key, organ in zip(lesions, read["organ"], strict=True):
        if own.get(key) is None:
            own[key] = organ if key[2] else None
    known, findings = dict[tuple[str, str, str], str](), list[DataFinding]()
    if located is not None:
        places, by_reader = _places(located), any(located["evaluator"])
        group = dict(zip(lesions, read["group"], strict=True))
        nowhere = []
        for key in own:
            subject, evaluator, lesion = key
            found = places.get((subject, evaluator if by_reader else "", lesion), {})
            if found:
                known[key] = next(iter(found))
            elif own[key] is None and group[key] == "TARGET" and lesion:
                message, consequence = f"target {lesion} has no location in TU", "taken as non-nodal"
                place = (subject, evaluator, "")
                nowhere.append(DataFinding("warning", "lesion without location", *place, message, consequence))
            if len(found) > 1:
                message, remedy = f"lesion {lesion} lies in {' and in '.join(found)}", "correct the location"
                place = (subject, evaluator, list(found.values())[1])
                findings.append(DataFinding("error", "lesion changes organ", *place, message, remedy))
        findings += nowhere
    return [known.get(key) or organ or own[key] for key, organ in zip(lesions, read["organ"], strict=True)], findings


def _places(located: Table) -> Mapping[tuple[str | None, ...], dict[str, str]]:
    """Organs of each lesion in TU by subject, evaluator and name, each with the visit that first names it."""
    places = defaultdict[tuple[str | None, ...], dict[str, str]](dict)
    for row in _records(located):
        if row["organ"] and row["lesion"]:
            key = (row["subject"], row["evaluator"], row["lesion"])
            places[key].setdefault(row["organ"].upper(), row["visit"] or "")
    return places
