"""The max-combo test: the best of several weighted log-rank tests, at its own level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numba import njit
from scipy.optimize import brentq
from scipy.special import ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.expected.process import risk_processes
from analysis.expected.score import no_events, score_moments
from analysis.statistical_tests.base import TwoArmTest, against
from analysis.statistical_tests.logrank import increment, weights_of
from analysis.statistical_tests.moments import Rejection, critical_z
from analysis.statistical_tests.normal import orthant_probability
from analysis.statistical_tests.tails import probability_outside
from analysis.statistical_tests.weights import FlemingHarrington, Weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.engine.risk_sets import RiskSets
    from analysis.expected.trial import ExpectedTrial

EARLY_AND_LATE = (FlemingHarrington(0, 0), FlemingHarrington(0, 1), FlemingHarrington(1, 0), FlemingHarrington(1, 1))


def _weights(name: str, given: Any) -> tuple[Weight, ...]:
    if not isinstance(given, Sequence) or not 1 <= len(given) <= 4:
        raise InvalidValueError(name, given, "one to four weights", "leave out the least likely ones")
    return tuple(one_of(f"{name}[{k}]", weight, Weight, "FlemingHarrington(0, 1)") for k, weight in enumerate(given))


@dataclass(frozen=True)
class MaxComboMoments:
    """Large-sample distribution of the weighted log-rank statistics of a max-combo test.

    Attributes
    ----------
    drifts
        Expected z of each component, shape ``(k,)``; above 0 favours the experimental arm.
    correlation
        Correlation of the z, shape ``(k, k)``.
    """

    drifts: FloatArray
    correlation: FloatArray

    @property
    def drift(self) -> float:
        """Expected z of the test at the z that stands for its p-value: the mean of it, by quadrature."""
        return self._of_largest(lambda z: z)

    @property
    def spread(self) -> float:
        """Standard deviation of that z."""
        return math.sqrt(max(self._of_largest(lambda z: z * z) - self.drift**2, 0.0))

    def _of_largest(self, of: Any) -> float:
        largest = np.linspace(self.drifts.max() - 7.0, self.drifts.max() + 8.0, 241)
        below = np.array([orthant_probability(x - self.drifts, self.correlation) for x in largest])
        null = np.array([orthant_probability(np.full(self.drifts.size, x), self.correlation) for x in largest])
        z = np.array([float(ndtri(min(max(p, 1e-300), 1 - 1e-16))) for p in null])
        middle = of((z[1:] + z[:-1]) / 2)
        return float(np.sum(middle * np.diff(below)))

    def scaled(self, factor: float) -> MaxComboMoments:
        """Give the distribution with `factor` times as many patients."""
        return MaxComboMoments(self.drifts * math.sqrt(factor), self.correlation)

    def critical_value(self, alpha: float = 0.025) -> float:
        """Value that the largest z exceeds with probability `alpha` (one-sided) under the null."""
        single = critical_z(alpha)
        every = -float(ndtri(alpha / self.drifts.size))

        def excess(z: float) -> float:
            return 1 - orthant_probability(np.full(self.drifts.size, z), self.correlation) - alpha

        return single if self.drifts.size == 1 else float(brentq(excess, single - 1e-3, every + 1e-3, xtol=1e-12))

    def power(self, alpha: float = 0.025, *, sided: int = 1, rejection: Rejection = "benefit") -> float:
        """Probability that the largest z exceeds its critical value at `alpha` per side."""
        critical_z(alpha, sided)
        return self._power(self.drifts, self.critical_value(alpha / sided))

    def size_factor(
        self, power: float, alpha: float = 0.025, *, sided: int = 1, rejection: Rejection = "benefit"
    ) -> float:
        """How many times as many patients give the power.

        Raises
        ------
        InvalidValueError
            If `power` is not between `alpha` and 1.
        InfeasibleDesignError
            If no test of the combination has an effect in favour of the experimental arm.
        """
        alpha = alpha / sided
        if not alpha < power < 1:
            expected = f"a probability between {alpha:g}, the type I error, and 1"
            raise InvalidValueError("power", power, expected, "ask for 0.8")
        if self.drifts.max() <= 0:
            raise InfeasibleDesignError(
                f"power: {power:g} is asked for, but no test of the combination is expected to favour the "
                f"experimental arm (largest expected z {self.drifts.max():.3g}); assume a larger effect"
            )
        z = self.critical_value(alpha)
        high = 1.0
        while self._power(high * self.drifts, z) < power:
            high *= 2
        root: float = brentq(lambda f: self._power(f * self.drifts, z) - power, 0.0, high, xtol=1e-12)
        return root**2

    def _power(self, drifts: FloatArray, z: float) -> float:
        return 1 - orthant_probability(z - drifts, self.correlation)


@border
@value
class MaxCombo(TwoArmTest):
    """Max-combo test against the alternative that the experimental arm is better.

    Parameters
    ----------
    weights
        Weights of the components, one to four; by default Fleming-Harrington (0,0), (0,1), (1,0), (1,1).
    margin
        Hazard ratio of the null hypothesis: 1 for superiority, above 1 the margin of non-inferiority.
    stratified
        Sum over the strata; False pools them.

    Raises
    ------
    InvalidValueError
        If there is no weight or there are more than four.

    Notes
    -----
    `z` is the standard normal quantile of the one-sided p-value, so that it compares with any other test's z;
    `largest_z` is the largest of the components' statistics. p is the multivariate normal probability (Lin et al.,
    Stat. Biopharm. Res. 12, 2020, 187): one direction in closed form, one from corner to corner of its region, the
    others by the trapezoidal rule.

    Examples
    --------
    >>> found = MaxCombo().analyse(time=[2, 3, 4, 5, 8, 9], event=[1, 1, 0, 1, 1, 0], experimental=[0, 0, 1, 0, 1, 1])
    >>> round(found.details["largest_z"], 3), round(found.p_one_sided, 2)
    (2.093, 0.03)
    """

    weights: Sequence[Weight] = fields.converted(_weights, default=EARLY_AND_LATE)
    margin: float = fields.positive("times the control's hazard", default=1.0)
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ("z", "largest_z")
    one_sided: ClassVar[bool] = True

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "Karrison TG, Stata Journal 2016;16:678-690"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        chosen = "" if self.weights == EARLY_AND_LATE else f" of {', '.join(w.label for w in self.weights)}"
        margin = "" if self.margin == 1 else f", margin {self.margin:g}"
        return f"max-combo{chosen}{margin}" + ("" if self.stratified else ", unstratified")

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return f"the max-combo test of {', '.join(w.label for w in self.weights)}" + against(
            self.margin, 1.0, "in the hazard ratio"
        )

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 2)."""
        out = np.empty((sets.trials, 2))
        _max_combo(*self._components(sets), out)
        out[:, 0] = -ndtri(out[:, 0])
        return out

    def moments(self, trial: ExpectedTrial, time: float) -> MaxComboMoments:  # type: ignore[override]  # not one normal
        """Give the joint distribution of the components at calendar month `time`."""
        k = len(self.weights)
        changes = np.concatenate([weight.change_points for weight in self.weights])
        means, covariance = np.zeros(k), np.zeros((k, k))
        for process in risk_processes(trial, time, change_points=changes, stratified=self.stratified):
            rows = [weight.large_sample(process) for weight in self.weights]
            for i in range(k):
                means[i] += score_moments(process, rows[i], self.margin)[0]
                for j in range(i + 1):
                    covariance[i, j] += score_moments(process, np.sqrt(rows[i] * rows[j]), self.margin)[1]
        sd = np.sqrt(np.diag(covariance))
        if not np.all(sd > 0):
            raise no_events(time)
        covariance = covariance + np.tril(covariance, -1).T
        return MaxComboMoments(means / sd, covariance / np.outer(sd, sd))

    def _components(self, sets: RiskSets) -> tuple[FloatArray, FloatArray]:
        rows = np.stack([weights_of(weight, sets) for weight in self.weights])
        scores = np.zeros((sets.trials, len(rows)))
        covariances = np.zeros((sets.trials, len(rows), len(rows)))
        _sum_components(sets, rows, self.margin, scores, covariances)
        return scores, covariances

    def _details(self, data: RiskSets, row: FloatArray) -> dict[str, Any]:
        scores, covariances = self._components(data)
        covariance = np.tril(covariances[0]) + np.tril(covariances[0], -1).T
        errors = np.sqrt(np.diag(covariance))
        components, correlation = scores[0] / errors, covariance / np.outer(errors, errors)
        greatest = float(np.abs(components).max())
        p_two_sided = probability_outside(-greatest, greatest, covariances[0])
        return {"components": components, "correlation": correlation, "p_two_sided": p_two_sided}


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_components(
    sets: RiskSets,
    rows: NDArray[np.float64],
    margin: float,
    scores: NDArray[np.float64],
    covariances: NDArray[np.float64],
) -> None:
    size = rows.shape[0]
    for trial in range(scores.shape[0]):
        score, covariance = scores[trial], covariances[trial]
        for row in range(sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]):
            u, v = increment(sets, row, margin)
            for k in range(size):
                score[k] += rows[k, row] * u
                for j in range(k + 1):
                    covariance[k, j] += rows[k, row] * rows[j, row] * v


@njit(nogil=True, cache=True, error_model="numpy")
def _max_combo(scores: NDArray[np.float64], covariances: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the one-sided p-value and the largest statistic of each trial."""
    for trial in range(out.shape[0]):
        largest = -np.inf
        for k in range(scores.shape[1]):
            largest = max(largest, scores[trial, k] / np.sqrt(covariances[trial, k, k]))
            if not covariances[trial, k, k] > 0.0:
                largest = np.nan
                break
        out[trial, 1] = largest
        known = largest == largest
        out[trial, 0] = probability_outside(-np.inf, largest, covariances[trial]) if known else np.nan
