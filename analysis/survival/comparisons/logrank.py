"""The log-rank test and its weighted and stratified forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import NotEstimableError
from analysis.survival.comparisons.results import TestResult, p_values
from analysis.survival.comparisons.two_arms import RiskSets, risk_sets
from analysis.survival.comparisons.weights import FlemingHarrington, Weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from analysis.survival.checks import FloatArray

UNWEIGHTED = FlemingHarrington(0, 0)


def logrank(
    time: ArrayLike,
    event: ArrayLike,
    experimental: ArrayLike,
    *,
    weight: Weight = UNWEIGHTED,
    strata: ArrayLike | None = None,
) -> TestResult:
    """Compare two arms with the log-rank test, weighted and stratified where asked.

    The statistic is ``sum(w * (d1 - d * n1 / n))`` over the event times, divided by the square root of its
    hypergeometric variance ``sum(w**2 * d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1))``; strata add up, each with
    the weights of its own pooled curve.

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``; ties and time 0 are allowed.
    event
        Whether it ended with an event, shape ``(n,)``.
    experimental
        Whether the patient is in the experimental arm, shape ``(n,)``.
    weight
        Weight of an event by when it happens; none by default.
    strata
        Label of each patient's stratum, shape ``(n,)``.

    Returns
    -------
    TestResult
        Its statistic is negative where the experimental arm has fewer events than expected.

    Raises
    ------
    InvalidValueError
        If the data are malformed or an arm is empty.
    NotEstimableError
        If no event happens while both arms are at risk.

    Examples
    --------
    >>> test = logrank(time=[2, 3, 4, 5, 8, 9], event=[1, 1, 0, 1, 1, 0], experimental=[0, 0, 1, 0, 1, 1])
    >>> round(test.statistic, 3), round(test.p_one_sided, 3), round(test.p_two_sided, 3)
    (-2.093, 0.018, 0.036)
    """
    scores, variance = scores_and_covariance(risk_sets(time, event, experimental, strata), [weight])
    std_error = float(np.sqrt(variance[0, 0]))
    statistic = float(scores[0]) / std_error
    kind = "log-rank" if weight == UNWEIGHTED else f"log-rank, {weight!r}"
    method = kind if strata is None else f"stratified {kind}"
    return TestResult(method, float(scores[0]), std_error, statistic, *p_values(statistic))


def scores_and_covariance(strata: Sequence[RiskSets], weights: Sequence[Weight]) -> tuple[FloatArray, FloatArray]:
    """Return the log-rank score of each weight, shape ``(m,)``, and their covariance under the null, ``(m, m)``.

    Raises
    ------
    NotEstimableError
        If a score has no variance.
    """
    scores, covariance = np.zeros(len(weights)), np.zeros((len(weights), len(weights)))
    for sets in strata:
        share = sets.n_risk_experimental / sets.n_risk
        rest = np.maximum(sets.n_risk - 1, 1)
        variance = sets.n_event * share * (1 - share) * (sets.n_risk - sets.n_event) / rest
        w = np.stack([weight.at_events(sets) for weight in weights])
        scores += w @ (sets.n_event_experimental - sets.n_event * share)
        covariance += (w * variance) @ w.T
    for weight, information in zip(weights, np.diag(covariance), strict=True):
        if not information > 0:
            raise NotEstimableError(
                f"log-rank, {weight!r}: got no event with weight while both arms are at risk; "
                f"expected at least one; check the events and the arms"
            )
    return scores, covariance
