"""The log-rank test: plain, weighted, stratified, for superiority or with a margin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numba import njit

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import SAME_TIME, one_of
from analysis.conventions.values import value
from analysis.errors import UnavailableError
from analysis.expected.process import risk_processes
from analysis.expected.score import experimental_share, no_events, score_moments
from analysis.statistical_tests.base import TwoArmTest, against
from analysis.statistical_tests.formulas import FORMULAS
from analysis.statistical_tests.moments import Moments
from analysis.statistical_tests.weights import UNWEIGHTED, EventTimes, Weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.engine.risk_sets import RiskSets
    from analysis.expected.process import RiskProcess
    from analysis.expected.trial import ExpectedTrial

Variance: TypeAlias = Literal["null", "alternative", "simple", "statistic"]


@border
@value
class LogRank(TwoArmTest):
    """Log-rank test of two arms.

    With Y the numbers at risk and N the events, at a hazard-ratio margin m the score sums
    ``W * (m Y1 / (Y0 + m Y1) dN - dN1)`` over the event times, and its variance is the hypergeometric
    ``W^2 * p (1 - p) d (Y - d) / (Y - 1)`` with ``p = m Y1 / (Y0 + m Y1)`` and d tied events. z is the score over its
    standard deviation.

    Parameters
    ----------
    weight
        How much an event counts by when it happens; none by default.
    margin
        Hazard ratio of the null hypothesis: 1 for superiority, above 1 the margin of non-inferiority.
    stratified
        Sum over the strata; False pools them.
    formula
        How its moments are computed. ``"exact"``, the default: the exact large-sample mean of the score, under any
        hazards. Otherwise a textbook approximation of the unweighted test: ``"schoenfeld"``, ``"freedman"``,
        ``"hsieh-freedman"``, ``"rubinstein"``, ``"lachin-foulkes"``, ``"bernstein-lagakos"``,
        ``"average hazard ratio"`` (gsDesign2), ``"generalized schoenfeld"``, or ``"averaged null"`` (gsDesign2's
        weighted test). Data are analysed alike by all.
    variance
        Variance under the scenario of the exact formula. ``"null"``, the default: what the test divides by, as in
        lrstat (``"direct"``) and npsurvSS; z then has a standard deviation of 1. ``"alternative"``: that of the score
        when the allocation is balanced in each stratum (npsurvSS ``"block"``); ``"simple"``: that with simple
        randomisation. These two leave out that the variance which the test divides by varies with the score: z has
        another spread than the score. ``"statistic"``: that of z itself, by the delta method, with the same allocation
        as ``"alternative"``, the weights taken as fixed and the analysis at a calendar time; take it where the arms are
        unequal and the power is high: at 2:1 the default promises about one point more than trials have, at 3:1 more.

    Raises
    ------
    InvalidValueError
        If the margin is not above 0 or the weight is none.
    UnknownNameError
        If the formula or the variance is unknown.

    References
    ----------
    Yung G, Liu Y. Sample size and power for the weighted log-rank test and Kaplan-Meier based tests with allowance for
    nonproportional hazards. Biometrics 2020;76:939-950.

    Examples
    --------
    >>> found = LogRank().analyse(time=[2, 3, 4, 5, 8, 9], event=[1, 1, 0, 1, 1, 0], experimental=[0, 0, 1, 0, 1, 1])
    >>> round(found.z, 3), round(found.p_one_sided, 3)
    (2.093, 0.018)
    """

    weight: Weight = fields.converted(
        lambda name, given: one_of(name, given, Weight, "FlemingHarrington(0, 1)"), default=UNWEIGHTED
    )
    margin: float = fields.positive("times the control's hazard", default=1.0)
    stratified: bool = True
    formula: str = fields.choice(("exact", *FORMULAS), default="exact")
    variance: Variance = fields.choice(get_args(Variance), default="null")

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return (
            FORMULAS[self.formula].reference
            if self.formula in FORMULAS
            else "Yung G, Liu Y, Biometrics 2020;76:939-950"
        )

    @property
    def name(self) -> str:
        """Name in tables of results."""
        weight = "" if self.weight == UNWEIGHTED else f" {self.weight.label}"
        margin = "" if self.margin == 1 else f", margin {self.margin:g}"
        return f"log-rank{weight}{margin}" + ("" if self.stratified else ", unstratified")

    @property
    def _weighted(self) -> str:
        return "" if self.weight == UNWEIGHTED else f"{self.weight.label} weighted "

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return f"the {self._weighted}log-rank test" + against(self.margin, 1.0, "in the hazard ratio")

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 1); NaN without information."""
        out = np.empty((sets.trials, 1))
        if self.weight == UNWEIGHTED and self.margin == 1.0:
            _plain(sets, out)
        else:
            score, variance = self._score(sets)
            np.divide(score, np.sqrt(variance), out=out[:, 0], where=variance > 0)
            out[~(variance > 0), 0] = np.nan
        return out

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the mean and variance of the score at calendar month `time`, or what the formula says of z."""
        if self.formula != "exact":
            formula = FORMULAS[self.formula]
            if not formula.weighted and self.weight != UNWEIGHTED:
                self._cannot(f"has no {self.formula} formula with a weight", "take formula='exact'")
            return formula.moments(trial, time, self.margin, self.weight)
        processes = risk_processes(trial, time, change_points=self.weight.change_points, stratified=self.stratified)
        courses = [(process, self.weight.large_sample(process)) for process in processes]
        score = null = 0.0
        for course in courses:
            mean, variance = score_moments(*course, self.margin)
            score, null = score + mean, null + variance
        if not null > 0:
            raise no_events(time)
        actual = null
        if self.variance != "null":
            slope = score / (2 * null) if self.variance == "statistic" else 0.0
            simple = self.variance == "simple"
            actual = sum(_score_variance(*course, self.margin, slope=slope, simple=simple) for course in courses)
        return Moments(score, math.sqrt(null), math.sqrt(actual))

    def _score(self, sets: RiskSets) -> tuple[FloatArray, FloatArray]:
        score, variance = np.empty((2, sets.trials))
        _weighted(sets, weights_of(self.weight, sets), self.margin, score, variance)
        return score, variance

    def _details(self, data: RiskSets, row: FloatArray) -> dict[str, Any]:
        score, variance = self._score(data)
        return {"score": float(score[0]), "score_variance": float(variance[0])}


def weights_of(weight: Weight, sets: RiskSets) -> FloatArray:
    """Weight of every row of the risk sets."""
    rows = np.ones(sets.first[-1])
    if weight.compiled is not None:
        _weigh(sets, *weight.compiled, rows)
        return rows
    for first, last in zip(sets.first[:-1], sets.first[1:], strict=True):
        if last > first:
            n_risk, n_event = sets.n_risk[first:last].astype(float), sets.n_event[first:last].astype(float)
            survival = np.concatenate(([1.0], np.cumprod(1 - n_event / n_risk)[:-1]))
            given = np.asarray(weight.at_events(EventTimes(sets.time[first:last], n_risk, n_event, survival)), float)
            if given.shape != (last - first,):
                shape = (last - first,)
                raise UnavailableError(
                    f"{weight!r}: at_events gave shape {given.shape}; expected {shape}, one an event"
                )
            rows[first:last] = given
    return rows


@njit(nogil=True, cache=True, error_model="numpy")
def _plain(sets: RiskSets, out: NDArray[np.float64]) -> None:
    for trial in range(out.shape[0]):
        score, variance = 0.0, 0.0
        for row in range(sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]):
            share = sets.n_risk_experimental[row] / sets.n_risk[row]
            events = sets.n_event[row]
            score += events * share - sets.n_event_experimental[row]
            spread = share * (1.0 - share)
            if events > 1:
                spread *= events * ((sets.n_risk[row] - events) / (sets.n_risk[row] - 1))
            variance += spread
        out[trial, 0] = score / np.sqrt(variance)


@njit(nogil=True, cache=True, error_model="numpy")
def _weigh(
    sets: RiskSets, rho: float, gamma: float, t_star: float, w_max: float, power: float, rows: NDArray[np.float64]
) -> None:
    for block in range(sets.first.size - 1):
        begin, end = sets.first[block], sets.first[block + 1]
        floor = 1.0
        for row in range(begin, end):
            if sets.time[row] >= t_star * (1 - SAME_TIME):
                break
            floor *= 1.0 - sets.n_event[row] / sets.n_risk[row]
        survival = 1.0
        for row in range(begin, end):
            weight = survival**rho * (1.0 - survival) ** gamma / max(survival, floor)
            rows[row] = min(weight, w_max) * (sets.n_risk[row] ** power if power > 0.0 else 1.0)
            survival *= 1.0 - sets.n_event[row] / sets.n_risk[row]


@njit(nogil=True, cache=True, error_model="numpy")
def _weighted(
    sets: RiskSets,
    rows: NDArray[np.float64],
    margin: float,
    score: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> None:
    for trial in range(score.size):
        total, spread = 0.0, 0.0
        for row in range(sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]):
            u, v = increment(sets, row, margin)
            total += rows[row] * u
            spread += rows[row] * rows[row] * v
        score[trial], variance[trial] = total, spread


@njit(inline="always")
def increment(sets: RiskSets, row: int, margin: float) -> tuple[float, float]:
    """Give expected minus observed events of the experimental arm at an event time, and the hypergeometric variance."""
    events, at_risk, in_arm = sets.n_event[row], sets.n_risk[row], margin * sets.n_risk_experimental[row]
    share = in_arm / (at_risk - sets.n_risk_experimental[row] + in_arm)
    spread = events * share * (1.0 - share) * (at_risk - events) / max(at_risk - 1, 1)
    return events * share - sets.n_event_experimental[row], spread


def _score_variance(process: RiskProcess, weight: FloatArray, margin: float, *, slope: float, simple: bool) -> float:
    """Variance of ``score - slope * estimated variance``: patients are independent.

    Each contributes by her own event (``own``) and, for as long as she is at risk, to the share of the experimental arm
    in all others' risk sets (``drain``). The `slope` is 0 for the score itself; with half the score over its variance
    the difference is, to first order, z times the root of the variance.
    """
    grid, share = process.grid, experimental_share(process, margin)
    at_risk = process.at_risk[0] + margin * process.at_risk[1]
    hazard_of_score = np.zeros_like(at_risk)
    np.divide(process.event_rate.sum(axis=0), at_risk, out=hazard_of_score, where=at_risk > 0)
    total, means = 0.0, []
    for arm, relative_risk in enumerate((1.0, margin)):
        events, followed, patients = process.event_rate[arm], process.at_risk[arm], process.patients[arm]
        own = weight * (share - arm) - slope * weight**2 * share * (1 - share)
        drain = (weight - slope * weight**2 * (1 - 2 * share)) * (share - arm) * relative_risk * hazard_of_score
        drained = grid.running_integral(drain)
        mean = float(grid.integral(own * events - drain * followed)) / patients
        square = float(grid.integral(own**2 * events + 2 * drained * (drain * followed - own * events)))
        total += square - patients * mean**2
        means.append(mean)
    if simple:
        total += float(np.prod(process.patients) / process.patients.sum()) * (means[0] - means[1]) ** 2
    return total
