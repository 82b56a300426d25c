"""The difference of two quantiles of survival time, e.g. of the medians."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, get_args

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.scales import RatioScale
from analysis.conventions.values import value
from analysis.expected.process import risk_processes
from analysis.statistical_tests.base import ESTIMATION, TwoArmTest, against
from analysis.statistical_tests.curves import (
    WELL_DETERMINED,
    by_stratum,
    estimation,
    few_determined,
    few_patients,
    greenwood,
    over_strata,
    processes_to,
    quantiles,
)
from analysis.statistical_tests.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.engine.risk_sets import RiskSets
    from analysis.expected.process import RiskProcess
    from analysis.expected.trial import ExpectedTrial, Stratum
    from analysis.survival import Distribution

ENOUGH_BY_QUANTILE = 40.0
"""Events by the quantile in every arm and stratum, from which on nothing is said: power was off by up to 4 points in
simulation with so many, by up to 11 with ten."""

SAME_HAZARD = 1.1
"""How many times the hazard at a quantile its mean within two standard errors may be, either way, without a word."""


class _Quantile(NamedTuple):
    """Where a quantile is, the variance of its estimate, and the mean hazard within two errors in hazards at it."""

    at: float
    variance: float
    change: float


@border
@value
class QuantileDifference(TwoArmTest):
    """Difference of the times by which a share of patients has failed, experimental minus control.

    Parameters
    ----------
    p
        Share that has failed, e.g. 0.5 for the median.
    scale
        ``"plain"``: difference in months; ``"log"``: logarithm of the ratio.
    margin
        Value of the difference on that scale under the null hypothesis; below 0 for non-inferiority.
    level
        Confidence level, two-sided.
    stratified
        Difference by stratum, weighed by their patients; False pools the strata.

    Raises
    ------
    InvalidValueError
        If `p` is not between 0 and 1.
    UnknownNameError
        If the scale is unknown.

    Notes
    -----
    In data the standard error of a quantile is half the width of the interval in which the curve, interpolated between
    its events, comes down from one Greenwood standard error above to one below ``1 - p``; in large samples it is
    Greenwood's over the density. There is no result where a curve does not come down so far.

    Examples
    --------
    >>> time, event = [2, 3, 4, 5, 8, 9, 10, 11, 12, 14], [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]
    >>> found = QuantileDifference(0.5).analyse(time, event, experimental=[0, 0, 0, 1, 0, 1, 0, 1, 1, 1])
    >>> found.estimate, round(found.std_error, 2)
    (7.0, 4.15)
    """

    p: float = fields.probability(default=0.5)
    scale: RatioScale = fields.choice(get_args(RatioScale), default="plain")
    margin: float = fields.number(default=0.0)
    level: float = fields.level(default=0.95)
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = (*ESTIMATION, "experimental", "control")

    @property
    def name(self) -> str:
        """Name in tables of results."""
        what = "median" if self.p == 0.5 else f"{100 * self.p:g}% quantile"
        kind = "ratio, log" if self.scale == "log" else "difference"
        margin = "" if self.margin == 0 else f", margin {self.margin:g}"
        return f"{what} {kind}{margin}" + ("" if self.stratified else ", unstratified")

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        what = "median" if self.p == 0.5 else f"{100 * self.p:g}% quantile"
        kind = "ratio" if self.scale == "log" else "difference"
        margin = against(self.margin, 0.0, "on the log scale" if self.scale == "log" else "months")
        return f"the {kind} of the {what}s" + margin

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Estimate in each trial; shape (trials, 7)."""
        time, variance = by_stratum(sets)
        quantiles(sets, 1 - self.p, time, variance)
        of_arms = over_strata(sets, time)
        if self.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                time, variance = np.log(time), variance / time**2
        estimate = over_strata(sets, time[:, :, 1] - time[:, :, 0])
        se = np.sqrt(over_strata(sets, variance.sum(axis=2), power=2))
        return np.column_stack((*estimation(estimate, se, self.margin, self.level), of_arms[:, 1], of_arms[:, 0]))

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the difference less its margin, and its standard error, at calendar month `time`."""
        effect, variance = -self.margin, 0.0
        for share, arms in self._quantiles(trial, time):
            times = np.array([one.at for one in arms])
            errors = np.array([one.variance for one in arms])
            if self.scale == "log":
                times, errors = np.log(times), errors / times**2
            effect, variance = effect + share * (times[1] - times[0]), variance + share**2 * errors.sum()
        return Moments(float(effect), float(np.sqrt(variance)), float(np.sqrt(variance)))

    def _quantiles(self, trial: ExpectedTrial, time: float) -> Iterator[tuple[float, list[_Quantile]]]:
        """Give the share of each stratum, or of all patients, and the quantiles of its arms."""
        groups = [[stratum] for stratum in trial.strata] if self.stratified else [list(trial.strata)]
        for position, strata in enumerate(groups):
            arms = []
            for arm in range(2):
                at, hazard = self._quantile(strata, arm)
                process = processes_to(trial, time, "p", at, stratified=self.stratified)[position][0]
                variance = float(greenwood(process)[arm]) / hazard**2
                error = 2 * np.sqrt(variance)
                within = np.array([max(at - error, 0.0), at + error])
                fallen = -np.log([max(self._left(strata, arm, t), 1e-300) for t in within])
                arms.append(_Quantile(at, variance, float(np.diff(fallen)[0] / np.diff(within)[0] / hazard)))
            yield sum(stratum.n for stratum in strata) / trial.n, arms

    def remarks(self, trial: ExpectedTrial, time: float) -> tuple[str, ...]:
        """Say so where many trials would not determine a quantile, or few patients have an event by then."""
        processes = risk_processes(trial, time, stratified=self.stratified)
        each = [(process, arm) for process in processes for arm in range(2)]
        determined = min(self._determined(process, arm) for process, arm in each)
        if determined < WELL_DETERMINED:
            return (few_determined(determined, f"determine both quantiles by month {time:.4g}", "quantile"),)
        events = min(self._events(process, arm) for process, arm in each)
        where = "one arm of a stratum" if len(processes) > 1 else "one arm"
        few = few_patients(events, f"with an event by the quantile in {where}", ENOUGH_BY_QUANTILE)
        changes = [one.change for _, arms in self._quantiles(trial, time) for one in arms]
        if few or (min(changes) > 1 / SAME_HAZARD and max(changes) < SAME_HAZARD):
            return few
        change = max(changes, key=lambda ratio: abs(np.log(ratio)))
        return (
            f"within two standard errors of a quantile the mean hazard is {change:.3g} times that at it; the formula "
            "does not know it; simulate",
        )

    def _events(self, process: RiskProcess, arm: int) -> float:
        """Events of an arm that are expected by its quantile."""
        before = process.survival[arm] > 1 - self.p
        return float(process.grid.integral(np.where(before, process.event_rate[arm], 0.0)))

    def _determined(self, process: RiskProcess, arm: int) -> float:
        """Chance that the curve of an arm comes down to a standard error below the quantile's survival."""
        at_risk, alive = process.at_risk[arm], process.survival[arm]
        rate = np.divide(process.event_rate[arm], at_risk**2, out=np.zeros_like(at_risk), where=at_risk > 1)
        error = alive * np.sqrt(np.maximum(process.grid.running_integral(rate), 0.0))
        seen = (at_risk > 1) & (error > 0)
        below = np.divide(1 - self.p - alive, error, out=np.full_like(alive, -np.inf), where=seen)
        return float(ndtr(below.max() - 1))

    def _quantile(self, strata: list[Stratum], arm: int) -> tuple[float, float]:
        """Quantile of an arm over strata, and the hazard there."""
        curves = [(stratum.arms[arm].n, stratum.arms[arm].event_time) for stratum in strata]
        each = [float(curve.quantile(self.p)) for _, curve in curves]
        total = sum(n for n, _ in curves)

        def above(t: float) -> float:
            return self._left(strata, arm, t) - (1 - self.p)

        at = each[0] if min(each) == max(each) else float(brentq(above, min(each), max(each)))
        dying: FloatArray = np.array([n * float(curve.survival(at) * curve.hazard(at)) for n, curve in curves])
        return at, float(dying.sum()) / total / (1 - self.p)

    @staticmethod
    def _left(strata: list[Stratum], arm: int, t: float) -> float:
        """Survival of an arm over strata."""
        total = sum(stratum.arms[arm].n for stratum in strata)
        return sum(s.arms[arm].n * float(s.arms[arm].event_time.survival(t)) for s in strata) / total

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give the true difference on the scale."""
        times = float(experimental.quantile(self.p)), float(control.quantile(self.p))
        return float(np.log(times[0] / times[1])) if self.scale == "log" else times[0] - times[1]

    @property
    def _advice(self) -> str:
        return f"both curves must come down well below {1 - self.p:g}; ask for an earlier quantile"
