"""Weights of the log-rank test as they come out in large samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.power.expected import RiskProcess
    from analysis.power.quadrature import FloatArray

NO_CHANGES = np.array([], dtype=np.float64)


class Weight(Protocol):
    """A weight function. A new one is a new class with these members."""

    @property
    def change_points(self) -> FloatArray:
        """Follow-up months at which the weight is not smooth."""

    def at(self, process: RiskProcess) -> FloatArray:
        """Give the weight at the nodes of a stratum's course."""


@dataclass(frozen=True)
class FlemingHarrington:
    """``S^rho (1 - S)^gamma`` with S the pooled survival: (0, 1) weighs late events, (1, 0) early ones.

    Parameters
    ----------
    rho, gamma
        Exponents, at least 0.
    """

    rho: float
    gamma: float

    def __post_init__(self) -> None:
        for name in ("rho", "gamma"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InvalidValueError(name, getattr(self, name), "an exponent of at least 0", "give 0, 0.5 or 1")

    @property
    def change_points(self) -> FloatArray:
        """Return none."""
        return NO_CHANGES

    def at(self, process: RiskProcess) -> FloatArray:
        """Give the weight at the nodes."""
        hazard = process.pooled_cumulative_hazard
        weight: FloatArray = np.exp(-self.rho * hazard) * (-np.expm1(-hazard)) ** self.gamma
        return weight


@dataclass(frozen=True)
class ModestlyWeighted:
    """``min(1 / S(min(t, t_star)), w_max)`` with S the pooled survival: late events count more, early ones still count.

    Parameters
    ----------
    t_star
        Months after which the weight stays.
    w_max
        Largest weight.

    References
    ----------
    Magirr D, Burman C-F. Modestly weighted logrank tests. Statistics in Medicine 2019;38:3782-3790.
    """

    t_star: float
    w_max: float = np.inf

    def __post_init__(self) -> None:
        if not self.t_star > 0:
            raise InvalidValueError("t_star", self.t_star, "months above 0", "give the delay that is expected")
        if not self.w_max >= 1:
            raise InvalidValueError("w_max", self.w_max, "a weight of at least 1", "leave it out for no limit")

    @property
    def change_points(self) -> FloatArray:
        """Months after which the weight stays."""
        return np.array([self.t_star])

    def at(self, process: RiskProcess) -> FloatArray:
        """Give the weight at the nodes."""
        early = process.grid.time < self.t_star
        at_t_star = process.grid.integral(np.where(early, process.pooled_hazard, 0.0))
        weight = np.exp(np.where(early, process.pooled_cumulative_hazard, at_t_star))
        return np.minimum(weight, self.w_max)


@dataclass(frozen=True)
class AtRisk:
    """Number at risk to a power: 1 is Gehan and Breslow's test, 0.5 Tarone and Ware's.

    Parameters
    ----------
    power
        Exponent, at least 0.
    """

    power: float = 1.0

    @property
    def change_points(self) -> FloatArray:
        """Return none."""
        return NO_CHANGES

    def at(self, process: RiskProcess) -> FloatArray:
        """Give the weight at the nodes."""
        weight: FloatArray = process.at_risk.sum(axis=0) ** self.power
        return weight
