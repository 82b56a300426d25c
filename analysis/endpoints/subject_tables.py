"""Subjects as they come from ADSL: the reference date, and what else happened to a patient."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from analysis.endpoints.findings import DataFinding
from analysis.endpoints.tables import SUBJECT, columns, date_remedy, dates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pandas as pd

SUBJECT_COLUMNS = {"subject": SUBJECT, "reference": ("RANDDT", "TRTSDT", "RFSTDTC", "reference")}
SUBJECT_OPTIONAL = {
    "death": ("DTHDT", "DTHDTC", "death"),
    "new_therapy": ("NACTDT", "new_therapy"),
    "discontinuation": ("DCTDT", "discontinuation"),
}


LAST_DAY = "taken as the month's last day, or as the day of death if that comes before it"
"""What is done with a date of a measurement or a response that lacks its day."""


class Patient(NamedTuple):
    """What is known of a patient apart from tumours; None for what did not happen."""

    reference: date
    death: date | None = None
    new_therapy: date | None = None
    discontinuation: date | None = None


def not_after(death: date, when: date) -> date:
    """Take a day that stands for its month as the day of death, if that comes before it in the month."""
    return min(death, when) if (death.year, death.month) == (when.year, when.month) else when


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
    table = columns(subjects, SUBJECT_COLUMNS, SUBJECT_OPTIONAL, "subjects")
    words = list({word for field in Patient._fields for word in table[field]})
    days, partial = dates(words)
    read, months = dict(zip(words, days, strict=True)), set(compress(words, partial))
    rows = list(dict.fromkeys(zip(table["subject"], *(table[field] for field in Patient._fields), strict=True)))
    twice = {subject for subject, count in Counter(str(row[0]) for row in rows).items() if count > 1}
    findings = [
        DataFinding(
            "error", "duplicate subject", subject, "", "", "stands there twice, with other dates", "keep one row"
        )
        for subject in sorted(twice)
    ]
    known: dict[str, Patient] = {}
    for name, *written in rows:
        subject = str(name)
        reference, *others = (read[word] for word in written)
        named = list(zip(Patient._fields, written, (reference, *others), strict=True))
        unread = [
            f"{field.replace('_', ' ')} date {word or ''!r}"
            for field, word, when in named
            if when is None and (field == "reference" or word)
        ]
        if unread or reference is None:
            message = ", ".join(unread)
            remedy = date_remedy(next((word for _, word, when in named if when is None and word), None))
            findings.append(DataFinding("error", "unreadable date", subject, "", "", message, remedy))
        elif subject not in twice:
            known[subject] = Patient(reference, *others)
        for field, word, when in named:
            if when is not None and word in months:
                message = f"{field.replace('_', ' ')} date {when:%Y-%m} without a day"
                consequence = "taken as the month's last day"
                findings.append(DataFinding("warning", "partial date", subject, "", "", message, consequence))
    return known, findings
