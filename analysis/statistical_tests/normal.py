"""Probability that correlated normal variables all stay below their limits."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre
from scipy.special import ndtr, ndtri, owens_t

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray

# The last two variables are integrated in closed form, so k - 2 dimensions of quadrature are left.
NODES_BY_DIMENSION = {3: 256, 4: 64, 5: 28}
TINY = 1e-12
FAR = 38.0  # standard deviations beyond which the normal distribution function is 0 or 1


def bivariate_normal(h: FloatArray, k: FloatArray, correlation: float) -> FloatArray:
    """P(X < h, Y < k) for standard normal X and Y with a correlation from -1 to 1, by Owen's T function.

    References
    ----------
    Owen DB. Tables for computing bivariate normal probabilities. Annals of Mathematical Statistics 1956;27:1075-1090.
    """
    # Owen's formula divides by the limits and by the conditional deviation: keep both off 0.
    h, k = (np.where(np.abs(x) < TINY, TINY, np.clip(x, -FAR, FAR)) for x in (h, k))
    correlation = min(max(correlation, -1.0), 1.0)
    root = np.sqrt(max((1 - correlation) * (1 + correlation), TINY**2))
    beyond = np.where(h * k < 0, 0.5, 0.0)
    of_h = owens_t(h, (k - correlation * h) / (h * root))
    of_k = owens_t(k, (h - correlation * k) / (k * root))
    probability: FloatArray = np.clip((ndtr(h) + ndtr(k)) / 2 - of_h - of_k - beyond, 0.0, 1.0)
    return probability


def orthant_probability(limits: FloatArray, correlation: FloatArray) -> float:
    """P(Z_1 < limits_1, ..., Z_k < limits_k) for standard normal Z with the correlation, k up to 5.

    Parameters
    ----------
    limits
        Shape ``(k,)``.
    correlation
        Shape ``(k, k)``, positive semidefinite.

    Returns
    -------
    float
        By Gauss-Legendre quadrature over the conditional distributions of the first k - 2 variables, the last two in
        closed form; the same on every call, and a smooth function of the limits.

    Raises
    ------
    InvalidValueError
        If there are more than 5 variables.

    References
    ----------
    Genz A. Numerical computation of multivariate normal probabilities. Journal of Computational and Graphical
    Statistics 1992;1:141-149.
    """
    k = limits.size
    if k == 1:
        return float(ndtr(limits[0]))
    if k == 2:
        return float(bivariate_normal(limits[:1], limits[1:], float(correlation[0, 1]))[0])
    if k not in NODES_BY_DIMENSION:
        raise InvalidValueError("limits", f"{k} variables", "at most 5", "combine fewer tests")
    factor = _cholesky(correlation)
    nodes, weights = _unit_interval_rule(NODES_BY_DIMENSION[k])
    drawn, mass = np.zeros((0, 1)), np.ones(1)
    for i in range(k - 2):
        below = ndtr((limits[i] - factor[i, :i] @ drawn) / max(factor[i, i], TINY))
        quantiles = ndtri(np.clip(np.multiply.outer(below, nodes), 1e-300, 1 - 1e-16)).ravel()
        drawn = np.vstack([np.repeat(drawn, nodes.size, axis=1), quantiles])
        mass = np.multiply.outer(mass * below, weights).ravel()
    rest = factor[-2:, k - 2 :]
    deviations = np.maximum(np.sqrt((rest**2).sum(axis=1)), TINY)
    standardised = (limits[-2:, None] - factor[-2:, : k - 2] @ drawn) / deviations[:, None]
    shared = float(rest[0] @ rest[1] / deviations.prod())
    return float(bivariate_normal(standardised[0], standardised[1], shared) @ mass)


@cache
def _unit_interval_rule(order: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = legendre.leggauss(order)
    return (nodes + 1) / 2, weights / 2


def _cholesky(correlation: FloatArray) -> FloatArray:
    """Lower factor that leaves 0 where a variable is a combination of those before it."""
    factor = np.zeros(correlation.shape)
    for i in range(correlation.shape[0]):
        for j in range(i):
            rest = correlation[i, j] - factor[i, :j] @ factor[j, :j]
            factor[i, j] = rest / factor[j, j] if factor[j, j] > TINY else 0.0
        factor[i, i] = np.sqrt(max(correlation[i, i] - factor[i, :i] @ factor[i, :i], 0.0))
    return factor
