"""Distributions whose log time has a location and a scale: log-logistic and log-normal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.values import value
from analysis.survival.distributions.base import Distribution, clipped, hazard_from_start

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray


@border
@value
class LogLogistic(Distribution):
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

    shape: float = fields.positive()
    scale: float = fields.positive("months")

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return f"log-logistic (shape {self.shape:.3g})"

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

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        with np.errstate(over="ignore"):
            return self.scale * np.expm1(np.asarray(h, dtype=np.float64)) ** (1 / self.shape)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], finite tau, as Gauss's hypergeometric function 2F1(1, 1/a; 1 + 1/a; -odds)."""
        power = 1 / self.shape
        mean_survival: FloatArray = special.hyp2f1(1.0, power, 1 + power, -self._odds(tau))
        return clipped(tau) * mean_survival

    def _odds(self, t: ArrayLike) -> FloatArray:
        return (clipped(t) / self.scale) ** self.shape


@border
@value
class LogNormal(Distribution):
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

    mu: float = fields.number()
    sigma: float = fields.positive()

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return f"log-normal (sigma {self.sigma:.3g})"

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

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        z: FloatArray = -special.ndtri_exp(-np.asarray(h, dtype=np.float64))
        return np.exp(self.mu + self.sigma * z)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], finite tau: the truncated mean and the survivors' share of tau."""
        z = self._standardised(tau)
        failed: FloatArray = np.exp(self.mu + self.sigma**2 / 2) * special.ndtr(z - self.sigma)
        return failed + clipped(tau) * self.survival(tau)

    def _standardised(self, t: ArrayLike) -> FloatArray:
        with np.errstate(divide="ignore"):
            return (np.log(clipped(t)) - self.mu) / self.sigma
