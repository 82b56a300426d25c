"""The test of one arm's restricted mean survival time against a null value."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.values import value
from analysis.engine.risk_sets import one_arm_risk_sets
from analysis.errors import InvalidValueError
from analysis.statistical_tests.base import ESTIMATION, OneArmTest
from analysis.statistical_tests.curves import (
    by_stratum,
    estimate_moments,
    estimation,
    expected_restricted_means,
    few_patients,
    left_at,
    processes_to,
    restricted_means,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.engine.risk_sets import Snapshot
    from analysis.expected.trial import ExpectedTrial
    from analysis.statistical_tests.moments import Moments
    from analysis.survival import Distribution


@border
@value
class RestrictedMean(OneArmTest):
    """Test of the restricted mean survival time against a null value.

    Parameters
    ----------
    tau
        Restriction time, in months.
    null_mean
        Restricted mean under the null hypothesis, in months, between 0 and `tau`.
    level
        Confidence level, two-sided.

    Raises
    ------
    InvalidValueError
        If a time is not positive or the null value not below `tau`.

    Examples
    --------
    >>> found = RestrictedMean(6, null_mean=4).analyse(time=[2, 3, 3, 5, 8], event=[1, 1, 0, 1, 0])
    >>> round(found.estimate, 3), round(found.std_error, 3)
    (4.3, 0.705)
    """

    tau: float = fields.positive("months")
    null_mean: float = fields.positive("months")
    level: float = fields.level(default=0.95)
    columns: ClassVar[tuple[str, ...]] = ESTIMATION

    def __attrs_post_init__(self) -> None:
        if not self.null_mean < self.tau:
            raise InvalidValueError("null_mean", self.null_mean, f"months below tau = {self.tau:g}", "correct it")

    @property
    def name(self) -> str:
        """Name in tables of results."""
        return f"restricted mean({self.tau:g}) against {self.null_mean:g}"

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return f"a test of the restricted mean up to {self.tau:g} months against {self.null_mean:g} months"

    @property
    def earliest(self) -> float:
        """The restriction time."""
        return self.tau

    def evaluate(self, known: Snapshot) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 5)."""
        sets = one_arm_risk_sets(known)
        mean, variance = by_stratum(sets)
        restricted_means(sets, self.tau, mean, variance)
        return np.column_stack(estimation(mean[:, 0, 1], np.sqrt(variance[:, 0, 1]), self.null_mean, self.level))

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the moments of the estimated mean less its null value at calendar month `time`."""
        [(process, _)] = processes_to(trial, time, "tau", self.tau, stratified=False)
        means, variances = expected_restricted_means(process)
        return estimate_moments(means[0] - self.null_mean, variances[0], self.name, self._advice)

    def remarks(self, trial: ExpectedTrial, time: float) -> tuple[str, ...]:
        """Say so where in many trials nobody is left to be followed up to `tau`, or few have an event by then."""
        arms = [stratum.arms[0] for stratum in trial.strata]
        events = sum(arm.n * (1 - float(arm.event_time.survival(self.tau))) for arm in arms)
        cut_short = left_at(trial, time, "tau", self.tau, stratified=False)
        return cut_short or few_patients(events, "with an event by tau")

    def truth(self, arm: Distribution) -> float:
        """Give the true restricted mean."""
        return float(arm.rmst(self.tau))

    @property
    def null_value(self) -> float:
        """What the null hypothesis says that `truth` is."""
        return self.null_mean

    @property
    def _advice(self) -> str:
        return f"tau={self.tau:g} must lie within the follow-up, with an event before it; choose another"
