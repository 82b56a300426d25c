"""Distributions whose log time has a location and a scale: log-logistic and log-normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
class LogLogistic:
    """Odds of failure that grow as a power of time: ``S(t) = 1 / (1 + (t / scale) ** shape)``.

    Parameters
    ----------
    shape
        Power of the odds, above 0; above 1 the hazard rises and then falls.
    scale
        Median in months, above 0.

    Raises
    ------
    InvalidValueError
        If either is not a finite number above 0.

    Examples
    --------
    >>> LogLogistic(shape=1.5, scale=6.9).median
    6.9
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
        return self.scale

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`."""
        return 1 / (1 + self._odds(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month; inf at time 0 for a shape below 1."""
        with np.errstate(divide="ignore", over="ignore"):
            x = clipped(t) / self.scale
            return hazard_from_start(t, self.shape / self.scale / (x ** (1 - self.shape) + x))

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, ``log(1 + (t / scale) ** shape)``."""
        return np.log1p(self._odds(t))

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed."""
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        with np.errstate(over="ignore"):
            return self.scale * np.expm1(np.asarray(h, dtype=np.float64)) ** (1 / self.shape)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], finite tau, as Gauss's hypergeometric function 2F1(1, 1/a; 1 + 1/a; -odds)."""
        power = 1 / self.shape
        mean_survival: FloatArray = special.hyp2f1(1.0, power, 1 + power, -self._odds(tau))
        return clipped(tau) * mean_survival

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times by inversion."""
        return inverted_uniforms(self, size, rng)

    def _odds(self, t: ArrayLike) -> FloatArray:
        return (clipped(t) / self.scale) ** self.shape


@dataclass(frozen=True)
class LogNormal:
    """Times whose logarithm is normal.

    Parameters
    ----------
    mu
        Mean of the log of time in months: the median is ``exp(mu)``.
    sigma
        Standard deviation of the log of time, above 0.

    Raises
    ------
    InvalidValueError
        If `mu` is not a finite number or `sigma` not a finite number above 0.

    Examples
    --------
    >>> round(LogNormal(mu=2.0, sigma=0.8).median, 4)
    7.3891
    """

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mu", number("mu", self.mu))
        object.__setattr__(self, "sigma", number("sigma", self.sigma, above=0))

    @property
    def change_points(self) -> FloatArray:
        """Return no times: the hazard never jumps."""
        return NO_CHANGE_POINTS

    @property
    def median(self) -> float:
        """Median in months."""
        return float(np.exp(self.mu))

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`."""
        survival: FloatArray = special.ndtr(-self._standardised(t))
        return survival

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month, 0 at time 0."""
        x = np.clip(np.asarray(t, dtype=np.float64), 1e-300, 1e300)
        z = self._standardised(x)
        log_density = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(self.sigma * x)
        return hazard_from_start(t, np.exp(log_density - special.log_ndtr(-z)))

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, -log S."""
        log_survival: FloatArray = special.log_ndtr(-self._standardised(t))
        return -log_survival

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed."""
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        z: FloatArray = -special.ndtri_exp(-np.asarray(h, dtype=np.float64))
        return np.exp(self.mu + self.sigma * z)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], finite tau: the truncated mean and the survivors' share of tau."""
        z = self._standardised(tau)
        failed: FloatArray = np.exp(self.mu + self.sigma**2 / 2) * special.ndtr(z - self.sigma)
        return failed + clipped(tau) * self.survival(tau)

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times by inversion."""
        return inverted_uniforms(self, size, rng)

    def _standardised(self, t: ArrayLike) -> FloatArray:
        with np.errstate(divide="ignore"):
            return (np.log(clipped(t)) - self.mu) / self.sigma
