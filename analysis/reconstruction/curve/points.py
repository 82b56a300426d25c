"""Digitised points of a Kaplan-Meier curve, made a curve: in order, from 1 downwards, and what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import isotonic_regression

from analysis.errors import InvalidValueError
from analysis.reported import Finding

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.checks import FloatArray

UNITS = {"proportion": 1.0, "percent": 0.01}
READING_ERROR = 0.02  # what a slip of the hand on a printed figure explains
GREATEST_RISE = 3 * READING_ERROR  # beyond it points are not where the curve is, and levelling them draws another one


@dataclass(frozen=True, eq=False)
class DigitisedCurve:
    """The points of one arm: times from above 0, never decreasing; survival between 0 and 1, never rising.

    Two points at one time are the two ends of a step.
    """

    time: FloatArray
    survival: FloatArray
    findings: tuple[Finding, ...] = field(default=(), repr=False)

    @property
    def end(self) -> float:
        """Last time of the curve, months."""
        return float(self.time[-1])


def read_points(arm: str, points: ArrayLike, unit: Literal["proportion", "percent"] = "proportion") -> DigitisedCurve:
    """Order the points of an arm and make them fall; each change is a finding.

    Parameters
    ----------
    arm
        Name of the arm, for findings and errors.
    points
        Months and survival, shape ``(k, 2)``, in any order.
    unit
        Unit of the survival.

    Returns
    -------
    DigitisedCurve
        The points after time 0, with findings on those that were out of order, twice there, missing, outside 0 to 1,
        or above an earlier one.

    Raises
    ------
    InvalidValueError
        If there is no point after time 0, the shape or the unit is wrong, or the survival is plainly in another unit.

    Examples
    --------
    >>> curve = read_points("placebo", [(0, 100), (4, 52), (2, 80), (6, 53)], unit="percent")
    >>> curve.survival
    array([0.8  , 0.525, 0.525])
    >>> [finding.check for finding in curve.findings]
    ['points out of order', 'rising points']
    """
    field_name = f"curves[{arm!r}]"
    if unit not in UNITS:
        raise InvalidValueError("unit", unit, " or ".join(UNITS), "name the unit of the survival")
    given = np.array(points, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != 2:
        raise InvalidValueError(field_name, given.shape, "shape (points, 2)", "give columns time and survival")
    findings: list[Finding] = []

    def note(check: str, where: NDArray[np.intp], message: str, *, error: bool = False) -> None:
        if where.size:
            shown = tuple(f"({given[i, 0]:g}, {given[i, 1]:g})" for i in where[:3])
            severity: Literal["error", "warning"] = "error" if error else "warning"
            findings.append(
                Finding(check, severity, arm, f"{where.size} {message}", shown, "check them against the figure")
            )

    missing = np.flatnonzero(~np.isfinite(given).all(axis=1))
    note("missing points", missing, "points without a number were left out")
    given = np.delete(given, missing, axis=0)
    given[:, 1] = np.round(given[:, 1] * UNITS[unit], 12)  # 29 percent is 0.29 to the last bit
    _check_range(field_name, given, unit)

    rows = np.flatnonzero(np.diff(given[:, 0]) < 0) + 1
    note("points out of order", rows, "points stood before an earlier time and were sorted")
    given = given[np.lexsort((-given[:, 1], given[:, 0]))]
    rows = np.flatnonzero((np.diff(given, axis=0) == 0).all(axis=1)) + 1
    note("duplicated points", rows, "points stood twice and count once")
    given = np.delete(given, rows, axis=0)
    rows = np.flatnonzero((given[:, 1] < 0) | (given[:, 1] > 1) | ((given[:, 0] <= 0) & (given[:, 1] < 1)))
    note("points off the axes", rows, "points were moved: survival is 1 at time 0 and between 0 and 1 after it")
    given = given[given[:, 0] > 0]
    if not given.size:
        raise InvalidValueError(field_name, "no points", "at least one point after time 0", "digitise the curve")
    survival = np.clip(given[:, 1], 0.0, 1.0)
    falling = np.asarray(isotonic_regression(survival, increasing=False).x)
    rows = np.flatnonzero(np.diff(survival) > 1e-12) + 1
    rise = _rise(survival)
    message = f"points lay above the one before and were levelled, by up to {rise:.2g}"
    note("rising points", rows, message, error=rise > GREATEST_RISE)
    return DigitisedCurve(given[:, 0], falling, tuple(findings))


def _check_range(field_name: str, given: FloatArray, unit: str) -> None:
    if given.size and given[:, 1].max() > 1 + READING_ERROR:
        got = f"{given[:, 1].max() / UNITS[unit]:g} {unit}"
        raise InvalidValueError(field_name, got, "a survival of at most 1", "say `unit='percent'`, or check the axis")
    if unit == "percent" and given.size and given[:, 1].max() <= UNITS[unit] * (1 + READING_ERROR):
        got = f"at most {given[:, 1].max() / UNITS[unit]:g} percent"
        remedy = "leave unit='percent' out if these are proportions, or check the axis"
        raise InvalidValueError(field_name, got, "a curve that comes down from 100 percent", remedy)
    left = READING_ERROR * max(1.0, given[:, 0].max(initial=0.0))  # of the axis
    if given.size and (given[:, 1].min() < -READING_ERROR or given[:, 0].min() < -left):
        got = f"({given[:, 0].min():g}, {given[:, 1].min():g})"
        raise InvalidValueError(field_name, got, "times and survival of at least 0", "check the axes of the figure")


def _rise(survival: FloatArray) -> float:
    return float((survival - np.minimum.accumulate(survival)).max())
