"""Exponential and Weibull distributions of event times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import special

from analysis.survival.checks import FloatArray, number
from analysis.survival.distributions.protocol import (
    NO_CHANGE_POINTS,
    Seed,
    Size,
    clipped,
    hazard_from_start,
    hazard_of_share,
    inverted_uniforms,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Exponential:
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

    rate: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", number("rate", self.rate, above=0))

    @classmethod
    def from_median(cls, median: float) -> Self:
        """Return the exponential distribution with this median in months."""
        return cls(float(np.log(2)) / number("median", median, above=0))

    @property
    def change_points(self) -> FloatArray:
        """Return no times: the hazard never jumps."""
        return NO_CHANGE_POINTS

    @property
    def median(self) -> float:
        """Median in months."""
        return float(self.quantile(0.5))

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`."""
        return np.exp(-self.cumulative_hazard(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month."""
        return hazard_from_start(t, np.full(np.shape(t), self.rate))

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, ``rate * t``."""
        return self.rate * clipped(t)

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed."""
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        return np.asarray(h, dtype=np.float64)[()] / self.rate

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau]; the mean at ``tau=inf``."""
        return -np.expm1(-self.rate * clipped(tau)) / self.rate

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times by inversion."""
        return inverted_uniforms(self, size, rng)


@dataclass(frozen=True)
class Weibull:
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

    shape: float
    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", number("shape", self.shape, above=0))
        object.__setattr__(self, "scale", number("scale", self.scale, above=0))

    @property
    def change_points(self) -> FloatArray:
        """Return no times: the hazard never jumps."""
        return NO_CHANGE_POINTS

    @property
    def median(self) -> float:
        """Median in months."""
        return float(self.quantile(0.5))

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`."""
        return np.exp(-self.cumulative_hazard(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month; inf at time 0 for a shape below 1."""
        with np.errstate(divide="ignore", over="ignore"):
            return hazard_from_start(t, self.shape / self.scale * (clipped(t) / self.scale) ** (self.shape - 1))

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, ``(t / scale) ** shape``."""
        return (clipped(t) / self.scale) ** self.shape

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed."""
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        return self.scale * np.asarray(h, dtype=np.float64)[()] ** (1 / self.shape)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], an incomplete gamma function; the mean at ``tau=inf``."""
        power = 1 / self.shape
        area: FloatArray = special.gamma(1 + power) * special.gammainc(power, self.cumulative_hazard(tau))
        return self.scale * area

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times by inversion."""
        return inverted_uniforms(self, size, rng)
