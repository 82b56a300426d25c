"""Questionnaires as they come from QS: items told apart, dated, scored, compared with the baseline."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import choice, number, one_of
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.errors import InvalidValueError
from analysis.quality_of_life.deterioration import SAME_SCORE, Deterioration
from analysis.quality_of_life.scales import ITEMS, QLQ_C30, SUMMARY, score_qlq_c30
from analysis.records.findings import DataFinding
from analysis.records.subject_tables import patients, planned_arms
from analysis.records.tables import SUBJECT, VISIT, Table, columns, dates, numbers, visit_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from analysis.records.subject_tables import Patient

NOT_DONE = "NOT DONE"


@border
@dataclass(frozen=True)
class QualityOfLife:
    r"""The scored questionnaires of a trial.

    Attributes
    ----------
    scores
        One row for each questionnaire: ``subject``, ``arm``, ``visit``, ``date``, ``days`` since the reference date,
        ``baseline`` (whether it is early enough for one: of each scale the last score of these is the baseline), the
        scales and the summary score; see `score_qlq_c30`.
    subjects
        Randomised patients with their dates.
    arms
        By subject.
    findings
        What is wrong with the tables.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from analysis.endpoints import read_study
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / "adsl.csv").write_text(
    ...     "USUBJID,TRT01A,TRTSDT,TRTEDT,RANDDT\n1,drug,2024-01-10,2024-06-10,2024-01-09\n"
    ...     "2,placebo,2024-01-10,2024-06-10,2024-01-09\n"
    ... )
    >>> rows = "1,QLQ29,6,2024-01-09,EORTC QLQ-C30\n1,QLQ30,5,2024-01-09,EORTC QLQ-C30\n"
    >>> _ = (folder / "qs.csv").write_text("USUBJID,QSTESTCD,QSSTRESN,QSDTC,QSCAT\n" + rows)
    >>> read_study(folder).quality_of_life().scores.shape[0] >= 0
    True
    """

    scores: pd.DataFrame = field(repr=False)
    subjects: Mapping[str, Patient] = field(repr=False)
    arms: Mapping[str, str] = field(repr=False)
    findings: tuple[DataFinding, ...] = field(repr=False)

    def change(self, scale: str = "QL2") -> pd.DataFrame:
        """Change from baseline by visit, of the patients who have both; the last score of a visit counts.

        Returns
        -------
        DataFrame
            ``arm``, ``visit``, ``patients``, ``mean``, ``std_dev``, ``std_error``, and the numbers that are ``better``
            and ``worse`` by 10 points; for a symptom a lower score is better. Visits in the order of their days.
        """
        rows = []
        changes = self._changes(scale)
        sign = self._sign(scale)
        order = changes.groupby("visit")["days"].median().sort_values().index
        for arm in dict.fromkeys(self.arms.values()):
            for visit in order:
                here = changes[(changes["arm"] == arm) & (changes["visit"] == visit)]["change"].to_numpy(float)
                if len(here):
                    spread = float(here.std(ddof=1)) if len(here) > 1 else np.nan
                    moved = [int((side * sign * here >= 10 - SAME_SCORE).sum()) for side in (1, -1)]
                    rows.append([arm, visit, len(here), here.mean(), spread, spread / np.sqrt(len(here)), *moved])
        names = ["arm", "visit", "patients", "mean", "std_dev", "std_error", "better", "worse"]
        return pd.DataFrame(rows, columns=names)

    def compliance(self) -> pd.DataFrame:
        """Questionnaires with a score at each visit, of the patients who were alive then.

        Returns
        -------
        DataFrame
            ``arm``, ``visit``, ``filled``, ``alive``, ``share``. A visit is on the median day of its questionnaires.
        """
        known = self.scores[self.scores[[*QLQ_C30]].notna().any(axis=1)]
        when = known.groupby("visit")["days"].median().sort_values()
        rows = []
        for arm in dict.fromkeys(self.arms.values()):
            members = {name: one for name, one in self.subjects.items() if self.arms[name] == arm}
            for visit, day in when.items():
                filled = known[(known["arm"] == arm) & (known["visit"] == visit)]["subject"].nunique()
                alive = sum(one.death is None or (one.death - one.reference).days >= day for one in members.values())
                rows.append([arm, visit, filled, alive, filled / alive if alive else np.nan])
        return pd.DataFrame(rows, columns=["arm", "visit", "filled", "alive", "share"])

    def time_to_deterioration(self, scale: str = "QL2", definition: Deterioration | None = None) -> pd.DataFrame:
        """Time from the reference date until a score deteriorates.

        Parameters
        ----------
        scale
            One of `QLQ_C30`, or ``"SumSc"``.
        definition
            What counts; `Deterioration()` if not given.

        Returns
        -------
        DataFrame
            One row for each patient with a baseline: ``subject``, ``arm``, ``time`` (months, the first day counted),
            ``event``, ``reason`` (``"deterioration"``, ``"death"``, ``"last questionnaire"``, ``"no questionnaire"``).
            Without a later questionnaire a patient is censored on the first day.

        Raises
        ------
        UnknownNameError
            If there is no such scale.
        """
        definition = one_of("definition", definition or Deterioration(), Deterioration, "Deterioration(by=10)")
        sign = self._sign(scale)
        rows = []
        for subject, own in self.scores[self.scores[scale].notna()].groupby("subject", sort=False):
            base, later = own[own["baseline"]], own[~own["baseline"]]
            if base.empty:
                continue
            series = [sign * float(base[scale].iloc[-1]), *(sign * later[scale].to_numpy(float))]
            place = definition.found(series)
            patient = self.subjects[str(subject)]
            if place is not None:
                day, event, reason = int(later["days"].iloc[place - 1]), 1, "deterioration"
            elif patient.death is not None and definition.death == "event":
                day, event, reason = (patient.death - patient.reference).days, 1, "death"
            elif len(later):
                day, event, reason = int(later["days"].iloc[-1]), 0, "last questionnaire"
            else:
                day, event, reason = 0, 0, "no questionnaire"
            rows.append([subject, self.arms[str(subject)], (max(day, 0) + 1) / DAYS_PER_MONTH, event, reason])
        return pd.DataFrame(rows, columns=["subject", "arm", "time", "event", "reason"])

    def _sign(self, scale: str) -> int:
        choice("scale", scale, [*QLQ_C30, SUMMARY])
        return -1 if scale in QLQ_C30 and QLQ_C30[scale].is_symptom else 1

    def _changes(self, scale: str) -> pd.DataFrame:
        self._sign(scale)
        known = self.scores[self.scores[scale].notna()]
        base = known[known["baseline"]].drop_duplicates("subject", keep="last").set_index("subject")[scale]
        later = known[~known["baseline"] & known["subject"].isin(base.index)]
        later = later.drop_duplicates(["subject", "visit"], keep="last")
        return later.assign(change=later[scale].to_numpy() - base.loc[later["subject"]].to_numpy())


class _Answer(NamedTuple):
    subject: str
    visit: str
    day: date | None
    item: int
    value: float


@border
def read_qlq_c30(questionnaires: pd.DataFrame, subjects: pd.DataFrame, *, baseline_until: int = 0) -> QualityOfLife:
    """Read the QLQ-C30 as it is delivered.

    Parameters
    ----------
    questionnaires
        QS: USUBJID, QSTESTCD that ends with the number of the item (``EOR0101`` to ``EOR0130``, ``C30_1`` ..),
        QSSTRESN (or QSSTRESC, QSORRES), VISIT or VISITNUM, QSDTC; as far as there is QSCAT, rows of other
        questionnaires are passed over.
    subjects
        ADSL or DM, with the reference date and death as for lesions.
    baseline_until
        Days after the reference date up to which a score can be the baseline; the last one of its scale is.

    Returns
    -------
    QualityOfLife
        An answer that the questionnaire does not have, or that stands twice with two values, counts as missing and is
        named in `findings`. A visit at which an item was answered on two dates has two questionnaires.

    Raises
    ------
    InvalidValueError
        If a needed column is missing, or codes of several questionnaires stand without QSCAT.

    Examples
    --------
    >>> adsl = pd.DataFrame({"USUBJID": ["1"], "RANDDT": ["2024-01-08"]})
    >>> rows = [
    ...     {"USUBJID": "1", "QSTESTCD": f"EOR01{item}", "QSSTRESN": answer, "VISIT": visit, "QSDTC": day}
    ...     for visit, day, answer in (("BASELINE", "2024-01-05", 6), ("WEEK 8", "2024-03-04", 5))
    ...     for item in (29, 30)
    ... ]
    >>> read_qlq_c30(pd.DataFrame(rows), adsl).change("QL2")[["visit", "mean"]].round(1).values.tolist()
    [['WEEK 8', -16.7]]
    """
    number("baseline_until", baseline_until, at_least=0, unit="days")
    known, findings = patients(subjects)
    arm_of = planned_arms(subjects)
    needed = {"subject": SUBJECT, "item": ("QSTESTCD", "item"), "answer": ("QSSTRESN", "QSSTRESC", "QSORRES", "answer")}
    optional = {**VISIT, "date": ("QSDTC", "ADT", "date"), "category": ("QSCAT",), "status": ("QSSTAT",)}
    table = columns(questionnaires, needed, {**optional, "evaluator": (), "reader": ()}, "questionnaires")
    days = dates(table["date"])
    labels = visit_labels(table, days)
    _one_questionnaire(table)
    answers: dict[tuple[str, str], dict[date | None, dict[int, float]]] = {}
    twice: set[tuple[str, str, date | None, int]] = set()
    for k, value in enumerate(numbers(table["answer"])):
        subject, place = str(table["subject"][k]), f"QS row {k + 1}"

        def say(severity: str, rule: str, message: str, done: str, who: str = subject, where: str = place) -> None:
            findings.append(
                DataFinding(
                    "error" if severity == "error" else "warning", rule, who, "", "", f"{where}: {message}", done
                )
            )

        if table["category"][k] is not None and "C30" not in (table["category"][k] or "").upper():
            continue
        item = _item(table["item"][k])
        if item is None:
            say("warning", "unknown item", f"QSTESTCD {table['item'][k]!r} ends with no item of 1 to 30", "not used")
            continue
        if subject not in known:
            if subject not in arm_of:
                say("error", "unknown subject", "not in the table of subjects", "not used")
            continue
        if (table["status"][k] or "").upper() == NOT_DONE or table["answer"][k] is None:
            continue
        highest = 7 if item >= 29 else 4
        if value not in range(1, highest + 1):
            say("error", "answer", f"item {item}: {table['answer'][k]!r} is none of 1 to {highest}", "taken as missing")
            continue
        stamp = days[k]
        day = None if stamp is None else stamp.last
        own = answers.setdefault((subject, labels[k]), {}).setdefault(day, {})
        if item in own and own[item] != value:
            say(
                "error",
                "duplicate answer",
                f"item {item} at {labels[k]}: {own[item]:g} and {value:g}",
                "taken as missing",
            )
            twice.add((subject, labels[k], day, item))
        own[item] = value
    for subject, visit, day, item in twice:
        answers[subject, visit][day].pop(item)
    filled = []
    for (subject, visit), by_day in answers.items():
        for day, own in _questionnaires(by_day):
            if day is None:
                message = f"{visit} has no date"
                findings.append(DataFinding("error", "undated questionnaire", subject, "", visit, message, "not used"))
            else:
                filled.append((subject, visit, day, own))
    items = pd.DataFrame([own for *_, own in filled], columns=range(1, ITEMS + 1), dtype=float)
    frame = pd.DataFrame([row[:3] for row in filled], columns=["subject", "visit", "date"])
    frame.insert(1, "arm", [arm_of[subject] for subject in frame["subject"]])
    frame["days"] = [(day - known[subject].reference).days for subject, _, day, _ in filled]
    frame = pd.concat([frame, score_qlq_c30(items)], axis=1).sort_values(
        ["subject", "days"], kind="stable", ignore_index=True
    )
    frame.insert(5, "baseline", frame["days"] <= baseline_until)
    for subject in dict.fromkeys(frame["subject"]):
        if not (frame["baseline"] & (frame["subject"] == subject)).any():
            message = "no questionnaire up to the reference date"
            findings.append(DataFinding("warning", "no baseline", subject, "", "", message, "no change is derived"))
    return QualityOfLife(frame, known, arm_of, tuple(dict.fromkeys(findings)))


def _one_questionnaire(table: Table) -> None:
    """Refuse codes of several questionnaires that no category tells apart: ``EOR0101`` beside ``EOR0801``."""
    open_to_doubt = [c or "" for c, category in zip(table["item"], table["category"], strict=True) if category is None]
    codes = [found for code in dict.fromkeys(open_to_doubt) if (found := re.fullmatch(r"(.*?)(\d+)\D*", code))]
    padded = len({len(found[2]) for found in codes}) == 1
    kinds = {(found[1] + (found[2][:-2] if padded else "")).upper(): found[0] for found in codes}
    if len(kinds) > 1:
        expected, remedy = "codes of the QLQ-C30 alone", "add QSCAT, or leave the other questionnaires out"
        raise InvalidValueError("QSTESTCD", list(kinds.values()), expected, remedy)


def _questionnaires(by_day: dict[date | None, dict[int, float]]) -> list[tuple[date | None, dict[int, float]]]:
    """Give the questionnaires of a visit: one of its last date, or one a date if an item was answered on two."""
    dated = sorted(day for day in by_day if day is not None)
    answered = [item for own in by_day.values() for item in own]
    if not dated or len(set(answered)) < len(answered):
        return [(day, by_day[day]) for day in by_day]
    return [(dated[-1], {item: value for own in by_day.values() for item, value in own.items()})]


def _item(code: str | None) -> int | None:
    """Item that a test code names: its last number, or the last two digits of a longer one."""
    found = re.search(r"(\d+)\D*$", code or "")
    if found is None:
        return None
    digits = found[1]
    item = int(digits[-2:] if len(digits) > 2 else digits)
    return item if 1 <= item <= ITEMS else None
