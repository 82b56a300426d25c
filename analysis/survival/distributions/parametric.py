"""Exponential and Weibull distributions of event times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import special

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import FloatArray, positive
from analysis.conventions.values import value
from analysis.survival.distributions.base import Distribution, clipped, hazard_from_start

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@border
@value
class Exponential(Distribution):
    """Constant hazard.

    Parameters
    ----------
    rate
        Events per month, above 0.

    Raises
    ------
    InvalidValueError
        If the rate is not a finite number above 0.

    Examples
    --------
    >>> control = Exponential.from_median(11.0)
    >>> round(float(control.survival(22.0)), 6)
    0.25
    """

    rate: float = fields.positive("events per month")

    @classmethod
    def from_median(cls, median: float) -> Self:
        """Return the exponential distribution with this median in months."""
        return cls(float(np.log(2)) / positive("median", median))

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return "exponential"

    @property
    def piecewise_exponential_until(self) -> float:
        """The hazard is constant throughout."""
        return np.inf

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month."""
        return hazard_from_start(t, np.full(np.shape(t), self.rate))

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, ``rate * t``."""
        return self.rate * clipped(t)

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        return np.asarray(h, dtype=np.float64)[()] / self.rate

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau]; the mean at ``tau=inf``."""
        return -np.expm1(-self.rate * clipped(tau)) / self.rate


@border
@value
class Weibull(Distribution):
    """Hazard that rises (shape above 1) or falls (below 1) as a power of time.

    ``S(t) = exp(-(t / scale) ** shape)``.

    Parameters
    ----------
    shape
        Power of the cumulative hazard, above 0.
    scale
        Months by which 63.2% have failed, above 0.

    Raises
    ------
    InvalidValueError
        If either is not a finite number above 0.

    Examples
    --------
    >>> round(Weibull(shape=1.2, scale=10.0).median, 4)
    7.3681
    """

    shape: float = fields.positive()
    scale: float = fields.positive("months")

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return f"Weibull (shape {self.shape:.3g})"

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month; inf at time 0 for a shape below 1."""
        with np.errstate(divide="ignore", over="ignore"):
            return hazard_from_start(t, self.shape / self.scale * (clipped(t) / self.scale) ** (self.shape - 1))

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, ``(t / scale) ** shape``."""
        return (clipped(t) / self.scale) ** self.shape

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        return self.scale * np.asarray(h, dtype=np.float64)[()] ** (1 / self.shape)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], an incomplete gamma function; the mean at ``tau=inf``."""
        power = 1 / self.shape
        area: FloatArray = special.gamma(1 + power) * special.gammainc(power, self.cumulative_hazard(tau))
        return self.scale * area
