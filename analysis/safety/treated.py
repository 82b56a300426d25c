"""The patients who received treatment, and for how long each was observed."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from analysis.conventions.border import border
from analysis.records.findings import DataFinding
from analysis.records.subject_tables import ALL
from analysis.records.tables import SUBJECT, WRITE_DATES, columns, dates

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analysis.records.tables import Day

ARMS = ("TRT01A", "ACTARM", "TRT01P", "ARM", "arm")
DATES = {
    "first_dose": ("TRTSDT", "TRTSDTM", "RFXSTDTC", "first_dose"),
    "last_dose": ("TRTEDT", "TRTEDTM", "RFXENDTC", "last_dose"),
    "death": ("DTHDT", "DTHDTC", "death"),
    "progression": ("PDDT", "progression"),
    "last_known": ("DCUTDT", "EOSDT", "LSTALVDT", "RFPENDTC", "last_known"),
}


class Treated(NamedTuple):
    """A patient who received at least one dose; dates are None for what did not happen or is not known.

    Attributes
    ----------
    arm
        Treatment received.
    first_dose, last_dose
        Days of the first and the last dose; no last one while treatment goes on.
    death, progression
        Days of death and of progression.
    last_known
        Last day on which the patient was observed: the data cut-off or the end of study.
    stratum
        What comparisons are stratified by.

    Examples
    --------
    >>> from datetime import date
    >>> Treated("drug", date(2024, 1, 10), last_dose=date(2024, 6, 10)).arm
    'drug'
    """

    arm: str
    first_dose: date
    last_dose: date | None = None
    death: date | None = None
    progression: date | None = None
    last_known: date | None = None
    stratum: str = ""

    def until(self, window: int) -> date | None:
        """Last day on which an event is of treatment: `window` days after the last dose, death, or the cut-off."""
        ends = [self.death, self.last_known]
        if self.last_dose is not None:
            ends.append(self.last_dose + timedelta(days=window))
        known = [day for day in ends if day is not None]
        return min(known) if known else None


@border
def read_treated(
    subjects: pd.DataFrame, *, cutoff: date | None = None, stratum: str | None = None
) -> tuple[Mapping[str, Treated], list[DataFinding]]:
    """Read the safety population: who has a first dose, by treatment received.

    Parameters
    ----------
    subjects
        ADSL or DM: USUBJID; TRT01A, ACTARM, TRT01P or ARM; TRTSDT and TRTEDT (RFXSTDTC, RFXENDTC); as far as there are,
        DTHDT, PDDT, and DCUTDT, EOSDT or LSTALVDT.
    cutoff
        Data cut-off, for patients of whom the table gives no last day.
    stratum
        Column that comparisons are stratified by.

    Returns
    -------
    treated : dict
        By subject.
    findings : list of DataFinding
        Who was not treated, and whose dates cannot be.

    Raises
    ------
    InvalidValueError
        If a needed column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"USUBJID": ["1", "2"], "ARM": ["A", "A"], "TRTSDT": ["2024-01-08", None]})
    >>> treated, findings = read_treated(frame)
    >>> list(treated), findings[0].rule
    (['1'], 'not treated')
    """
    needed = {"subject": SUBJECT, "first_dose": DATES["first_dose"]}
    if stratum is not None:
        needed["stratum"] = (stratum,)
    table = columns(subjects, needed, {**DATES, "arm": ARMS}, "subjects")
    table.setdefault("stratum", [""] * len(table["subject"]))
    words = list({word for field in DATES for word in table[field]})
    read = dict(zip(words, dates(words), strict=True))
    rows = list(dict.fromkeys(zip(*(table[name] for name in ("subject", "arm", "stratum", *DATES)), strict=True)))
    twice = {name for name, times in Counter(row[0] for row in rows).items() if times > 1}
    findings = [_finding("error", "duplicate subject", str(one), "two rows", "keep one row") for one in sorted(twice)]
    known: dict[str, Treated] = {}
    for subject, arm, layer, *written in rows:
        name = str(subject)
        if name in twice:
            continue
        given = {field: (word, read[word]) for field, word in zip(DATES, written, strict=True)}
        if given["first_dose"][0] is None:
            findings.append(_finding("warning", "not treated", name, "no first dose", "not in the safety population"))
            continue
        unread = [f"{field} {word!r}" for field, (word, day) in given.items() if word is not None and day is None]
        if unread:
            findings.append(_finding("error", "unreadable date", name, ", ".join(unread), WRITE_DATES))
            continue
        patient, found = _treated(name, arm or ALL, layer or "", {f: d for f, (_, d) in given.items() if d}, cutoff)
        findings += found
        if all(one.severity != "error" for one in found):
            known[name] = patient
    return known, findings


def _treated(
    subject: str, arm: str, stratum: str, days: Mapping[str, Day], cutoff: date | None
) -> tuple[Treated, list[DataFinding]]:
    """Take the first day that a first dose can have been and the last of all others, and say so."""
    found, taken = [], {}
    for field, (first, last) in days.items():
        taken[field] = first if field == "first_dose" else last
        if first < last:
            message = f"{field.replace('_', ' ')} {first:%Y-%m} without a day"
            found.append(_finding("warning", "partial date", subject, message, f"taken as {taken[field]}"))
    start = taken["first_dose"]
    for field in ("last_dose", "death", "last_known"):
        if field in taken and taken[field] < start:
            message = f"{field.replace('_', ' ')} on {taken[field]}, before the first dose {start}"
            found.append(_finding("error", "dates out of order", subject, message, "correct the one or the other"))
    death, dose = taken.get("death"), taken.get("last_dose")
    if death is not None and dose is not None and dose > death:
        message = f"last dose on {dose}, after death on {death}"
        found.append(_finding("warning", "dose after death", subject, message, "observed until death"))
    if "last_known" not in taken and cutoff is not None:
        taken["last_known"] = cutoff
        if cutoff < start:
            message = f"first dose {start}, after the cut-off {cutoff}"
            found.append(_finding("error", "dates out of order", subject, message, "correct the one or the other"))
    return Treated(arm, start, dose, death, taken.get("progression"), taken.get("last_known"), stratum), found


def _finding(severity: str, rule: str, subject: str, message: str, consequence: str) -> DataFinding:
    return DataFinding("error" if severity == "error" else "warning", rule, subject, "", "", message, consequence)
