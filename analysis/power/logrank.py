"""The log-rank test, weighted or not, by its exact large-sample mean and variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
from scipy.optimize import brentq

from analysis.errors import InvalidValueError
from analysis.power.expected import risk_processes
from analysis.power.moments import Moments
from analysis.power.weights import NumberAtRisk, large_sample_weight, weight_changes

if TYPE_CHECKING:
    from analysis.power.expected import RiskProcess
    from analysis.power.quadrature import FloatArray
    from analysis.power.trial import Stratum, TwoArmTrial
    from analysis.survival import Weight

UNWEIGHTED = np.ones(1)

Variance: TypeAlias = Literal["null", "alternative", "simple", "statistic"]


@dataclass(frozen=True)
class LogRank:
    """Log-rank test of two arms, stratified where the trial is, under any hazards.

    With Y the numbers at risk and N the events, at a hazard-ratio margin m the score sums
    ``W * (dN1 - m Y1 / (Y0 + m Y1) dN)`` over follow-up time, and its variance is estimated by
    ``W^2 * m Y0 Y1 / (Y0 + m Y1)^2 dN``; both are replaced by what they converge to.

    Parameters
    ----------
    weight
        Weight function; None: no weights.
    margin
        Hazard ratio of the null hypothesis: 1 for superiority, above 1 the margin of non-inferiority.
    variance
        Variance under the scenario. ``"null"``, the default: what the test divides by, as in lrstat (``"direct"``) and
        npsurvSS; z then has a standard deviation of 1. ``"alternative"``: that of the score when the allocation is
        balanced in each stratum (npsurvSS ``"block"``); ``"simple"``: that with simple randomisation. These two leave
        out that the variance which the test divides by varies with the score: z has another spread than the score.
        ``"statistic"``: that of z itself, by the delta method, with the same allocation as ``"alternative"``, the
        weights taken as fixed and the analysis at a calendar time; take it where the arms are unequal and the power is
        high: at 2:1 the default promises about one point more than trials have, at 3:1 more.

    Raises
    ------
    InvalidValueError
        If the margin is not above 0 or the variance is unknown.

    References
    ----------
    Yung G, Liu Y. Sample size and power for the weighted log-rank test and Kaplan-Meier based tests with allowance for
    nonproportional hazards. Biometrics 2020;76:939-950.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.6, n=100, accrual=UniformAccrual(18))
    >>> round(LogRank().moments(trial, time=30).power(alpha=0.025), 4)
    0.524
    """

    weight: Weight | NumberAtRisk | None = None
    margin: float = 1.0
    variance: Variance = "null"

    def __post_init__(self) -> None:
        check_margin(self.margin)
        if self.variance not in get_args(Variance):
            raise InvalidValueError("variance", self.variance, f"one of {get_args(Variance)}", "choose one of them")

    def moments(self, trial: TwoArmTrial, time: float) -> Moments:
        """Give the mean and variance of the score at calendar month `time`."""
        processes = risk_processes(trial, time, change_points=weight_changes(self.weight))
        courses = [(process, large_sample_weight(self.weight, process)) for process in processes]
        score, null = np.sum([score_moments(*course, self.margin) for course in courses], axis=0)
        actual = null
        if self.variance != "null":
            slope = score / (2 * null) if self.variance == "statistic" else 0.0
            actual = sum(
                _score_variance(*course, self.margin, stratum, slope=slope, simple=self.variance == "simple")
                for course, stratum in zip(courses, trial.strata, strict=True)
            )
        return Moments(float(score), float(np.sqrt(null)), float(np.sqrt(actual)))


def check_margin(margin: float) -> None:
    """Refuse a hazard-ratio margin that is not above 0."""
    if not 0 < margin < np.inf:
        raise InvalidValueError("margin", margin, "a hazard ratio above 0", "give 1 for superiority")


def score_moments(process: RiskProcess, weight: FloatArray, margin: float = 1.0) -> tuple[float, float]:
    """Mean and estimated variance of a stratum's score; the mean is above 0 when it favours the experimental arm."""
    share, events = experimental_share(process, margin), process.event_rate.sum(axis=0)
    mean = process.grid.integral(weight * (share * events - process.event_rate[1]))
    return float(mean), float(process.grid.integral(weight**2 * share * (1 - share) * events))


def experimental_share(process: RiskProcess, margin: float = 1.0) -> FloatArray:
    """Probability that the next event is in the experimental arm if the margin is the hazard ratio."""
    control, experimental = process.at_risk[0], margin * process.at_risk[1]
    total = control + experimental
    share: FloatArray = np.zeros_like(total)
    np.divide(experimental, total, out=share, where=total > 0)
    return share


def _score_variance(
    process: RiskProcess, weight: FloatArray, margin: float, stratum: Stratum, *, slope: float, simple: bool
) -> float:
    """Variance of ``score - slope * estimated variance``: patients are independent.

    Each contributes by her own event (``own``) and, for as long as she is at risk, to the share of the experimental arm
    in all others' risk sets (``drain``). The `slope` is 0 for the score itself; with half the score over its variance
    the difference is, to first order, z times the root of the variance.
    """
    grid, share = process.grid, experimental_share(process, margin)
    at_risk = process.at_risk[0] + margin * process.at_risk[1]
    hazard_of_score = np.zeros_like(at_risk)
    np.divide(process.event_rate.sum(axis=0), at_risk, out=hazard_of_score, where=at_risk > 0)
    patients = np.array([stratum.control.n, stratum.experimental.n])
    total, means = 0.0, []
    for arm, relative_risk in enumerate((1.0, margin)):
        events, followed = process.event_rate[arm], process.at_risk[arm]
        own = weight * (share - arm) - slope * weight**2 * share * (1 - share)
        drain = (weight - slope * weight**2 * (1 - 2 * share)) * (share - arm) * relative_risk * hazard_of_score
        drained = grid.running_integral(drain)
        mean = float(grid.integral(own * events - drain * followed)) / patients[arm]
        square = float(grid.integral(own**2 * events + 2 * drained * (drain * followed - own * events)))
        total += square - patients[arm] * mean**2
        means.append(mean)
    if simple:
        total += float(np.prod(patients) / patients.sum()) * (means[0] - means[1]) ** 2
    return total


def average_hazard_ratio(trial: TwoArmTrial, time: float) -> float:
    """Geometric mean of the hazard ratio over the events expected by calendar month `time`.

    References
    ----------
    Kalbfleisch JD, Prentice RL. Estimation of the average hazard ratio. Biometrika 1981;68:105-112.
    """
    logs = events = 0.0
    for process in risk_processes(trial, time):
        rate = process.event_rate.sum(axis=0)
        logs += float(process.grid.integral(np.where(rate > 0, rate * log_hazard_ratio(process), 0.0)))
        events += float(process.grid.integral(rate))
    return float(np.exp(logs / events))


def log_hazard_ratio(process: RiskProcess) -> FloatArray:
    """Log hazard ratio at each time; NaN where nobody is at risk."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = process.event_rate / process.at_risk
        log_ratio: FloatArray = np.log(hazard[1] / hazard[0])
    return log_ratio


def expected_cox_hazard_ratio(trial: TwoArmTrial, time: float) -> tuple[float, float]:
    """Hazard ratio that a Cox model with treatment alone converges to, proportional hazards or not.

    Parameters
    ----------
    trial
        The trial; its strata stratify the model.
    time
        Calendar months of the analysis.

    Returns
    -------
    tuple of float
        The hazard ratio and the large-sample variance of its logarithm, as the model estimates it.

    References
    ----------
    Struthers CA, Kalbfleisch JD. Misspecified proportional hazard models. Biometrika 1986;73:363-369.
    """
    processes = risk_processes(trial, time)

    def score(log_ratio: float) -> float:
        return sum(score_moments(process, UNWEIGHTED, float(np.exp(log_ratio)))[0] for process in processes)

    low = -1.0
    while score(low) > 0:
        low *= 2
    high = 1.0
    while score(high) < 0:
        high *= 2
    log_ratio = brentq(score, low, high, xtol=1e-14)
    ratio = float(np.exp(log_ratio))
    information = sum(score_moments(process, UNWEIGHTED, ratio)[1] for process in processes)
    return ratio, 1 / information
