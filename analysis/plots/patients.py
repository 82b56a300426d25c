"""Patients as frames and arrays hold them: by the usual names of their columns, in months, one row for each patient."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions.checks import is_missing, labels, numeric, observations
from analysis.conventions.units import DAYS_PER_MONTH, WEEK
from analysis.errors import InvalidValueError
from analysis.plots.drawn import Drawn, of_estimate
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.scales import ScaleName

TIMES = ("time", "AVAL", "T", "months")
EVENTS = ("event", "status", "E")
ARMS = ("arm", "TRT01P", "TRTP", "TRT01A", "TRTA", "ARM", "treatment", "group")
ONE_EACH = {
    "PARAMCD": "one endpoint",
    "PARAM": "one endpoint",
    "member": "one member of a reconstruction",
    "STUDYID": "one study",
}
"""Columns that have one value in a set of patients, and what the value is."""
SUBJECTS = ("USUBJID", "SUBJID", "subject")
UNITS = {"day": 1 / DAYS_PER_MONTH, "week": WEEK, "month": 1.0, "year": 12.0}
"""Months in each unit of time."""
LONGEST = 600.0  # months of follow-up that a trial may have
IN_BRACKETS = r"\((days?|weeks?|months?|years?)\)"


def of_patients(
    source: Any, time: Any, event: Any, arm: Any, level: float, scale: ScaleName, unit: str | None = None,
    strata: Any = None,
) -> list[Drawn]:  # fmt: skip
    """Estimate the curves of the arms of a frame, or of arrays; `arm` False: of all patients together."""
    if source is None:
        lengths = {name: np.shape(given) for name, given in (("time", time), ("event", event), ("arm", arm))}
        for name, shape in lengths.items():
            if not (name == "arm" and arm is None) and (len(shape) != 1 or shape != lengths["time"]):
                expected = "one for each patient" if name != "time" else "a list of times"
                raise InvalidValueError(name, f"shape {shape}", expected, "give lists that are as long as each other")
        frame = pd.DataFrame({"time": np.asarray(time), "event": np.asarray(event)})
        names = [""] * len(frame) if arm is None else list(np.asarray(arm))
        order: Sequence[Any] = list(dict.fromkeys(names))
        within = None if strata is None else np.asarray(strata)
    else:
        whole = source.to_pandas() if hasattr(source, "to_pandas") else source
        _one_row_each(whole)
        if event is None and "CNSR" in whole.columns:
            _agree(whole)
            event = "CNSR"
        columns = {"time": _column(whole, time, TIMES, "time"), "event": _column(whole, event, EVENTS, "event")}
        names, order = _arms(whole, arm)
        unit = _unit_of(whole, columns["time"], unit)
        within = None if strata is None else _strata(whole, strata)
        frame = pd.DataFrame({name: whole[column].to_numpy() for name, column in columns.items()})
        if columns["event"] == "CNSR":
            frame["event"] = _happened(whole["CNSR"])
    if within is not None:
        labels("strata", within, len(frame))
    months = UNITS[_unit_named("unit", unit or "months")]
    return _by_arm(frame, names, order, within, months, level, scale)


def _by_arm(
    frame: pd.DataFrame, names: Sequence[Any], order: Sequence[Any], strata: Any, months: float, level: float,
    scale: ScaleName,
) -> list[Drawn]:  # fmt: skip
    if not len(frame):
        raise InvalidValueError("source", "no rows", "at least one patient", "check the selection of patients")
    names = labels("arm", names, len(frame)) if order != [""] else names
    label = np.array([str(name) for name in names])
    found = []
    for name in order:
        rows = label == str(name)
        times, events = observations(frame["time"][rows], frame["event"][rows])
        times = times * months
        curve = of_estimate(str(name), kaplan_meier(times, events), level, scale)
        found.append(replace(curve, patients=((times, events),), strata=None if strata is None else strata[rows]))
    return found


def _happened(censored: pd.Series) -> Any:
    """Read CNSR: 0 is an event, CDISC counts censoring from 1 up by reason."""
    values = numeric("CNSR", censored)
    wrong = [one for one in values.tolist() if not (one >= 0 and one == int(one))]
    if wrong:
        expected = "0 for an event, 1 or more for a censored patient"
        raise InvalidValueError("CNSR", wrong[0], expected, "complete or correct the column")
    return values == 0


def _agree(frame: pd.DataFrame) -> None:
    """Refuse a frame whose column of events is not what its CNSR says."""
    for name in EVENTS:
        if name in frame.columns:
            given = numeric(name, frame[name])
            if (given.astype(bool) != _happened(frame["CNSR"])).any() or np.isnan(given).any():
                expected = "1 where CNSR is 0"
                raise InvalidValueError(name, "another event than CNSR has", expected, f"say event={name!r} or 'CNSR'")


def _arms(frame: pd.DataFrame, arm: Any) -> tuple[list[Any], list[Any]]:
    """Name the arm of each row, and the arms in their order."""
    chosen = None if arm is False else arm or next((name for name in ARMS if name in frame.columns), None)
    if chosen is None:
        return [""] * len(frame), [""]
    if chosen not in frame.columns:
        raise InvalidValueError("arm", chosen, f"one of the columns {list(frame.columns)}", "name the column")
    names = frame[chosen].tolist()
    if isinstance(frame[chosen].dtype, pd.CategoricalDtype):
        present = set(names)
        return names, [name for name in frame[chosen].cat.categories if name in present]
    return names, list(dict.fromkeys(names))


def _strata(frame: pd.DataFrame, strata: Any) -> Any:
    """Cross the columns of the strata to one label for each row."""
    factors = [strata] if isinstance(strata, str) else list(strata)
    for factor in factors:
        if factor not in frame.columns:
            raise InvalidValueError("strata", factor, f"columns of {list(frame.columns)}", "name the columns")
    crossed = frame[factors].astype(object)
    within = crossed.astype(str).agg(", ".join, axis=1).to_numpy(dtype=object)
    within[np.any([is_missing(crossed[factor]) for factor in factors], axis=0)] = None
    return within


def _one_row_each(frame: pd.DataFrame) -> None:
    """Refuse rows that are not one for each patient: several endpoints, members or studies in one frame."""
    for column, what in ONE_EACH.items():
        values = list(frame[column].dropna().unique()) if column in frame.columns else []
        if len(values) > 1:
            remedy = f"select one: frame[frame[{column!r}] == {values[0]!r}]"
            raise InvalidValueError(column, ", ".join(map(str, values[:6])), what, remedy)
    for column in SUBJECTS:
        if column in frame.columns and frame[column].duplicated().any():
            twice = frame[column][frame[column].duplicated()].iloc[0]
            raise InvalidValueError(column, f"{twice!r} more than once", "one row for each patient", "select the rows")


def _unit_of(frame: pd.DataFrame, column: str, unit: str | None) -> str | None:
    """Give the unit of ADTTE's times: of AVALU, or in brackets in PARAM; the one said if there is none."""
    if column != "AVAL":
        return unit
    values = {name: frame[name].dropna().unique() if name in frame.columns else () for name in ("AVALU", "PARAM")}
    told = [("AVALU", str(given)) for given in values["AVALU"]]
    for text in values["PARAM"] if not told else ():
        told += [("PARAM", found) for found in re.findall(IN_BRACKETS, str(text), re.IGNORECASE)]
    named = {_unit_named(name, value): name for name, value in told if value.strip()}
    blank = any(name == "AVALU" for name in named.values()) and frame["AVALU"].fillna("").eq("").any()
    if len(named) > 1 or blank:
        units = [f"{name}s" for name in named] + (["none"] if blank else [])
        raise InvalidValueError("AVALU", ", ".join(units), "one unit of time", "bring the times to one unit")
    for of_data, name in named.items():
        if unit is not None and _unit_named("unit", unit) != of_data:
            raise InvalidValueError("unit", unit, f"the unit in {name}, {of_data}s", f"leave unit out, or mend {name}")
        return of_data
    longest = pd.to_numeric(frame[column], errors="coerce").max()
    if unit is None and longest > LONGEST:
        expected = f"months, at most {LONGEST:g}, where no unit is given"
        raise InvalidValueError(column, float(longest), expected, 'say unit="days", or give AVALU')
    return unit


def _unit_named(field: str, given: str) -> str:
    name = str(given).strip().lower().removesuffix("s")
    if name not in UNITS:
        raise InvalidValueError(field, given, f"one of {', '.join(f'{unit}s' for unit in UNITS)}", "name the unit")
    return name


def _column(frame: pd.DataFrame, given: Any, known: Sequence[str], field: str) -> str:
    found = given or next((name for name in known if name in frame.columns), None)
    if found is None or found not in frame.columns:
        got = given if given is not None else list(frame.columns)
        raise InvalidValueError(field, got, f"a column such as {' or '.join(known)}", f"say {field}=")
    return str(found)
