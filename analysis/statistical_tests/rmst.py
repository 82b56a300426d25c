"""The difference of two restricted mean survival times."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.scales import RatioScale
from analysis.conventions.values import value
from analysis.statistical_tests.base import ESTIMATION, TwoArmTest, against
from analysis.statistical_tests.curves import (
    by_stratum,
    estimate_moments,
    estimation,
    expected_restricted_means,
    few_events,
    left_at,
    over_strata,
    processes_to,
    restricted_means,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.engine.risk_sets import RiskSets
    from analysis.expected.trial import ExpectedTrial
    from analysis.statistical_tests.moments import Moments
    from analysis.survival import Distribution


@border
@value
class RMSTDifference(TwoArmTest):
    """Difference in mean time without event within the first `tau` months, experimental minus control.

    Parameters
    ----------
    tau
        End of the restriction, in months.
    scale
        ``"plain"``: difference in months; ``"log"``: logarithm of the ratio, whose exponential is the ratio.
    margin
        Value of the difference on that scale under the null hypothesis; below 0 for non-inferiority.
    level
        Confidence level, two-sided.
    stratified
        Difference by stratum, weighed by their patients; False pools the strata.

    Raises
    ------
    InvalidValueError
        If `tau` is not positive or the level not a probability.

    Notes
    -----
    The standard errors are those of survRM2 (Uno et al. 2014, J Clin Oncol 32:2380). There is no result where a curve
    that has not reached 0 ends before `tau`.

    Examples
    --------
    >>> data = dict(time=[2, 3, 4, 5, 8, 9], event=[1, 1, 0, 1, 1, 0], experimental=[0, 0, 1, 0, 1, 1])
    >>> gain = RMSTDifference(8).analyse(**data)
    >>> round(gain.estimate, 2), round(gain.z, 2)
    (4.67, 6.48)
    """

    tau: float = fields.positive("months")
    scale: RatioScale = fields.choice(get_args(RatioScale), default="plain")
    margin: float = fields.number(default=0.0)
    level: float = fields.level(default=0.95)
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = (*ESTIMATION, "experimental", "control")

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "Uno H et al., Journal of Clinical Oncology 2014;32:2380-2385"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        kind = "ratio, log" if self.scale == "log" else "difference"
        margin = "" if self.margin == 0 else f", margin {self.margin:g}"
        return f"RMST {kind}({self.tau:g}){margin}" + ("" if self.stratified else ", unstratified")

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        kind = "ratio" if self.scale == "log" else "difference"
        margin = against(self.margin, 0.0, "on the log scale" if self.scale == "log" else "months")
        return f"the {kind} of the restricted mean survival times up to {self.tau:g} months" + margin

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Estimate in each trial; shape (trials, 7)."""
        mean, variance = by_stratum(sets)
        restricted_means(sets, self.tau, mean, variance)
        of_arms = over_strata(sets, mean)
        if self.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                mean, variance = np.log(mean), variance / mean**2
        estimate = over_strata(sets, mean[:, :, 1] - mean[:, :, 0])
        se = np.sqrt(over_strata(sets, variance.sum(axis=2), power=2))
        return np.column_stack((*estimation(estimate, se, self.margin, self.level), of_arms[:, 1], of_arms[:, 0]))

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the difference less its margin, and its standard error, at calendar month `time`."""
        effect, variance = -self.margin, 0.0
        for process, share in processes_to(trial, time, "tau", self.tau, stratified=self.stratified):
            means, errors = expected_restricted_means(process)
            if self.scale == "log":
                means, errors = np.log(means), errors / means**2
            effect, variance = effect + share * (means[1] - means[0]), variance + share**2 * errors.sum()
        return estimate_moments(effect, variance, self.name, self._advice)

    def remarks(self, trial: ExpectedTrial, time: float) -> tuple[str, ...]:
        """Say so where in many trials a curve ends before the restriction, or few patients have an event by then."""
        cut_short = left_at(trial, time, "tau", self.tau, stratified=self.stratified)
        return cut_short or few_events(trial, self.tau)

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give the true difference on the scale."""
        means = experimental.rmst(self.tau), control.rmst(self.tau)
        return float(np.log(means[0] / means[1]) if self.scale == "log" else means[0] - means[1])

    @property
    def _advice(self) -> str:
        return f"tau={self.tau:g} must lie within the follow-up of both arms, with an event before it; choose another"
