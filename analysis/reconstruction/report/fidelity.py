"""The statistics that a report printed, computed again from pseudo-patients, and compared at the printed precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np
from scipy.special import ndtri

from analysis.errors import NotEstimableError
from analysis.reported import Reported
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.survival.estimators import KaplanMeier, kaplan_meier, reverse_kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.conventions.scales import ScaleName
    from analysis.reported import ReportedArm, ReportedComparison, ReportedInterval

ROUNDING = 1e-9  # relative slack at the edges of a rounding box, for binary fractions


@dataclass(frozen=True, eq=False)
class PatientData:
    """One data set, analysed as a paper would: each statistic is computed when it is first asked for.

    Parameters
    ----------
    time, event
        Months and event indicators, shape ``(patients,)``.
    arms
        Where each arm's patients stand.
    experimental
        Which patients are in the experimental arm, shape ``(patients,)``.
    strata
        Stratum of each patient, by which ratio and test are stratified, shape ``(patients,)``; None for one stratum.
    """

    time: FloatArray
    event: BoolArray
    arms: dict[str, slice]
    experimental: BoolArray
    strata: NDArray[np.int64] | None = None

    @cached_property
    def curves(self) -> dict[str, KaplanMeier]:
        """Kaplan-Meier curve of each arm."""
        return {name: kaplan_meier(self.time[rows], self.event[rows]) for name, rows in self.arms.items()}

    @cached_property
    def follow_up(self) -> dict[str, KaplanMeier]:
        """Reverse Kaplan-Meier curve of each arm."""
        return {name: reverse_kaplan_meier(self.time[rows], self.event[rows]) for name, rows in self.arms.items()}

    @cached_property
    def hazard_ratio(self) -> float:
        """Cox hazard ratio, Efron's ties, by strata where there are some; NaN where it cannot be estimated."""
        return self._cox[0]

    def hazard_ratio_limit(self, side: Literal[-1, 1], level: float) -> float:
        """Lower (-1) or upper (1) Wald limit of the hazard ratio."""
        estimate, log_std_error = self._cox
        return estimate * math.exp(side * float(ndtri(0.5 + level / 2)) * log_std_error)

    @cached_property
    def _cox(self) -> tuple[float, float]:
        try:
            ratio = CoxHazardRatio().analyse(self.time, self.event, self.experimental, strata=self.strata)
        except NotEstimableError:
            return math.nan, math.nan
        return ratio.estimate, ratio.std_error

    def p_value(self, sided: int | None) -> float:
        """Log-rank p-value, by strata where there are some; two-sided unless `sided` is 1, which tests for benefit."""
        result = LogRank().analyse(self.time, self.event, self.experimental, strata=self.strata)
        return result.p_one_sided if sided == 1 else result.p_two_sided


@dataclass(frozen=True)
class Statistic:
    """A printed number, and how to compute it from patients."""

    name: str
    reported: Reported
    of: Callable[[PatientData], float]

    def reproduced(self, values: FloatArray) -> BoolArray:
        """Whether each of the values would have been printed as the report printed it."""
        if not self.reported.reached:
            return np.asarray(values == math.inf)
        slack = ROUNDING * max(1.0, abs(self.reported.value))
        return np.asarray((self.reported.lower - slack <= values) & (values <= self.reported.upper + slack))


Statistics: TypeAlias = Iterator[Statistic]


def printed_statistics(comparison: ReportedComparison, scale: ScaleName = "log-log") -> tuple[Statistic, ...]:
    """List the numbers of a report that are statistics of its patients.

    Parameters
    ----------
    comparison
        The report.
    scale
        Type of the confidence intervals of medians and rates whose report does not name it.

    Returns
    -------
    tuple of Statistic
        Named as by `ReportedComparison.numbers`, with the numbers at risk.
    """
    return tuple(_statistics(comparison, scale))


def _statistics(comparison: ReportedComparison, scale: ScaleName) -> Statistics:
    for arm in comparison.arms:
        yield from _of_arm(arm, scale)
    ratio = comparison.hazard_ratio
    if ratio is not None:
        yield Statistic("hazard_ratio", ratio.estimate, lambda data: data.hazard_ratio)
        if ratio.ci is not None:
            level = ratio.ci.level
            yield Statistic("hazard_ratio.ci.lower", ratio.ci.lower, lambda data: data.hazard_ratio_limit(-1, level))
            yield Statistic("hazard_ratio.ci.upper", ratio.ci.upper, lambda data: data.hazard_ratio_limit(1, level))
    p_value = comparison.p_value
    if p_value is not None:
        yield Statistic("p_value", p_value.value, lambda data: data.p_value(p_value.sided))
    if comparison.n_total is not None:
        yield Statistic("n_total", comparison.n_total, lambda data: float(data.time.size))
    if comparison.events_total is not None:
        yield Statistic("events_total", comparison.events_total, lambda data: float(data.event.sum()))
    if comparison.median_follow_up is not None:
        yield Statistic(
            "median_follow_up",
            comparison.median_follow_up,
            lambda data: reverse_kaplan_meier(data.time, data.event).median(),
        )


def _of_arm(arm: ReportedArm, scale: ScaleName) -> Statistics:
    name = arm.name
    if arm.n is not None:
        yield Statistic(f"{name}.n", arm.n, lambda data: float(data.time[data.arms[name]].size))
    if arm.events is not None:
        yield Statistic(f"{name}.events", arm.events, lambda data: float(data.event[data.arms[name]].sum()))
    if arm.median is not None:
        yield Statistic(f"{name}.median", arm.median, lambda data: data.curves[name].median())
    if arm.median_ci is not None:
        yield from _quantile_ci(f"{name}.median_ci", name, 0.5, arm.median_ci, scale)
    for landmark in arm.landmarks:
        if not landmark.survival.reached:
            continue  # not estimable: nothing is said
        field = f"{name}.survival at {landmark.time.text} {landmark.time.unit}"
        yield Statistic(field, landmark.survival, _survival(name, landmark.time.value))
        if landmark.ci is not None:
            yield from _survival_ci(f"{field}, ci", name, landmark.time.value, landmark.ci, scale)
    for quartile in arm.quartiles:
        field = f"{name}.time at {quartile.p:.0%} with event"
        yield Statistic(field, quartile.time, _quantile(name, quartile.p))
        if quartile.ci is not None:
            yield from _quantile_ci(f"{field}, ci", name, quartile.p, quartile.ci, scale)
    if arm.median_follow_up is not None:
        yield Statistic(f"{name}.median_follow_up", arm.median_follow_up, lambda data: data.follow_up[name].median())
    if arm.at_risk is not None:
        for month, count in zip(arm.at_risk.times, arm.at_risk.counts, strict=True):
            yield Statistic(f"{name}.at risk at {month:g} months", Reported(str(count), "count"), _at_risk(name, month))


def _survival(name: str, month: float) -> Callable[[PatientData], float]:
    return lambda data: float(data.curves[name].survival_at(month))


def _quantile(name: str, p: float) -> Callable[[PatientData], float]:
    return lambda data: data.curves[name].quantile(p)


def _at_risk(name: str, month: float) -> Callable[[PatientData], float]:
    return lambda data: float(np.count_nonzero(data.time[data.arms[name]] >= month))


def _quantile_ci(field: str, name: str, p: float, ci: ReportedInterval, default: ScaleName) -> Statistics:
    def limit(side: int) -> Callable[[PatientData], float]:
        return lambda data: data.curves[name].quantile_ci(p, ci.level, scale=_type_of(ci, default))[side]

    yield Statistic(f"{field}.lower", ci.lower, limit(0))
    yield Statistic(f"{field}.upper", ci.upper, limit(1))


def _survival_ci(field: str, name: str, month: float, ci: ReportedInterval, default: ScaleName) -> Statistics:
    def limit(side: int) -> Callable[[PatientData], float]:
        return lambda data: data.curves[name].limits_at(month, ci.level, scale=_type_of(ci, default))[side]

    for side, printed in enumerate((ci.lower, ci.upper)):
        if printed.reached:
            yield Statistic(f"{field}.{('lower', 'upper')[side]}", printed, limit(side))


def _type_of(ci: ReportedInterval, default: ScaleName) -> ScaleName:
    return default if ci.scale is None else cast("ScaleName", ci.scale)  # checked by ReportedInterval
