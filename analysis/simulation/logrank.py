"""Log-rank tests on risk sets: plain, weighted, stratified."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numba import njit

from analysis.survival.comparisons.two_arms import RiskSets as OneStratum
from analysis.survival.comparisons.weights import FlemingHarrington, ModestlyWeighted, Weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.simulation.risk_sets import RiskSets
    from analysis.survival.distributions import Distribution

UNWEIGHTED = FlemingHarrington(0.0, 0.0)


@dataclass(frozen=True)
class LogRank:
    """Log-rank test; z is negative where the experimental arm has fewer events than expected.

    Parameters
    ----------
    weight
        Any weight of `analysis.survival.comparisons`: `FlemingHarrington` and `ModestlyWeighted` are compiled, any
        other is asked trial by trial.
    stratified
        Sum observed minus expected over the design's strata; False pools them.

    Examples
    --------
    >>> LogRank(FlemingHarrington(0, 1)).name
    'log-rank FH(0, 1)'
    """

    weight: Weight = UNWEIGHTED
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ("z",)

    @property
    def name(self) -> str:
        """Name in result tables."""
        return "log-rank" + label(self.weight) + ("" if self.stratified else ", unstratified")

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 1); NaN without information."""
        out = np.empty((sets.trials, 1))
        if self.weight == UNWEIGHTED:
            _plain(sets, out)
        else:
            _weighted(sets, weights_of(self.weight, sets), out)
        return out

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give NaN: there is no estimate."""
        return float("nan")


def label(weight: Weight) -> str:
    """Name a weight in a test's name; the log-rank test's own has none."""
    if weight == UNWEIGHTED:
        return ""
    compiled = compiled_weight(weight)
    if compiled is None:
        return f" {weight!r}"
    if compiled.w_max == np.inf and compiled.t_star == 0.0:
        return f" FH({compiled.rho:g}, {compiled.gamma:g})"
    return f" modestly weighted({compiled.t_star:g})" if compiled.w_max == np.inf else f" {weight!r}"


class CompiledWeight(NamedTuple):
    """The weight min(S(t-)^rho (1 - S(t-))^gamma / max(S(t-), S(t_star-)), w_max), S(0-) = 1."""

    rho: float = 0.0
    gamma: float = 0.0
    t_star: float = 0.0
    w_max: float = np.inf


@singledispatch
def compiled_weight(weight: object) -> CompiledWeight | None:
    """Give a weight's compiled form; None for a kind that has none."""
    return None


@compiled_weight.register
def _(weight: FlemingHarrington) -> CompiledWeight:
    return CompiledWeight(rho=weight.rho, gamma=weight.gamma)


@compiled_weight.register
def _(weight: ModestlyWeighted) -> CompiledWeight:
    return CompiledWeight(t_star=weight.t_star, w_max=weight.w_max)


def weights_of(weight: Weight, sets: RiskSets) -> NDArray[np.float64]:
    """Weight of every row of the risk sets."""
    rows = np.ones(sets.first[-1])
    compiled = compiled_weight(weight)
    if compiled is not None:
        _weigh(sets, *compiled, rows)
        return rows
    for first, last in zip(sets.first[:-1], sets.first[1:], strict=True):
        counts = [np.asarray(column[first:last], float) for column in sets[1:5]]
        n_risk, n_risk_experimental, n_event, n_event_experimental = counts
        pooled = OneStratum(
            time=sets.time[first:last],
            n_risk=n_risk,
            n_event=n_event,
            n_risk_experimental=n_risk_experimental,
            n_event_experimental=n_event_experimental,
            survival=np.cumprod(1 - n_event / n_risk),
        )
        rows[first:last] = weight.at_events(pooled)
    return rows


@njit(nogil=True, cache=True, error_model="numpy")
def _plain(sets: RiskSets, out: NDArray[np.float64]) -> None:
    for trial in range(out.shape[0]):
        score, variance = 0.0, 0.0
        for row in range(sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]):
            share = sets.n_risk_experimental[row] / sets.n_risk[row]
            events = sets.n_event[row]
            score += sets.n_event_experimental[row] - events * share
            spread = share * (1.0 - share)
            if events > 1:
                spread *= events * ((sets.n_risk[row] - events) / (sets.n_risk[row] - 1))
            variance += spread
        out[trial, 0] = score / np.sqrt(variance)


@njit(nogil=True, cache=True, error_model="numpy")
def _weigh(sets: RiskSets, rho: float, gamma: float, t_star: float, w_max: float, rows: NDArray[np.float64]) -> None:
    for block in range(sets.first.size - 1):
        begin, end = sets.first[block], sets.first[block + 1]
        floor = 1.0
        for row in range(begin, end):
            if sets.time[row] >= t_star:
                break
            floor *= 1.0 - sets.n_event[row] / sets.n_risk[row]
        survival = 1.0
        for row in range(begin, end):
            weight = survival**rho * (1.0 - survival) ** gamma / max(survival, floor)
            rows[row] = min(weight, w_max)
            survival *= 1.0 - sets.n_event[row] / sets.n_risk[row]


@njit(nogil=True, cache=True, error_model="numpy")
def _weighted(sets: RiskSets, rows: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for trial in range(out.shape[0]):
        score, variance = 0.0, 0.0
        for row in range(sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]):
            u, v = increment(sets, row)
            score += rows[row] * u
            variance += rows[row] * rows[row] * v
        out[trial, 0] = score / np.sqrt(variance)


@njit(inline="always")
def increment(sets: RiskSets, row: int) -> tuple[float, float]:
    """Observed minus expected events of the experimental arm at one event time, and its hypergeometric variance."""
    events, at_risk = sets.n_event[row], sets.n_risk[row]
    share = sets.n_risk_experimental[row] / at_risk
    spread = events * share * (1.0 - share) * (at_risk - events) / max(at_risk - 1, 1)
    return sets.n_event_experimental[row] - events * share, spread
