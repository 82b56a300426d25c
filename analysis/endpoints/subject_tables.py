"""Subjects as they come from ADSL: the reference date, and what else happened to a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.endpoints.findings import Finding
from analysis.endpoints.tables import SUBJECT, columns, dates

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBJECT_COLUMNS = {"subject": SUBJECT, "reference": ("RANDDT", "TRTSDT", "RFSTDTC", "reference")}
SUBJECT_OPTIONAL = {
    "death": ("DTHDT", "DTHDTC", "death"),
    "new_therapy": ("NACTDT", "new_therapy"),
    "discontinuation": ("DCTDT", "discontinuation"),
}


class Patient(NamedTuple):
    """What is known of a patient apart from tumours; NaT for what did not happen."""

    reference: pd.Timestamp
    death: pd.Timestamp
    new_therapy: pd.Timestamp
    discontinuation: pd.Timestamp


def patients(subjects: pd.DataFrame) -> tuple[Mapping[str, Patient], list[Finding]]:
    """Read subjects, one row for each, with a finding for each that cannot be read; those are left out.

    Raises
    ------
    InvalidValueError
        If a needed column is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"USUBJID": ["S1", "S2"], "RANDDT": ["2024-01-01", "soon"]})
    >>> known, findings = patients(frame)
    >>> list(known), findings[0].message
    (['S1'], "reference date 'soon'")
    """
    frame = columns(subjects, SUBJECT_COLUMNS, SUBJECT_OPTIONAL, "subjects").drop_duplicates()
    read = {field: dates(frame[field])[0] for field in Patient._fields}
    twice = set(frame["subject"][frame["subject"].duplicated()])
    findings = [
        Finding("error", "duplicate subject", subject, "", "", "stands there twice, with other dates", "keep one row")
        for subject in sorted(twice)
    ]
    known: dict[str, Patient] = {}
    written = frame[list(Patient._fields)].fillna("")
    for place, subject in enumerate(frame["subject"]):
        patient = Patient(*(read[field].iloc[place] for field in Patient._fields))
        unread = [
            f"{field.replace('_', ' ')} date {written[field].iloc[place]!r}"
            for field, when in zip(Patient._fields, patient, strict=True)
            if bool(pd.isna(when)) and (field == "reference" or written[field].iloc[place])
        ]
        if unread:
            message = ", ".join(unread)
            findings.append(Finding("error", "unreadable date", subject, "", "", message, "write YYYY-MM-DD"))
        elif subject not in twice:
            known[subject] = patient
    return known, findings
