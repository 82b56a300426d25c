"""Adverse events read as AE or ADAE have them: dates, grades, code lists, and what is wrong with a row."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import choice, count
from analysis.errors import InvalidValueError
from analysis.records.findings import DataFinding
from analysis.records.tables import SAS_DAYS, SUBJECT, columns, dates, is_sas_date, label_key, text
from analysis.safety.adverse_events import WORST, AdverseEvents
from analysis.safety.treated import read_treated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from analysis.records.tables import Day, Names, Table
    from analysis.safety.treated import Treated

COLUMNS: dict[str, Names] = {
    "row_of_soc": ("AEBODSYS", "AESOC", "soc"),
    "start": ("AESTDTC", "ASTDT", "start"),
    "end": ("AEENDTC", "AENDT", "end"),
    "grade": ("AETOXGR", "ATOXGR", "ATOXGRN", "grade"),
    "severity": ("AESEV", "ASEV", "severity"),
    "serious": ("AESER", "serious"),
    "related": ("AEREL", "AREL", "related"),
    "action": ("AEACN", "action"),
    "outcome": ("AEOUT", "outcome"),
    "emergent": ("TRTEMFL", "emergent"),
}
TERMS: Names = ("AEDECOD", "AETERM", "term")
SEVERITIES = {"MILD": 1, "MODERATE": 2, "SEVERE": 3, "LIFE THREATENING": 4, "LIFE-THREATENING": 4, "FATAL": 5}
YES = {"Y": True, "YES": True, "N": False, "NO": False}
RELATED = YES | {"RELATED": True, "POSSIBLE": True, "POSSIBLY RELATED": True, "PROBABLE": True, "DEFINITE": True}
RELATED |= {"PROBABLY RELATED": True, "NOT RELATED": False, "UNLIKELY": False, "UNLIKELY RELATED": False, "NONE": False}
ACTIONS: tuple[str, ...] = ("DOSE NOT CHANGED", "DOSE REDUCED", "DRUG INTERRUPTED", "DRUG WITHDRAWN", "DOSE INCREASED")
ACTIONS += ("DOSE RATE REDUCED", "NOT APPLICABLE", "UNKNOWN")


@border
def read_adverse_events(
    events: pd.DataFrame,
    subjects: pd.DataFrame,
    *,
    window: int = 30,
    cutoff: date | None = None,
    emergent: Literal["dates", "flag"] = "dates",
    stratum: str | None = None,
) -> AdverseEvents:
    """Read adverse events as they are delivered.

    Parameters
    ----------
    events
        AE or ADAE: USUBJID, AEDECOD (or AETERM); as far as there are, AEBODSYS, AESTDTC, AEENDTC, AETOXGR (or AESEV),
        AESER, AEREL, AEACN, AEOUT, TRTEMFL.
    subjects
        ADSL or DM; see `read_treated`.
    window
        Days after the last dose in which what starts still counts as treatment-emergent; a protocol says how many.
    cutoff
        Data cut-off, for patients of whom the table of subjects gives no last day.
    emergent
        ``"dates"``: what can have started between the first dose and `window` days after the last one, that is, unless
        it is known not to have; ``"flag"``: what TRTEMFL says.
    stratum
        Column of the subjects that comparisons are stratified by.

    Returns
    -------
    AdverseEvents
        A date without a day is the first dose where it can be, else the first day that it can be. Severity stands for
        the grade where there is none: mild, moderate, severe and life-threatening for 1 to 4, fatal for 5.

    Raises
    ------
    InvalidValueError
        If a needed column is missing.

    Examples
    --------
    >>> adsl = pd.DataFrame(
    ...     {"USUBJID": ["1", "2"], "ARM": ["A", "B"], "TRTSDT": ["2024-01-08"] * 2, "TRTEDT": ["2024-03-01"] * 2}
    ... )
    >>> ae = pd.DataFrame(
    ...     {
    ...         "USUBJID": ["1", "1"],
    ...         "AEDECOD": ["Stomatitis"] * 2,
    ...         "AETOXGR": ["1", "3"],
    ...         "AESTDTC": ["2024-01-20"] * 2,
    ...     }
    ... )
    >>> found = read_adverse_events(ae, adsl)
    >>> found.incidence(grade=3)[["arm", "patients", "of", "events"]].values.tolist()
    [['A', 1, 1, 1], ['B', 0, 1, 0]]
    """
    count("window", window, "days", at_least=0)
    choice("emergent", emergent, ("dates", "flag"))
    treated, findings = read_treated(subjects, cutoff=cutoff, stratum=stratum)
    known = {str(one) for one in text(subjects[next(name for name in SUBJECT if name in subjects.columns)])}
    if emergent == "flag" and not {"TRTEMFL", "emergent"} & set(events.columns):
        raise InvalidValueError("events", list(events.columns), "a column TRTEMFL", 'use emergent="dates"')
    table = columns(events, {"subject": SUBJECT, "term": TERMS}, COLUMNS, "events")
    findings += [
        DataFinding("error", "no end of observation", name, "", "", "neither last dose nor cut-off", "give cutoff=")
        for name, patient in treated.items()
        if patient.until(window) is None
    ]
    rows, found = _records(table, treated, known, window, emergent)
    names = ["subject", "arm", "soc", "term", "grade", "start", "end", "serious", "related", "action", "outcome"]
    frame = pd.DataFrame(rows, columns=[*names, "emergent"], dtype=object)
    frame = frame.astype({"grade": int, "serious": bool, "related": bool, "emergent": bool})
    findings += [*found, *_similar_terms(frame["term"])]
    return AdverseEvents(frame, treated, window, tuple(findings))


def _records(
    table: Table, treated: Mapping[str, Treated], known: set[str], window: int, emergent: str
) -> tuple[list[list[object]], list[DataFinding]]:
    """Read the rows; what is wrong with one of them is said with its number, from 1."""
    starts, ends = dates(table["start"]), dates(table["end"])
    first_written: dict[str, str] = {}
    rows, found = list[list[object]](), list[DataFinding]()
    seen: dict[tuple[object, ...], int] = {}
    if any(is_sas_date(word) for word in (*table["start"], *table["end"])):
        found.append(DataFinding("warning", "SAS dates", "", "", "", "dates of adverse events are numbers", SAS_DAYS))
    for k, subject in enumerate(str(name) for name in table["subject"]):
        row = {name: column[k] for name, column in table.items()}
        place = f"AE row {k + 1}"

        def say(severity: str, rule: str, message: str, done: str, who: str = subject, where: str = place) -> None:
            kind: Literal["error", "warning"] = "error" if severity == "error" else "warning"
            found.append(DataFinding(kind, rule, who, "", "", f"{where}: {message}", done))

        if subject not in treated:
            if subject not in known:
                say("error", "unknown subject", "not in the table of subjects", "not counted")
            continue
        if row["term"] is None:
            say("error", "without a term", "AEDECOD is empty", "counted as 'not coded'")
        patient = treated[subject]
        term = first_written.setdefault(label_key(row["term"] or "not coded"), row["term"] or "not coded")
        soc = first_written.setdefault(label_key(row["row_of_soc"]), row["row_of_soc"] or "")
        same = (subject, term, *(row[name] for name in ("start", "end", "grade", "severity", "serious", "action")))
        if same in seen:
            say("warning", "duplicate record", f"as row {seen[same]}", "counted once")
            continue
        seen[same] = k + 1
        grade, doubt = _grade(row["grade"], row["severity"], row["outcome"])
        if doubt:
            say(*doubt)
        for name, column, words in (("serious", "AESER", YES), ("related", "AEREL", RELATED)):
            if row[name] is not None and label_key(row[name]) not in words:
                nearest = get_close_matches(label_key(row[name]), words, n=1, cutoff=0.0)[0]
                say("warning", "controlled term", f"{column} {row[name]!r}", f"not used; did you mean {nearest}?")
        action = label_key(row["action"]) or None
        if action is not None and action not in ACTIONS:
            nearest = get_close_matches(action, ACTIONS, n=1, cutoff=0.0)[0]
            say("warning", "controlled term", f"AEACN {row['action']!r}", f"not used; did you mean {nearest}?")
            action = None
        begin, over, doubts = _days(row, starts[k], ends[k], patient)
        for doubt in doubts:
            say(*doubt)
        last = patient.until(window)
        by_dates = begin >= patient.first_dose and (last is None or begin <= last)
        flag = YES.get(label_key(row["emergent"]), False)
        if row["emergent"] is not None and flag != by_dates:
            said = "is" if flag else "is not"
            taken = "flag" if emergent == "flag" else "dates"
            say("warning", "treatment-emergent", f"TRTEMFL says it {said}, its dates do not", f"taken by its {taken}")
        if grade == WORST and patient.death is None:
            say("warning", "fatal event without death", f"{term}, grade 5", "give the date of death")
        kind = [YES.get(label_key(row["serious"]), False), RELATED.get(label_key(row["related"]), False)]
        counts = flag if emergent == "flag" else by_dates
        rows.append([subject, patient.arm, soc, term, grade, begin, over, *kind, action, row["outcome"], counts])
    return rows, found


def _grade(
    grade: str | None, severity: str | None, outcome: str | None
) -> tuple[int, tuple[str, str, str, str] | None]:
    """Read a grade, 0 where it is not known, with what is doubtful about it."""
    if grade is not None:
        number = re.fullmatch(r"(?:GRADE\s*)?([0-9.]+)", grade.upper())
        if number is None or float(number[1]) not in range(1, WORST + 1):
            return 0, ("error", "grade", f"AETOXGR {grade!r} is none of 1 to 5", "counted without a grade")
        value = int(float(number[1]))
        if label_key(outcome) == "FATAL" and value < WORST:
            return value, ("warning", "fatal event below grade 5", f"grade {value}, AEOUT FATAL", f"taken as {value}")
        return value, None
    if severity is not None:
        value = SEVERITIES.get(label_key(severity), 0)
        if not value:
            nearest = get_close_matches(label_key(severity), SEVERITIES, n=1, cutoff=0.0)[0]
            done = f"counted without a grade; did you mean {nearest}?"
            return 0, ("error", "grade", f"AESEV {severity!r} is no severity", done)
        if label_key(outcome) == "FATAL":
            value = WORST
        return value, ("warning", "severity for grade", f"no grade, AESEV {severity}", f"taken as grade {value}")
    return 0, ("warning", "grade", "no grade and no severity", "counted without a grade")


def _days(
    row: Mapping[str, str | None], start: Day | None, end: Day | None, patient: Treated
) -> tuple[date, date | None, list[tuple[str, str, str, str]]]:
    """Take the days of an event, where they can be of the treatment as such, and say what was taken for granted."""
    doubts = []
    for name, word, day in (("start", row["start"], start), ("end", row["end"], end)):
        if word is not None and day is None:
            doubts.append(("error", "unreadable date", f"{name} {word!r}", "write YYYY-MM-DD; taken as missing"))
    over = end.last if end is not None else None
    if start is None:
        begin = over if over is not None and over < patient.first_dose else patient.first_dose
        doubts.append(("warning", "no start", "without a date of start", f"taken as {begin}"))
    elif start.first < start.last:
        within = start.first <= patient.first_dose <= start.last and not (
            over is not None and over < patient.first_dose
        )
        begin = patient.first_dose if within else start.first
        written = f"{start.first:%Y-%m}" if (start.last - start.first).days <= 31 else f"{start.first:%Y}"
        doubts.append(("warning", "partial date", f"start {written}", f"taken as {begin}"))
    else:
        begin = start.first
    if over is not None and over < begin:
        doubts.append(("error", "dates out of order", f"end {over} before start {begin}", "taken as without an end"))
        over = None
    if patient.death is not None and begin > patient.death:
        doubts.append(("warning", "event after death", f"start {begin}, death {patient.death}", "not emergent"))
    return begin, over, doubts


def _similar_terms(terms: pd.Series[str]) -> list[DataFinding]:
    """Name terms that differ by a letter or two from one that is more frequent."""
    frequency = terms.value_counts()
    found = []
    for term in frequency[frequency <= 2].index:
        others = [other for other in frequency.index if frequency[other] > frequency[term]]
        near = get_close_matches(term.lower(), [other.lower() for other in others], n=1, cutoff=0.92)
        if near:
            message = f"term {term!r} is nearly {next(o for o in others if o.lower() == near[0])!r}"
            found.append(
                DataFinding("warning", "similar terms", "", "", "", message, "counted apart; correct the coding")
            )
    return found
