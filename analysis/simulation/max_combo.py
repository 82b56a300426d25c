"""The max-combo test on risk sets: the best of several weighted log-rank tests, at its own level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numba import njit
from scipy.special import ndtri

from analysis.errors import InvalidValueError
from analysis.simulation.logrank import increment, weights_of
from analysis.survival.comparisons.max_combo import EARLY_AND_LATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.simulation.risk_sets import RiskSets
    from analysis.survival.comparisons.weights import Weight
    from analysis.survival.distributions import Distribution

REACH = 6.5
NODES = (0, 1, 201, 65, 25)


@dataclass(frozen=True)
class MaxCombo:
    """Max-combo test against the alternative that the experimental arm is better.

    Parameters
    ----------
    weights
        Weights of the components, one to four; by default Fleming-Harrington (0,0), (0,1), (1,0), (1,1).
    stratified
        Sum over the design's strata; False pools them.

    Raises
    ------
    InvalidValueError
        If there is no weight or there are more than four.

    Notes
    -----
    `z` is the standard normal quantile of the one-sided p-value, so that it compares with any other test's z;
    `least_z` is the least of the components' statistics. p is the multivariate normal probability (Lin et al., Stat.
    Biopharm. Res. 12, 2020, 187): one direction in closed form, the others by the trapezoidal rule.
    """

    weights: Sequence[Weight] = EARLY_AND_LATE
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ("z", "least_z")
    one_sided: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))
        if not 1 <= len(self.weights) <= 4:
            raise InvalidValueError("weights", self.weights, "one to four weights", "leave out the least likely ones")

    @property
    def name(self) -> str:
        """Name in result tables."""
        chosen = "" if self.weights == EARLY_AND_LATE else f" of {', '.join(map(repr, self.weights))}"
        return f"max-combo{chosen}" + ("" if self.stratified else ", unstratified")

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 2)."""
        rows = np.stack([weights_of(weight, sets) for weight in self.weights])
        out = np.empty((sets.trials, 2))
        _max_combo(sets, rows, out)
        out[:, 0] = ndtri(out[:, 0])
        return out

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give NaN: there is no estimate."""
        return float("nan")


@njit(nogil=True, cache=True, error_model="numpy")
def _max_combo(sets: RiskSets, rows: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the one-sided p-value and the least statistic of each trial."""
    size = rows.shape[0]
    for trial in range(out.shape[0]):
        score, covariance = np.zeros(size), np.zeros((size, size))
        for row in range(sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]):
            u, v = increment(sets, row)
            for k in range(size):
                score[k] += rows[k, row] * u
                for j in range(k + 1):
                    covariance[k, j] += rows[k, row] * rows[j, row] * v
        least = np.inf
        for k in range(size):
            least = min(least, score[k] / np.sqrt(covariance[k, k]))
            if not covariance[k, k] > 0.0:
                least = np.nan
                break
        out[trial, 1] = least
        out[trial, 0] = 1.0 - _all_below(-least, _loadings(covariance)) if least == least else np.nan


@njit(inline="always")
def _loadings(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pivoted Cholesky factor of the correlation matrix: the components as sums of independent standard normals."""
    size = covariance.shape[0]
    factor = np.zeros((size, size))
    left = np.ones(size)
    for column in range(size):
        pivot = int(np.argmax(left))
        if left[pivot] < 1e-10:
            break
        root = np.sqrt(left[pivot])
        for k in range(size):
            both = covariance[max(k, pivot), min(k, pivot)] / np.sqrt(covariance[k, k] * covariance[pivot, pivot])
            for j in range(column):
                both -= factor[k, j] * factor[pivot, j]
            factor[k, column] = both / root if left[k] > 1e-10 else 0.0
        for k in range(size):
            left[k] = max(left[k] - factor[k, column] ** 2, 0.0)
        left[pivot] = 0.0
    return factor


@njit(inline="always")
def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x * 0.7071067811865476)


@njit(inline="always")
def _all_below(bound: float, factor: NDArray[np.float64]) -> float:
    """Probability that all components are at most `bound`."""
    size = factor.shape[0]
    rank = np.int64(0)
    for column in range(size):
        rank += np.int64(factor[:, column].any())
    if rank == 1:
        return _normal_cdf(bound)
    nodes = NODES[rank]
    step = 2.0 * REACH / (nodes - 1)
    total, weight = 0.0, 0.0
    others = rank - 1
    where = np.zeros(3, np.int64)
    x = np.zeros(3)
    for _ in range(nodes**others):
        density = 1.0
        for d in range(others):
            x[d] = -REACH + where[d] * step
            density *= math.exp(-0.5 * x[d] * x[d])
        low, high = -np.inf, np.inf
        for k in range(size):
            rest = bound
            for d in range(others):
                rest -= factor[k, d + 1] * x[d]
            if factor[k, 0] > 1e-12:
                high = min(high, rest / factor[k, 0])
            elif factor[k, 0] < -1e-12:
                low = max(low, rest / factor[k, 0])
            elif rest < 0.0:
                high = -np.inf
        if high > low:
            total += density * (_normal_cdf(high) - _normal_cdf(low))
        weight += density
        for d in range(others):
            where[d] += 1
            if where[d] < nodes:
                break
            where[d] = 0
    return total / weight
