"""Matrices in one fixed order of operations, and logarithms by the C library.

BLAS, LAPACK and NumPy's own transcendental functions choose their code by the processor, and differ in the last digit
between machines. A repair of patients goes on from such digits, so that another machine would give other members; these
give every machine the same bits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray

SWEEPS = 30

_LOG = np.frompyfunc(lambda x: math.log(x) if x > 0 else -math.inf, 1, 1)
_EXP = np.frompyfunc(math.exp, 1, 1)


def log(values: ArrayLike) -> Any:
    """Natural logarithm, -inf at 0: a float of a number, an array of an array."""
    return np.asarray(_LOG(values), dtype=np.float64)[()]


def exp(values: ArrayLike) -> Any:
    """Exponential function: a float of a number, an array of an array."""
    return np.asarray(_EXP(values), dtype=np.float64)[()]


@njit(cache=True, nogil=True)
def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Matrix product, shape (n, k) by (k, m)."""
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            factor = a[i, k]
            if factor != 0.0:
                for j in range(b.shape[1]):
                    out[i, j] += factor * b[k, j]
    return out


@njit(cache=True, nogil=True)
def root_and_inverse(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cholesky factor (lower) and inverse of a symmetric positive definite matrix; ValueError if it is not one."""
    size = matrix.shape[0]
    rest, upper = matrix.copy(), np.zeros((size, size))  # the factor's transpose, so that rows are contiguous
    for k in range(size):
        if not rest[k, k] > 0.0:
            raise ValueError("the covariance is not positive definite")
        pivot = math.sqrt(rest[k, k])
        for j in range(k, size):
            upper[k, j] = rest[k, j] / pivot
        for i in range(k + 1, size):
            factor = upper[k, i]
            if factor != 0.0:
                for j in range(i, size):
                    rest[i, j] -= factor * upper[k, j]
    inverse = np.eye(size)
    for k in range(size):  # forward: divides by the factor
        for j in range(k + 1):
            inverse[k, j] /= upper[k, k]
        for i in range(k + 1, size):
            factor = upper[k, i]
            if factor != 0.0:
                for j in range(k + 1):
                    inverse[i, j] -= factor * inverse[k, j]
    for k in range(size - 1, -1, -1):  # backward: divides by its transpose
        for i in range(k + 1, size):
            factor = upper[k, i]
            if factor != 0.0:
                for j in range(size):
                    inverse[k, j] -= factor * inverse[i, j]
        for j in range(size):
            inverse[k, j] /= upper[k, k]
    return upper.T.copy(), (inverse + inverse.T) / 2


@njit(cache=True, nogil=True)
def positive_part(matrices: FloatArray) -> FloatArray:
    """Symmetric matrices without their directions of negative variance, shape (k, n, n), by Jacobi's rotations."""
    out = matrices.copy()
    size = matrices.shape[1]
    for one in out:
        vectors = np.eye(size)
        for _ in range(SWEEPS):
            off, scale = 0.0, 0.0
            for p in range(size):
                scale += abs(one[p, p])
                for q in range(p):
                    off += abs(one[p, q])
            if off <= 1e-15 * scale:
                break
            for p in range(size - 1):
                for q in range(p + 1, size):
                    if one[p, q] == 0.0:
                        continue
                    theta = (one[q, q] - one[p, p]) / (2.0 * one[p, q])
                    t = math.copysign(1.0, theta) / (abs(theta) + math.sqrt(theta * theta + 1.0))
                    c = 1.0 / math.sqrt(t * t + 1.0)
                    s = t * c
                    for k in range(size):
                        left, right = one[k, p], one[k, q]
                        one[k, p], one[k, q] = c * left - s * right, s * left + c * right
                        left, right = vectors[k, p], vectors[k, q]
                        vectors[k, p], vectors[k, q] = c * left - s * right, s * left + c * right
                    for k in range(size):
                        left, right = one[p, k], one[q, k]
                        one[p, k], one[q, k] = c * left - s * right, s * left + c * right
        for i in range(size):
            one[i, i] = max(one[i, i], 0.0)
        kept = np.zeros((size, size))
        for k in range(size):
            for i in range(size):
                for j in range(size):
                    kept[i, j] += vectors[i, k] * one[k, k] * vectors[j, k]
        one[:] = kept
    return out
