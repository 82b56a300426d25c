"""Overall responses as they were recorded (RS), turned into histories."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from itertools import compress, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from analysis.conventions.border import border
from analysis.endpoints.accepted_records import ACCEPTED, is_flagged
from analysis.endpoints.codes import CODE_LISTS, CPD, CR, NON_CR_NON_PD, PD, PR, SD, CodeList, Criteria, code_list
from analysis.endpoints.histories import ResponseHistory, Sizes
from analysis.records.findings import DataFinding
from analysis.records.partial_dates import Dated, narrowed, said
from analysis.records.subject_tables import Patient, patients
from analysis.records.tables import SUBJECT, VISIT, WRITE_DATES, columns, dates, each, numbers, visit_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from analysis.records.tables import Table

RS_COLUMNS = {
    "subject": SUBJECT,
    "response": ("RSSTRESC", "RSORRES", "AVALC", "response"),
    "date": ("RSDTC", "ADT", "date"),
}
RS_OPTIONAL = {
    "test": ("RSTESTCD", "test"),
    "criteria": ("RSCAT", "criteria"),
    **VISIT,
    "evaluator": ("RSEVAL", "evaluator"),
    "reader": ("RSEVALID", "reader"),
    "status": ("RSSTAT", "status"),
    "accepted": ("RSACPTFL", "accepted"),
}

CATEGORIES: Mapping[str, Criteria] = {
    **dict.fromkeys(("RECIST1.1", "RECISTV1.1", "RECISTVERSION1.1", "RECIST"), "RECIST 1.1"),
    **dict.fromkeys(("IRECIST", "IRECIST1.1"), "iRECIST"),
}
"""Names of criteria in RSCAT, in capitals without blanks."""


Date = date
UNSEEN = ("", "NE", "ND", "NA", "MISSING", "INE", "NOT DONE", "NOT EVALUABLE", "NOT ASSESSED")
"""Responses that say that nothing was seen: without a date they decide nothing."""
SPELLED: Mapping[str, str] = {
    "COMPLETE RESPONSE": "CR",
    "PARTIAL RESPONSE": "PR",
    "STABLE DISEASE": "SD",
    "PROGRESSIVE DISEASE": "PD",
    "NOT EVALUABLE": "NE",
    "INEVALUABLE": "NE",
    "NOT DONE": "ND",
    "NO EVIDENCE OF DISEASE": "NED",
    "NON CR/NON PD": "NON-CR/NON-PD",
}
"""Responses that some tables spell out, in capitals."""


class ResponseRow(NamedTuple):
    """One recorded response."""

    subject: str
    evaluator: str
    visit: str
    written: str | None
    number: float
    date: date | None
    earliest: Date | None
    response: str | None


def history_of(
    key: tuple[str, str],
    patient: Patient,
    when: Sequence[date],
    responses: Sequence[str | None],
    criteria: Criteria,
    sizes: Sizes | None = None,
) -> ResponseHistory:
    """Build the history of a patient by a reader."""
    reference, death, therapy, left, _ = patient
    return ResponseHistory(key[0], reference, when, responses, criteria, death, therapy, left, sizes=sizes)


@border
def read_responses(
    rs: pd.DataFrame, subjects: pd.DataFrame, criteria: Criteria = "RECIST 1.1"
) -> tuple[dict[tuple[str, str], ResponseHistory], list[DataFinding]]:
    """Read overall responses as they were recorded.

    Parameters
    ----------
    rs
        As in RS: USUBJID, RSSTRESC, RSDTC; RSTESTCD (OVRLRESP is taken), RSCAT (another criterion is not taken, with
        a warning if it is not known),
        VISIT, VISITNUM (records are in its order), RSEVAL, RSEVALID if there. Records whose RSACPTFL is Y are read
        once more as those of one evaluator, ``"accepted records"``: the readings that an adjudicator let stand.
    subjects
        As for `derive`.
    criteria
        ``"RECIST 1.1"`` or ``"iRECIST"``.

    Returns
    -------
    dict, list of DataFinding
        A history for each (subject, evaluator); of a patient with an error among the findings there is none, of a
        subject without a record by a reader an empty one, with a warning if another reader has one.

    Raises
    ------
    InvalidValueError
        If a needed column is missing.
    UnknownNameError
        If there is no such criterion.

    Examples
    --------
    >>> import pandas as pd
    >>> rs = pd.DataFrame({"subject": ["S1", "S2"], "response": ["PR", "good"], "date": ["2024-03-01", "2024-03-04"]})
    >>> subjects = pd.DataFrame({"subject": ["S1", "S2"], "reference": "2024-01-01"})
    >>> histories, findings = read_responses(rs, subjects)
    >>> list(histories), findings[0].rule
    ([('S1', '')], 'response outside the code list')
    """
    terms = code_list(criteria)
    grouped: dict[tuple[str, str], list[ResponseRow]] = defaultdict(list)
    table = columns(rs, RS_COLUMNS, RS_OPTIONAL, "rs")
    who, findings = patients(subjects)
    for row in _recorded(table, criteria):
        if row.date is None and row.written is None and (row.response or "").strip().upper() in UNSEEN:
            place = (row.subject, row.evaluator, row.visit)
            what = f"{(row.response or 'no response').lower()}, no date"
            findings.append(DataFinding("warning", "undated row", *place, what, "it decides nothing and is not used"))
            grouped.setdefault(place[:2], [])
        else:
            grouped[row.subject, row.evaluator].append(row)
    named = dict.fromkeys(zip(table["subject"], table["evaluator"], table["criteria"], strict=True))
    for subject, evaluator, name in named:
        if name is not None and _category(name) is None:
            place, message = (subject or "", evaluator or "", ""), f"{name!r} is none of {', '.join(CODE_LISTS)}"
            findings.append(DataFinding("warning", "criteria", *place, message, "its responses are not used"))
    left_out = {found.subject for found in findings if found.severity == "error"}
    histories: dict[tuple[str, str], ResponseHistory] = {}
    for key, rows in grouped.items():
        if key[0] in left_out:
            continue
        rows, found = _with_days(rows, who.get(key[0]))
        found += _findings(key, rows, who.get(key[0]), terms)
        findings += found
        if any(one.severity == "error" for one in found):
            continue
        patient = who[key[0]]
        last = patient.death or date.max
        dated = [(row.date, row.response) for row in rows]
        early = [when for when, _ in dated if when is not None and when < patient.reference]
        if early:
            message = f"{len(early)} before the reference date {patient.reference}, the first on {min(early)}"
            remedy = "they do not count; give the reference date from which they do"
            findings.append(DataFinding("warning", "response before the reference", *key, "", message, remedy))
        kept = [(when, response) for when, response in dated if when is not None and patient.reference <= when <= last]
        histories[key] = history_of(key, patient, [when for when, _ in kept], [term for _, term in kept], criteria)
    readers = dict.fromkeys(reader for _, reader in grouped)
    histories.update(without_records(who, list(grouped), readers, criteria))
    return histories, findings + not_read(who, list(grouped))


def _category(name: str) -> Criteria | None:
    """Criteria that RSCAT names; None if it names others."""
    return CATEGORIES.get(name.upper().replace(" ", ""))


def _recorded(table: Table, criteria: Criteria) -> list[ResponseRow]:
    """Overall responses by a criterion, each once, by the number of the visit; those without one stand last."""
    overall = [
        (test or "OVRLRESP").upper() == "OVRLRESP" and _category(by or criteria) == criteria
        for test, by in zip(table["test"], table["criteria"], strict=True)
    ]
    table = {field: list(compress(column, overall)) for field, column in table.items()}
    order = [(math.isnan(number), number) for number in numbers(table["visit_number"])]
    who = [[name or "" for name in table[field]] for field in ("subject", "evaluator")]
    when = dates(table["date"])
    last, first = [day and day.last for day in when], [day and day.first for day in when]
    visit, number = visit_labels(table, when), numbers(table["visit_number"])
    response = [
        None if written is None or done == "NOT DONE" else SPELLED.get(written.upper(), written)
        for written, done in zip(table["response"], each(lambda s: (s or "").upper(), table["status"]), strict=True)
    ]
    read = zip(*who, visit, table["date"], number, last, first, response, strict=True)
    flagged = each(is_flagged, table["accepted"])
    rows = sorted(zip(order, read, flagged, strict=True), key=itemgetter(0))
    recorded = [(ResponseRow(*row), accepted) for _, row, accepted in rows]
    taken = [row._replace(evaluator=ACCEPTED) for row, accepted in recorded if accepted]
    return list(dict.fromkeys([*(row for row, _ in recorded), *taken]))


def without_records(
    known: Mapping[str, Patient],
    seen: Sequence[tuple[str, str]],
    readers: Iterable[str],
    criteria: Criteria,
    *,
    has_baseline: bool = True,
) -> dict[tuple[str, str], ResponseHistory]:
    """Give each subject an empty history by each reader who has no record of it: it counts by intention to treat."""
    return {
        key: replace(history_of(key, known[key[0]], [], [], criteria), has_baseline=has_baseline)
        for key in _unread(known, seen, readers)
    }


def not_read(known: Mapping[str, Patient], seen: Sequence[tuple[str, str]]) -> list[DataFinding]:
    """Say which reader has no record of a subject that another reader has read."""
    read = {subject for subject, _ in seen}
    absent = [key for key in _unread(known, seen, dict.fromkeys(reader for _, reader in seen)) if key[0] in read]
    return [
        DataFinding("warning", "not read", *key, "", f"not read by {key[1] or 'a reader'}", "counts without a response")
        for key in absent
    ]


def _unread(
    known: Mapping[str, Patient], seen: Sequence[tuple[str, str]], readers: Iterable[str]
) -> list[tuple[str, str]]:
    """Find each subject and reader without a record; records that cannot be read are records."""
    named, recorded = list(readers) or [""], set(seen)
    return [(subject, reader) for subject in known for reader in named if (subject, reader) not in recorded]


def _with_days(rows: list[ResponseRow], patient: Patient | None) -> tuple[list[ResponseRow], list[DataFinding]]:
    """Give the dates that lack a day the last one that they can be, and say so; an error where that is not known."""
    partial = [row for row in rows if row.date is not None and row.earliest != row.date]
    if not partial:
        return rows, []
    dated = [row for row in rows if row.date is not None and row.earliest is not None]
    records = [Dated(row.visit, row.number, row.earliest or row.date, row.date) for row in dated if row.date]
    reference, death = (None, None) if patient is None else (patient.reference, patient.death)
    days = narrowed(records, reference, death, has_baseline=False)
    found = []
    for k, message, is_known in said(records, days):
        place = (dated[k].subject, dated[k].evaluator, dated[k].visit)
        if is_known:
            found.append(DataFinding("warning", "partial date", *place, message, "give the day"))
        else:
            found.append(DataFinding("error", "unreadable date", *place, message, WRITE_DATES))
    taken = iter(days)
    placed = [row if row.date is None else row._replace(date=next(taken)[1]) for row in rows]
    return [row._replace(earliest=row.date) for row in placed], found


def _findings(
    key: tuple[str, str], rows: list[ResponseRow], patient: Patient | None, known: CodeList
) -> Iterator[DataFinding]:
    """Find responses outside the code list, dates that go back or stand twice, records after death."""
    terms = {term.upper() for term in known.terms}
    if patient is None:
        place = (*key, "")
        yield DataFinding("error", "unknown subject", *place, "not among the subjects", "add its reference date")
    for row in rows:
        place = (row.subject, row.evaluator, row.visit)
        if row.response is not None and row.response.strip().upper() not in terms:
            near = get_close_matches(row.response.strip().upper(), terms, 1)
            remedy = f"is it {near[0]!r}?" if near else f"use one of {sorted(terms)}"
            yield DataFinding("error", "response outside the code list", *place, f"response {row.response!r}", remedy)
        if row.date is None:
            message = "no date" if row.written is None else f"date {row.written!r}"
            yield DataFinding("error", "unreadable date", *place, message, WRITE_DATES)
        elif patient is not None and row.date > (patient.death or date.max):
            message = f"response after death on {patient.death:%Y-%m-%d}"
            yield DataFinding("warning", "response after death", *place, message, "not used")
    yield from _impossible(key, [row for row in rows if (row.response or "").strip().upper() in terms], known)
    for before, row in pairwise(rows):
        place = (row.subject, row.evaluator, row.visit)
        if row.date is None or before.date is None:
            continue
        if row.date < before.date:
            message = f"{row.date:%Y-%m-%d} after {before.date:%Y-%m-%d}"
            yield DataFinding("error", "dates out of order", *place, message, "sort by date, or correct it")
        elif row.date == before.date:
            yield DataFinding(
                "error", "duplicate visit", *place, f"{row.date:%Y-%m-%d} stands twice", "keep one of them"
            )


def _impossible(key: tuple[str, str], rows: list[ResponseRow], known: CodeList) -> Iterator[DataFinding]:
    """Find responses that cannot follow those before: less than CR after a CR is PD, and only an iUPD is confirmed."""
    complete, unconfirmed = False, False
    for row in rows:
        code = known.code(row.response)
        place = (*key, row.visit)
        if complete and code in (PR, SD, NON_CR_NON_PD) and known.criteria == "RECIST 1.1":
            message = f"{row.response} after CR, where disease that is back is PD"
            yield DataFinding("warning", "impossible sequence", *place, message, "taken as it is recorded")
        if code == CPD and not unconfirmed:
            message = f"{row.response} without iUPD before it"
            yield DataFinding("warning", "impossible sequence", *place, message, "taken as it is recorded")
        complete = code == CR or (complete and code not in (PR, SD, NON_CR_NON_PD, PD))
        unconfirmed = code == PD or (unconfirmed and code not in (CR, PR, SD, NON_CR_NON_PD, CPD))
