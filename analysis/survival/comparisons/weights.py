"""Weights of the log-rank family: a value with one method, which reads both arms together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.errors import InvalidValueError
from analysis.survival.checks import number

if TYPE_CHECKING:
    from analysis.survival.checks import FloatArray
    from analysis.survival.comparisons.two_arms import RiskSets


class Weight(Protocol):
    """How much an event counts by when it happens."""

    def at_events(self, pooled: RiskSets) -> FloatArray:
        """Weight at each event time, shape ``(k,)``; it may not look at the arms."""


@dataclass(frozen=True)
class FlemingHarrington:
    """``S(t-) ** rho * (1 - S(t-)) ** gamma``, S the Kaplan-Meier curve of both arms together.

    ``(0, 0)`` is the log-rank test, ``(1, 0)`` stresses early events, ``(0, 1)`` late ones (Fleming and Harrington
    1991, Counting Processes and Survival Analysis, chapter 7).

    Parameters
    ----------
    rho, gamma
        Exponents, at least 0.

    Raises
    ------
    InvalidValueError
        If an exponent is negative or not finite.
    """

    rho: float = 0.0
    gamma: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rho", "gamma"):
            if number(name, getattr(self, name)) < 0:
                expected = "an exponent of at least 0"
                raise InvalidValueError(name, getattr(self, name), expected, "exchange rho and gamma for the other end")

    def at_events(self, pooled: RiskSets) -> FloatArray:
        """Weight at each event time."""
        survival = pooled.survival_before
        return survival**self.rho * (1 - survival) ** self.gamma


@dataclass(frozen=True)
class ModestlyWeighted:
    """``min(1 / max(S(t-), S(t_star-)), w_max)``: early events count less, as far as a delay of effect lasts.

    Magirr and Burman 2019 (Stat Med 38:3782) with `t_star`; a cap on the survival, ``s_star``, is ``w_max=1/s_star``
    without `t_star` (Magirr 2021).

    Parameters
    ----------
    t_star
        Months until the weight stops growing.
    w_max
        Greatest weight, above 1.

    Raises
    ------
    InvalidValueError
        If neither is given, `t_star` is not above 0 or `w_max` not above 1.
    """

    t_star: float = np.inf
    w_max: float = np.inf

    def __post_init__(self) -> None:
        if not (self.t_star > 0 and self.w_max > 1 and min(self.t_star, self.w_max) < np.inf):
            expected = "t_star above 0 or w_max above 1, or both"
            raise InvalidValueError("t_star, w_max", (self.t_star, self.w_max), expected, "say where growth ends")

    def at_events(self, pooled: RiskSets) -> FloatArray:
        """Weight at each event time."""
        before = np.searchsorted(pooled.time, self.t_star, side="left")
        floor = pooled.survival[before - 1] if before else 1.0
        return np.minimum(1 / np.maximum(pooled.survival_before, floor), self.w_max)
