"""The hazard ratio of two arms by Cox's partial likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, special

from analysis.errors import NotEstimableError, UnknownNameError
from analysis.survival.checks import confidence_level
from analysis.survival.comparisons.results import p_values
from analysis.survival.comparisons.two_arms import RiskSets, risk_sets
from analysis.survival.display import html, items

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike

    from analysis.survival.checks import FloatArray


# share of the tied events that have left the risk set before the j-th of d
SHARES_LEFT: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "efron": lambda j, d: j / d,
    "breslow": lambda j, d: np.zeros_like(d),
}


@dataclass(frozen=True)
class HazardRatio:
    """A hazard ratio, experimental against control: below 1 favours the experimental arm.

    Attributes
    ----------
    estimate
        Maximum of the partial likelihood.
    lower, upper
        Wald confidence limits, symmetric on the log scale.
    level
        Their two-sided confidence level.
    log_std_error
        Standard error of the log hazard ratio, from the observed information.
    p_one_sided
        Wald p-value against the alternative that the experimental arm is better.
    p_two_sided
        Two-sided Wald p-value.
    score_chi_squared
        Score test, 1 degree of freedom; without ties it is the log-rank test.
    log_likelihood, log_likelihood_null
        Partial log-likelihood at the estimate and at a ratio of 1.
    ties
        How ties were handled.
    """

    estimate: float
    lower: float
    upper: float
    level: float
    log_std_error: float
    p_one_sided: float
    p_two_sided: float
    score_chi_squared: float
    log_likelihood: float
    log_likelihood_null: float
    ties: str

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        return items(self)

    def _repr_html_(self) -> str:
        return html(self.summary())


def cox_hazard_ratio(
    time: ArrayLike,
    event: ArrayLike,
    experimental: ArrayLike,
    *,
    ties: Literal["efron", "breslow"] = "efron",
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> HazardRatio:
    """Estimate the hazard ratio of two arms with Wald confidence limits (Cox 1972).

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``.
    event
        Whether it ended with an event, shape ``(n,)``.
    experimental
        Whether the patient is in the experimental arm, shape ``(n,)``.
    ties
        ``"efron"`` (default of R's ``coxph`` and lifelines) or ``"breslow"`` (default of SAS).
    strata
        Label of each patient's stratum, shape ``(n,)``; each stratum has its own baseline hazard.
    level
        Two-sided confidence level.

    Returns
    -------
    HazardRatio
        Estimate with limits, Wald p-values and likelihoods.

    Raises
    ------
    InvalidValueError
        If the data are malformed or an arm is empty.
    NotEstimableError
        If the likelihood is monotone: it has no finite maximum, as when one arm has no events while the other is at
        risk.
    UnknownNameError
        If there is no such handling of ties.

    Examples
    --------
    >>> ratio = cox_hazard_ratio(time=[2, 3, 4, 5, 6, 9], event=[1, 1, 1, 1, 1, 0], experimental=[0, 1, 0, 0, 1, 1])
    >>> round(ratio.estimate, 3), round(ratio.lower, 3), round(ratio.upper, 3)
    (0.248, 0.025, 2.429)
    """
    if ties not in SHARES_LEFT:
        raise UnknownNameError("ties", ties, SHARES_LEFT)
    level = confidence_level(level)
    strata_sets = risk_sets(time, event, experimental, strata)
    of_experimental = sum(float(sets.n_event_experimental.sum()) for sets in strata_sets)
    at_risk = np.concatenate([np.empty((2, 0)), *(_at_risk_by_event(sets, ties) for sets in strata_sets)], axis=1)
    informative = at_risk[:, (at_risk > 0).all(axis=0)]
    # with no control patient at risk the event is experimental whatever the ratio
    observed = of_experimental - float(np.count_nonzero(at_risk[1] == 0))
    _check_maximum(observed, informative.shape[1])
    log_odds = np.log(informative[0] / informative[1])
    beta = _maximum(observed, log_odds)
    score, information = _score_and_information(0.0, observed, log_odds)
    _, at_maximum = _score_and_information(beta, observed, log_odds)
    std_error = float(at_maximum**-0.5)
    margin = float(special.ndtri(0.5 + level / 2)) * std_error
    p_one_sided, p_two_sided = p_values(beta / std_error)
    return HazardRatio(
        estimate=float(np.exp(beta)),
        lower=float(np.exp(beta - margin)),
        upper=float(np.exp(beta + margin)),
        level=level,
        log_std_error=std_error,
        p_one_sided=p_one_sided,
        p_two_sided=p_two_sided,
        score_chi_squared=score**2 / information,
        log_likelihood=_log_likelihood(beta, of_experimental, at_risk),
        log_likelihood_null=_log_likelihood(0.0, of_experimental, at_risk),
        ties=ties,
    )


def _at_risk_by_event(sets: RiskSets, ties: str) -> FloatArray:
    """Return the numbers at risk for each single event, rows experimental and control, shape ``(2, events)``."""
    repeats = sets.n_event.astype(np.int64)
    first = np.repeat(np.cumsum(repeats) - repeats, repeats)
    left = SHARES_LEFT[ties](np.arange(repeats.sum()) - first, np.repeat(sets.n_event, repeats))
    n_risk = np.stack([sets.n_risk_experimental, sets.n_risk - sets.n_risk_experimental])
    n_event = np.stack([sets.n_event_experimental, sets.n_event - sets.n_event_experimental])
    at_risk: FloatArray = np.repeat(n_risk, repeats, axis=1) - left * np.repeat(n_event, repeats, axis=1)
    return at_risk


def _check_maximum(observed: float, events: int) -> None:
    if not 0 < observed < events:
        raise NotEstimableError(
            f"hazard ratio: got {observed:g} events in the experimental arm of {events} with both arms at risk; "
            f"expected events in both arms there, or the likelihood has no finite maximum; report a log-rank test"
        )


def _maximum(observed: float, log_odds: FloatArray) -> float:
    """Return the root of the score, which falls in beta, between bounds that it must cross."""
    centre = float(special.logit(observed / log_odds.size))
    low, high = centre - float(log_odds.max()), centre - float(log_odds.min())
    return float(
        optimize.brentq(lambda b: _score_and_information(b, observed, log_odds)[0], low - 1e-9, high + 1e-9, xtol=1e-13)
    )


def _score_and_information(beta: float, observed: float, log_odds: FloatArray) -> tuple[float, float]:
    share = special.expit(log_odds + beta)
    return float(observed - share.sum()), float((share * (1 - share)).sum())


def _log_likelihood(beta: float, of_experimental: float, at_risk: FloatArray) -> float:
    return float(beta * of_experimental - np.log(at_risk[1] + at_risk[0] * np.exp(beta)).sum())
