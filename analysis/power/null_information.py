"""Power of the log-rank test by approximations that ask for the information under the null as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.power.approximations import harmonic_information, log_ratio_to_margin
from analysis.power.expected import risk_processes
from analysis.power.logrank import average_hazard_ratio, check_margin, score_moments
from analysis.power.moments import Moments, from_information
from analysis.power.trial import Stratum, TwoArmTrial
from analysis.power.weights import NumberAtRisk, large_sample_weight, weight_changes
from analysis.survival import ProportionalHazards

if TYPE_CHECKING:
    from analysis.power.expected import RiskProcess
    from analysis.survival import Weight


@dataclass(frozen=True)
class LachinFoulkes:
    """Normal log hazard ratio, its variance ``1 / d0 + 1 / d1`` once under the null and once under the scenario.

    Under the null the control arm keeps the shape of its hazard, and both arms together the mean of their hazards.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis.

    References
    ----------
    Lachin JM, Foulkes MA. Evaluation of sample size and power for analyses of survival with allowance for nonuniform
    patient entry, losses to follow-up, noncompliance, and stratification. Biometrics 1986;42:507-519.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        hazard_ratio, r = average_hazard_ratio(trial, time), trial.allocation_ratio
        level = (1 + r * hazard_ratio) / (1 + r * self.margin)
        null = harmonic_information(_under_null(trial, level, self.margin), time)
        information = harmonic_information(trial, time)
        return from_information(float(np.log(hazard_ratio / self.margin)), null, information)


@dataclass(frozen=True)
class BernsteinLagakos:
    """As `LachinFoulkes`, but under the null the control arm keeps its hazard.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis.

    References
    ----------
    Bernstein D, Lagakos SW. Sample size and power determination for stratified clinical trials. Journal of Statistical
    Computation and Simulation 1978;8:65-73.
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        null = harmonic_information(_under_null(trial, 1.0, self.margin), time)
        information = harmonic_information(trial, time)
        return from_information(log_ratio_to_margin(trial, time, self.margin), null, information)


def _under_null(trial: TwoArmTrial, level: float, margin: float) -> TwoArmTrial:
    """Give the trial with the control hazard times `level`, and that times `margin` in the experimental arm."""
    strata = []
    for stratum in trial.strata:
        control = stratum.control.event_time
        strata.append(
            Stratum(
                replace(stratum.control, event_time=ProportionalHazards(control, level)),
                replace(stratum.experimental, event_time=ProportionalHazards(control, level * margin)),
            )
        )
    return replace(trial, strata=tuple(strata))


@dataclass(frozen=True)
class AveragedNull:
    """Weighted log-rank test with the null variance of a trial whose arms both have the mean hazard (gsDesign2).

    The expected score per unit of information meets the null information of another trial, so under delayed effects
    and unequal arms the power is off by several points; `LogRank` is exact.

    Parameters
    ----------
    weight
        Weight function.
    """

    weight: Weight | NumberAtRisk

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the moments at calendar month `time`."""
        mean = variance = null = 0.0
        share = trial.n_experimental / trial.n
        for process in risk_processes(trial, time, change_points=weight_changes(self.weight)):
            averaged = _with_mean_hazard(process, share)
            score, information = score_moments(process, large_sample_weight(self.weight, process))
            mean, variance = mean + score, variance + information
            null += score_moments(averaged, large_sample_weight(self.weight, averaged))[1]
        return from_information(-mean / variance, null, variance)


def _with_mean_hazard(process: RiskProcess, share: float) -> RiskProcess:
    """Give the course in which both arms have the patients' mean of the two hazards at each time."""
    at_risk = np.maximum(process.at_risk, np.finfo(float).tiny)
    hazard = process.event_rate / at_risk
    mean = (1 - share) * hazard[0] + share * hazard[1]
    survival = np.exp(-process.grid.running_integral(mean))
    observed = np.divide(process.at_risk, process.survival, out=np.zeros_like(at_risk), where=process.survival > 0)
    null_at_risk = observed * survival
    return replace(process, survival=np.stack([survival] * 2), at_risk=null_at_risk, event_rate=null_at_risk * mean)
