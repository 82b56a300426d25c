"""Subjects as they come from ADSL: the reference date, and what else happened to a patient."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from analysis.records.findings import DataFinding
from analysis.records.partial_dates import WIDEST
from analysis.records.tables import SAS_DAYS, SUBJECT, WRITE_DATES, columns, dates, is_sas_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pandas as pd

    from analysis.records.tables import Day

SUBJECT_COLUMNS = {"subject": SUBJECT}
STARTS = ("RANDDT", "TRTSDT", "RFSTDTC", "reference")
"""Columns of the reference date, the first that a subject has: randomisation, else the first dose."""
SUBJECT_OPTIONAL = {
    "first_dose": ("TRTSDT", "TRTSDTM", "RFXSTDTC", "first_dose"),
    "arm": ("ACTARMCD", "ARMCD", "ACTARM", "ARM"),
    "death": ("DTHDT", "DTHDTC", "death"),
    "new_therapy": ("NACTDT", "new_therapy"),
    "discontinuation": ("DCTDT", "discontinuation"),
}


ARMS = ("TRT01P", "ARM", "TRT01A", "ACTARM", "arm")
"""Columns of the arm that was planned; where there is none, of the one that was received."""
ALL = "all"
"""Name of the arm where a table has none."""
NOT_TREATED = ("SCRNFAIL", "SCREEN FAILURE", "SCREENFAIL", "NOTASSGN", "NOT ASSIGNED")
"""Arms of subjects who never came into the trial."""


LATEST_DOSE = timedelta(days=28)
"""A first dose later than this after the reference date does not move the baseline: treatment may come before it."""


class Patient(NamedTuple):
    """What is known of a patient apart from tumours; None for what did not happen."""

    reference: date
    death: date | None = None
    new_therapy: date | None = None
    discontinuation: date | None = None
    first_dose: date | None = None

    @property
    def baseline_until(self) -> date:
        """Last day of the baseline: that of randomisation, or of a first dose up to `LATEST_DOSE` after it."""
        dose = self.first_dose
        return dose if dose is not None and self.reference < dose <= self.reference + LATEST_DOSE else self.reference


def planned_arms(subjects: pd.DataFrame) -> dict[str, str]:
    """Give the arm of each subject as planned: `ALL` where the table has no arms, ``"not known"`` where one is blank.

    Examples
    --------
    >>> import pandas as pd
    >>> planned_arms(pd.DataFrame({"USUBJID": ["1", "2"], "TRT01P": ["drug", None]}))
    {'1': 'drug', '2': 'not known'}
    """
    table = columns(subjects, SUBJECT_COLUMNS, {"arm": ARMS}, "subjects")
    none = "not known" if any(table["arm"]) else ALL
    return {str(name): arm or none for name, arm in zip(table["subject"], table["arm"], strict=True)}


def patients(subjects: pd.DataFrame) -> tuple[Mapping[str, Patient], list[DataFinding]]:
    """Read subjects, one row for each, with a finding for each that cannot be read (those are left out) or lacks a day.

    Raises
    ------
    InvalidValueError
        If a needed column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"USUBJID": ["S1", "S2"], "RANDDT": ["2024-01-01", "soon"]})
    >>> known, findings = patients(frame)
    >>> list(known), findings[0].message
    (['S1'], "reference date 'soon'")
    """
    there: list[tuple[str, ...]] = [(name,) for name in STARTS if name in getattr(subjects, "columns", ())]
    starts: dict[str, tuple[str, ...]] = {f"start {names[0]}": names for names in there or [STARTS]}
    table = columns(subjects, {**SUBJECT_COLUMNS, **starts}, SUBJECT_OPTIONAL, "subjects")
    table["reference"] = [
        next(filter(None, words), None) for words in zip(*(table[name] for name in starts), strict=True)
    ]
    words = list({word for field in Patient._fields for word in table[field]})
    read = dict(zip(words, dates(words), strict=True))
    fields = (*Patient._fields, "arm")
    rows = list(dict.fromkeys(zip(table["subject"], *(table[field] for field in fields), strict=True)))
    twice = {subject for subject, count in Counter(str(row[0]) for row in rows).items() if count > 1}
    findings = [
        DataFinding(
            "error", "duplicate subject", subject, "", "", "stands there twice, with other dates", "keep one row"
        )
        for subject in sorted(twice)
    ]
    if any(is_sas_date(word) for word in words):
        message = f"dates are numbers, as {next(word for word in words if is_sas_date(word))}"
        findings.append(DataFinding("warning", "SAS dates", "", "", "", message, SAS_DAYS))
    known: dict[str, Patient] = {}
    for name, *written, arm in rows:
        subject = str(name)
        days = [read[word] for word in written]
        named = list(zip(Patient._fields, written, days, strict=True))
        if written[0] is None and (arm or "").upper() in NOT_TREATED:
            message = f"no reference date, arm {arm}"
            findings.append(DataFinding("warning", "not in the trial", subject, "", "", message, "not counted"))
            continue
        unread = [
            f"{field.replace('_', ' ')} date {word or ''!r}"
            for field, word, day in named
            if (day is None and (field == "reference" or word)) or (day is not None and day.last - day.first > WIDEST)
        ]
        if unread:
            findings.append(DataFinding("error", "unreadable date", subject, "", "", ", ".join(unread), WRITE_DATES))
            continue
        patient, found = _patient(subject, {field: day for field, _, day in named if day is not None})
        findings += found
        if subject not in twice and all(one.severity != "error" for one in found):
            known[subject] = patient
    return known, findings


def _patient(subject: str, days: Mapping[str, Day]) -> tuple[Patient, list[DataFinding]]:
    """Take the last day that each date can be, and say so; and what came before it can have come."""
    found = []
    for field, (first, last) in days.items():
        if first < last:
            message = f"{field.replace('_', ' ')} date {first:%Y-%m} without a day"
            found.append(DataFinding("warning", "partial date", subject, "", "", message, f"taken as {last}"))
    patient = Patient(**{field: day.last for field, day in days.items()})
    if patient.first_dose is not None and patient.first_dose > patient.reference + LATEST_DOSE:
        message = f"first dose {(patient.first_dose - patient.reference).days} days after the reference date"
        found.append(
            DataFinding(
                "warning", "late first dose", subject, "", "", message, "the baseline ends at the reference date"
            )
        )
    for field in ("death", "new_therapy", "discontinuation"):
        when = getattr(patient, field)
        if when is not None and when < patient.reference:
            message = f"{field.replace('_', ' ')} on {when}, before the reference date {patient.reference}"
            found.append(
                DataFinding("error", "dates out of order", subject, "", "", message, "correct the one or the other")
            )
    return patient, found
