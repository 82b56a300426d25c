"""A distribution of event times given by points of its survival curve."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import FloatArray, same_length
from analysis.conventions.values import value
from analysis.errors import InvalidValueError
from analysis.survival.distributions.base import Distribution, clipped
from analysis.survival.distributions.piecewise import PiecewiseExponential

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@border
@value
class Tabulated(Distribution):
    """A survival curve given by points, with the hazard constant between them.

    After the last point the hazard of the last interval goes on. Where the curve comes down to 0, those alive at the
    point before fail uniformly over that interval, as no constant hazard reaches 0.

    Parameters
    ----------
    times
        Months, shape ``(k,)``, strictly increasing from 0 or later; a curve that does not begin at time 0 begins there
        with a survival of 1.
    points
        Survival at these times, shape ``(k,)``, from 1 downwards; equal neighbours mean that nobody fails between.

    Raises
    ------
    InvalidValueError
        If times do not increase, the points rise or leave [0, 1], or they do not begin at 1 at time 0.

    Examples
    --------
    >>> curve = Tabulated(times=[6.0, 12.0], points=[0.8, 0.4])
    >>> round(curve.median, 3)
    10.068
    """

    times: FloatArray = fields.vector()
    points: FloatArray = fields.vector()

    if TYPE_CHECKING:  # anything that becomes an array is accepted

        def __init__(self, times: ArrayLike, points: ArrayLike) -> None: ...

    def __attrs_post_init__(self) -> None:
        times, points = _curve(self.times, self.points)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "points", points)

    @cached_property
    def _body(self) -> PiecewiseExponential:
        positive = self.points > 0
        knots, cumulative = self.times[positive], -np.log(self.points[positive])
        rates = np.diff(cumulative) / np.diff(knots)
        return PiecewiseExponential(rates if rates.size else [0.0], knots[1:-1])

    @cached_property
    def _last(self) -> float:
        return np.inf if self.points[-1] > 0 else float(self.times[self.points > 0][-1])

    @cached_property
    def _end(self) -> float:
        return np.inf if self.points[-1] > 0 else float(self.times[self.points == 0][0])

    def __repr__(self) -> str:
        return f"Tabulated({self.times.size} points to {self.times[-1]:g} months, median {self.median:g})"

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return "tabulated curve"

    @property
    def change_points(self) -> FloatArray:
        """The times of the points at which the hazard may jump."""
        if np.isinf(self._end):
            return self._body.breaks
        return np.concatenate([self._body.breaks, [self._last] * (self._last > 0), [self._end]])

    @property
    def piecewise_exponential_until(self) -> float:
        """The hazard is constant between the points, but for an interval on which the curve comes down to 0."""
        return self._last

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`."""
        t = clipped(t)
        return self._body.survival(np.minimum(t, self._last)) * self._share_left(t)

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month; it grows without bound towards a survival of 0."""
        if np.isinf(self._end):
            return self._body.hazard(t)
        with np.errstate(divide="ignore"):
            towards_end = 1 / np.maximum(self._end - clipped(t), 0.0)
        return np.where(np.asarray(t) < self._last, self._body.hazard(t), towards_end)[()]

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, linear between points; inf where S is 0."""
        t = clipped(t)
        with np.errstate(divide="ignore"):
            return self._body.cumulative_hazard(np.minimum(t, self._last)) - np.log(self._share_left(t))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        target = np.asarray(h, dtype=np.float64)
        if np.isinf(self._end):
            return self._body.inverse_cumulative_hazard(target)
        at_last = self._body.cumulative_hazard(self._last)
        past = target - at_last
        early = past <= 1e-14 * at_last
        on_body = self._body.inverse_cumulative_hazard(np.where(early, target, 0.0))
        towards_end = self._last - np.expm1(-np.maximum(past, 0.0)) * (self._end - self._last)
        return np.where(early, on_body, towards_end)[()]

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau]; the mean at ``tau=inf``."""
        tau = clipped(tau)
        area = self._body.rmst(np.minimum(tau, self._last))
        if np.isinf(self._end):
            return area
        past = np.clip(tau, self._last, self._end) - self._last
        return area + self._body.survival(self._last) * past * (1 - past / (2 * (self._end - self._last)))

    def _share_left(self, t: FloatArray) -> FloatArray:
        if np.isinf(self._end):
            return np.where(np.isnan(t), t, 1.0)[()]
        return np.clip((self._end - t) / (self._end - self._last), 0.0, 1.0)


def _curve(times: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    same_length("points", points, "times", times.size)
    if times.size == 0 or times[-1] == 0:
        raise InvalidValueError("times", times.tolist(), "at least one time above 0", "give the points of the curve")
    if np.any(np.diff(times) <= 0):
        later = int(np.flatnonzero(np.diff(times) <= 0)[0]) + 1
        raise InvalidValueError(
            "times", float(times[later]), "strictly increasing", "of a step keep its lower end only"
        )
    if times[0] > 0:
        times, points = np.concatenate([[0.0], times]), np.concatenate([[1.0], points])
    if points[0] != 1:
        raise InvalidValueError("points", float(points[0]), "1 at time 0", "give proportions, not percent")
    if np.any(np.diff(points) > 0):
        higher = int(np.flatnonzero(np.diff(points) > 0)[0]) + 1
        got = f"{points[higher]:g} after {points[higher - 1]:g}"
        raise InvalidValueError("points", got, "a curve that never rises", "make it monotone first")
    for array in (times, points):
        array.flags.writeable = False
    return times, points
