"""How a lesion's size changes over time: the growth laws of Stein, Wang and Claret, relative to baseline.

Stein et al., Clin Cancer Res 2011;17:907-917; Wang et al., Clin Pharmacol Ther 2009;86:167-174; Claret et al., J Clin
Oncol 2009;27:4103-4108. Time is in months, rates are per month.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.conventions.border import strict_border
from analysis.endpoints.options import as_number
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.endpoints.codes import Floats


@strict_border
@dataclass(frozen=True)
class Rate:
    """A rate that varies between patients and between a patient's lesions, log-normally.

    Parameters
    ----------
    median
        Per month.
    between_patients, between_lesions
        Standard deviations of its logarithm.

    Examples
    --------
    >>> Rate(0.1, between_patients=0.5).median
    0.1
    """

    median: float
    between_patients: float = 0.0
    between_lesions: float = 0.0

    def __post_init__(self) -> None:
        for field in ("median", "between_patients", "between_lesions"):
            value = getattr(self, field)
            if not 0 <= as_number(value) < np.inf:
                raise InvalidValueError(
                    field, value, "a finite number, at least 0", "give a rate per month, and sd of its log"
                )

    def draw(self, patients: int, lesions: int, rng: np.random.Generator) -> Floats:
        """Draw one rate for each lesion, shape (patients, lesions)."""
        log = np.zeros((patients, lesions))
        if self.between_patients:
            log += self.between_patients * rng.standard_normal((patients, 1))
        if self.between_lesions:
            log += self.between_lesions * rng.standard_normal((patients, lesions))
        return self.median * np.exp(log)

    def times(self, factor: float) -> Rate:
        """Multiply the median."""
        return replace(self, median=self.median * factor)


class GrowthLaw(Protocol):
    """Sizes relative to baseline. A new law is a new class with these methods."""

    def relative(self, time: Floats, lesions: int, rng: np.random.Generator) -> Floats:
        """Draw sizes at `time` (patients, visits) for so many lesions each, shape (patients, lesions, visits)."""

    def scaled(self, growth: float, shrinkage: float) -> GrowthLaw:
        """Multiply the median rates of growth and of shrinkage."""


@strict_border
@dataclass(frozen=True)
class Stein:
    """exp(-d t) + exp(g t) - 1.

    Examples
    --------
    >>> from analysis.endpoints import Rate
    >>> Stein(growth=Rate(0.05, 0.3), shrinkage=Rate(0.1)).shrinkage.median
    0.1
    """

    growth: Rate
    shrinkage: Rate

    def relative(self, time: Floats, lesions: int, rng: np.random.Generator) -> Floats:
        """Draw sizes relative to baseline."""
        g = self.growth.draw(len(time), lesions, rng)[:, :, None]
        d = self.shrinkage.draw(len(time), lesions, rng)[:, :, None]
        t = time[:, None, :]
        return np.exp(-d * t) + np.exp(np.minimum(g * t, 50.0)) - 1.0

    def scaled(self, growth: float, shrinkage: float) -> Stein:
        """Multiply the median rates."""
        return Stein(self.growth.times(growth), self.shrinkage.times(shrinkage))


@strict_border
@dataclass(frozen=True)
class Wang:
    """exp(-SR t) + PR t; `growth` is the linear growth per month as a share of the baseline.

    Examples
    --------
    >>> from analysis.endpoints import Rate
    >>> Wang(growth=Rate(0.05), shrinkage=Rate(0.1)).growth.median
    0.05
    """

    growth: Rate
    shrinkage: Rate

    def relative(self, time: Floats, lesions: int, rng: np.random.Generator) -> Floats:
        """Draw sizes relative to baseline."""
        g = self.growth.draw(len(time), lesions, rng)[:, :, None]
        d = self.shrinkage.draw(len(time), lesions, rng)[:, :, None]
        t = time[:, None, :]
        return np.exp(-d * t) + g * t

    def scaled(self, growth: float, shrinkage: float) -> Wang:
        """Multiply the median rates."""
        return Wang(self.growth.times(growth), self.shrinkage.times(shrinkage))


@strict_border
@dataclass(frozen=True)
class Claret:
    """exp(KL t - KD E (1 - exp(-lambda t)) / lambda), the solution of dy/dt = KL y - KD E exp(-lambda t) y.

    `shrinkage` is KD E, `resistance` is lambda.

    Examples
    --------
    >>> from analysis.endpoints import Rate
    >>> Claret(Rate(0.03), Rate(0.2), Rate(0.1)).growth.median
    0.03
    """

    growth: Rate
    shrinkage: Rate
    resistance: Rate

    def relative(self, time: Floats, lesions: int, rng: np.random.Generator) -> Floats:
        """Draw sizes relative to baseline."""
        g, d, r = (
            rate.draw(len(time), lesions, rng)[:, :, None] for rate in (self.growth, self.shrinkage, self.resistance)
        )
        t = time[:, None, :]
        effect = np.where(r > 0, -np.expm1(-r * t) / np.where(r > 0, r, 1.0), t)
        return np.exp(np.minimum(g * t - d * effect, 50.0))

    def scaled(self, growth: float, shrinkage: float) -> Claret:
        """Multiply the median rates."""
        return Claret(self.growth.times(growth), self.shrinkage.times(shrinkage), self.resistance)
