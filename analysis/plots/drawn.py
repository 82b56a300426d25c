"""What a survival figure draws: every source brought to curves with their numbers, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions.checks import observations
from analysis.errors import InvalidValueError
from analysis.reconstruction.ensemble import central
from analysis.reconstruction.result import Reconstruction
from analysis.survival.distributions import Distribution
from analysis.survival.estimators import KaplanMeier, kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.conventions.scales import ScaleName
    from analysis.reported import ReportedArm

SMOOTH = 400  # points of a curve that has no steps
TIMES = ("time", "AVAL", "T", "months")
EVENTS = ("event", "status", "E")
ARMS = ("arm", "TRT01P", "TRTP", "TRT01A", "TRTA", "ARM", "treatment", "group")


@dataclass(frozen=True, eq=False)
class Drawn:
    """One curve.

    Attributes
    ----------
    name
        Of its arm.
    time, survival, lower, upper
        The curve from time 0 and its limits, shape ``(k,)``; NaN limits where there are none.
    is_step
        Whether the curve is level between its times.
    censored
        Times of the censored patients, to be marked.
    estimate
        The Kaplan-Meier estimate that is drawn, where it is one of patients.
    sampling
        Limits that have the error of sampling besides, (lower, upper), where ``lower`` and ``upper`` are those of a
        reconstruction.
    members
        Curves of single members at ``time``, shape ``(m, k)``.
    patients
        Times and event flags: one list, or one for each member.
    reported
        The printed numbers of the arm.
    """

    name: str
    time: FloatArray
    survival: FloatArray
    lower: FloatArray
    upper: FloatArray
    is_step: bool
    censored: FloatArray
    patients: tuple[tuple[FloatArray, BoolArray], ...] = ()
    estimate: KaplanMeier | None = None
    sampling: tuple[FloatArray, FloatArray] | None = None
    members: FloatArray | None = None
    reported: ReportedArm | None = None

    def counts(self, ticks: FloatArray) -> pd.DataFrame | None:
        """Numbers at risk just before each tick, of events and of censored patients by then; means over the members."""
        if not self.patients:
            return None
        rows = np.zeros((3, ticks.size))
        for time, event in self.patients:
            rows[0] += (time[:, None] >= ticks * (1 - 1e-9)).sum(axis=0)
            gone = time[:, None] < ticks * (1 - 1e-9)
            rows[1] += (gone & event[:, None]).sum(axis=0)
            rows[2] += (gone & ~event[:, None]).sum(axis=0)
        rows /= len(self.patients)
        return pd.DataFrame(rows, index=["at risk", "events", "censored"], columns=ticks)

    def at(self, t: float) -> tuple[float, float, float]:
        """Survival at `t` with its limits, as drawn; NaN past the end of a curve that has not come down to 0."""
        if t > self.time[-1] * (1 + 1e-9) and self.survival[-1] > 0:
            return np.nan, np.nan, np.nan
        if self.is_step:
            k = int(np.searchsorted(self.time, t, side="right")) - 1
            return float(self.survival[k]), float(self.lower[k]), float(self.upper[k])
        values = (np.interp(t, self.time, each) for each in (self.survival, self.lower, self.upper))
        survival, lower, upper = values
        return float(survival), float(lower), float(upper)

    def median(self) -> float:
        """Time at which the drawn curve comes to one half; inf if it does not."""
        if self.estimate is not None:
            return self.estimate.median()
        below = np.flatnonzero(self.survival <= 0.5)
        if not below.size:
            return np.inf
        k = int(below[0])
        if self.is_step or k == 0:
            return float(self.time[k])
        return float(np.interp(-0.5, -self.survival[k - 1 : k + 1], self.time[k - 1 : k + 1]))


def drawn(
    source: Any,
    *,
    time: Any,
    event: Any,
    arm: Any,
    level: float,
    scale: ScaleName,
    end: float | None,
    members: int,
    origin: float,
) -> list[Drawn]:
    """Bring a source to curves from month `origin` on; see `survival_plot` for what is taken."""
    if isinstance(source, Reconstruction):
        return [_of_reconstruction(source, name, level, scale, end, members, origin) for name in source.arms]
    curves = _curves(source, time, event, arm, level, scale, end and end + origin)
    return curves if origin == 0 else [_from_landmark(each, origin, level, scale) for each in curves]


def _curves(
    source: Any, time: Any, event: Any, arm: Any, level: float, scale: ScaleName, end: float | None
) -> list[Drawn]:
    if isinstance(source, Mapping):
        if not source:
            raise InvalidValueError("source", {}, "a curve for each arm", "give one at least")
        return [_one(str(name), each, level, scale, end) for name, each in source.items()]
    if isinstance(source, pd.DataFrame) and {"time", "lower", "upper"} <= set(source.columns):
        return _of_curves(source)
    if source is None or hasattr(source, "columns") or hasattr(source, "column_names"):
        return _of_patients(source, time, event, arm, level, scale)
    if isinstance(source, list | tuple) and all(hasattr(each, "event_table") for each in source):
        return [_one(str(each._label), each, level, scale, end) for each in source]
    return [_one(str(getattr(source, "_label", "")), source, level, scale, end)]


def _one(name: str, each: Any, level: float, scale: ScaleName, end: float | None) -> Drawn:
    if isinstance(each, KaplanMeier):
        return _of_estimate(name, each, level, scale)
    if isinstance(each, Distribution):
        if end is None:
            raise InvalidValueError("end", None, "months", "say until when a distribution is drawn")
        t = np.linspace(0.0, end, SMOOTH)
        none = np.full(t.size, np.nan)
        return Drawn(name, t, np.asarray(each.survival(t)), none, none, False, np.zeros(0))
    if hasattr(each, "event_table") and hasattr(each, "survival_function_"):  # a lifelines fitter
        table = each.event_table
        return _of_estimate(name, _from_event_table(table), level, scale)
    if hasattr(each, "columns"):
        (curve,) = _of_patients(each, None, None, False, level, scale)
        return Drawn(**{**curve.__dict__, "name": name})
    kinds = "a frame of patients, a Kaplan-Meier estimate, a lifelines fitter, a distribution or a reconstruction"
    raise InvalidValueError("source", type(each).__name__, kinds, "give one, or a dict of them by arm")


def _from_event_table(table: pd.DataFrame) -> KaplanMeier:
    """Patients of a lifelines event table, estimated anew: so that ties and limits are those of this library."""
    later = table[table.index > 0] if table["removed"].iloc[0] == 0 else table
    times = np.asarray(later.index, dtype=np.float64)
    observed, censored = (later[name].to_numpy(int) for name in ("observed", "censored"))
    time = np.concatenate([np.repeat(times, observed), np.repeat(times, censored)])
    event = np.repeat([True, False], [observed.sum(), censored.sum()])
    return kaplan_meier(time, event)


def _of_estimate(name: str, curve: KaplanMeier, level: float, scale: ScaleName) -> Drawn:
    lower, upper = curve.confidence_band(level, scale=scale)
    counts = [curve.n_event.astype(int), curve.n_censor.astype(int)]
    time = np.concatenate([np.repeat(curve.time, count) for count in counts])
    event = np.repeat([True, False], [int(count.sum()) for count in counts])
    return Drawn(
        name=name,
        time=np.append(0.0, curve.time),
        survival=np.append(1.0, curve.survival),
        lower=np.append(1.0, lower),
        upper=np.append(1.0, upper),
        is_step=True,
        censored=curve.time[curve.n_censor > 0],
        patients=((time, event),),
        estimate=curve,
    )


def _of_patients(source: Any, time: Any, event: Any, arm: Any, level: float, scale: ScaleName) -> list[Drawn]:
    """Estimates for the arms of a frame, or of arrays."""
    if source is None:
        frame = pd.DataFrame({"time": np.asarray(time), "event": np.asarray(event)})
        names = [""] * len(frame) if arm is None else list(np.asarray(arm))
    else:
        frame = source.to_pandas() if hasattr(source, "to_pandas") else source
        event = event or ("CNSR" if "CNSR" in frame.columns and not set(EVENTS) & set(frame.columns) else None)
        columns = {"time": _column(frame, time, TIMES, "time"), "event": _column(frame, event, (*EVENTS,), "event")}
        chosen = None if arm is False else arm or next((name for name in ARMS if name in frame.columns), None)
        if chosen is not None and chosen not in frame.columns:
            raise InvalidValueError("arm", chosen, f"one of the columns {list(frame.columns)}", "name the column")
        names = [""] * len(frame) if chosen is None else frame[chosen].tolist()
        if chosen is not None and isinstance(frame[chosen].dtype, pd.CategoricalDtype):
            present = set(names)
            order: Sequence[Any] = [name for name in frame[chosen].cat.categories if name in present]
        else:
            order = list(dict.fromkeys(names))
        frame = pd.DataFrame({name: frame[column].to_numpy() for name, column in columns.items()})
        if columns["event"] == "CNSR":
            frame["event"] = frame["event"] == 0  # CDISC counts censoring, from 1 up by reason
        return _by_arm(frame, names, order, level, scale)
    return _by_arm(frame, names, list(dict.fromkeys(names)), level, scale)


def _by_arm(
    frame: pd.DataFrame, names: Sequence[Any], order: Sequence[Any], level: float, scale: ScaleName
) -> list[Drawn]:
    if not len(frame):
        raise InvalidValueError("source", "no rows", "at least one patient", "check the selection of patients")
    missing = [k for k, name in enumerate(names) if name is None or name != name]
    if missing:
        got = f"{len(missing)} rows without an arm"
        raise InvalidValueError("arm", got, "an arm for each patient", "drop them or name it")
    labels = np.array([str(name) for name in names])
    found = []
    for name in order:
        rows = frame[labels == str(name)]
        times, events = observations(rows["time"], rows["event"])
        found.append(_of_estimate(str(name), kaplan_meier(times, events), level, scale))
    return found


def _column(frame: pd.DataFrame, given: Any, known: Sequence[str], field: str) -> str:
    found = given or next((name for name in known if name in frame.columns), None)
    if found is None or found not in frame.columns:
        got = given if given is not None else list(frame.columns)
        raise InvalidValueError(field, got, f"a column such as {' or '.join(known)}", f"say {field}=")
    return str(found)


def _of_curves(source: pd.DataFrame) -> list[Drawn]:
    """Curves that are points already: ``time``, ``mean`` (or ``survival``), ``lower``, ``upper``, and ``arm``."""
    rows = source if "arm" in source.columns else source.assign(arm="")
    found = []
    for name, of_arm in rows.groupby("arm", sort=False):
        time = of_arm["time"].to_numpy(float)
        middle = of_arm["mean" if "mean" in of_arm.columns else "survival"].to_numpy(float)
        lower, upper = (of_arm[side].to_numpy(float) for side in ("lower", "upper"))
        found.append(Drawn(str(name), time, middle, lower, upper, is_step=False, censored=np.zeros(0)))
    return found


def _from_landmark(each: Drawn, origin: float, level: float, scale: ScaleName) -> Drawn:
    """Begin anew at a landmark, with the patients who are followed beyond it, or given that it is survived."""
    if each.patients:
        ((time, event),) = each.patients
        left = _beyond(time, origin, each.name)
        return _of_estimate(each.name, kaplan_meier(time[left] - origin, event[left]), level, scale)
    if not np.isnan(each.lower).all():
        raise InvalidValueError(
            "origin", origin, "patients or a distribution", "curves with limits cannot begin anew; give the patients"
        )
    at = each.at(origin)[0]
    if not at > 0:
        raise InvalidValueError("origin", origin, f"a month that is survived in arm {each.name!r}", "move it earlier")
    time = np.append(origin, each.time[each.time > origin])
    survival = np.append(at, each.survival[each.time > origin]) / at
    none = np.full(time.size, np.nan)
    return Drawn(each.name, time - origin, survival, none, none, each.is_step, np.zeros(0))


def _beyond(time: FloatArray, origin: float, name: str) -> BoolArray:
    left: BoolArray = time > origin
    if not left.any():
        expected = f"a month beyond which patients of arm {name!r} are followed"
        raise InvalidValueError("origin", origin, expected, "move it earlier")
    return left


def _of_reconstruction(
    source: Reconstruction, name: str, level: float, scale: ScaleName, end: float | None, members: int, origin: float
) -> Drawn:
    rows = source.arm_index == source.arms.index(name)
    times, events = source.time[:, rows], source.event[:, rows]
    patients = []
    for time, event in zip(times, events, strict=True):
        left = _beyond(time, origin, name) if origin > 0 else np.ones(time.size, np.bool_)
        patients.append((time[left] - origin, event[left]))
    longest = [float(time.max()) for time, _ in patients]
    last = float(np.median(longest)) if end is None else min(end, max(longest))  # a typical member's last follow-up
    t = np.linspace(0.0, last, SMOOTH)
    curves = source.survival_by_member(name, origin + t)
    curves = curves / curves[:, :1]  # given that the origin is survived
    lower, _, upper = central(curves, level)
    middle = curves.mean(axis=0)
    sampling = []
    for time, event in patients:
        curve = kaplan_meier(time, event)
        place = np.searchsorted(curve.time, t, side="right") - 1
        for limit, at in zip(curve.confidence_band(level, scale=scale), (lower, upper), strict=True):
            known = np.where(place < 0, 1.0, limit[np.maximum(place, 0)])
            sampling.append(np.where(np.isnan(known), at, known))
    low, high = np.mean(sampling[::2], axis=0), np.mean(sampling[1::2], axis=0)
    both = (  # two errors that do not depend on each other: their squares add up
        middle - np.sqrt((middle - lower) ** 2 + (middle - low) ** 2),
        middle + np.sqrt((upper - middle) ** 2 + (high - middle) ** 2),
    )
    return Drawn(
        name=name,
        time=t,
        survival=middle,
        lower=lower,
        upper=upper,
        is_step=False,
        censored=np.zeros(0),
        patients=tuple(patients),
        sampling=(np.clip(both[0], 0, 1), np.clip(both[1], 0, 1)),
        members=curves[:members] if members else None,
        reported=source.comparison.arm(name) if origin == 0 else None,
    )
