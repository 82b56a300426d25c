"""Power of the log-rank test by its textbook approximations, each a test with the same method as the exact one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.power.expected import expected_events, risk_processes
from analysis.power.logrank import (
    average_hazard_ratio,
    check_margin,
    expected_cox_hazard_ratio,
    experimental_share,
    log_hazard_ratio,
)
from analysis.power.moments import Moments, from_information
from analysis.power.weights import NumberAtRisk, large_sample_weight, weight_changes

if TYPE_CHECKING:
    from analysis.power.expected import RiskProcess
    from analysis.power.trial import Stratum, TwoArmTrial
    from analysis.survival import Weight


def harmonic_information(trial: TwoArmTrial, time: float) -> float:
    """``1 / (1 / d0 + 1 / d1)`` with d0 and d1 the events of the arms, summed over strata."""
    return sum(float(np.prod(p.events) / p.events.sum()) for p in risk_processes(trial, time))


def log_ratio_to_margin(trial: TwoArmTrial, time: float, margin: float) -> float:
    """Log of the average hazard ratio over the margin; below 0 favours the experimental arm."""
    return float(np.log(average_hazard_ratio(trial, time) / margin))


@dataclass(frozen=True)
class Schoenfeld:
    """Normal log hazard ratio with information ``d p (1 - p)``, d events and p the experimental share of patients.

    Under non-proportional hazards the hazard ratio is the average over events.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis.

    References
    ----------
    Schoenfeld D. The asymptotic properties of nonparametric tests for comparing survival distributions. Biometrika
    1981;68:316-319.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        share = trial.n_experimental / trial.n
        information = float(expected_events(trial, time).sum()) * share * (1 - share)
        return from_information(log_ratio_to_margin(trial, time, self.margin), information, information)


@dataclass(frozen=True)
class Freedman:
    """Expected z of ``sqrt(d r) (m - HR) / (m + r HR)`` at d events, r experimental patients per control patient.

    Parameters
    ----------
    margin
        Hazard ratio m of the null hypothesis.

    References
    ----------
    Freedman LS. Tables of the number of patients required in clinical trials using the logrank test. Statistics in
    Medicine 1982;1:121-129.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        ratio = average_hazard_ratio(trial, time) / self.margin
        events, r = float(expected_events(trial, time).sum()), trial.allocation_ratio
        return Moments(np.sqrt(events * r) * (1 - ratio) / (1 + r * ratio), 1.0, 1.0)


@dataclass(frozen=True)
class HsiehFreedman:
    """Freedman's formula for equal arms, its information scaled by ``4 r / (1 + r)^2`` for unequal ones.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis.

    References
    ----------
    Hsieh FY. Comparing sample size formulae for trials with unbalanced allocation using the logrank test. Statistics in
    Medicine 1992;11:1091-1098.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        ratio = average_hazard_ratio(trial, time) / self.margin
        events, r = float(expected_events(trial, time).sum()), trial.allocation_ratio
        return Moments(2 * np.sqrt(events * r) / (1 + r) * (1 - ratio) / (1 + ratio), 1.0, 1.0)


@dataclass(frozen=True)
class Rubinstein:
    """Normal log hazard ratio with variance ``1 / d0 + 1 / d1``, d0 and d1 the events of the arms.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis.

    References
    ----------
    Rubinstein LV, Gail MH, Santner TJ. Planning the duration of a comparative clinical trial with loss to follow-up and
    a period of continued observation. Journal of Chronic Diseases 1981;34:469-479.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        information = harmonic_information(trial, time)
        return from_information(log_ratio_to_margin(trial, time, self.margin), information, information)


@dataclass(frozen=True)
class CoxWald:
    """Wald test of the Cox model: the log hazard ratio that it converges to, with the model's own variance.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        ratio, variance = expected_cox_hazard_ratio(trial, time)
        return from_information(float(np.log(ratio / self.margin)), 1 / variance, 1 / variance)


@dataclass(frozen=True)
class GeneralizedSchoenfeld:
    """Score whose mean is linear in the log hazard ratio at each time: ``W log(HR(t)) V(t)``, V its variance.

    Exact for hazard ratios close to 1 (contiguous alternatives); elsewhere `LogRank` is.

    Parameters
    ----------
    weight
        Weight function; None: no weights.

    References
    ----------
    Schoenfeld D. The asymptotic properties of nonparametric tests for comparing survival distributions. Biometrika
    1981;68:316-319.
    """

    weight: Weight | NumberAtRisk | None = None

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        changes = weight_changes(self.weight)
        mean = variance = 0.0
        for process in risk_processes(trial, time, change_points=changes):
            weight = large_sample_weight(self.weight, process)
            share = experimental_share(process)
            rate = share * (1 - share) * process.event_rate.sum(axis=0)
            local = np.where(rate > 0, -rate * log_hazard_ratio(process), 0.0)
            mean += float(process.grid.integral(weight * local))
            variance += float(process.grid.integral(weight**2 * rate))
        return Moments(mean, float(np.sqrt(variance)), float(np.sqrt(variance)))


@dataclass(frozen=True)
class AverageHazardRatio:
    """Normal log average hazard ratio, its information summed over the periods of constant hazards, as in gsDesign2.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis.

    References
    ----------
    Mukhopadhyay P, Ye J, Anderson KM, et al. Log-rank test vs MaxCombo and difference in restricted mean survival time
    tests for comparing survival under nonproportional hazards in immuno-oncology trials. JAMA Oncology
    2022;8:1294-1300.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        null, information = ahr_information(trial, time)
        return from_information(log_ratio_to_margin(trial, time, self.margin), null, information)


def ahr_information(trial: TwoArmTrial, time: float) -> tuple[float, float]:
    """Information on the log average hazard ratio at calendar month `time`: under the null, under the scenario."""
    share = trial.n_experimental / trial.n
    null = information = 0.0
    for stratum, process in zip(trial.strata, risk_processes(trial, time), strict=True):
        null += float(process.events.sum()) * share * (1 - share)
        for control, experimental in _events_by_period(stratum, process):
            information += control * experimental / (control + experimental)
    return null, information


def _events_by_period(stratum: Stratum, process: RiskProcess) -> list[tuple[float, float]]:
    changes = np.union1d(stratum.control.event_time.change_points, stratum.experimental.event_time.change_points)
    period = np.searchsorted(changes, process.grid.time[:, 0])
    by_period = [
        process.grid.integral(np.where((period == p)[:, None], process.event_rate, 0.0)) for p in np.unique(period)
    ]
    return [(float(control), float(experimental)) for control, experimental in by_period if control + experimental > 0]
