"""What a survival figure draws: every source brought to curves with their numbers, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.errors import InvalidValueError
from analysis.plots.drawn import Drawn, of_estimate
from analysis.plots.fits import is_greenwood, is_lifelines, of_greenwood, of_lifelines
from analysis.plots.patients import of_patients
from analysis.reconstruction.ensemble import central
from analysis.reconstruction.result import Reconstruction
from analysis.survival.distributions import Distribution
from analysis.survival.estimators import KaplanMeier, kaplan_meier

if TYPE_CHECKING:
    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.conventions.scales import ScaleName

ROUNDING = 1e-6
SMOOTH = 400  # points of a curve that has no steps


def drawn(
    source: Any,
    *,
    time: Any,
    event: Any,
    arm: Any,
    level: float,
    scale: ScaleName,
    end: float | None,
    members: int = 0,
    origin: float = 0.0,
    unit: str | None = None,
    strata: Any = None,
) -> list[Drawn]:
    """Bring a source to curves from month `origin` on; see `survival_plot` for what is taken."""
    if isinstance(source, Reconstruction) and unit is None and strata is None:
        return [_of_reconstruction(source, name, level, scale, end, members, origin) for name in source.arms]
    if source is None or (hasattr(source, "columns") and not _are_points(source)) or hasattr(source, "column_names"):
        curves = of_patients(source, time, event, arm, level, scale, unit, strata)
    else:
        for field, given in (("unit", unit), ("strata", strata)):
            if given is not None:
                raise InvalidValueError(field, given, "a frame of patients, or arrays", "leave it out")
        curves = _curves(source, level, scale, end and end + origin)
    return curves if origin == 0 else [_from_landmark(each, origin, level, scale) for each in curves]


def _are_points(source: Any) -> bool:
    return isinstance(source, pd.DataFrame) and {"time", "lower", "upper"} <= set(source.columns)


def _curves(source: Any, level: float, scale: ScaleName, end: float | None) -> list[Drawn]:
    if isinstance(source, Mapping):
        if not source:
            raise InvalidValueError("source", {}, "a curve for each arm", "give one at least")
        return [_one(str(name), each, level, scale, end) for name, each in source.items()]
    if _are_points(source):
        return _of_curves(source)
    if is_greenwood(source):
        return of_greenwood("", source, level, scale)
    if isinstance(source, list | tuple) and all(is_lifelines(each) for each in source):
        return [_one(str(each._label), each, level, scale, end) for each in source]
    return [_one(str(getattr(source, "_label", "")), source, level, scale, end)]


def _one(name: str, each: Any, level: float, scale: ScaleName, end: float | None) -> Drawn:
    if isinstance(each, KaplanMeier):
        return of_estimate(name, each, level, scale)
    if isinstance(each, Distribution):
        if end is None:
            raise InvalidValueError("end", None, "months", "say until when a distribution is drawn")
        t = np.linspace(0.0, end, SMOOTH)
        none = np.full(t.size, np.nan)
        return Drawn(name, t, np.asarray(each.survival(t)), none, none, False, np.zeros(0))
    if is_lifelines(each):
        return of_lifelines(name, each, level, scale, end)
    if is_greenwood(each):
        curves = of_greenwood(name, each, level, scale)
        if len(curves) > 1:
            raise InvalidValueError("source", f"{len(curves)} curves", f"one for {name!r}", "draw the estimate itself")
        return replace(curves[0], name=name)
    if hasattr(each, "columns"):
        (curve,) = of_patients(each, None, None, False, level, scale)
        return replace(curve, name=name)
    kinds = (
        "a frame of patients, a Kaplan-Meier estimate, a fit of lifelines or greenwood, a distribution or a "
        "reconstruction"
    )
    raise InvalidValueError("source", type(each).__name__, kinds, "give one, or a dict of them by arm")


def _of_curves(source: pd.DataFrame) -> list[Drawn]:
    """Curves that are points already: time, mean or survival, lower, upper, arm, and whether they are steps."""
    rows = source if "arm" in source.columns else source.assign(arm="")
    found = []
    for name, of_arm in rows.groupby("arm", sort=False):
        time = of_arm["time"].to_numpy(float)
        middle = of_arm["mean" if "mean" in of_arm.columns else "survival"].to_numpy(float)
        lower, upper = (of_arm[side].to_numpy(float) for side in ("lower", "upper"))
        _check_points(str(name), time, middle, lower, upper)
        is_step = "step" in of_arm.columns and bool(of_arm["step"].all())
        found.append(Drawn(str(name), time, middle, lower, upper, is_step, censored=np.zeros(0)))
    return found


def _check_points(name: str, time: FloatArray, middle: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
    """Refuse points that are no survival curve: per cent, times out of order, a curve that rises, limits beside it."""
    arm = f" in arm {name!r}" if name else ""
    if not np.isfinite(time).all() or (time < 0).any() or (np.diff(time) < 0).any():
        raise InvalidValueError(f"time{arm}", time, "months from 0 on, in order", "sort the points by time")
    for field, values in (("mean", middle), ("lower", lower), ("upper", upper)):
        wrong = values[(values < -ROUNDING) | (values > 1 + ROUNDING)]
        if wrong.size or (field == "mean" and np.isnan(values).any()):
            got = float(wrong[0]) if wrong.size else "a missing value"
            raise InvalidValueError(f"{field}{arm}", got, "shares from 0 to 1", "divide per cent by 100")
    if (np.diff(middle) > ROUNDING).any():
        raise InvalidValueError(f"mean{arm}", middle, "a survival that never rises", "draw S, not 1 - S")
    if (lower > middle + ROUNDING).any() or (upper < middle - ROUNDING).any():
        raise InvalidValueError(f"lower, upper{arm}", "a curve outside them", "limits around the curve", "check them")


def _from_landmark(each: Drawn, origin: float, level: float, scale: ScaleName) -> Drawn:
    """Begin anew at a landmark, with the patients who are followed beyond it, or given that it is survived."""
    if each.patients:
        ((time, event),) = each.patients
        left = _beyond(time, origin, each.name)
        anew = of_estimate(each.name, kaplan_meier(time[left] - origin, event[left]), level, scale)
        strata = None if each.strata is None else each.strata[left]
        return replace(anew, patients=((time[left] - origin, event[left]),), strata=strata)
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
        for limit, at in zip(curve.pointwise_limits(level, scale=scale), (lower, upper), strict=True):
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
