"""Digitised points of a Kaplan-Meier curve, made a curve: in order, from 1 downwards, and what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import isotonic_regression

from analysis.conventions.checks import numeric
from analysis.errors import InvalidValueError
from analysis.reported import Finding

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.checks import FloatArray

JUST_BEFORE = 1e-7  # of a time, by which the curve is read before it
UNITS = {"proportion": 1.0, "percent": 0.01}
READING_ERROR = 0.02  # what a slip of the hand on a printed figure explains
FARTHEST = 0.06  # from the falling curve, by which a point of a right curve may stand
WIDEST = 0.04  # from the falling curve, by which the points of a right curve stand in the mean
OUTSIDE = 0.08  # of an axis, by which a click may miss it
NARROWEST = 0.005  # what rises by less is levelled and is no stray point
SPREAD = 1.6  # of a normal error, by which a tenth of the differences between two readings of one level exceeds 0
SHOWN = 12  # points that a finding names
STRAY_POINTS = 3, 0.05  # a few clicks, or this share of them, may be astray; more are another curve


@dataclass(frozen=True, eq=False)
class DigitisedCurve:
    """The points of one arm: times from above 0, never decreasing; survival between 0 and 1, never rising.

    Two points at one time are the two ends of a step.

    Attributes
    ----------
    time, survival
        The points, months and proportions, shape ``(k,)``.
    read
        Survival as it was read, before it was made to fall, shape ``(k,)``.
    reading_error
        Standard deviation of a reading, as a proportion, told by how far points rise; 0 for points that fall.
    """

    time: FloatArray
    survival: FloatArray
    read: FloatArray
    reading_error: float = 0.0
    findings: tuple[Finding, ...] = field(default=(), repr=False)

    @property
    def end(self) -> float:
        """Last time of the curve, months."""
        return float(self.time[-1])

    def read_again(self, rng: np.random.Generator) -> DigitisedCurve:
        """Draw the points as another hand might have clicked: their times astray by as much of the axis as survival."""
        if not self.reading_error:
            return self
        astray = rng.normal(0.0, self.reading_error * self.end, self.time.size)
        time = np.clip(self.time + astray, self.time[0] / 2, self.end)
        order = np.argsort(time, kind="stable")
        return DigitisedCurve(time[order], falling(self.read[order]), self.read[order], self.reading_error)


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
    given = numeric(field_name, points)
    if given.ndim != 2 or given.shape[1] != 2:
        raise InvalidValueError(field_name, given.shape, "shape (points, 2)", "give columns time and survival")
    findings: list[Finding] = []

    def note(check: str, where: NDArray[np.intp], message: str, *, error: bool = False) -> None:
        if where.size:
            shown = tuple(f"({given[i, 0]:g}, {given[i, 1]:g})" for i in where[:SHOWN])
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
    at_zero = given[given[:, 0] <= 0, 1]
    if at_zero.size and at_zero.max() < 1 - OUTSIDE:
        begins = np.flatnonzero(given[:, 0] <= 0)[-1:]
        note("curve does not begin at 1", begins, "points at time 0: is it 1 - S, or another axis?", error=True)
    rows = np.flatnonzero((given[:, 1] < 0) | (given[:, 1] > 1) | ((given[:, 0] <= 0) & (given[:, 1] < 1)))
    note("points off the axes", rows, "points were moved: survival is 1 at time 0 and between 0 and 1 after it")
    given = given[given[:, 0] > 0]
    if not given.size:
        raise InvalidValueError(field_name, "no points", "at least one point after time 0", "digitise the curve")
    reading_error = _reading_error(given[:, 1])
    rows = _stray(given[:, 1], slack=max(NARROWEST, 4 * reading_error))
    others = np.delete(given, rows, axis=0)
    survival = falling(others[:, 1])
    off = _beside(given[rows], others[:, 0], survival, reading_error)
    message = f"points stood off the curve that the others make, by up to {off:.2g}, and were left out"
    note("stray points", rows, message, error=bool(off > FARTHEST))
    given = others
    rows = np.flatnonzero(np.diff(given[:, 1]) > 1e-12) + 1
    rise = float((given[:, 1] - np.minimum.accumulate(given[:, 1])).max())
    message = f"points lay above the one before and were levelled, by up to {rise:.2g}"
    note("rising points", rows, message, error=_is_no_survival(given[:, 1], survival, reading_error))
    if reading_error <= NARROWEST / 2:
        reading_error = 0.0
    return DigitisedCurve(given[:, 0], survival, given[:, 1], reading_error, tuple(findings))


def falling(survival: FloatArray) -> FloatArray:
    """Level what rises, by least squares, between 0 and 1."""
    level: FloatArray = isotonic_regression(survival, increasing=False).x
    return np.clip(level, 0.0, 1.0)


def _is_no_survival(read: FloatArray, survival: FloatArray, reading_error: float) -> bool:
    """Whether points stand so far from the falling curve that they are of another one, or rise on the whole."""
    off = np.abs(read - survival)
    rising = isotonic_regression(read).x
    rises = off.max() > NARROWEST and np.sum((read - rising) ** 2) < np.sum(off**2) / 2
    far = off.max() > max(FARTHEST, 4.5 * min(reading_error, 0.75 * WIDEST))
    return bool(rises or far or np.sqrt(np.mean(off**2)) > WIDEST)


def _beside(points: FloatArray, time: FloatArray, survival: FloatArray, reading_error: float) -> float:
    """Tell how far points stand above or below a curve, if their times too were read with that error."""
    reach = 3 * reading_error * time[-1]
    above = points[:, 1] - np.interp(points[:, 0] - reach, time, survival, left=1.0)
    below = np.interp(points[:, 0] + reach, time, survival) - points[:, 1]
    return float(np.maximum(above, below).max(initial=0.0))


def _reading_error(survival: FloatArray) -> float:
    """Tell the standard deviation of a reading from the larger rises: few stray clicks make none of them."""
    rises = np.sort(np.maximum(np.diff(survival), 0.0))
    typical = rises.size - 1 - max(STRAY_POINTS[0], rises.size // 10)
    return float(rises[typical]) / SPREAD if typical > 0 else 0.0


def _stray(survival: FloatArray, slack: float) -> NDArray[np.intp]:
    """Find the fewest points without which no point is higher than the one before by more than `slack`.

    None if they are more than a few: a curve that rises is not one with stray points. Of as many, those are kept that
    fall by the least at once.
    """
    n = survival.size
    kept, before = np.ones(n), np.full(n, -1)
    for i in range(n):  # the best chain of points that ends at each
        fall = np.append(1.0, survival[:i]) - survival[i]
        chains = np.append(0.0, kept[:i]) + 1 - 0.5 * fall**2
        chains[fall < -slack] = -np.inf
        best = int(np.argmax(chains))
        kept[i], before[i] = chains[best], best - 1
    chain, i = [], int(np.argmax(kept))
    while i >= 0:
        chain.append(i)
        i = before[i]
    rows = np.setdiff1d(np.arange(n), chain)
    return rows if rows.size <= max(STRAY_POINTS[0], STRAY_POINTS[1] * n) and 4 * rows.size <= n else rows[:0]


def _check_range(field_name: str, given: FloatArray, unit: str) -> None:
    if given.size and given[:, 1].max() > 1 + OUTSIDE:
        got = f"{given[:, 1].max() / UNITS[unit]:g} {unit}"
        raise InvalidValueError(field_name, got, "a survival of at most 1", "say `unit='percent'`, or check the axis")
    if unit == "percent" and given.size and given[:, 1].max() <= UNITS[unit] * (1 + READING_ERROR):
        got = f"at most {given[:, 1].max() / UNITS[unit]:g} percent"
        remedy = "leave unit='percent' out if these are proportions, or check the axis"
        raise InvalidValueError(field_name, got, "a curve that comes down from 100 percent", remedy)
    left = OUTSIDE * given[:, 0].max(initial=0.0)
    if given.size and (given[:, 1].min() < -OUTSIDE or given[:, 0].min() < -left):
        got = f"({given[:, 0].min():g}, {given[:, 1].min():g})"
        raise InvalidValueError(field_name, got, "times and survival of at least 0", "check the axes of the figure")
