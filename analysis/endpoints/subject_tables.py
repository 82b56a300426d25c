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
    read = [dates(frame[field])[0].tolist() for field in Patient._fields]
    written = [frame[field].fillna("").tolist() for field in Patient._fields]
    twice = set(frame["subject"][frame["subject"].duplicated()])
    findings = [
        Finding("error", "duplicate subject", subject, "", "", "stands there twice, with other dates", "keep one row")
        for subject in sorted(twice)
    ]
    known: dict[str, Patient] = {}
    for subject, when, words in zip(frame["subject"], zip(*read, strict=True), zip(*written, strict=True), strict=True):
        patient = Patient(*when)
        unread = [
            f"{field.replace('_', ' ')} date {word!r}"
            for field, date, word in zip(Patient._fields, patient, words, strict=True)
            if bool(pd.isna(date)) and (field == "reference" or word)
        ]
        if unread:
            message = ", ".join(unread)
            findings.append(Finding("error", "unreadable date", subject, "", "", message, "write YYYY-MM-DD"))
        elif subject not in twice:
            known[subject] = patient
    return known, findings
