"""Probability that correlated normal variables all stay below their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre
from scipy.special import ndtr, ndtri

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.power.quadrature import FloatArray

NODES_BY_DIMENSION = {1: 1, 2: 64, 3: 48, 4: 28, 5: 18}
SMALLEST_PIVOT = 1e-9


def orthant_probability(limits: FloatArray, correlation: FloatArray) -> float:
    """P(Z_1 < limits_1, ..., Z_k < limits_k) for standard normal Z with the correlation, k up to 5.

    Parameters
    ----------
    limits
        Shape ``(k,)``.
    correlation
        Shape ``(k, k)``, positive semidefinite; variables may coincide.

    Returns
    -------
    float
        By product Gauss-Legendre quadrature after the transformation to conditional distributions; the same on every
        call, and a smooth function of the limits.

    Raises
    ------
    InvalidValueError
        If there are more than 5 variables.

    References
    ----------
    Genz A. Numerical computation of multivariate normal probabilities. Journal of Computational and Graphical Statistics
    1992;1:141-149.
    """
    k = limits.size
    if k not in NODES_BY_DIMENSION:
        raise InvalidValueError("limits", f"{k} variables", "at most 5", "combine fewer tests")
    factor = _cholesky(correlation)
    nodes, weights = legendre.leggauss(NODES_BY_DIMENSION[k])
    nodes, weights = (nodes + 1) / 2, weights / 2
    drawn = np.zeros((0, 1))
    total, mass = np.ones(1), np.ones(1)
    for i in range(k):
        distance = limits[i] - factor[i, :i] @ drawn
        below = np.where(
            factor[i, i] > SMALLEST_PIVOT, ndtr(distance / max(factor[i, i], SMALLEST_PIVOT)), distance >= 0
        )
        total = total * below
        if i < k - 1:
            quantile = ndtri(np.clip(np.multiply.outer(below, nodes), 1e-300, 1 - 1e-16)).ravel()
            drawn = np.vstack([np.repeat(drawn, nodes.size, axis=1), quantile])
            total, mass = np.repeat(total, nodes.size), np.multiply.outer(mass, weights).ravel()
    return float(total @ mass)


def _cholesky(correlation: FloatArray) -> FloatArray:
    """Lower factor that leaves 0 where a variable is a combination of those before it."""
    factor = np.zeros_like(correlation, dtype=np.float64)
    for i in range(correlation.shape[0]):
        for j in range(i):
            rest = correlation[i, j] - factor[i, :j] @ factor[j, :j]
            factor[i, j] = rest / factor[j, j] if factor[j, j] > SMALLEST_PIVOT else 0.0
        factor[i, i] = np.sqrt(max(correlation[i, i] - factor[i, :i] @ factor[i, :i], 0.0))
    return factor
