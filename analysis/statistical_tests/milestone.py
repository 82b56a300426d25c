"""The difference of two survival probabilities at a milestone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.scales import ScaleName, scale
from analysis.conventions.values import value
from analysis.statistical_tests.base import ESTIMATION, TwoArmTest, against
from analysis.statistical_tests.curves import (
    WELL_DETERMINED,
    by_stratum,
    estimate_moments,
    estimation,
    few_determined,
    few_events,
    greenwood,
    left_at,
    over_strata,
    processes_to,
    survivals,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.engine.risk_sets import RiskSets
    from analysis.expected.trial import ExpectedTrial
    from analysis.statistical_tests.moments import Moments
    from analysis.survival import Distribution


@border
@value
class MilestoneDifference(TwoArmTest):
    """Difference in Kaplan-Meier survival at a milestone, experimental minus control.

    Parameters
    ----------
    milestone
        Months.
    scale
        Scale of the difference, which grows with the survival: ``"plain"``, ``"log"``, ``"log-log"`` for
        ``-log(-log(S))``, ``"logit"`` or ``"arcsine"``. Estimate, standard error and limits are on it.
    margin
        Value of the difference on that scale under the null hypothesis; below 0 for non-inferiority.
    level
        Confidence level, two-sided.
    stratified
        Difference by stratum, weighed by their patients; False pools the strata.

    Raises
    ------
    InvalidValueError
        If the milestone is not positive or the level not a probability.
    UnknownNameError
        If the scale is unknown.

    Notes
    -----
    The variances are Greenwood's, unpooled (Klein et al. 2007, Stat Med 26:4505). There is no result where a curve that
    has not reached 0 ends before the milestone, or both have no variance there; on other scales than the plain one none
    either where a survival is 0 or 1.

    Examples
    --------
    >>> data = dict(time=[2, 3, 4, 5, 8, 9, 9], event=[1, 1, 1, 1, 1, 0, 0], experimental=[0, 0, 1, 0, 1, 1, 0])
    >>> at_four = MilestoneDifference(4).analyse(**data)
    >>> round(at_four.estimate, 3), round(at_four.z, 2)
    (0.167, 0.45)
    """

    milestone: float = fields.positive("months")
    scale: ScaleName = fields.choice(get_args(ScaleName), default="plain")
    margin: float = fields.number(default=0.0)
    level: float = fields.level(default=0.95)
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = (*ESTIMATION, "experimental", "control")

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "Klein JP et al., Statistics in Medicine 2007;26:4505-4519"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        on = "" if self.scale == "plain" else f", {self.scale}"
        margin = "" if self.margin == 0 else f", margin {self.margin:g}"
        return f"milestone difference({self.milestone:g}{on}){margin}" + ("" if self.stratified else ", unstratified")

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        on = "" if self.scale == "plain" else f" on the {self.scale} scale"
        margin = against(self.margin, 0.0, "in it")
        return f"the difference of the survival at {self.milestone:g} months{on}" + margin

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Estimate in each trial; shape (trials, 7)."""
        survival, relative = by_stratum(sets)
        survivals(sets, self.milestone, survival, relative)
        of_arms, on = over_strata(sets, survival), scale(self.scale)
        values, slopes = survival, np.ones_like(survival)
        if self.scale != "plain":
            inside = np.where((survival > 0) & (survival < 1), survival, np.nan)
            values, slopes = on.forward(inside), on.slope(inside)
        estimate = over_strata(sets, values[:, :, 1] - values[:, :, 0])
        variance = (survival * slopes) ** 2 * relative
        se = np.sqrt(over_strata(sets, variance.sum(axis=2), power=2))
        return np.column_stack((*estimation(estimate, se, self.margin, self.level), of_arms[:, 1], of_arms[:, 0]))

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the difference less its margin, and its standard error, at calendar month `time`."""
        on, effect, variance = scale(self.scale), -self.margin, 0.0
        courses = processes_to(trial, time, "milestone", self.milestone, stratified=self.stratified)
        by_course = [[stratum] for stratum in trial.strata] if self.stratified else [list(trial.strata)]
        for (process, share), strata in zip(courses, by_course, strict=True):
            sizes = np.array([[arm.n for arm in stratum.arms] for stratum in strata])
            alive = np.array([[float(a.event_time.survival(self.milestone)) for a in s.arms] for s in strata])
            survival = (sizes * alive).sum(axis=0) / sizes.sum(axis=0)
            with np.errstate(divide="ignore", invalid="ignore"):  # where all or none are left
                control, experimental = on.forward(survival)
                errors = (survival * on.slope(survival)) ** 2 * greenwood(process)
                effect, variance = effect + share * (experimental - control), variance + share**2 * errors.sum()
        return estimate_moments(effect, variance, self.name, self._advice)

    def remarks(self, trial: ExpectedTrial, time: float) -> tuple[str, ...]:
        """Say so where in many trials a curve ends or nobody is left before the milestone, or few have an event."""
        cut_short = left_at(trial, time, "milestone", self.milestone, stratified=self.stratified)
        return self._nobody_left(trial) or cut_short or few_events(trial, self.milestone)

    def _nobody_left(self, trial: ExpectedTrial) -> tuple[str, ...]:
        """Say so where in many trials both curves are at 0, or one on a scale that has no place for it."""
        gone = np.array(
            [
                [(1 - float(arm.event_time.survival(self.milestone))) ** arm.n for arm in stratum.arms]
                for stratum in trial.strata
            ]
        )
        by_curve = gone if self.stratified else gone.prod(axis=0)
        determined = float(1 - gone.prod() if self.scale == "plain" else (1 - by_curve).prod())
        if determined >= WELL_DETERMINED:
            return ()
        which = "an arm" if self.scale == "plain" else "each arm"
        return (few_determined(determined, f"have a patient left at {self.milestone:.4g} months in {which}", "time"),)

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give the difference of the true survival probabilities, on the scale."""
        survival = np.array([experimental.survival(self.milestone), control.survival(self.milestone)])
        return float(np.subtract(*scale(self.scale).forward(survival)))

    @property
    def _advice(self) -> str:
        return f"{self.milestone:g} months must lie within follow-up, with events in both arms; choose another"
