"""Tests of one arm's survival against a null value: what each test statistic is, on average and in spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np

from analysis.errors import InvalidValueError
from analysis.power.kaplan_meier_tests import MILESTONE_SCALES
from analysis.power.moments import Moments
from analysis.power.quadrature import Quadrature
from analysis.power.single_arm.checks import check_rate
from analysis.power.single_arm.many_curves import kaplan_meier_rows
from analysis.survival import Exponential

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analysis.design import Accrual, Assessments
    from analysis.survival import Distribution

    FloatArray = NDArray[np.float64]

Scale = Literal["difference", "log", "log-log", "logit", "arcsine"]
Variance = Literal["alternative", "null", "both"]

# Each scale rises with the survival; beside it its slope.
_SCALES = cast("dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]", MILESTONE_SCALES)


@dataclass(frozen=True)
class FollowUp:
    """How long patients are followed by the analysis.

    Parameters
    ----------
    accrual
        How patients enter.
    analysis_time
        Months from the first possible entry to the analysis.
    dropout
        Distribution of the time to loss to follow-up, independent of the event; None if nobody is lost.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> FollowUp(UniformAccrual(12), analysis_time=18).followed(np.array([6.0, 12.0, 18.0])).tolist()
    [1.0, 0.5, 0.0]
    """

    accrual: Accrual
    analysis_time: float
    dropout: Distribution | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.analysis_time) and self.analysis_time > 0):
            raise InvalidValueError(
                "analysis_time", self.analysis_time, "a positive number of months", "count from the first entry"
            )

    @property
    def change_points(self) -> FloatArray:
        """Follow-up times at which the share still followed may bend."""
        ends = self.analysis_time - np.array([0.0, self.accrual.duration])
        return ends if self.dropout is None else np.concatenate([ends, self.dropout.change_points])

    def followed(self, t: FloatArray) -> FloatArray:
        """Share of all planned patients that have entered and are followed for t months, were there no events."""
        share = np.asarray(self.accrual.enrolled_fraction(self.analysis_time - t), dtype=float)
        share = np.where(t <= self.analysis_time, share, 0.0)
        return share if self.dropout is None else share * self.dropout.survival(t)


class OneSampleTest(Protocol):
    """A one-sided test of one arm's survival. A new test is a new class with these members."""

    @property
    def earliest(self) -> float:
        """Months of follow-up that some patient must have for the test."""

    def moments(self, truth: Distribution, follow_up: FollowUp) -> Moments:
        """Return the moments that one patient would give: among n, the effect is ``sqrt(n)`` times as large."""

    def scores(self, event: FloatArray, followed: FloatArray, follow_up: FollowUp) -> FloatArray:
        """Return the standardised scores of many simulated arms.

        ``event`` are event times, ``followed`` the months each patient is followed, both of shape (arms, patients).
        """


@dataclass(frozen=True)
class OneSampleLogRank:
    """The one-sample log-rank test: events observed against events expected under the null distribution.

    ``(E - O) / sqrt(E)`` is compared with the normal quantile; its variance under the alternative is exact (Wu).

    Parameters
    ----------
    null
        Distribution of the event time under the null hypothesis.

    References
    ----------
    Wu J (2015). Sample size calculation for the one-sample log-rank test. Pharmaceutical Statistics 14:26-33.
    """

    null: Distribution

    @property
    def earliest(self) -> float:
        """Return 0: the test can be looked at any time."""
        return 0.0

    def moments(self, truth: Distribution, follow_up: FollowUp) -> Moments:
        """Return the moments of ``(E - O) / sqrt(n)``, for one patient, under ``truth``."""
        breaks = np.concatenate([truth.change_points, self.null.change_points, follow_up.change_points])
        grid = Quadrature.over(follow_up.analysis_time, breaks)
        t = grid.time
        at_risk = truth.survival(t) * follow_up.followed(t)
        h0, h1, expected = self.null.hazard(t), truth.hazard(t), self.null.cumulative_hazard(t)
        p0, p1 = grid.integral(at_risk * h0), grid.integral(at_risk * h1)
        p00, p01 = grid.integral(at_risk * expected * h0), grid.integral(at_risk * expected * h1)
        variance = p1 - p1**2 + 2 * p00 - p0**2 - 2 * p01 + 2 * p0 * p1
        return Moments(float(p0 - p1), float(np.sqrt(p0)), float(np.sqrt(variance)))

    def scores(self, event: FloatArray, followed: FloatArray, follow_up: FollowUp) -> FloatArray:
        """Return ``(E - O) / sqrt(E)`` of many arms, shape (arms, patients)."""
        observed = np.sum((event <= followed) & (followed > 0), axis=1)
        expected = np.sum(self.null.cumulative_hazard(np.minimum(event, followed)), axis=1)
        return np.asarray((expected - observed) / np.sqrt(expected))


@dataclass(frozen=True)
class Landmark:
    """The test of the Kaplan-Meier estimate at a landmark time against a null value, on a transformed scale.

    Parameters
    ----------
    time
        The landmark, in months.
    null_survival
        Survival at the landmark under the null hypothesis, in (0, 1); with ``assessments``, as it would be observed.
    scale
        Scale of the test: ``"difference"``, ``"log"``, ``"log-log"``, ``"logit"`` or ``"arcsine"`` (of the square
        root).
    variance
        ``"alternative"``: Greenwood's variance as it is estimated from the trial (lrstat); the default, because the
        trial has nothing else. ``"null"``: the variance if the null hypothesis held, for error rate and power alike
        (rashnu). ``"both"``: null for the type I error rate, alternative for the power (rashnu's ``log-swog``). The
        variance under the null hypothesis is that of an exponential curve through ``null_survival``.
    assessments
        Scheduled visits if events are seen only at visits, with neither window nor missed ones; None if the time of
        an event is known.

    References
    ----------
    Nagashima K, Noma H, Sato Y, Gosho M (2021). Sample size calculations for single-arm survival studies using
    transformations of the Kaplan-Meier estimator. Pharmaceutical Statistics 20:499-511.
    """

    time: float
    null_survival: float
    scale: Scale = "log-log"
    variance: Variance = "alternative"
    assessments: Assessments | None = None

    def __post_init__(self) -> None:
        check_rate("null_survival", self.null_survival)
        if not self.time > 0:
            raise InvalidValueError("time", self.time, "a positive number of months", "give the landmark in months")
        if self.scale not in _SCALES:
            raise InvalidValueError("scale", self.scale, f"one of {sorted(_SCALES)}", "choose one")
        if self.variance not in ("alternative", "null", "both"):
            raise InvalidValueError("variance", self.variance, "'alternative', 'null' or 'both'", "choose one")
        if self.assessments is not None and (self.assessments.window > 0 or self.assessments.missed > 0):
            raise InvalidValueError(
                "assessments",
                self.assessments,
                "visits without window that are never missed",
                "simulate the trial instead",
            )

    @property
    def earliest(self) -> float:
        """The landmark."""
        return self.time

    def observed_survival(self, truth: Distribution) -> float:
        """Survival at the landmark as the trial sees it: at the last visit by then, if events are seen at visits."""
        seen_at = self.time if self.assessments is None else float(self.visits.max(initial=0.0))
        return float(truth.survival(seen_at))

    @property
    def visits(self) -> FloatArray:
        """Visits up to the landmark; none if events are seen as they happen."""
        return np.empty(0) if self.assessments is None else self.assessments.scheduled(self.time)

    def moments(self, truth: Distribution, follow_up: FollowUp) -> Moments:
        """Return the moments of the transformed Kaplan-Meier estimate, for one patient, under ``truth``."""
        scale, slope = _SCALES[self.scale]
        survival = self.observed_survival(truth)
        if not 0 < survival < 1:
            raise InvalidValueError(
                "time", self.time, "a landmark by which some have an event, not all", "add a visit or move it"
            )
        sd = slope(survival) * survival * np.sqrt(self._log_variance(truth, follow_up))
        null_sd = sd if self.variance == "alternative" else self._null_sd(follow_up)
        shift = scale(survival) - scale(self.null_survival)
        return Moments(float(shift), float(null_sd), float(null_sd if self.variance == "null" else sd))

    def scores(self, event: FloatArray, followed: FloatArray, follow_up: FollowUp) -> FloatArray:
        """Return the standardised distances from the null value of many arms, shape (arms, patients).

        An arm without an event has an infinite score, one without a survivor a score of minus infinity.
        """
        time, seen = np.minimum(event, followed), event <= followed
        if self.assessments is not None:
            visits = np.concatenate([[0.0], self.assessments.scheduled(follow_up.analysis_time), [np.inf]])
            first_after = visits[np.searchsorted(visits, event)]
            last_visit = visits[np.searchsorted(visits, followed, side="right") - 1]
            time, seen = np.minimum(first_after, last_visit), first_after <= last_visit
        survival, variance = kaplan_meier_rows(time, seen & (followed > 0)).at(self.time)
        scale, slope = _SCALES[self.scale]
        inner = np.clip(survival, 1e-9, 1 - 1e-9)
        if self.variance == "alternative":
            sd = slope(inner) * inner * np.sqrt(np.where((survival > 0) & (survival < 1), variance, 1.0))
        else:
            sd = self._null_sd(follow_up) / np.sqrt(event.shape[1])
        score = (scale(inner) - scale(self.null_survival)) / sd
        return np.where(survival <= 0, -np.inf, np.where(survival >= 1, np.inf, score))

    def _null_sd(self, follow_up: FollowUp) -> float:
        null = Exponential(-np.log(self.null_survival) / self.time)
        slope = _SCALES[self.scale][1](self.null_survival)
        return float(slope * self.null_survival * np.sqrt(self._log_variance(null, follow_up)))

    def _log_variance(self, truth: Distribution, follow_up: FollowUp) -> float:
        """Greenwood's variance of log S at the landmark, times the number of patients."""
        if self.assessments is not None:
            visits = self.visits
            before = truth.survival(np.concatenate([[0.0], visits[:-1]]))
            after = truth.survival(visits)
            _check_followed(follow_up, self.time, float(follow_up.followed(visits[-1:])[0]))
            return float(np.sum((before - after) / (before * after * follow_up.followed(visits))))
        _check_followed(follow_up, self.time, float(follow_up.followed(np.array([self.time]))[0]))
        grid = Quadrature.over(self.time, np.concatenate([truth.change_points, follow_up.change_points]))
        t = grid.time
        return float(grid.integral(truth.hazard(t) / (truth.survival(t) * follow_up.followed(t))))


@dataclass(frozen=True)
class RestrictedMean:
    """The test of the restricted mean survival time against a null value.

    Parameters
    ----------
    tau
        Restriction time, in months.
    null_rmst
        Restricted mean under the null hypothesis, in months, in (0, tau).
    """

    tau: float
    null_rmst: float

    def __post_init__(self) -> None:
        if not 0 < self.null_rmst < self.tau:
            raise InvalidValueError(
                "null_rmst", self.null_rmst, f"months between 0 and tau = {self.tau!r}", "correct it"
            )

    def moments(self, truth: Distribution, follow_up: FollowUp) -> Moments:
        """Return the moments of the estimated restricted mean, for one patient, under ``truth``."""
        _check_followed(follow_up, self.tau, float(follow_up.followed(np.array([self.tau]))[0]))
        grid = Quadrature.over(self.tau, np.concatenate([truth.change_points, follow_up.change_points]))
        t = grid.time
        survival = truth.survival(t)
        left = grid.integral(survival) - grid.running_integral(survival)
        variance = grid.integral(left**2 * truth.hazard(t) / (survival * follow_up.followed(t)))
        sd = float(np.sqrt(variance))
        return Moments(float(truth.rmst(self.tau)) - self.null_rmst, sd, sd)

    def scores(self, event: FloatArray, followed: FloatArray, follow_up: FollowUp) -> FloatArray:
        """Return the standardised distances from the null value of many arms, shape (arms, patients)."""
        seen = (event <= followed) & (followed > 0)
        mean, variance = kaplan_meier_rows(np.minimum(event, followed), seen).restricted_mean(self.tau)
        with np.errstate(divide="ignore"):
            return np.asarray((mean - self.null_rmst) / np.sqrt(variance))


def _check_followed(follow_up: FollowUp, time: float, share: float) -> None:
    if share <= 0:
        raise InvalidValueError(
            "analysis_time",
            follow_up.analysis_time,
            f"time for some patients to be followed for {time:g} months",
            "raise it",
        )
