"""Cox hazard ratio of two arms on risk sets, by Newton's method on its one coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numba import njit
from scipy.special import ndtri

from analysis.design.checks import probability
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.simulation.risk_sets import RiskSets
    from analysis.survival.distributions import Distribution

LIMIT = 20.0


@dataclass(frozen=True)
class CoxHazardRatio:
    """Hazard ratio, experimental against control, with Wald test and interval.

    Parameters
    ----------
    ties
        ``"efron"`` or ``"breslow"``.
    level
        Confidence level, two-sided.
    stratified
        Keep the design's strata apart; False pools them.

    Raises
    ------
    InvalidValueError
        If the rule for ties is unknown or the level is not a probability.

    Notes
    -----
    `std_error` is that of the log hazard ratio. Where the likelihood is monotone (all events in one arm) the estimate
    is 0 or inf, its standard error inf, its interval (0, inf) and z is 0.
    """

    ties: Literal["efron", "breslow"] = "efron"
    level: float = 0.95
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ("z", "estimate", "std_error", "lower", "upper")

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", probability("level", self.level))
        if self.ties not in ("efron", "breslow"):
            raise InvalidValueError("ties", self.ties, "'efron' or 'breslow'", "choose one of them")

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"Cox HR ({self.ties})" + ("" if self.stratified else ", unstratified")

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Estimate in each trial; shape (trials, 5)."""
        out = np.empty((sets.trials, 5))
        _newton(sets, self.ties == "efron", float(-ndtri((1 - self.level) / 2)), out)
        return out

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give the hazard ratio if it is the same at all times, else NaN."""
        times = control.quantile(np.linspace(0.005, 0.995, 100))
        times = np.unique(times[np.isfinite(times)])
        ratios = np.diff(experimental.cumulative_hazard(times)) / np.diff(control.cumulative_hazard(times))
        return float(ratios[0]) if np.allclose(ratios, ratios[0], rtol=1e-6, atol=0) else float("nan")


@njit(nogil=True, cache=True, error_model="numpy")
def _newton(sets: RiskSets, efron: bool, quantile: float, out: NDArray[np.float64]) -> None:
    for trial in range(out.shape[0]):
        begin, end = sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]
        beta, information, step = 0.0, 0.0, 1.0
        for _ in range(50):
            score, information = _derivatives(sets, begin, end, np.exp(beta), efron)
            step = min(max(score / information, -2.0), 2.0) if information > 0.0 else 0.0
            beta += step
            if abs(step) < 1e-10 or abs(beta) > LIMIT:
                break
        if end == begin:
            out[trial, :] = np.nan
        elif abs(beta) > LIMIT or not information > 0.0:
            out[trial, 0], out[trial, 1] = 0.0, np.inf if beta > 0.0 else 0.0
            out[trial, 2], out[trial, 3], out[trial, 4] = np.inf, 0.0, np.inf
        else:
            se = 1.0 / np.sqrt(information)
            out[trial, 0], out[trial, 1], out[trial, 2] = beta / se, np.exp(beta), se
            out[trial, 3], out[trial, 4] = np.exp(beta - quantile * se), np.exp(beta + quantile * se)


@njit(inline="always")
def _derivatives(sets: RiskSets, begin: int, end: int, ratio: float, efron: bool) -> tuple[float, float]:
    score, information = 0.0, 0.0
    for row in range(begin, end):
        events, in_arm = sets.n_event[row], sets.n_event_experimental[row]
        weight_arm = sets.n_risk_experimental[row] * ratio
        weight = sets.n_risk[row] - sets.n_risk_experimental[row] + weight_arm
        score += in_arm
        tied_arm, tied = in_arm * ratio, events - in_arm + in_arm * ratio
        for k in range(events):
            taken = k / events if efron else 0.0
            share = (weight_arm - taken * tied_arm) / (weight - taken * tied)
            score -= share
            information += share * (1.0 - share)
    return score, information
