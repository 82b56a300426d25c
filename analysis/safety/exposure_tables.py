"""Reads exposure as it is delivered in EX: every dose, what was planned by then, every change and why."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import choice, one_of
from analysis.records.findings import DataFinding
from analysis.records.tables import SUBJECT, columns, dates, label_key, numbers, text
from analysis.safety.exposure import DosePlan, Exposure
from analysis.safety.treated import read_treated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.records.tables import Day
    from analysis.safety.treated import Treated

Until = Literal["last dose", "end of treatment"]
COLUMNS = {
    "treatment": ("EXTRT", "treatment"),
    "unit": ("EXDOSU", "unit"),
    "frequency": ("EXDOSFRQ", "frequency"),
    "end": ("EXENDTC", "AENDT", "end"),
    "reason": ("EXADJ", "reason"),
}
TIMES_A_DAY = {"QD": 1, "ONCE": 1, "DAILY": 1, "BID": 2, "TID": 3, "QID": 4}
EACH_DAY = timedelta(days=1)


@border
def read_exposure(
    exposure: pd.DataFrame,
    subjects: pd.DataFrame,
    plan: DosePlan | Mapping[str, DosePlan],
    disposition: pd.DataFrame | None = None,
    *,
    cutoff: date | None = None,
    until: Until = "last dose",
) -> Exposure:
    """Read exposure as it is delivered.

    Parameters
    ----------
    exposure
        EX: USUBJID, EXDOSE, EXSTDTC; as far as there are, EXTRT, EXDOSU, EXDOSFRQ, EXENDTC, EXADJ. A record is a
        stretch of days at one dose; a dose of 0 is an interruption, and so are days between two records.
    subjects
        ADSL or DM; see `read_treated`. DCTREAS (or DCTRS) is the reason for which treatment ended.
    plan
        Of the treatment, or by EXTRT of several.
    disposition
        DS: USUBJID, DSDECOD, DSSTDTC, DSSCAT; its records on the end of treatment give the reason, before DCTREAS.
    cutoff
        Data cut-off, up to which a last record without an end is taken to go on.
    until
        End of the time over which a dose was planned: that of the last dose, or the end of treatment in DS, so that an
        interruption before it counts.

    Returns
    -------
    Exposure

    Raises
    ------
    InvalidValueError
        If a needed column is missing or a plan is none.
    UnknownNameError
        If there is no such choice.

    Examples
    --------
    >>> adsl = pd.DataFrame({"USUBJID": ["1"], "TRTSDT": ["2024-01-01"], "TRTEDT": ["2024-01-30"]})
    >>> ex = pd.DataFrame(
    ...     {
    ...         "USUBJID": ["1", "1"],
    ...         "EXDOSE": [40, 20],
    ...         "EXSTDTC": ["2024-01-01", "2024-01-16"],
    ...         "EXENDTC": ["2024-01-10", "2024-01-30"],
    ...     }
    ... )
    >>> found = read_exposure(ex, adsl, DosePlan(40)).subjects
    >>> found[["relative_dose_intensity", "reductions", "days_interrupted"]].values.round(3).tolist()
    [[0.583, 1.0, 5.0]]
    """
    choice("until", until, ("last dose", "end of treatment"))
    several = plan if isinstance(plan, dict) else None
    for one in several.values() if several is not None else [plan]:
        one_of("plan", one, DosePlan, 'DosePlan(40), or {"CABOZANTINIB": DosePlan(40)}')
    treated, findings = read_treated(subjects, cutoff=cutoff)
    known = {str(one) for one in text(subjects[next(name for name in SUBJECT if name in subjects.columns)])}
    reasons = _reasons(subjects, disposition)
    needed = {"subject": SUBJECT, "dose": ("EXDOSE", "dose"), "start": ("EXSTDTC", "ASTDT", "start")}
    if several is not None:
        needed["treatment"] = COLUMNS["treatment"]
    table = columns(exposure, needed, COLUMNS, "exposure")
    records = list(
        zip(
            *(table[name] for name in ("subject", "treatment", "unit", "frequency", "reason")),
            numbers(table["dose"]),
            dates(table["start"]),
            dates(table["end"]),
            strict=True,
        )
    )
    plans = {label_key(name): (name, one) for name, one in (several or {}).items()}
    by_patient: dict[tuple[str, str], list[_Stretch]] = {}
    bad: set[tuple[str, str]] = set()
    for k, (who, treatment, unit, frequency, reason, dose, start, end) in enumerate(records):
        subject, place = str(who), f"EX row {k + 1}"
        if subject not in treated:
            if subject not in known:
                findings.append(_said("unknown subject", subject, f"{place}: not in the table of subjects"))
            continue
        name, planned = _planned(plan, plans, treatment)
        if planned is None:
            findings.append(_said("unplanned treatment", subject, f"{place}: EXTRT {treatment!r}", "name it in plan="))
            continue
        wrong = _wrong(planned, unit, frequency, dose, start, end)
        if wrong is not None:
            findings.append(_said(wrong[0], subject, f"{place}: {wrong[1]}", wrong[2]))
            bad.add((subject, name))
            continue
        assert start is not None
        times = TIMES_A_DAY.get(label_key(frequency), 1) if planned.every == 1 else 1
        stop = end.last if end is not None else None
        by_patient.setdefault((subject, name), []).append(_Stretch(start.first, stop, dose * times, reason or ""))
    rows, changes = [], []
    for (subject, name), stretches in by_patient.items():
        if (subject, name) in bad:
            continue
        planned = _planned(plan, plans, name)[1]
        assert planned is not None
        patient = treated[subject]
        error = _close(stretches, patient, planned)
        if error is not None:
            findings.append(_said(error[0], subject, error[1], error[2]))
            continue
        reason, ended_on = reasons.get(subject, ("", None))
        row, found = _follow(stretches, planned, ended_on if until == "end of treatment" else None)
        # a last dose on the day of the cut-off is the last that is known, not the last
        at_cutoff = patient.last_dose is not None and patient.last_dose == patient.last_known
        ended = bool(reason) or (patient.last_dose is not None and not at_cutoff)
        rows.append([subject, patient.arm, name, *row, ended, reason if reason else "not given" if ended else ""])
        changes += [[subject, name, *change] for change in found]
        if ended:
            changes.append([subject, name, row[1], "ended", 0.0, 0, reason or "not given"])
    for subject in treated:
        if not any(key[0] == subject for key in by_patient):
            findings.append(_said("without exposure", subject, "a first dose, and no row in EX"))
    names = ["subject", "arm", "treatment", "first_dose", "last_dose", "days", "administered", "planned"]
    names += ["relative_dose_intensity", "reductions", "lowest_dose", "interruptions", "days_interrupted"]
    frame = pd.DataFrame(rows, columns=[*names, "ended", "reason"])
    moved = pd.DataFrame(changes, columns=["subject", "treatment", "date", "change", "dose", "days", "reason"])
    return Exposure(frame, moved, treated, tuple(findings))


@dataclass
class _Stretch:
    """Days at one dose: of each day, or of each administration."""

    start: date
    end: date | None
    dose: float
    reason: str


def _planned(
    plan: DosePlan | Mapping[str, DosePlan], plans: Mapping[str, tuple[str, DosePlan]], treatment: str | None
) -> tuple[str, DosePlan | None]:
    if isinstance(plan, DosePlan):
        return "treatment", plan
    return plans.get(label_key(treatment), (treatment or "", None))


def _wrong(
    plan: DosePlan, unit: str | None, frequency: str | None, dose: float, start: Day | None, end: Day | None
) -> tuple[str, str, str] | None:
    """Say why a record cannot be read: rule, what was found, and what to do."""
    if unit is not None and label_key(unit) != label_key(plan.unit):
        return "unit", f"EXDOSU {unit!r}, planned in {plan.unit}", "convert it; the patient is left out"
    if not 0 <= dose < math.inf:
        return "dose", "EXDOSE is no finite number from 0 on", "correct it; the patient is left out"
    if start is None:
        return "unreadable date", "EXSTDTC is no date", "write YYYY-MM-DD; the patient is left out"
    word = label_key(frequency)
    if plan.every == 1 and word and word not in TIMES_A_DAY:
        told = f"one of {', '.join(TIMES_A_DAY)}"
        return "frequency", f"EXDOSFRQ {frequency!r} is none that is known of a daily dose", f"write {told}"
    for day, name in ((start, "EXSTDTC"), (end, "EXENDTC")):
        if day is not None and day.first != day.last:
            return "partial date", f"{name} without a day", "a dose cannot be counted by it; the patient is left out"
    if end is not None and end.last < start.first:
        return "dates out of order", f"end {end.last} before start {start.first}", "correct the one or the other"
    return None


def _close(stretches: list[_Stretch], patient: Treated, plan: DosePlan) -> tuple[str, str, str] | None:
    """Order the stretches and close the open ones; say what cannot be."""
    stretches.sort(key=lambda one: one.start)
    for one, later in zip(stretches, [*stretches[1:], None], strict=True):
        if one.end is None and plan.every > 1:
            one.end = one.start
        elif one.end is None and later is None:
            last = patient.last_dose or patient.last_known
            if last is None:
                return "no end", f"the dose from {one.start} has no end", "give EXENDTC, TRTEDT or cutoff="
            one.end = max(last, one.start)
        elif one.end is None:
            return "no end", f"the dose from {one.start} has no end, and another follows", "give EXENDTC"
        if later is not None and one.end >= later.start:
            return "overlapping doses", f"{one.start} to {one.end} and from {later.start}", "correct one; left out"
    while stretches and stretches[-1].dose == 0:
        stretches.pop()
    while stretches and stretches[0].dose == 0:
        stretches.pop(0)
    if not stretches:
        return "without exposure", "no dose above 0", "check EXDOSE"
    return None


def _follow(
    stretches: Sequence[_Stretch], plan: DosePlan, ended_on: date | None
) -> tuple[list[object], list[list[object]]]:
    """Follow a patient's doses: what was given, what was planned, and every change."""
    first, last = stretches[0].start, stretches[-1].end
    assert last is not None
    given = [one for one in stretches if one.dose > 0]
    until = max(last, ended_on) if ended_on is not None else last
    if plan.every == 1:
        administered = sum(one.dose * ((one.end - one.start).days + 1) for one in given if one.end is not None)
        planned = plan.dose * ((until - first).days + 1)
    else:
        administered = sum(one.dose * (((one.end or one.start) - one.start).days // plan.every + 1) for one in given)
        planned = plan.dose * ((until - first).days // plan.every + 1)
    changes: list[list[object]] = []
    if given[0].dose < plan.dose:
        changes.append([first, "started below plan", given[0].dose, 0, given[0].reason])
    gaps = []
    for before, after in pairwise(given):
        assert before.end is not None
        reason = next((one.reason for one in stretches if before.end < one.start < after.start), "") or after.reason
        if plan.every == 1:
            away = (after.start - before.end).days - 1
        else:
            last_given = before.start + timedelta(days=((before.end - before.start).days // plan.every) * plan.every)
            away = (after.start - last_given).days - plan.every
        if away > plan.late:
            gaps.append(away)
            changes.append([before.end + EACH_DAY, "interrupted", 0.0, away, reason])
        if after.dose != before.dose:
            word = "reduced" if after.dose < before.dose else "increased"
            changes.append([after.start, word, after.dose, 0, after.reason or reason])
    reductions = sum(change[1] == "reduced" for change in changes)
    lowest = min(one.dose for one in given)
    row = [first, last, (last - first).days + 1, administered, planned, administered / planned]
    return [*row, reductions, lowest, len(gaps), sum(gaps)], changes


def _reasons(subjects: pd.DataFrame, disposition: pd.DataFrame | None) -> dict[str, tuple[str, date | None]]:
    """Why and when each subject's treatment ended: DS, else ADSL."""
    found: dict[str, tuple[str, date | None]] = {}
    optional = {"reason": ("DCTREAS", "DCTRS", "reason"), "ended": ("TRTEDT", "RFXENDTC")}
    table = columns(subjects, {"subject": SUBJECT}, optional, "subjects")
    for subject, reason, day in zip(table["subject"], table["reason"], dates(table["ended"]), strict=True):
        if reason is not None:
            found[str(subject)] = (reason, day.last if day is not None else None)
    if disposition is not None:
        needed = {"subject": SUBJECT, "reason": ("DSDECOD", "reason")}
        optional = {"ended": ("DSSTDTC", "ended"), "category": ("DSCAT",), "about": ("DSSCAT",)}
        table = columns(disposition, needed, optional, "disposition")
        rows = zip(
            *(table[name] for name in ("subject", "reason", "category", "about")), dates(table["ended"]), strict=True
        )
        for subject, reason, category, about, day in rows:
            event = category is None or label_key(category) == "DISPOSITION EVENT"
            of_treatment = about is None or re.search("TREATMENT|DRUG|DOSING", label_key(about))
            if event and of_treatment and reason is not None:
                found[str(subject)] = (reason, day.last if day is not None else None)
    return found


def _said(rule: str, subject: str, message: str, remedy: str = "correct it; left out") -> DataFinding:
    return DataFinding("error", rule, subject, "", "", message, remedy)
