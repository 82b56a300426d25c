"""Distributions of event times given piece by piece: rates between change points, or points of a curve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.survival.checks import FloatArray, change_points, nonnegative, probabilities, same_length
from analysis.survival.distributions.protocol import (
    Distribution,
    Seed,
    Size,
    clipped,
    hazard_from_start,
    inverted_uniforms,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class PiecewiseExponential:
    """Hazard constant between change points.

    Parameters
    ----------
    rates
        Events per month in each interval, shape ``(k,)``, none below 0. A last rate of 0 means that the rest never
        fail.
    breaks
        Inner change points in months, shape ``(k - 1,)``, strictly increasing, above 0.

    Raises
    ------
    InvalidValueError
        If a rate is negative or not finite, the breaks do not increase, or the lengths do not match.

    Examples
    --------
    >>> delayed = PiecewiseExponential(rates=[0.1, 0.05], breaks=[3.0])
    >>> [round(float(s), 4) for s in delayed.survival([3.0, 6.0])]
    [0.7408, 0.6376]
    """

    rates: FloatArray
    breaks: FloatArray
    _starts: FloatArray = field(init=False, repr=False)
    _hazard_at_start: FloatArray = field(init=False, repr=False)

    def __init__(self, rates: ArrayLike, breaks: ArrayLike = ()) -> None:
        rates, breaks = nonnegative("rates", rates), change_points("breaks", breaks)
        same_length("rates", rates, "one interval more than there are breaks", breaks.size + 1)
        starts = np.concatenate([[0.0], breaks])
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "breaks", breaks)
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_hazard_at_start", np.concatenate([[0.0], np.cumsum(rates[:-1] * np.diff(starts))]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PiecewiseExponential):
            return NotImplemented
        return np.array_equal(self.rates, other.rates) and np.array_equal(self.breaks, other.breaks)

    def __hash__(self) -> int:
        return hash((self.rates.tobytes(), self.breaks.tobytes()))

    @property
    def change_points(self) -> FloatArray:
        """The breaks."""
        return self.breaks

    @property
    def median(self) -> float:
        """Median in months; inf where half never fail."""
        return float(self.quantile(0.5))

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`."""
        return np.exp(-self.cumulative_hazard(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month, that of the interval which begins at a change point."""
        return hazard_from_start(t, self.rates[np.searchsorted(self.breaks, clipped(t), side="right")])

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, linear between change points."""
        t = clipped(t)
        piece = np.searchsorted(self.breaks, t, side="right")
        rate = self.rates[piece]
        with np.errstate(invalid="ignore", over="ignore"):
            within = np.where(rate == 0, np.where(np.isnan(t), t, 0.0), rate * (t - self._starts[piece]))
        hazard: FloatArray = (self._hazard_at_start[piece] + within)[()]
        return hazard

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed; inf where the rates never carry it so far."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            target = -np.log1p(-probabilities("p", p))
            piece = piece_reaching(self._hazard_at_start, target)
            wait = (target - self._hazard_at_start[piece]) / self.rates[piece]
        return np.where(target == 0, 0.0, self._starts[piece] + wait)[()]

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], a sum of exponential pieces; the mean at ``tau=inf``."""
        tau = clipped(tau)
        areas = self._area(np.arange(self.breaks.size), np.diff(self._starts))
        piece = np.searchsorted(self.breaks, tau, side="right")
        before: FloatArray = np.concatenate([[0.0], np.cumsum(areas)])[piece]
        return before + self._area(piece, tau - self._starts[piece])

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times by inversion."""
        return inverted_uniforms(self, size, rng)

    def _area(self, piece: NDArray[np.intp], width: FloatArray) -> FloatArray:
        rate = self.rates[piece]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_time = np.where(rate == 0, width, -np.expm1(-rate * width) / rate)
        area: FloatArray = np.exp(-self._hazard_at_start[piece]) * mean_time
        return area


@dataclass(frozen=True, eq=False)
class Tabulated:
    """A survival curve given by points, with the hazard constant between them.

    After the last point the hazard of the last interval goes on. Where the curve comes down to 0, those alive at the
    point before fail uniformly over that interval, as no constant hazard reaches 0.

    Parameters
    ----------
    times
        Months, shape ``(k,)``, strictly increasing from 0 or later; a curve that does not begin at time 0 begins there
        with a survival of 1.
    survival
        Survival at these times, shape ``(k,)``, from 1 downwards; equal neighbours mean that nobody fails between.

    Raises
    ------
    InvalidValueError
        If times do not increase, survival rises or leaves [0, 1], or it is not 1 at time 0.

    Examples
    --------
    >>> curve = Tabulated(times=[6.0, 12.0], survival=[0.8, 0.4])
    >>> round(curve.median, 3)
    10.068
    """

    times: FloatArray
    points: FloatArray = field(repr=False)
    _body: PiecewiseExponential = field(init=False, repr=False)
    _last: float = field(init=False, repr=False)
    _end: float = field(init=False, repr=False)

    def __init__(self, times: ArrayLike, survival: ArrayLike) -> None:
        times, points = _curve(times, survival)
        positive = points > 0
        knots, cumulative = times[positive], -np.log(points[positive])
        rates = np.diff(cumulative) / np.diff(knots)
        reaches_zero = not positive.all()
        body = PiecewiseExponential(rates if rates.size else [0.0], knots[1:-1])
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "_body", body)
        object.__setattr__(self, "_last", float(knots[-1]) if reaches_zero else np.inf)
        object.__setattr__(self, "_end", float(times[~positive][0]) if reaches_zero else np.inf)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tabulated):
            return NotImplemented
        return np.array_equal(self.times, other.times) and np.array_equal(self.points, other.points)

    def __hash__(self) -> int:
        return hash((self.times.tobytes(), self.points.tobytes()))

    def __repr__(self) -> str:
        return f"Tabulated({self.times.size} points to {self.times[-1]:g} months, median {self.median:g})"

    @property
    def change_points(self) -> FloatArray:
        """The times of the points at which the hazard may jump."""
        if np.isinf(self._end):
            return self._body.breaks
        return np.concatenate([self._body.breaks, [self._last] * (self._last > 0), [self._end]])

    @property
    def median(self) -> float:
        """Median in months; inf where half never fail."""
        return float(self.quantile(0.5))

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

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed; inf where the curve never comes down so far."""
        p = probabilities("p", p)
        if np.isinf(self._end):
            return self._body.quantile(p)
        alive = self._body.survival(self._last)
        late = (p - (1 - alive)) / alive
        on_body = self._body.quantile(np.where(late <= 0, p, 0.0))
        towards_end = np.minimum(self._last + late * (self._end - self._last), self._end)
        return np.where(late <= 0, on_body, towards_end)[()]

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau]; the mean at ``tau=inf``."""
        tau = clipped(tau)
        area = self._body.rmst(np.minimum(tau, self._last))
        if np.isinf(self._end):
            return area
        past = np.clip(tau, self._last, self._end) - self._last
        return area + self._body.survival(self._last) * past * (1 - past / (2 * (self._end - self._last)))

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times by inversion."""
        return inverted_uniforms(self, size, rng)

    def _share_left(self, t: FloatArray) -> FloatArray:
        if np.isinf(self._end):
            return np.where(np.isnan(t), t, 1.0)[()]
        return np.clip((self._end - t) / (self._end - self._last), 0.0, 1.0)


def piece_reaching(hazard_at_start: FloatArray, target: FloatArray) -> NDArray[np.intp]:
    """Return the first piece in which the cumulative hazard reaches `target`, but for rounding."""
    return np.maximum(np.searchsorted(hazard_at_start, target * (1 - 1e-14), side="left") - 1, 0)


def as_piecewise_exponential(distribution: Distribution, horizon: float, pieces: int = 1000) -> PiecewiseExponential:
    """Return the piecewise-exponential distribution that agrees with `distribution` at a grid of times.

    The grid holds the change points, `pieces` times evenly spread over [0, horizon], and `pieces` quantiles with more
    towards the last; neighbours with the same rate are joined, so that a distribution which is piecewise exponential
    comes back as it is.

    Parameters
    ----------
    distribution
        Any distribution of event times.
    horizon
        Months up to which the two agree; after it the last rate goes on. A survival of 0 before it is replaced by
        1e-12 at that time.
    pieces
        Number of times and number of quantiles in the grid.

    Returns
    -------
    PiecewiseExponential
        Breaks and rates that a compiled engine can sample from.

    Raises
    ------
    InvalidValueError
        If `horizon` is not above 0.

    Examples
    --------
    >>> from analysis.survival.distributions import Exponential
    >>> as_piecewise_exponential(Exponential(0.1), horizon=36.0)
    PiecewiseExponential(rates=array([0.1]), breaks=array([], dtype=float64))
    """
    if not 0 < horizon < np.inf:
        raise InvalidValueError("horizon", horizon, "a finite time above 0", "give the trial's longest follow-up")
    failed = 1 - float(distribution.survival(horizon))
    tail = 1 - 0.5 ** np.arange(1, 30) / pieces
    quantiles = distribution.quantile(failed * np.concatenate([np.arange(1, pieces) / pieces, tail]))
    jumps = distribution.change_points
    grid = _spread(np.concatenate([[0.0], jumps[jumps < horizon], [horizon]]), quantiles, pieces)
    hazard = np.minimum(distribution.cumulative_hazard(grid), -np.log(1e-12))
    rates = np.diff(hazard) / np.diff(grid)
    first = np.concatenate([[True], ~np.isclose(rates[1:], rates[:-1], rtol=1e-8, atol=1e-14)])
    starts, joined = grid[:-1][first], np.append(hazard[:-1][first], hazard[-1])
    return PiecewiseExponential(np.diff(joined) / np.diff(np.append(starts, grid[-1])), starts[1:])


def _spread(fixed: FloatArray, quantiles: FloatArray, pieces: int) -> FloatArray:
    """Return the fixed times with those between that are not too close to them for a rate to be computed."""
    apart = 1e-6 * fixed[-1]
    free = np.unique(np.concatenate([np.linspace(0, fixed[-1], pieces + 1), quantiles[quantiles <= fixed[-1]]]))
    free = free[np.diff(free, prepend=-np.inf) > apart]
    after = np.clip(np.searchsorted(fixed, free), 1, fixed.size - 1)
    distance = np.minimum(np.abs(free - fixed[after - 1]), np.abs(free - fixed[after]))
    return np.union1d(fixed, free[distance > apart])


def _curve(times: ArrayLike, survival: ArrayLike) -> tuple[FloatArray, FloatArray]:
    times, points = nonnegative("times", times), nonnegative("survival", survival)
    same_length("survival", points, "times", times.size)
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
        raise InvalidValueError("survival", float(points[0]), "1 at time 0", "give proportions, not percent")
    if np.any(np.diff(points) > 0):
        higher = int(np.flatnonzero(np.diff(points) > 0)[0]) + 1
        got = f"{points[higher]:g} after {points[higher - 1]:g}"
        raise InvalidValueError("survival", got, "a curve that never rises", "make it monotone first")
    for array in (times, points):
        array.flags.writeable = False
    return times, points
