"""The log-rank score in large samples, and the hazard ratios that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.errors import InfeasibleDesignError
from analysis.expected.process import risk_processes

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.expected.process import RiskProcess
    from analysis.expected.trial import ExpectedTrial

UNWEIGHTED = np.ones(1)


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


def average_hazard_ratio(trial: ExpectedTrial, time: float) -> float:
    """Geometric mean of the hazard ratio over the events expected by calendar month `time`.

    Where one arm has a stretch without events while the other has some there is none; then it is the ratio that a Cox
    model converges to, which is the same under proportional hazards.

    References
    ----------
    Kalbfleisch JD, Prentice RL. Estimation of the average hazard ratio. Biometrika 1981;68:105-112.
    """
    logs = events = 0.0
    for process in risk_processes(trial, time):
        rate = process.event_rate.sum(axis=0)
        local = np.where(rate > 0, log_hazard_ratio(process), 0.0)
        if not np.all(np.isfinite(local)):
            return expected_cox_hazard_ratio(trial, time)[0]
        logs += float(process.grid.integral(rate * local))
        events += float(process.grid.integral(rate))
    if not events > 0:
        raise no_events(time)
    return float(np.exp(logs / events))


def log_hazard_ratio(process: RiskProcess) -> FloatArray:
    """Log hazard ratio at each time; NaN where nobody is at risk, infinite where one arm has no events."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = process.event_rate / process.at_risk
        log_ratio: FloatArray = np.log(hazard[1] / hazard[0])
    return log_ratio


def expected_cox_hazard_ratio(trial: ExpectedTrial, time: float) -> tuple[float, float]:
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

    Raises
    ------
    InfeasibleDesignError
        If one arm is expected to have no events by then.

    References
    ----------
    Struthers CA, Kalbfleisch JD. Misspecified proportional hazard models. Biometrika 1986;73:363-369.
    """
    processes = risk_processes(trial, time)
    if not np.all(np.sum([process.events for process in processes], axis=0) > 0):
        raise no_events(time)

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


def no_events(time: float) -> InfeasibleDesignError:
    """Say that nothing can have been seen by an analysis."""
    return InfeasibleDesignError(
        f"time: an analysis at {time:.4g} months is asked for; expected one by which both arms have events, but none "
        "can have happened yet; analyse later"
    )
