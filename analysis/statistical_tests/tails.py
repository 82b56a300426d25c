"""Probability that a component of a normal vector lies beyond a bound, in compiled code and with its digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH, FURTHER, FARTHEST = 6.5, 2.0, 15.0
"""Standard deviations that are integrated over: at least, beyond the statistic, and of a statistic at most; farther out
a probability falls as that of a single component does."""
NODES = (0, 1, 1, 65, 27)
"""Points in each of the directions but two within the reach, by the rank of the correlation."""
PIECE, NEAR, FAR = 2.2, 1e-9, 6.0
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(6)


@njit(nogil=True, cache=True, error_model="numpy")
def probability_outside(lower: float, upper: float, covariance: NDArray[np.float64]) -> float:
    """Probability that a component is not between two bounds: ``lower`` is minus ``upper``, or minus infinity.

    The bounds are in standard deviations; of the covariance, shape (k, k) with k up to 4, the lower triangle is read.
    """
    return _outside(lower, upper, _loadings(covariance))


@njit(inline="always")
def _loadings(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pivoted Cholesky factor of the correlation matrix: the components as sums of independent standard normals."""
    size = covariance.shape[0]
    factor = np.zeros((size, size))
    left = np.ones(size)
    for column in range(size):
        pivot = 0
        for k in range(size):
            pivot = k if left[k] > left[pivot] else pivot
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
def _normal_between(low: float, high: float) -> float:
    return _normal_cdf(high) - _normal_cdf(low) if low < 0.0 else _normal_cdf(-low) - _normal_cdf(-high)


@njit(inline="always")
def _outside(lower: float, upper: float, factor: NDArray[np.float64]) -> float:
    """Probability that a component is not between two bounds: ``lower`` is minus ``upper``, or minus infinity.

    Given all but two of the independent normals, the region is bounded by lines; what is beyond them is integrated from
    corner to corner. What is outside is summed up, not taken from 1: a p-value of 1e-12 has no digits there.
    """
    size = factor.shape[0]
    rank = np.int64(0)
    for column in range(size):
        carried = False
        for k in range(size):
            carried |= factor[k, column] != 0.0
        rank += np.int64(carried)
    if rank == 1:
        return _normal_cdf(lower) + _normal_cdf(-upper)
    farther = 1.0
    if upper > FARTHEST:
        farther = _normal_cdf(-upper) / _normal_cdf(-FARTHEST)
        lower = max(lower, -FARTHEST) if lower > -np.inf else lower
        upper = FARTHEST
    reach = max(REACH, upper + FURTHER)
    step = 2.0 * REACH / max(NODES[rank] - 1, 1)
    nodes = NODES[rank] + 2 * math.ceil((reach - REACH) / step)
    least = 1e-12 * math.exp(-0.5 * max(upper, 0.0) ** 2)
    total, weight = 0.0, 0.0
    rest = np.zeros(size)
    for point in range(nodes ** (rank - 2)):
        density, number = 1.0, point
        rest[:] = 0.0
        for column in range(2, rank):
            x = (number % nodes - 0.5 * (nodes - 1)) * step
            number //= nodes
            density *= math.exp(-0.5 * x * x)
            for k in range(size):
                rest[k] += factor[k, column] * x
        if density > least:
            total += density * _beyond_lines(lower, upper, factor, rest, reach)
        weight += density
    return farther * total / weight


@njit(inline="always")
def _beyond_lines(
    lower: float, upper: float, factor: NDArray[np.float64], rest: NDArray[np.float64], reach: float
) -> float:
    """Probability that not ``lower < factor[:, 0] u + factor[:, 1] x + rest < upper`` for standard normal u and x."""
    size = factor.shape[0]
    intercepts, slopes = np.empty((2, 2 * size)), np.empty((2, 2 * size))  # of bounds on u: below, above
    counts = np.zeros(2, np.int64)
    left, right = -reach, reach
    for k in range(size):
        lead, tilt = factor[k, 0], factor[k, 1]
        for bound, above in ((lower, 0), (upper, 1)):
            if np.isinf(bound):
                continue
            if abs(lead) > 1e-12:
                side = above if lead > 0.0 else 1 - above
                intercepts[side, counts[side]] = (bound - rest[k]) / lead
                slopes[side, counts[side]] = -tilt / lead
                counts[side] += 1
            elif abs(tilt) > 1e-12:
                at = (bound - rest[k]) / tilt
                if (tilt > 0.0) == (above == 1):
                    right = min(right, at)
                else:
                    left = max(left, at)
            elif (above == 1 and rest[k] > bound) or (above == 0 and rest[k] < bound):
                return 1.0
    if left >= right:
        return 1.0
    levels, tilts = np.empty(2), np.empty(2)
    total, x = 0.0, left
    while x < right:
        end = min(right, x + PIECE)
        levels[0], levels[1], tilts[0], tilts[1] = -np.inf, np.inf, 0.0, 0.0
        for side in range(2):
            sign = 1.0 if side == 1 else -1.0
            best = np.inf
            for j in range(counts[side]):
                height = sign * (intercepts[side, j] + slopes[side, j] * (x + NEAR))
                if height < best:
                    best = height
                    levels[side], tilts[side] = intercepts[side, j], slopes[side, j]
            for j in range(counts[side]):
                if sign * slopes[side, j] < sign * tilts[side]:
                    corner = (intercepts[side, j] - levels[side]) / (tilts[side] - slopes[side, j])
                    if corner > x + NEAR:
                        end = min(end, corner)
        for side in range(2):  # a steep bound is stepped through where it is neither far below nor far above
            height, steep = levels[side] + tilts[side] * x, abs(tilts[side])
            if steep > 1.0 and abs(height) <= FAR:
                end = min(end, x + PIECE / steep)
            elif steep > 1.0 and height * tilts[side] < 0.0:
                end = min(end, x + (abs(height) - FAR) / steep + NEAR)
        if counts[0] and counts[1] and tilts[0] != tilts[1]:
            corner = (levels[0] - levels[1]) / (tilts[1] - tilts[0])
            if corner > x + NEAR:
                end = min(end, corner)
        middle, half = 0.5 * (x + end), 0.5 * (end - x)
        if levels[0] + tilts[0] * middle < levels[1] + tilts[1] * middle:
            for node in range(GAUSS_NODES.size):
                at = middle + half * GAUSS_NODES[node]
                outside = _normal_cdf(levels[0] + tilts[0] * at) + _normal_cdf(-levels[1] - tilts[1] * at)
                total += half * GAUSS_WEIGHTS[node] * math.exp(-0.5 * at * at) * outside
        else:
            total += 2.5066282746310002 * _normal_between(x, end)
        x = end
    ends = (_normal_cdf(left) if left > -reach else 0.0) + (_normal_cdf(-right) if right < reach else 0.0)
    return ends + total * 0.3989422804014327
