"""The piecewise-exponential distribution: rates between change points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analysis.survival.checks import FloatArray, change_points, nonnegative, same_length
from analysis.survival.distributions.protocol import (
    Seed,
    Size,
    clipped,
    hazard_from_start,
    hazard_of_share,
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
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        target = np.asarray(h, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
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


def piece_reaching(hazard_at_start: FloatArray, target: FloatArray) -> NDArray[np.intp]:
    """Return the first piece in which the cumulative hazard reaches `target`, but for rounding."""
    return np.maximum(np.searchsorted(hazard_at_start, target * (1 - 1e-14), side="left") - 1, 0)
