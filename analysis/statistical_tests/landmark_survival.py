"""The test of a Kaplan-Meier estimate at a landmark against a null value."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import SAME_TIME
from analysis.conventions.scales import ScaleName, scale
from analysis.conventions.values import value
from analysis.engine.risk_sets import one_arm_risk_sets
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnavailableError
from analysis.expected.quadrature import Quadrature
from analysis.statistical_tests.base import ESTIMATION, OneArmTest
from analysis.statistical_tests.curves import (
    WELL_DETERMINED,
    by_stratum,
    estimation,
    few_determined,
    few_patients,
    survivals,
)
from analysis.statistical_tests.moments import Moments
from analysis.survival import Exponential

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.engine.risk_sets import Snapshot
    from analysis.expected.trial import ExpectedTrial
    from analysis.survival import Distribution

Variance = Literal["alternative", "null", "both"]


@border
@value
class LandmarkSurvival(OneArmTest):
    """Test of the Kaplan-Meier estimate at a landmark against a null value, on a named scale.

    Parameters
    ----------
    time
        The landmark, in months.
    null_survival
        Survival at the landmark under the null hypothesis, in (0, 1); where events are seen at visits, as it would be
        observed.
    scale
        Scale of the test: ``"log-log"``, ``"plain"``, ``"log"``, ``"logit"`` or ``"arcsine"`` (of the square root). The
        estimate and its interval are survivals.
    variance
        ``"alternative"``: Greenwood's variance as it is estimated from the trial (lrstat); the default, because the
        trial has nothing else. Only in moments: ``"null"``, the variance if the null hypothesis held, for error rate
        and power alike (rashnu); ``"both"``, null for the type I error rate, alternative for the power (rashnu's
        ``log-swog``). The variance under the null hypothesis is that of an exponential curve through `null_survival`.
    level
        Confidence level, two-sided.

    Raises
    ------
    InvalidValueError
        If the time is not positive or a rate not a probability.
    UnknownNameError
        If the scale or the variance is unknown.

    Notes
    -----
    z is infinite where nobody has an event by the landmark, minus infinity where everybody has, NaN where follow-up
    ends before it.

    References
    ----------
    Nagashima K, Noma H, Sato Y, Gosho M (2021). Sample size calculations for single-arm survival studies using
    transformations of the Kaplan-Meier estimator. Pharmaceutical Statistics 20:499-511.

    Examples
    --------
    >>> found = LandmarkSurvival(6, null_survival=0.3).analyse([7, 8, 6.5, 2, 3, 9], [0, 1, 0, 1, 0, 1])
    >>> round(found.estimate, 3), round(found.z, 3)
    (0.833, 1.885)
    """

    time: float = fields.positive("months")
    null_survival: float = fields.probability()
    scale: ScaleName = fields.choice(get_args(ScaleName), default="log-log")
    variance: Variance = fields.choice(get_args(Variance), default="alternative")
    level: float = fields.level(default=0.95)
    columns: ClassVar[tuple[str, ...]] = ESTIMATION

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "Nagashima K et al., Pharmaceutical Statistics 2021;20:499-511"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        return f"Kaplan-Meier at {self.time:.4g} against {100 * self.null_survival:.4g}%, {self.scale}"

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return f"a test of the Kaplan-Meier estimate at {self.time:.4g} months against {100 * self.null_survival:.4g}%"

    @property
    def earliest(self) -> float:
        """The landmark."""
        return self.time

    def evaluate(self, known: Snapshot) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 5)."""
        if self.variance != "alternative":
            self._cannot(f"has no {self.variance!r} variance in data", "take variance='alternative'")
        sets = one_arm_risk_sets(known)
        survival, relative = by_stratum(sets)
        survivals(sets, self.time, survival, relative)
        rate, spread, on = survival[:, 0, 1], np.sqrt(relative[:, 0, 1]), scale(self.scale)
        inside = np.where((rate > 0) & (rate < 1), rate, 0.5)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = on.forward(inside) - on.forward(np.array(self.null_survival))
            z = distance / (on.slope(inside) * inside * spread)
        z = np.select([rate <= 0, rate >= 1, np.isnan(rate)], [-np.inf, np.inf, np.nan], z)
        return np.column_stack(estimation(rate, rate * spread, 0.0, self.level, z))

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the moments of the distance from the null value on the scale at calendar month `time`."""
        if len(trial.strata) > 1:
            self._cannot("has moments without strata only", 'ask for its power by="simulation"')
        truth, on = trial.strata[0].arms[0].event_time, scale(self.scale)
        visits = self._visits(trial, time)
        survival = float(truth.survival(self.time if visits is None else float(visits.max(initial=0.0))))
        if not 0 < survival < 1:
            expected = "a landmark by which some have an event, not all"
            raise InvalidValueError("time", self.time, expected, "add a visit or move it")
        sd = float(on.slope(survival) * survival * np.sqrt(self._log_variance(trial, time, truth, visits)))
        null_sd = sd if self.variance == "alternative" else self._null_sd(trial, time, visits)
        shift = on.forward(survival) - on.forward(self.null_survival)
        return Moments(float(shift), null_sd, null_sd if self.variance == "null" else sd)

    def remarks(self, trial: ExpectedTrial, time: float) -> tuple[str, ...]:
        """Say so where hardly anybody has an event by the landmark, has none, or is followed up to it."""
        visits, arm = self._visits(trial, time), trial.strata[0].arms[0]
        last = self.time if visits is None else float(visits.max(initial=0.0))
        alive = float(arm.event_time.survival(last))
        left = alive * float(self._followed(trial, time, np.array([last]))[0])
        determined = 1 - (1 - left / arm.n) ** arm.n
        if determined < WELL_DETERMINED:
            return (few_determined(determined, f"follow somebody for {self.time:.4g} months", "landmark"),)
        fewer = arm.n * min(alive, 1 - alive)
        if left < fewer:
            return few_patients(left, "to be followed to the landmark without an event")
        return few_patients(fewer, f"{'with' if alive > 0.5 else 'without'} an event at the landmark")

    def _visits(self, trial: ExpectedTrial, time: float) -> FloatArray | None:
        """Visits up to the landmark; None if events are seen as they happen."""
        if trial.assessments is None:
            return None
        if trial.assessments.window > 0 or trial.assessments.missed > 0:
            raise UnavailableError(
                f"{self.name}: its moments are known for visits without window that are never missed; ask for its "
                'power by="simulation"'
            )
        longest = min(time, trial.follow_up)
        if not (trial.assessments.scheduled(longest) >= self.time * (1 - SAME_TIME)).any():
            raise InfeasibleDesignError(
                f"time: no visit in {longest:.4g} months of follow-up comes at the landmark of {self.time:.4g} months "
                "or later, and every curve ends before it; move the landmark to a visit, or follow for longer"
            )
        return trial.assessments.scheduled(self.time)

    def _null_sd(self, trial: ExpectedTrial, time: float, visits: FloatArray | None) -> float:
        null = Exponential(-np.log(self.null_survival) / self.time)
        slope = scale(self.scale).slope(self.null_survival)
        return float(slope * self.null_survival * np.sqrt(self._log_variance(trial, time, null, visits)))

    def _followed(self, trial: ExpectedTrial, time: float, t: FloatArray) -> FloatArray:
        """Patients who are followed for `t` months unless they have an event."""
        arm = trial.strata[0].arms[0]
        entered = np.where(t <= time, trial.accrual.enrolled_fraction(time - t), 0.0)
        return np.asarray(arm.n * entered * arm.retention(t))

    def _log_variance(self, trial: ExpectedTrial, time: float, truth: Distribution, visits: FloatArray | None) -> float:
        """Greenwood's variance of log S at the landmark."""
        arm = trial.strata[0].arms[0]
        if self._followed(trial, time, np.array([self.time]))[0] <= 0 or self.time > trial.follow_up * (1 + SAME_TIME):
            raise InfeasibleDesignError(
                f"time: nobody is followed for {self.time:.4g} months at an analysis after {time:.4g}; analyse later"
            )
        if visits is not None:
            before = truth.survival(np.concatenate([[0.0], visits[:-1]]))
            after = truth.survival(visits)
            return float(np.sum((before - after) / (before * after * self._followed(trial, time, visits))))
        changes = [truth.change_points, time - trial.accrual.rate_changes]
        curves = [truth] if arm.loss is None else [truth, arm.loss]
        grid = Quadrature.over(self.time, np.concatenate([*changes, arm.change_points]), curves)
        t = grid.time
        return float(grid.integral(truth.hazard(t) / (truth.survival(t) * self._followed(trial, time, t))))

    def truth(self, arm: Distribution) -> float:
        """Give the true survival."""
        return float(arm.survival(self.time))

    @property
    def null_value(self) -> float:
        """What the null hypothesis says that `truth` is."""
        return self.null_survival

    @property
    def _advice(self) -> str:
        return f"follow-up must reach the landmark of {self.time:g} months"
