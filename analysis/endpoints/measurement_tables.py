"""Measurements as they come from TR, with the organs and the new lesions of TU."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.endpoints.findings import DataFinding
from analysis.endpoints.lesion_terms import ABSENT, NOT_MEASURED, TOO_SMALL, group_of, test_of
from analysis.endpoints.measurement_checks import Row, finding
from analysis.endpoints.subject_tables import LAST_DAY
from analysis.endpoints.tables import SUBJECT, VISIT, columns, date_remedy, dates, each, numbers, visit_labels

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from analysis.endpoints.tables import Table

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
    "status": ("TRSTAT",),
    "original": ("TRORRES",),
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


def measurements(tr: pd.DataFrame, tu: pd.DataFrame | None = None) -> tuple[dict[Key, list[Row]], list[DataFinding]]:
    """Read TR and TU into the rows of each subject and evaluator, with findings for what cannot be placed.

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
    when, partial = dates(table["date"])
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
        "date": when,
        "lesion": lesion,
        "group": each(lambda name: group_of(name or ""), table["group"]),
        "test": [alone if name else summed for (alone, summed), name in zip(tests, lesion, strict=True)],
        "text": each(lambda written: "ABSENT" if written in ABSENT else written, word),
        "value": [MILLIMETRES.get(written, number) for written, number in zip(word, numbers(word), strict=True)],
        "unit": each(lambda unit: (unit or "mm").lower(), table["unit"]),
        "organ": table["organ"],
        "partial": partial,
    }
    read["organ"], wrong = _organs(read, located)
    rows = [Row(*values) for values in zip(*(read[field] for field in Row._fields), strict=True)]
    grouped: dict[Key, list[Row]] = {}
    for row, day in zip(rows, when, strict=True):
        of_reader = grouped.setdefault((row.subject, row.evaluator), [])
        if day is not None:
            of_reader.append(row)
    doubted = [
        finding("warning", "not done with a result", row, f"{row.lesion}: {text!r}", "correct the one or the other")
        for row, text, both in zip(rows, table["text"], contradicted, strict=True)
        if both
    ]
    return grouped, [*_unplaced(rows, when, table["date"]), *wrong, *doubted]


def _not_done(written: str | None) -> bool:
    """Whether a word says that there is no result, by the status or by what was collected."""
    return bool(written) and str(written).upper() in NOT_MEASURED


def _unplaced(rows: list[Row], when: list[date | None], written: list[str | None]) -> Iterator[DataFinding]:
    """Rows without a date, rows without a subject, and dates without a day, these once for each visit."""
    for row, day, text in zip(rows, when, written, strict=True):
        if day is None:
            message = (f"{row.lesion}: " if row.lesion else "") + ("no date" if text is None else f"date {text!r}")
            yield finding("error", "unreadable date", row, message, date_remedy(text))
    for row in rows:
        if not row.subject:
            message = f"a row of {row.lesion or 'no lesion'} without a subject"
            yield finding("error", "missing subject", row, message, "name the subject")
    once: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        if row.partial and once.setdefault((row.subject, row.evaluator, row.visit), row) is row:
            message = f"date {row.date:%Y-%m} without a day"
            yield finding("warning", "partial date", row, message, LAST_DAY)


class Visit(NamedTuple):
    """What tells a visit from another: label, number and date as they are written, and the day that the date is."""

    visit: str | None
    visit_number: str | None
    written: str | None
    day: date | None

    @property
    def name(self) -> str:
        """Label with number, or the day of a visit that has neither."""
        named = f"{self.visit or ''} {self.visit_number or ''}"
        return str(self.day or self.written or "") if named == " " else named

    def completed(self, others: Collection[Visit]) -> Visit:
        """Take what is missing from other visits: the visit of the same day, the date of the same visit."""
        whole = self
        dated = ("written", "day")
        for field, unknown in (("day", ("visit", "visit_number")), ("visit", dated), ("visit_number", dated)):
            value = getattr(whole, field)
            same = None if value is None else next((other for other in others if getattr(other, field) == value), None)
            if same is not None:
                whole = whole._replace(**{name: getattr(whole, name) or getattr(same, name) for name in unknown})
        return whole

    def after(self, other: Visit) -> bool:
        """Whether both have a day, and this one is later."""
        return self.day is not None and other.day is not None and self.day > other.day


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
    rows = zip(*(table[field] for field in fields), dates(table["date"])[0], strict=True)
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
    for row, day in zip(new, dates([row["date"] for row in new])[0], strict=True):
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
