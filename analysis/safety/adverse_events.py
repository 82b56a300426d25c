"""Adverse events as they come from AE or ADAE: which are of the treatment, how bad, how many, how long, how soon."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.conventions.border import border
from analysis.conventions.checks import choice, count, probability
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.proportions import compare_proportions, exact_limits
from analysis.records.tables import label_key
from analysis.safety.cumulative_incidence import CENSORED, CumulativeIncidence, cumulative_incidence

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from analysis.conventions.scales import ScaleName
    from analysis.records.findings import DataFinding
    from analysis.safety.treated import Treated

By = Literal["any", "soc", "term"]
DAYS_PER_YEAR = 12 * DAYS_PER_MONTH
WORST = 5


@border
@dataclass(frozen=True)
class AdverseEvents:
    r"""The adverse events of the treated patients of a trial.

    Attributes
    ----------
    events
        One row for each record: ``subject``, ``arm``, ``soc``, ``term``, ``grade`` (1 to 5, 0 where it is not known),
        ``start``, ``end`` (dates; no end while it goes on), ``serious``, ``related``, ``action``, ``outcome``,
        ``emergent``.
    treated
        All treated patients by subject, with and without events: the denominators.
    window
        Days after the last dose in which what starts still counts as treatment-emergent.
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
    >>> rows = "USUBJID,AEDECOD,AESTDTC,AETOXGR\n1,Stomatitis,2024-02-01,3\n2,Rash,2024-02-01,1\n"
    >>> _ = (folder / "ae.csv").write_text(rows)
    >>> events = read_study(folder).adverse_events()
    >>> events.incidence()[["term", "arm", "patients", "of"]].to_numpy().tolist()[0]
    ['Rash', 'drug', 0, 1]
    """

    events: pd.DataFrame = field(repr=False)
    treated: Mapping[str, Treated] = field(repr=False)
    window: int
    findings: tuple[DataFinding, ...] = field(repr=False)

    @property
    def arms(self) -> list[str]:
        """Arms in the order of the subjects' table."""
        return list(dict.fromkeys(patient.arm for patient in self.treated.values()))

    def select(
        self,
        *,
        grade: int = 0,
        serious: bool | None = None,
        related: bool | None = None,
        terms: Collection[str] | None = None,
        emergent: bool | None = True,
    ) -> AdverseEvents:
        """Keep the events that fulfil all conditions; the patients stay, as denominators.

        Parameters
        ----------
        grade
            At least this grade; 0 keeps events without one.
        serious, related, emergent
            True or False; None does not ask.
        terms
            Preferred terms, in any case.

        Raises
        ------
        UnknownNameError
            If no event has a term.
        """
        events = self.events
        keep = events["grade"] >= count("grade", grade, "grades", at_least=0)
        for name, wanted in (("serious", serious), ("related", related), ("emergent", emergent)):
            if wanted is not None:
                keep &= events[name] == wanted
        if terms is not None:
            known = {label_key(term): term for term in events["term"]}
            for term in terms:
                if label_key(term) not in known:
                    raise UnknownNameError("terms", term, known.values())
            keep &= events["term"].map(label_key).isin({label_key(term) for term in terms})
        return replace(self, events=events[keep].reset_index(drop=True))

    def incidence(self, by: By = "term", *, grade: int = 0, level: float = 0.95) -> pd.DataFrame:
        """Count patients with treatment-emergent events, each once for a term, and the events.

        Parameters
        ----------
        by
            ``"term"``, ``"soc"`` (system organ class), or ``"any"``.
        grade
            At least this grade.
        level
            Of the exact (Clopper-Pearson) limits, two-sided.

        Returns
        -------
        DataFrame
            One row for each group of events and arm: ``soc`` and ``term`` as far as asked for, ``arm``, ``patients``
            with such an event, ``of`` treated, ``share``, ``lower``, ``upper``, ``events``; the most frequent first.
        """
        chosen = self.select(grade=grade)
        rows = []
        for key, events in chosen.groups_of_events(by):
            for arm in self.arms:
                here = events[events["arm"] == arm]
                seen, size = here["subject"].nunique(), self.size(arm)
                rows.append([*key, arm, seen, size, seen / size, *exact_limits(seen, size, level), len(here)])
        names = _keys(by)
        frame = pd.DataFrame(rows, columns=[*names, "arm", "patients", "of", "share", "lower", "upper", "events"])
        return _most_frequent_first(frame, names)

    def worst_grades(self, by: By = "term") -> pd.DataFrame:
        """Count patients by their worst grade of treatment-emergent events.

        Returns
        -------
        DataFrame
            One row for each group of events and arm, with columns ``0`` (not known) to ``5``, ``any`` and ``of``.
        """
        chosen = self.select()
        rows = []
        for key, events in chosen.groups_of_events(by):
            for arm in self.arms:
                worst = events[events["arm"] == arm].groupby("subject")["grade"].max()
                counts = [int((worst == grade).sum()) for grade in range(WORST + 1)]
                rows.append([*key, arm, *counts, len(worst), self.size(arm)])
        names = _keys(by)
        frame = pd.DataFrame(rows, columns=[*names, "arm", *map(str, range(WORST + 1)), "any", "of"])
        return _most_frequent_first(frame.rename(columns={"any": "patients"}), names).rename(
            columns={"patients": "any"}
        )

    def rates(self, by: By = "term", *, grade: int = 0, level: float = 0.95) -> pd.DataFrame:
        """Rates per 100 patient-years: patients by the time until their first event, and events by all time at risk.

        Time at risk runs from the first dose to `window` days after the last one, death or the cut-off, both days
        counted; for the rate of patients it ends at the first event. Limits are exact (Garwood 1936).
        Patients without an end of observation are left out and named in `findings`.

        Returns
        -------
        DataFrame
            ``arm``, ``patients``, ``years_to_first``, ``patient_rate``, its ``lower`` and ``upper``, ``events``,
            ``years``, ``event_rate``, its ``event_lower`` and ``event_upper``.
        """
        chosen = self.select(grade=grade)
        ends = self._ends()
        rows = []
        for key, events in chosen.groups_of_events(by):
            firsts = self._firsts(events, ends)
            for arm in self.arms:
                members = [name for name, patient in self.treated.items() if patient.arm == arm and name in ends]
                here = events[events["subject"].isin(members)]
                years = sum((ends[name] - self.treated[name].first_dose).days + 1 for name in members) / DAYS_PER_YEAR
                days = sum((firsts.get(name, ends[name]) - self.treated[name].first_dose).days + 1 for name in members)
                to_first = days / DAYS_PER_YEAR
                seen, times = here["subject"].nunique(), len(here)
                rows.append(
                    [
                        *key,
                        arm,
                        seen,
                        to_first,
                        *_rate(seen, to_first, level),
                        times,
                        years,
                        *_rate(times, years, level),
                    ]
                )
        names = [*_keys(by), "arm", "patients", "years_to_first", "patient_rate", "lower", "upper"]
        names += ["events", "years", "event_rate", "event_lower", "event_upper"]
        return _most_frequent_first(pd.DataFrame(rows, columns=names), _keys(by))

    def episodes(self, *, gap: int = 1) -> pd.DataFrame:
        """Join records of one patient and term that follow each other within `gap` days: one episode, its worst grade.

        A change of grade is often recorded as a new event that starts when the last one ends.

        Returns
        -------
        DataFrame
            ``subject``, ``arm``, ``soc``, ``term``, ``grade``, ``start``, ``end``, ``records``, ``days`` (both days
            counted, NaN where it had not ended).
        """
        count("gap", gap, "days", at_least=0)
        rows = []
        for _, events in self.select().events.groupby(["subject", "term"], sort=False):
            ordered = events.sort_values("start", kind="stable")
            joined: list[list[Any]] = []
            for grade, start, end in zip(ordered["grade"], ordered["start"], ordered["end"], strict=True):
                last = joined[-1] if joined else None
                if last is not None and (last[2] is None or (start - last[2]).days <= gap):
                    last[0], last[3] = max(last[0], grade), last[3] + 1
                    last[2] = None if last[2] is None or end is None else max(last[2], end)
                else:
                    joined.append([grade, start, end, 1])
            who = ordered.iloc[0][["subject", "arm", "soc", "term"]]
            for grade, start, end, records in joined:
                days = np.nan if end is None else (end - start).days + 1
                rows.append([*who, grade, start, end, records, days])
        names = ["subject", "arm", "soc", "term", "grade", "start", "end", "records", "days"]
        return pd.DataFrame(rows, columns=names)

    def time_to_first(self, *, grade: int = 3, competing: Sequence[str] = ("death",)) -> pd.DataFrame:
        """Time from the first dose to the first treatment-emergent event, or to what comes before it.

        Parameters
        ----------
        grade
            At least this grade.
        competing
            ``"death"`` and ``"progression"``, as far as they compete; what does not is not asked for (death ends the
            observation all the same).

        Returns
        -------
        DataFrame
            One row for each treated patient with an end of observation: ``subject``, ``arm``, ``time`` in months from
            the first dose, that day counted, ``cause`` (``"adverse event"``, ``"death"``, ``"progression"``,
            ``"censored"``), ``event`` (1 if it is the adverse event). An adverse event on the day of death comes first.
        """
        for name in competing:
            choice("competing", name, ("death", "progression"))
        ends = self._ends()
        firsts = self._firsts(self.select(grade=grade).events, ends)
        rows = []
        for name, end in ends.items():
            patient = self.treated[name]
            candidates = [(end, 3, CENSORED)]
            if name in firsts:
                candidates.append((firsts[name], 0, "adverse event"))
            for order, cause in enumerate(("progression", "death"), 1):
                day = getattr(patient, cause)
                if cause in competing and day is not None and day <= end:
                    candidates.append((day, order, cause))
            day, _, cause = min(candidates)
            months = ((day - patient.first_dose).days + 1) / DAYS_PER_MONTH
            rows.append([name, patient.arm, months, cause, int(cause == "adverse event")])
        return pd.DataFrame(rows, columns=["subject", "arm", "time", "cause", "event"])

    def cumulative_incidence(
        self,
        *,
        grade: int = 3,
        competing: Sequence[str] = ("death",),
        level: float = 0.95,
        scale: ScaleName = "log-log",
    ) -> CumulativeIncidence:
        """Cumulative incidence of the first event, by arm; see `time_to_first` and `cumulative_incidence`."""
        first = self.time_to_first(grade=grade, competing=competing)
        return cumulative_incidence(
            first["time"], first["cause"].tolist(), first["arm"].tolist(), level=level, scale=scale
        )

    def compare(self, control: str, by: By = "term", *, grade: int = 0, level: float = 0.95) -> pd.DataFrame:
        """Compare patients with events between the arms exactly, over the strata that were asked for when reading.

        Returns
        -------
        DataFrame
            One row for each group of events: ``patients``, ``of``, ``control_patients``, ``control_of``,
            ``odds_ratio``, ``difference``, each with limits, and the two-sided ``p_value``, as `compare_proportions`
            gives them. No p-value is adjusted for the number of terms.

        Raises
        ------
        InvalidValueError
            If there are not two arms.
        UnknownNameError
            If there is no such arm.
        """
        choice("control", control, self.arms)
        if len(self.arms) != 2:
            raise InvalidValueError("arms", self.arms, "two arms", "select the subjects of two")
        (arm,) = [name for name in self.arms if name != control]
        probability("level", level)
        layers = {
            layer: {
                name: {s for s, p in self.treated.items() if (p.arm, p.stratum) == (name, layer)} for name in self.arms
            }
            for layer in dict.fromkeys(patient.stratum for patient in self.treated.values())
        }
        layers = {name: both for name, both in layers.items() if all(both.values())}
        rows = []
        for key, events in self.select(grade=grade).groups_of_events(by):
            seen = set(events["subject"])
            tables = [[len(both[one] & seen) for both in layers.values()] for one in (arm, control)]
            sizes = [[len(both[one]) for both in layers.values()] for one in (arm, control)]
            found = compare_proportions(tables[0], sizes[0], tables[1], sizes[1], level=level)
            rows.append(
                [
                    *key,
                    sum(tables[0]),
                    sum(sizes[0]),
                    sum(tables[1]),
                    sum(sizes[1]),
                    found.odds_ratio,
                    found.odds_ratio_lower,
                    found.odds_ratio_upper,
                    found.difference,
                    found.difference_lower,
                    found.difference_upper,
                    found.p_value,
                ]
            )
        names = [*_keys(by), "patients", "of", "control_patients", "control_of"]
        names += ["odds_ratio", "odds_ratio_lower", "odds_ratio_upper"]
        names += ["difference", "difference_lower", "difference_upper", "p_value"]
        return _most_frequent_first(pd.DataFrame(rows, columns=names), _keys(by))

    def groups_of_events(self, by: By) -> list[tuple[tuple[str, ...], pd.DataFrame]]:
        """Give the events by term, by system organ class, or all of them as one group."""
        choice("by", by, ("any", "soc", "term"))
        if by == "any":
            return [((), self.events)]
        names = _keys(by)
        return [(tuple(map(str, key)), events) for key, events in self.events.groupby(names, sort=True)]

    def size(self, arm: str) -> int:
        """Treated patients of an arm."""
        return sum(patient.arm == arm for patient in self.treated.values())

    def _firsts(self, events: pd.DataFrame, ends: Mapping[str, date]) -> dict[str, date]:
        """First event of each patient, within the observation: a flag can count what its date puts outside."""
        first = events.groupby("subject")["start"].min().to_dict()
        return {
            str(name): min(max(day, self.treated[str(name)].first_dose), ends[str(name)])
            for name, day in first.items()
            if name in ends
        }

    def _ends(self) -> dict[str, date]:
        """Last day of observation of those who have one."""
        found = {name: patient.until(self.window) for name, patient in self.treated.items()}
        return {name: day for name, day in found.items() if day is not None}


def _keys(by: By) -> list[str]:
    return {"any": [], "soc": ["soc"], "term": ["soc", "term"]}[by]


def _rate(events: int, years: float, level: float) -> tuple[float, float, float]:
    """Rate per 100 years with exact Poisson limits; NaN without time at risk."""
    if not years > 0:
        return np.nan, np.nan, np.nan
    tail = (1 - probability("level", level)) / 2
    low = 0.0 if events == 0 else float(stats.chi2.ppf(tail, 2 * events)) / 2
    high = float(stats.chi2.isf(tail, 2 * events + 2)) / 2
    return 100 * events / years, 100 * low / years, 100 * high / years


def _most_frequent_first(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Order groups of events by their patients in all arms, the arms as they are."""
    if not names or frame.empty:
        return frame
    total = frame.groupby(names)["patients"].transform("sum")
    return (
        frame.assign(total=-total)
        .sort_values(["total", *names], kind="stable")
        .drop(columns="total")
        .reset_index(drop=True)
    )
