"""Overall survival, which no scan and no reader decides: from the table of subjects alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.conventions.border import border
from analysis.endpoints.endpoint_tables import FIELDS
from analysis.errors import InvalidValueError
from analysis.records.findings import DataFinding
from analysis.records.subject_tables import patients
from analysis.records.tables import SUBJECT, columns, dates

if TYPE_CHECKING:
    from datetime import date

    from analysis.records.tables import Day

LAST_ALIVE = ("LSTALVDT", "LSTALVDTC", "EOSDT", "RFPENDTC", "last_alive")
"""Columns of the last day on which a subject was known to be alive."""
ADD = "give LSTALVDT, or the day of death"


@border
def overall_survival(subjects: pd.DataFrame) -> tuple[pd.DataFrame, list[DataFinding]]:
    """Derive overall survival: days from the reference date to death, else to the last day known to be alive.

    Parameters
    ----------
    subjects
        ADSL or DM: USUBJID, RANDDT or TRTSDT, DTHDT, and LSTALVDT (or EOSDT, RFPENDTC).

    Returns
    -------
    table : pandas.DataFrame
        As `derive_endpoints` lays out a time, under ``"OS"``, by no evaluator.
    findings : list of DataFinding
        Who is left out, and what was not used. A subject who died counts whether or not a last day is given.

    Raises
    ------
    InvalidValueError
        If the table has no column of a last day alive.

    Examples
    --------
    >>> adsl = pd.DataFrame(
    ...     [("1", "2024-01-10", "2024-07-01", None), ("2", "2024-01-12", None, "2024-09-30")],
    ...     columns=["USUBJID", "RANDDT", "DTHDT", "LSTALVDT"],
    ... )
    >>> overall_survival(adsl)[0][["subject", "days", "event", "reason"]].values.tolist()
    [['1', 173.0, True, 'death'], ['2', 262.0, False, 'last known alive']]
    """
    if not any(name in getattr(subjects, "columns", ()) for name in LAST_ALIVE):
        expected = f"a column {' or '.join(LAST_ALIVE)}"
        raise InvalidValueError("subjects", list(subjects.columns), expected, "add it for those who did not die")
    known, findings = patients(subjects)
    table = columns(subjects, {"subject": SUBJECT}, {"alive": LAST_ALIVE}, "subjects")
    written = dict(
        zip(map(str, table["subject"]), zip(table["alive"], dates(table["alive"]), strict=True), strict=True)
    )
    rows = []
    for subject, patient in known.items():
        word, day = written[subject]
        end, found = _end(subject, patient.reference, patient.death, word, day)
        findings += found
        if end is not None:
            died = patient.death is not None
            reason = "death" if died else "last known alive"
            rows.append([subject, "", "OS", None, None, float((end - patient.reference).days), died, reason, end])
    frame = pd.DataFrame(rows, columns=["subject", "evaluator", "endpoint", *FIELDS, "date"])
    return frame.astype({"per_cent": float, "days": float}), findings


def _end(
    subject: str, reference: date, death: date | None, word: str | None, alive: Day | None
) -> tuple[date | None, list[DataFinding]]:
    """Give the day on which follow-up ends, and what is wrong with it; None for one who is left out."""

    def said(severity: str, rule: str, message: str, consequence: str) -> list[DataFinding]:
        return [DataFinding(severity, rule, subject, "", "", message, consequence)]  # type: ignore[arg-type]  # a literal

    if death is not None:
        late = alive is not None and alive.first > death
        message = f"known to be alive on {word}, after death on {death}"
        return death, said(
            "warning", "alive after death", message, "death counts; correct the one or the other"
        ) if late else []
    if alive is None:
        rule, message = (
            ("unreadable date", f"last day alive {word!r}") if word else ("no last day alive", "nor a death")
        )
        return None, said("error", rule, message, f"not in overall survival; {ADD}")
    if alive.first < reference:  # of a month, its first day is the last that is sure
        message = f"known to be alive until {word}, before the reference date {reference}"
        return None, said(
            "error", "dates out of order", message, "not in overall survival; correct the one or the other"
        )
    partial = alive.first < alive.last
    consequence = f"censored on {alive.first}, the first day that it can be"
    return alive.first, said("warning", "partial date", f"last day alive {word}", consequence) if partial else []
