"""Weights of the log-rank family: how much an event counts by when it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import SAME_TIME
from analysis.conventions.values import value
from analysis.errors import InvalidValueError, UnavailableError

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.expected.process import RiskProcess

NO_CHANGES = np.array([], dtype=np.float64)


class CompiledWeight(NamedTuple):
    """The weight min(S(t-)^rho (1 - S(t-))^gamma / max(S(t-), S(t_star-)), w_max) Y(t)^power, S(0-) = 1.

    S is the Kaplan-Meier curve of both arms together, Y the number at risk.
    """

    rho: float = 0.0
    gamma: float = 0.0
    t_star: float = 0.0
    w_max: float = np.inf
    power: float = 0.0


class EventTimes(NamedTuple):
    """What a weight may look at: event times of one stratum, both arms together; each of shape ``(k,)``.

    `survival_before` is the Kaplan-Meier estimate just before each time, `n_risk` the number at risk then.
    """

    time: FloatArray
    n_risk: FloatArray
    n_event: FloatArray
    survival_before: FloatArray


@border
class Weight:
    """A weight; one of one's own gives `at_events`, and `large_sample` to have moments. It may not look at the arms.

    Examples
    --------
    >>> from analysis.statistical_tests import FlemingHarrington
    >>> isinstance(FlemingHarrington(0, 0.5), Weight)
    True
    """

    compiled: CompiledWeight | None = None
    """The weight for compiled code, where it is of that form."""

    @property
    def label(self) -> str:
        """The weight in a test's name."""
        return repr(self)

    @property
    def change_points(self) -> FloatArray:
        """Follow-up months, known beforehand, at which the weight is not smooth."""
        return NO_CHANGES

    def at_events(self, pooled: EventTimes) -> FloatArray:
        """Weight at each event time, shape ``(k,)``."""
        if self.compiled is not None:
            of = self.compiled
            after = pooled.survival_before * (1 - pooled.n_event / pooled.n_risk)
            floor = np.append(1.0, after)[np.searchsorted(pooled.time, of.t_star * (1 - SAME_TIME))]
            shape = pooled.survival_before**of.rho * (1 - pooled.survival_before) ** of.gamma
            weight: FloatArray = np.minimum(shape / np.maximum(pooled.survival_before, floor), of.w_max)
            return weight * pooled.n_risk**of.power
        raise UnavailableError(f"{self!r}: this weight is not known at event times; give it the method at_events")

    def large_sample(self, process: RiskProcess) -> FloatArray:
        """Give what the weight converges to at the nodes of a stratum's expected course."""
        raise UnavailableError(f"{self!r}: this weight has no large-sample form; simulate, or give it large_sample")


@border
@value
class FlemingHarrington(Weight):
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

    Examples
    --------
    >>> from analysis.statistical_tests import LogRank
    >>> time, event = [2, 3, 5, 8, 9, 4, 6, 8, 11, 12], [1, 1, 1, 0, 1, 1, 0, 1, 0, 0]
    >>> is_new = [False] * 5 + [True] * 5
    >>> round(LogRank(FlemingHarrington(0, 1)).analyse(time, event, is_new).z, 3)
    0.931
    """

    rho: float = fields.not_negative(default=0.0)
    gamma: float = fields.not_negative(default=0.0)

    @property
    def compiled(self) -> CompiledWeight:  # type: ignore[override]  # read-only here
        """The weight for compiled code."""
        return CompiledWeight(rho=self.rho, gamma=self.gamma)

    @property
    def label(self) -> str:
        """The weight in a test's name."""
        return f"FH({self.rho:g}, {self.gamma:g})"

    def large_sample(self, process: RiskProcess) -> FloatArray:
        """Give what the weight converges to."""
        hazard = process.pooled_cumulative_hazard
        weight: FloatArray = np.exp(-self.rho * hazard) * (-np.expm1(-hazard)) ** self.gamma
        return weight


UNWEIGHTED = FlemingHarrington(0, 0)


@border
@value
class ModestlyWeighted(Weight):
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

    Examples
    --------
    >>> from analysis.statistical_tests import LogRank
    >>> time, event = [2, 3, 5, 8, 9, 4, 6, 8, 11, 12], [1, 1, 1, 0, 1, 1, 0, 1, 0, 0]
    >>> is_new = [False] * 5 + [True] * 5
    >>> round(LogRank(ModestlyWeighted(t_star=4)).analyse(time, event, is_new).z, 3)
    1.192
    """

    t_star: float = np.inf
    w_max: float = np.inf

    def __attrs_post_init__(self) -> None:
        if not (self.t_star > 0 and self.w_max > 1 and min(self.t_star, self.w_max) < np.inf):
            expected = "t_star above 0 or w_max above 1, or both"
            raise InvalidValueError("t_star, w_max", (self.t_star, self.w_max), expected, "say where growth ends")

    @property
    def compiled(self) -> CompiledWeight:  # type: ignore[override]  # read-only here
        """The weight for compiled code."""
        return CompiledWeight(t_star=float(self.t_star), w_max=float(self.w_max))

    @property
    def label(self) -> str:
        """The weight in a test's name."""
        limits = [f"{x:g}" for x in (self.t_star,) if x < np.inf]
        limits += [f"w_max={self.w_max:g}"] if self.w_max < np.inf else []
        return f"modestly weighted({', '.join(limits)})"

    @property
    def change_points(self) -> FloatArray:
        """Where the weight stops growing."""
        return np.array([self.t_star])

    def large_sample(self, process: RiskProcess) -> FloatArray:
        """Give what the weight converges to."""
        early = process.grid.time < self.t_star
        at_t_star = process.grid.integral(np.where(early, process.pooled_hazard, 0.0))
        grown = np.exp(np.where(early, process.pooled_cumulative_hazard, at_t_star))
        return np.minimum(grown, self.w_max)


@border
@value
class NumberAtRisk(Weight):
    """Number at risk to a power: 1 is Gehan and Breslow's test, 0.5 Tarone and Ware's.

    Parameters
    ----------
    power
        Exponent, at least 0.

    Raises
    ------
    InvalidValueError
        If the exponent is negative or not finite.

    Examples
    --------
    >>> from analysis.statistical_tests import LogRank
    >>> time, event = [2, 3, 5, 8, 9, 4, 6, 8, 11, 12], [1, 1, 1, 0, 1, 1, 0, 1, 0, 0]
    >>> is_new = [False] * 5 + [True] * 5
    >>> round(LogRank(NumberAtRisk()).analyse(time, event, is_new).z, 3)
    1.23
    """

    power: float = fields.not_negative(default=1.0)

    @property
    def compiled(self) -> CompiledWeight:  # type: ignore[override]  # read-only here
        """The weight for compiled code."""
        return CompiledWeight(power=self.power)

    @property
    def label(self) -> str:
        """The weight in a test's name."""
        return {1.0: "Gehan-Breslow", 0.5: "Tarone-Ware"}.get(self.power, f"number at risk^{self.power:g}")

    def large_sample(self, process: RiskProcess) -> FloatArray:
        """Give what the weight converges to, but for the number of patients."""
        weight: FloatArray = process.at_risk.sum(axis=0) ** self.power
        return weight
