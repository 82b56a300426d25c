"""A hazard ratio from events seen only at assessments, when progression is known to lie between two visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError
from analysis.statistical_tests.base import TwoArmTest, against
from analysis.statistical_tests.moments import Moments
from analysis.survival import ProportionalHazards

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.expected.trial import ExpectedTrial


@border
@value
class IntervalCensoredHazardRatio(TwoArmTest):
    """Wald test of the hazard ratio by the grouped proportional-hazards likelihood.

    Events are found at the design's assessments; the likelihood has one parameter for the control arm's survival at
    each assessment and the log hazard ratio. It has moments only: data are analysed by interval-censored regression.

    Parameters
    ----------
    margin
        Hazard ratio of the null hypothesis: 1 for superiority.

    References
    ----------
    Gu X, Ma Y, Balasubramanian R. Semiparametric time to event models in the presence of error-prone, self-reported
    outcomes. Annals of Applied Statistics 2015;9:714-730, with perfect sensitivity and specificity.

    Examples
    --------
    >>> IntervalCensoredHazardRatio(margin=1.3).name
    'interval-censored HR, margin 1.3'
    """

    margin: float = fields.positive("times the control's hazard", default=1.0)

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "Gu X, Ma Y, Balasubramanian R, Annals of Applied Statistics 2015;9:714-730"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        return "interval-censored HR" + ("" if self.margin == 1 else f", margin {self.margin:g}")

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return "the hazard ratio of a model for interval-censored times" + against(self.margin, 1.0, "in it")

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the moments of minus the log hazard ratio at calendar month `time`.

        Patients have had as many assessments as fit between their entry and the analysis.

        Raises
        ------
        UnavailableError
            Without assessments, or with windows, dropout, strata, or hazards that are not proportional.
        """
        visits, ratio = self._schedule(trial, time)
        control, experimental = trial.strata[0].arms
        survival = np.asarray(control.event_time.survival(visits))
        if not np.all(np.diff(np.concatenate([[1.0], survival, [0.0]])) < 0):
            raise InfeasibleDesignError(
                "assessments: some events are expected between all visits, and survivors at the last, for the survival "
                "at each to be estimated; leave visits out"
            )
        entered = trial.accrual.enrolled_fraction(time - visits)
        having = entered - np.append(entered[1:], 0.0)  # share with exactly so many visits behind them
        information = np.zeros((visits.size + 1, visits.size + 1))
        missed = 0.0 if trial.assessments is None else trial.assessments.missed
        for count, share in enumerate(having, start=1):
            if share > 0:
                by_arm = [
                    arm.n * _information(survival[:count], of_arm, treated, missed)
                    for arm, of_arm, treated in ((control, 1.0, 0), (experimental, ratio, 1))
                ]
                information[: count + 1, : count + 1] += share * (by_arm[0] + by_arm[1])
        sd = float(np.sqrt(np.linalg.inv(information)[0, 0]))
        return Moments(-float(np.log(ratio / self.margin)), sd, sd)

    def _schedule(self, trial: ExpectedTrial, time: float) -> tuple[FloatArray, float]:
        remedy = 'ask for the log-rank test by="simulation"'
        if trial.assessments is None or trial.assessments.window > 0:
            self._cannot("needs assessments without window in the design", remedy)
        if len(trial.strata) > 1 or any(arm.loss is not None for arm in trial.strata[0].arms):
            self._cannot("does not allow for strata or dropout", remedy)
        control, experimental = (arm.event_time for arm in trial.strata[0].arms)
        visits = trial.assessments.scheduled(min(time, trial.follow_up))
        visits = visits[trial.accrual.enrolled_fraction(time - visits) > 0]  # that some have had
        if not visits.size:
            raise InfeasibleDesignError(f"assessments: none is due by {time:.4g} months; analyse later")
        ratios = experimental.cumulative_hazard(visits) / control.cumulative_hazard(visits)
        if not (isinstance(experimental, ProportionalHazards) or np.allclose(ratios, ratios[0], rtol=1e-9)):
            self._cannot("knows proportional hazards only", remedy)
        return visits, float(ratios[0])


def _information(survival_of_control: FloatArray, ratio: float, treated: int, missed: float) -> FloatArray:
    """Fisher information of one patient on (log hazard ratio, log cumulative hazards at the assessments)."""
    visits = survival_of_control.size
    left, right, observed = _patterns(visits, missed)
    log_survival = np.log(survival_of_control)
    survival = np.concatenate([[1.0], np.exp(ratio * log_survival), [0.0]])
    # dS/d log(cumulative hazard) = dS/d log(hazard ratio) = S log S, 0 where S is 1 or 0.
    slope = np.concatenate([[0.0], survival[1:-1] * ratio * log_survival, [0.0]])
    gradient = np.zeros((left.size, visits + 1))
    gradient[:, 0] = treated * (slope[left] - slope[right])
    rows = np.arange(left.size)
    for end, sign in ((left, 1.0), (right, -1.0)):
        inner = (end > 0) & (end <= visits)
        gradient[rows[inner], end[inner]] += sign * slope[end[inner]]
    probability = survival[left] - survival[right]
    information: FloatArray = (gradient * (observed / probability)[:, None]).T @ gradient
    return information


def _patterns(visits: int, missed: float) -> tuple[np.ndarray, np.ndarray, FloatArray]:
    """Intervals (last visit without event, first with) that can be seen, and the chance that visits frame them."""
    attended = np.concatenate([[1.0], np.full(visits, 1 - missed), [1.0]])
    left, right = np.triu_indices(attended.size, k=1)
    between = [np.prod(1 - attended[a + 1 : b]) for a, b in zip(left, right, strict=True)]
    observed = attended[left] * attended[right] * np.array(between)
    informative = (observed > 0) & ~((left == 0) & (right == attended.size - 1))
    return left[informative], right[informative], observed[informative]
