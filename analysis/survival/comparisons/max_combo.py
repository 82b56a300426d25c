"""The max-combo test: the best of several weighted log-rank tests, at its own level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from analysis.errors import InvalidValueError
from analysis.survival.comparisons.logrank import scores_and_covariance
from analysis.survival.comparisons.two_arms import risk_sets
from analysis.survival.comparisons.weights import FlemingHarrington, Weight
from analysis.survival.display import html, items

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

    from analysis.survival.checks import FloatArray

QUADRATURE_LOG2_POINTS = 16
EARLY_AND_LATE = (FlemingHarrington(0, 0), FlemingHarrington(0, 1), FlemingHarrington(1, 0), FlemingHarrington(1, 1))


@dataclass(frozen=True, eq=False)
class MaxCombo:
    """A max-combo test of the experimental arm against the control arm.

    Attributes
    ----------
    method
        Name of the test with its weights.
    weights
        Weights of its components.
    statistics
        Standard normal statistic of each component, shape ``(m,)``; negative favours the experimental arm.
    correlation
        Their correlation under the null hypothesis, shape ``(m, m)``.
    statistic
        The least of the statistics.
    p_one_sided
        p-value against the alternative that the experimental arm is better: the probability that the least of the
        statistics is as small.
    p_two_sided
        Probability that the greatest absolute value is as large.
    """

    method: str
    weights: tuple[Weight, ...]
    statistics: FloatArray
    correlation: FloatArray
    statistic: float
    p_one_sided: float
    p_two_sided: float

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        return items(self)

    def _repr_html_(self) -> str:
        return html(self.summary())


def max_combo(
    time: ArrayLike,
    event: ArrayLike,
    experimental: ArrayLike,
    *,
    weights: Sequence[Weight] = EARLY_AND_LATE,
    strata: ArrayLike | None = None,
) -> MaxCombo:
    """Compare two arms with the best of several weighted log-rank tests.

    The p-values are those of the multivariate normal distribution with the components' correlation (Lin et al. 2020,
    Stat Biopharm Res 12:187), by quasi-random quadrature, good to about 1e-6.

    Parameters
    ----------
    time, event, experimental, strata
        As for `logrank`.
    weights
        Weights of the components, at least one; by default Fleming-Harrington (0,0), (0,1), (1,0), (1,1).

    Returns
    -------
    MaxCombo
        Components, correlation and p-values.

    Raises
    ------
    InvalidValueError
        If there is no weight, the data are malformed or an arm is empty.
    NotEstimableError
        If a component has no variance.

    Examples
    --------
    >>> test = max_combo(time=[2, 3, 4, 5, 8, 9], event=[1, 1, 0, 1, 1, 0], experimental=[0, 0, 1, 0, 1, 1])
    >>> round(test.statistic, 3), round(test.p_one_sided, 2)
    (-2.093, 0.03)
    """
    if not len(weights):
        raise InvalidValueError("weights", [], "at least one weight", "use logrank for a single test")
    scores, covariance = scores_and_covariance(risk_sets(time, event, experimental, strata), weights)
    errors = np.sqrt(np.diag(covariance))
    statistics, correlation = scores / errors, covariance / np.outer(errors, errors)
    least, greatest = float(statistics.min()), float(np.abs(statistics).max())
    method = f"max-combo of {', '.join(repr(weight) for weight in weights)}"
    one_sided = 1 - _box_probability(-np.inf, -least, correlation)
    two_sided = 1 - _box_probability(-greatest, greatest, correlation)
    return MaxCombo(method, tuple(weights), statistics, correlation, least, one_sided, two_sided)


def _box_probability(lower: float, upper: float, correlation: FloatArray) -> float:
    """Return the probability that all components lie in [lower, upper], whatever the rank of their correlation.

    The components are linear in independent normals; the one that carries most is integrated in closed form, the
    others over Sobol points.
    """
    values, vectors = np.linalg.eigh(correlation)
    carried = values > 1e-10
    loadings = (vectors[:, carried] * np.sqrt(values[carried]))[:, ::-1]
    slope = np.where(np.abs(loadings[:, :1]) < 1e-12, 1e-12, loadings[:, :1])
    rest = np.zeros((len(correlation), 1))
    if loadings.shape[1] > 1:
        uniforms = stats.qmc.Sobol(loadings.shape[1] - 1, scramble=False).random_base2(QUADRATURE_LOG2_POINTS)
        rest = loadings[:, 1:] @ special.ndtri(uniforms + 0.5 / len(uniforms)).T
    ends = np.sort([(lower - rest) / slope, (upper - rest) / slope], axis=0)
    inside = special.ndtr(ends[1].min(axis=0)) - special.ndtr(ends[0].max(axis=0))
    return float(np.maximum(inside, 0.0).mean())
