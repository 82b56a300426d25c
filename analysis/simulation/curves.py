"""Differences between two Kaplan-Meier curves on risk sets: restricted mean survival time, survival at a milestone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numba import njit
from scipy.special import ndtri

from analysis.design.checks import positive, probability
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.simulation.risk_sets import RiskSets
    from analysis.survival.distributions import Distribution


@dataclass(frozen=True)
class RMSTDifference:
    """Difference in restricted mean survival time, experimental minus control, in months.

    Parameters
    ----------
    tau
        End of the restriction, in months.
    level
        Confidence level, two-sided.

    Raises
    ------
    InvalidValueError
        If `tau` is not positive or the level not a probability.

    Notes
    -----
    z is negative where the experimental arm lives longer, as for every test here; the variance is Greenwood's. NaN
    where a curve that has not reached 0 ends before `tau`. Strata are pooled.
    """

    tau: float
    level: float = 0.95
    stratified: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("z", "estimate", "std_error", "lower", "upper")

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", positive("tau", self.tau))
        object.__setattr__(self, "level", probability("level", self.level))

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"RMST difference({self.tau:g})"

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Estimate in each trial; shape (trials, 5)."""
        mean, variance = np.empty((sets.trials, 2)), np.empty((sets.trials, 2))
        _restricted_means(sets, self.tau, mean, variance)
        estimate, se = mean[:, 1] - mean[:, 0], np.sqrt(variance.sum(axis=1))
        half = -ndtri((1 - self.level) / 2) * se
        return np.column_stack((_negative_ratio(estimate, se), estimate, se, estimate - half, estimate + half))

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give the difference of the true restricted means."""
        return float(experimental.rmst(self.tau) - control.rmst(self.tau))


@dataclass(frozen=True)
class MilestoneDifference:
    """Difference in survival at a milestone, experimental minus control.

    Parameters
    ----------
    milestone
        Months.
    transform
        Scale of the test: ``"plain"``, or ``"log-log"``, the difference of log(-log S). The estimate and its interval
        are on the scale of probabilities either way.
    level
        Confidence level, two-sided.

    Raises
    ------
    InvalidValueError
        If the milestone is not positive, the transform is unknown or the level not a probability.

    Notes
    -----
    z is negative where the experimental arm survives better; the variance is Greenwood's (Klein et al., Statist. Med.
    26, 2007, 4505). NaN where a curve that has not reached 0 ends before the milestone; z is NaN where the standard
    error is 0. Strata are pooled.
    """

    milestone: float
    transform: Literal["plain", "log-log"] = "plain"
    level: float = 0.95
    stratified: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("z", "estimate", "std_error", "lower", "upper")

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestone", positive("milestone", self.milestone))
        object.__setattr__(self, "level", probability("level", self.level))
        if self.transform not in ("plain", "log-log"):
            raise InvalidValueError("transform", self.transform, "'plain' or 'log-log'", "choose one of them")

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"milestone difference({self.milestone:g}{', log-log' if self.transform == 'log-log' else ''})"

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Estimate in each trial; shape (trials, 5)."""
        survival, relative = np.empty((sets.trials, 2)), np.empty((sets.trials, 2))
        milestones(sets, self.milestone, survival, relative)
        estimate = survival[:, 1] - survival[:, 0]
        se = np.sqrt((survival**2 * relative).sum(axis=1))
        half = -ndtri((1 - self.level) / 2) * se
        z = _negative_ratio(estimate, se) if self.transform == "plain" else _log_log_z(survival, relative)
        return np.column_stack((z, estimate, se, estimate - half, estimate + half))

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give the difference of the true survival probabilities."""
        return float(experimental.survival(self.milestone) - control.survival(self.milestone))


def _negative_ratio(estimate: NDArray[np.float64], se: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(-estimate, se, out=np.full_like(se, np.nan), where=se > 0)


def _log_log_z(survival: NDArray[np.float64], relative: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.all((survival > 0) & (survival < 1), axis=1)
    log_survival = np.log(np.where(inside[:, None], survival, 0.5))
    transformed = np.log(-log_survival)
    se = np.sqrt((relative / log_survival**2).sum(axis=1))
    return _negative_ratio(transformed[:, 0] - transformed[:, 1], np.where(inside, se, 0.0))


@njit(inline="always")
def _counts(sets: RiskSets, row: int, arm: int) -> tuple[int, int]:
    in_arm, events_in_arm = sets.n_risk_experimental[row], sets.n_event_experimental[row]
    if arm == 1:
        return in_arm, events_in_arm
    return sets.n_risk[row] - in_arm, sets.n_event[row] - events_in_arm


@njit(nogil=True, cache=True, error_model="numpy")
def _restricted_means(sets: RiskSets, tau: float, mean: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
    for trial in range(mean.shape[0]):
        begin, end = sets.first[trial], sets.first[trial + 1]
        for arm in range(2):
            survival, area, before = 1.0, 0.0, 0.0
            for row in range(begin, end):
                at_risk, events = _counts(sets, row, arm)
                if sets.time[row] > tau:
                    break
                if events > 0:
                    area += survival * (sets.time[row] - before)
                    before = sets.time[row]
                    survival *= 1.0 - events / at_risk
            total = area + survival * (tau - before)
            spread, survival, area, before = 0.0, 1.0, 0.0, 0.0
            for row in range(begin, end):
                at_risk, events = _counts(sets, row, arm)
                if sets.time[row] > tau:
                    break
                if events > 0:
                    area += survival * (sets.time[row] - before)
                    before = sets.time[row]
                    survival *= 1.0 - events / at_risk
                    if events < at_risk:
                        spread += (total - area) ** 2 * events / (at_risk * (at_risk - events))
            followed = sets.last_time[trial, 0, arm] >= tau or survival == 0.0
            mean[trial, arm] = total if followed else np.nan
            variance[trial, arm] = spread if followed else np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def milestones(sets: RiskSets, milestone: float, survival: NDArray[np.float64], relative: NDArray[np.float64]) -> None:
    """Write each arm's survival at the milestone and its relative Greenwood variance, 0 once the curve is at 0."""
    for trial in range(survival.shape[0]):
        begin, end = sets.first[trial], sets.first[trial + 1]
        for arm in range(2):
            alive, spread = 1.0, 0.0
            for row in range(begin, end):
                at_risk, events = _counts(sets, row, arm)
                if sets.time[row] > milestone:
                    break
                if events > 0:
                    alive *= 1.0 - events / at_risk
                    spread += events / (at_risk * (at_risk - events)) if events < at_risk else 0.0
            followed = sets.last_time[trial, 0, arm] >= milestone or alive == 0.0
            survival[trial, arm] = alive if followed else np.nan
            relative[trial, arm] = spread if alive > 0.0 else 0.0
