"""Differences of Kaplan-Meier curves: survival at a milestone, restricted mean survival, a quantile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.expected import risk_process
from analysis.power.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.power.expected import RiskProcess
    from analysis.power.quadrature import FloatArray
    from analysis.power.trial import Arm, Stratum, TwoArmTrial

MILESTONE_SCALES: dict[str, tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]] = {
    # transform of S, its derivative; both so that a larger value is better
    "difference": (lambda s: s, lambda s: np.ones_like(s)),
    "log": (np.log, lambda s: 1 / s),
    "log-log": (lambda s: -np.log(-np.log(s)), lambda s: -1 / (s * np.log(s))),
    "logit": (lambda s: np.log(s / (1 - s)), lambda s: 1 / (s * (1 - s))),
    "arcsine": (lambda s: np.arcsin(np.sqrt(s)), lambda s: 0.5 / np.sqrt(s * (1 - s))),
}


@dataclass(frozen=True)
class MilestoneDifference:
    """Difference of Kaplan-Meier survival at a milestone, experimental minus control.

    Parameters
    ----------
    milestone
        Follow-up months, above 0 and below the longest follow-up at the analysis.
    scale
        Scale on which the curves are compared: ``"difference"``, ``"log"`` (ratio), ``"log-log"``, ``"logit"`` or
        ``"arcsine"``.
    margin
        Value of the difference on that scale under the null hypothesis.

    Raises
    ------
    InvalidValueError
        If the milestone is not above 0 or the scale is unknown.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.5, n=100, accrual=UniformAccrual(18))
    >>> round(MilestoneDifference(12.0).moments(trial, time=30).effect, 4)
    0.2157
    """

    milestone: float
    scale: Literal["difference", "log", "log-log", "logit", "arcsine"] = "difference"
    margin: float = 0.0

    def __post_init__(self) -> None:
        _check_horizon("milestone", self.milestone)
        if self.scale not in MILESTONE_SCALES:
            raise InvalidValueError("scale", self.scale, f"one of {sorted(MILESTONE_SCALES)}", "choose one of them")

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the difference and its standard error at calendar month `time`; strata are weighed by their patients."""
        transform, slope = MILESTONE_SCALES[self.scale]
        effect, variance = -self.margin, 0.0
        for stratum, share in _with_shares(trial):
            process = _course(trial, stratum, time, "milestone", self.milestone)
            survival = np.array([float(arm.event_time.survival(self.milestone)) for arm in _arms(stratum)])
            control, experimental = transform(survival)
            errors = (survival * slope(survival)) ** 2 * _cumulative_hazard_variance(process)
            effect, variance = effect + share * (experimental - control), variance + share**2 * errors.sum()
        return Moments(float(effect), float(np.sqrt(variance)), float(np.sqrt(variance)))


@dataclass(frozen=True)
class RMSTDifference:
    """Difference of restricted mean survival times, experimental minus control.

    Parameters
    ----------
    tau
        Follow-up months to which the mean is restricted, above 0 and below the longest follow-up at the analysis.
    scale
        ``"difference"`` in months, or ``"log"``: logarithm of the ratio.
    margin
        Value of the difference on that scale under the null hypothesis.

    Raises
    ------
    InvalidValueError
        If `tau` is not above 0 or the scale is unknown.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.5, n=100, accrual=UniformAccrual(18))
    >>> round(RMSTDifference(18.0).moments(trial, time=30).effect, 4)
    2.9732
    """

    tau: float
    scale: Literal["difference", "log"] = "difference"
    margin: float = 0.0

    def __post_init__(self) -> None:
        _check_horizon("tau", self.tau)
        if self.scale not in ("difference", "log"):
            raise InvalidValueError("scale", self.scale, "'difference' or 'log'", "choose one of them")

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the difference and its standard error at calendar month `time`; strata are weighed by their patients."""
        effect, variance = -self.margin, 0.0
        for stratum, share in _with_shares(trial):
            means, errors = _rmst(_course(trial, stratum, time, "tau", self.tau))
            if self.scale == "log":
                means, errors = np.log(means), errors / means**2
            effect, variance = effect + share * (means[1] - means[0]), variance + share**2 * errors.sum()
        return Moments(float(effect), float(np.sqrt(variance)), float(np.sqrt(variance)))


@dataclass(frozen=True)
class QuantileDifference:
    """Difference of the times by which a share of patients has failed, experimental minus control.

    Parameters
    ----------
    p
        Share that has failed, e.g. 0.5 for the median.
    scale
        ``"difference"`` in months, or ``"log"``: logarithm of the ratio.
    margin
        Value of the difference on that scale under the null hypothesis.

    Raises
    ------
    InvalidValueError
        If `p` is not between 0 and 1 or the scale is unknown.
    """

    p: float
    scale: Literal["difference", "log"] = "difference"
    margin: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.p < 1:
            raise InvalidValueError("p", self.p, "a share between 0 and 1", "give 0.5 for the median")
        if self.scale not in ("difference", "log"):
            raise InvalidValueError("scale", self.scale, "'difference' or 'log'", "choose one of them")

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the difference and its standard error at calendar month `time`; strata are weighed by their patients."""
        effect, variance = -self.margin, 0.0
        for stratum, share in _with_shares(trial):
            quantiles, errors = np.empty(2), np.empty(2)
            for index, arm in enumerate(_arms(stratum)):
                quantiles[index] = arm.event_time.quantile(self.p)
                process = _course(trial, stratum, time, "p", float(quantiles[index]))
                hazard = float(arm.event_time.hazard(quantiles[index]))
                errors[index] = _cumulative_hazard_variance(process)[index] / hazard**2
            if self.scale == "log":
                quantiles, errors = np.log(quantiles), errors / quantiles**2
            effect, variance = effect + share * (quantiles[1] - quantiles[0]), variance + share**2 * errors.sum()
        return Moments(float(effect), float(np.sqrt(variance)), float(np.sqrt(variance)))


def _check_horizon(field: str, months: float) -> None:
    if not 0 < months < np.inf:
        raise InvalidValueError(field, months, "follow-up months above 0", f"give {field} in months")


def _arms(stratum: Stratum) -> tuple[Arm, Arm]:
    return stratum.control, stratum.experimental


def _with_shares(trial: TwoArmTrial) -> list[tuple[Stratum, float]]:
    return [(stratum, (stratum.control.n + stratum.experimental.n) / trial.n) for stratum in trial.strata]


def _course(trial: TwoArmTrial, stratum: Stratum, time: float, field: str, months: float) -> RiskProcess:
    if not months < time:
        raise InfeasibleDesignError(
            f"{field}: {months:.3g} months of follow-up are asked for at an analysis after {time:.3g}, when nobody can "
            "have more than that; analyse later or look earlier"
        )
    return risk_process(stratum, trial.accrual, time, until=months)


def _cumulative_hazard_variance(process: RiskProcess) -> FloatArray:
    """Greenwood's sum in large samples: the integral of the hazard over the number at risk, shape ``(2,)``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        increments = np.where(process.event_rate > 0, process.event_rate / process.at_risk**2, 0.0)
    return process.grid.integral(increments)


def _rmst(process: RiskProcess) -> tuple[FloatArray, FloatArray]:
    """Restricted means to the end of the grid and their variances, shape ``(2,)`` each."""
    means = process.grid.integral(process.survival)
    to_come = np.stack(
        [mean - process.grid.running_integral(s) for mean, s in zip(means, process.survival, strict=True)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        increments = np.where(process.event_rate > 0, to_come**2 * process.event_rate / process.at_risk**2, 0.0)
    return means, process.grid.integral(increments)
