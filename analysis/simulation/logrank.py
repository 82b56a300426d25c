"""Log-rank tests on risk sets: plain, weighted, stratified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numba import njit

from analysis.design.checks import not_negative, positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.simulation.risk_sets import RiskSets
    from analysis.survival.distributions import Distribution


@dataclass(frozen=True)
class LogRank:
    """Log-rank test; z is negative where the experimental arm has fewer events than expected.

    Parameters
    ----------
    stratified
        Sum observed minus expected over the design's strata; False pools them.
    """

    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ("z",)

    @property
    def name(self) -> str:
        """Name in result tables."""
        return "log-rank" if self.stratified else "log-rank, unstratified"

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 1)."""
        return weighted_z(sets, 0.0, 0.0, 0.0)

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give NaN: there is no estimate."""
        return float("nan")


@dataclass(frozen=True)
class FlemingHarrington:
    """Log-rank test with weights S(t-)^rho (1 - S(t-))^gamma, S the pooled Kaplan-Meier estimate.

    Parameters
    ----------
    rho, gamma
        Exponents of at least 0: (0, 1) weighs late events more, (1, 0) early ones.
    stratified
        Sum over the design's strata; False pools them.

    Raises
    ------
    InvalidValueError
        If an exponent is negative.

    Notes
    -----
    Fleming, Harrington, Counting Processes and Survival Analysis, 1991, section 7.2.
    """

    rho: float
    gamma: float
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ("z",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", not_negative("rho", self.rho, ""))
        object.__setattr__(self, "gamma", not_negative("gamma", self.gamma, ""))

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"FH({self.rho:g}, {self.gamma:g})" + ("" if self.stratified else ", unstratified")

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 1)."""
        return weighted_z(sets, self.rho, self.gamma, 0.0)

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give NaN: there is no estimate."""
        return float("nan")


@dataclass(frozen=True)
class ModestlyWeighted:
    """Log-rank test with weights 1 / max(S(t-), S(t*)): growing until t*, constant after.

    Parameters
    ----------
    t_star
        Months until which the weights grow.
    stratified
        Sum over the design's strata; False pools them.

    Raises
    ------
    InvalidValueError
        If `t_star` is not positive.

    Notes
    -----
    Magirr, Burman, Statist. Med. 38, 2019, 3782.
    """

    t_star: float
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ("z",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "t_star", positive("t_star", self.t_star))

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"modestly weighted({self.t_star:g})" + ("" if self.stratified else ", unstratified")

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 1)."""
        return weighted_z(sets, 0.0, 0.0, self.t_star)

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give NaN: there is no estimate."""
        return float("nan")


def weighted_z(sets: RiskSets, rho: float, gamma: float, t_star: float) -> NDArray[np.float64]:
    """z of the log-rank test with weights S^rho (1 - S)^gamma / max(S, S(t*)); NaN without information."""
    out = np.empty((sets.trials, 1))
    if rho == gamma == t_star == 0.0:
        _plain(sets, out)
    else:
        _weighted(sets, rho, gamma, t_star, out)
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _plain(sets, out):
    for trial in range(sets.last_time.shape[0]):
        score, variance = 0.0, 0.0
        for row in range(sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]):
            share = sets.n_risk_experimental[row] / sets.n_risk[row]
            events = sets.n_event[row]
            score += sets.n_event_experimental[row] - events * share
            spread = share * (1.0 - share)
            if events > 1:
                spread *= events * ((sets.n_risk[row] - events) / max(sets.n_risk[row] - 1, 1))
            variance += spread
        out[trial, 0] = score / np.sqrt(variance)


@njit(nogil=True, cache=True, error_model="numpy")
def _weighted(sets, rho, gamma, t_star, out):
    for trial in range(sets.last_time.shape[0]):
        score, variance = 0.0, 0.0
        for block in range(trial * sets.strata, (trial + 1) * sets.strata):
            begin, end = sets.first[block], sets.first[block + 1]
            plateau = 1.0
            for row in range(begin, end):
                if sets.time[row] > t_star:
                    break
                plateau *= 1.0 - sets.n_event[row] / sets.n_risk[row]
            survival = 1.0
            for row in range(begin, end):
                weight = survival**rho * (1.0 - survival) ** gamma / max(survival, plateau)
                survival *= 1.0 - sets.n_event[row] / sets.n_risk[row]
                u, v = increment(sets, row)
                score += weight * u
                variance += weight * weight * v
        out[trial, 0] = score / np.sqrt(variance)


@njit(inline="always")
def increment(sets, row):
    """Observed minus expected events of the experimental arm at one event time, and its hypergeometric variance."""
    events, at_risk = sets.n_event[row], sets.n_risk[row]
    share = sets.n_risk_experimental[row] / at_risk
    spread = events * share * (1.0 - share) * (at_risk - events) / max(at_risk - 1, 1)
    return sets.n_event_experimental[row] - events * share, spread
