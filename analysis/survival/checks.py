"""Border checks of the room: every bad value is named, with what would have been accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import InvalidValueError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def number(field: str, value: Any, *, above: float = -np.inf, below: float = np.inf) -> float:
    """Return `value` as a float strictly between `above` and `below`."""
    try:
        checked = float(value)
    except (TypeError, ValueError):
        checked = np.nan
    if not above < checked < below:
        bounds = [f" {side} {bound:g}" for side, bound in (("above", above), ("below", below)) if np.isfinite(bound)]
        raise InvalidValueError(field, value, "a finite number" + " and".join(bounds), f"check {field}")
    return checked


def vector(field: str, values: ArrayLike) -> FloatArray:
    """Return `values` as a read-only float vector without NaN; infinities are left to the caller."""
    try:
        checked = np.array(values, dtype=np.float64, ndmin=1)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(field, values, "numbers", f"give {field} as a sequence of numbers") from error
    if checked.ndim != 1:
        raise InvalidValueError(field, values, "one dimension", f"flatten {field}")
    missing = np.flatnonzero(np.isnan(checked))
    if missing.size:
        where = f"NaN at position {missing[0]}"
        raise InvalidValueError(field, where, "no missing value", "drop those patients or impute them first")
    checked.flags.writeable = False
    return checked


def nonnegative(field: str, values: ArrayLike) -> FloatArray:
    """Return `values` as a read-only vector of finite numbers, none below 0."""
    checked = vector(field, values)
    bad = checked[(checked < 0) | np.isinf(checked)]
    if bad.size:
        raise InvalidValueError(field, float(bad[0]), "finite numbers of at least 0", f"check {field}")
    return checked


def change_points(field: str, values: ArrayLike) -> FloatArray:
    """Return `values` as a read-only vector of finite times, strictly increasing and above 0; it may be empty."""
    checked = vector(field, values)
    increasing = bool(np.all(np.diff(checked) > 0))
    if checked.size and not (increasing and checked[0] > 0 and np.isfinite(checked[-1])):
        expected = "finite times above 0, strictly increasing"
        raise InvalidValueError(field, checked.tolist(), expected, "sort them, drop duplicates and leave out time 0")
    return checked


def same_length(field: str, values: FloatArray | BoolArray, other: str, length: int) -> None:
    """Refuse `values` whose length is not `length`, the one that `other` asks for."""
    if values.size != length:
        raise InvalidValueError(field, f"{values.size} values", f"{length}, to match {other}", f"check {field}")


def probabilities(field: str, values: ArrayLike) -> FloatArray:
    """Return `values`, of any shape, as floats between 0 and 1."""
    checked = np.asarray(values, dtype=np.float64)
    bad = checked[~((checked >= 0) & (checked <= 1))]
    if bad.size:
        raise InvalidValueError(field, float(bad.flat[0]), "probabilities from 0 to 1", "give 0.5, not 50, for 50%")
    return checked


def observations(time: ArrayLike, event: ArrayLike) -> tuple[FloatArray, BoolArray]:
    """Return follow-up times, finite and at least 0, with their indicators of an event, for at least one patient."""
    times = nonnegative("time", time)
    if not times.size:
        raise InvalidValueError("time", [], "at least one patient", "check the selection of patients")
    return times, indicator("event", event, times.size)


def indicator(field: str, values: ArrayLike, length: int) -> BoolArray:
    """Return `values` as booleans; True/False and 1/0 are taken, one for each time."""
    checked = vector(field, values)
    bad = checked[(checked != 0) & (checked != 1)]
    if bad.size:
        raise InvalidValueError(field, float(bad[0]), "True or False (1 or 0)", f"recode {field}")
    same_length(field, checked, "time", length)
    flags: BoolArray = checked == 1
    return flags


def confidence_level(level: float) -> float:
    """Return a two-sided confidence level, strictly between 0 and 1."""
    return number("level", level, above=0, below=1)
