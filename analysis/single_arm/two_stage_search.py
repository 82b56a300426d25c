"""Compiled search for the best two-stage binomial design of every size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The exact error rates are sums of at most n products: a limit met to this much is met.
ROUNDING = 1e-12


@inner
def binomial_tables(n_max: int, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tabulate ``pmf[n, x]`` and ``tail[n, x] = P(X >= x)`` for every n up to n_max, by Pascal's rule."""
    pmf = np.zeros((n_max + 1, n_max + 2))
    tail = np.zeros((n_max + 1, n_max + 3))
    pmf[0, 0] = 1.0
    for n in range(n_max + 1):
        if n > 0:
            pmf[n, 0] = pmf[n - 1, 0] * (1.0 - rate)
            for x in range(1, n + 1):
                pmf[n, x] = pmf[n - 1, x] * (1.0 - rate) + pmf[n - 1, x - 1] * rate
        for x in range(n, -1, -1):
            tail[n, x] = tail[n, x + 1] + pmf[n, x]
    return pmf, tail


@inner
def _largest_stop(tail1: NDArray[np.float64], n1: int, power: float) -> int:
    """Largest stage-1 futility count that leaves the power possible; -1 if none does."""
    r1 = -1
    while r1 + 1 < n1 and tail1[n1, r1 + 2] >= power:
        r1 += 1
    return r1


@njit(cache=True, nogil=True)
def search_futility(
    p0: float, p1: float, alpha: float, power: float, n_max: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], bool]:
    """Design with the smallest expected size under p0 for each maximum size n, stopping early for futility alone.

    A size whose best design expects no fewer patients than a smaller size's is passed over: it cannot be admissible.

    Returns
    -------
    designs
        Rows ``n1, r1, r, n``; a size without a design, or passed over, has ``n1 = 0``.
    expected
        The expected sizes.
    complete
        True if no larger n can have a smaller expected size: the first-stage futility count is limited by the power,
        so that the expected size of any design of size n is at least a bound which rises with n.
    """
    pmf0, tail0 = binomial_tables(n_max, p0)
    pmf1, tail1 = binomial_tables(n_max, p1)
    alpha, power = alpha + ROUNDING, power - ROUNDING
    log_ratio_response, log_ratio_failure = np.log(p0 / p1), np.log((1 - p0) / (1 - p1))
    largest = np.empty(n_max + 1, np.int64)
    stop_limit = np.empty(n_max + 1)
    for n1 in range(1, n_max + 1):
        largest[n1] = _largest_stop(tail1, n1, power)
        stop_limit[n1] = 1.0 - tail0[n1, largest[n1] + 1]
    designs = np.zeros((n_max + 1, 4), np.int64)
    expected = np.full(n_max + 1, np.inf)
    best = np.inf
    candidates = np.empty(n_max + 1, np.int64)
    for n in range(2, n_max + 1):
        bound = np.inf
        for n1 in range(1, n):
            bound = min(bound, n1 + (1.0 - stop_limit[n1]) * (n - n1))
        if bound >= best:
            return designs[:n], expected[:n], True
        count = 0
        for r in range(n):
            spare_power = tail1[n, r + 1] - power
            if spare_power < 0.0:
                break
                # A futility stop takes off alpha at most the likelihood ratio at r + 1 times what it takes off power.
            ratio = np.exp((r + 1) * log_ratio_response + (n - r - 1) * log_ratio_failure)
            if tail0[n, r + 1] - alpha <= ratio * spare_power:
                candidates[count] = r
                count += 1
        if count == 0:
            continue
        for n1 in range(1, n):
            if n1 + (1.0 - stop_limit[n1]) * (n - n1) >= best:
                continue
            n2 = n - n1
            for c in range(count):
                r = candidates[c]
                reject0, reject1 = tail0[n, r + 1], tail1[n, r + 1]
                r1 = -1
                while r1 + 1 <= min(r, largest[n1]):
                    x = r1 + 1
                    need = r - x + 1
                    lost = pmf1[n1, x] * tail1[n2, need] if need <= n2 else 0.0
                    if reject1 - lost < power:
                        break
                    reject1 -= lost
                    if need <= n2:
                        reject0 -= pmf0[n1, x] * tail0[n2, need]
                    r1 = x
                if r1 >= 0 and reject0 <= alpha:
                    size = n1 + tail0[n1, r1 + 1] * n2
                    if size < best:
                        best = expected[n] = size
                        designs[n, 0], designs[n, 1], designs[n, 2], designs[n, 3] = n1, r1, r, n
    return designs, expected, False


@njit(cache=True, nogil=True)
def search_futility_efficacy(
    p0: float, p1: float, alpha: float, power: float, n_max: int, under_alternative: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Design with the smallest expected size for each maximum size n, stopping early for futility or efficacy.

    Sizes that do not improve on the smaller ones are passed over.

    Returns
    -------
    designs
        Rows ``n1, r1, e1, r, n``; a size without a design, or passed over, has ``n1 = 0``.
    expected
        The expected sizes, under p1 if ``under_alternative`` and under p0 otherwise.
    """
    pmf0, tail0 = binomial_tables(n_max, p0)
    pmf1, tail1 = binomial_tables(n_max, p1)
    alpha, power = alpha + ROUNDING, power - ROUNDING
    designs = np.zeros((n_max + 1, 5), np.int64)
    expected = np.full(n_max + 1, np.inf)
    sum0, sum1 = np.zeros(n_max + 2), np.zeros(n_max + 2)
    best = np.inf
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            n2 = n - n1
            largest = _largest_stop(tail1, n1, power)
            # Under p0 at most alpha of the trials stop for efficacy; under p1 nothing but the first stage is certain.
            bound = float(n1) if under_alternative else n1 + (tail0[n1, largest + 1] - alpha) * n2
            if bound >= best:
                continue
            for r in range(n):
                # A trial that rejects has a final count above r, or a first stage above r1 + 1 >= 1.
                if tail1[n, r + 1] + tail1[n1, 2] < power:
                    break
                top = min(n1, r)
                for x in range(top + 1):
                    need = r - x + 1
                    sum0[x + 1] = sum0[x] + (pmf0[n1, x] * tail0[n2, need] if need <= n2 else 0.0)
                    sum1[x + 1] = sum1[x] + (pmf1[n1, x] * tail1[n2, need] if need <= n2 else 0.0)
                for r1 in range(min(r, largest), -1, -1):
                    e1 = top + 1
                    if e1 < r1 + 2 or sum0[e1] - sum0[r1 + 1] + tail0[n1, e1] > alpha:
                        continue
                    while e1 - 1 >= r1 + 2 and sum0[e1 - 1] - sum0[r1 + 1] + tail0[n1, e1 - 1] <= alpha:
                        e1 -= 1
                    if sum1[e1] - sum1[r1 + 1] + tail1[n1, e1] < power:
                        continue
                    tail = tail1 if under_alternative else tail0
                    size = n1 + (tail[n1, r1 + 1] - tail[n1, e1]) * n2
                    if size < best:
                        best = expected[n] = size
                        designs[n, 0], designs[n, 1], designs[n, 2] = n1, r1, e1
                        designs[n, 3], designs[n, 4] = r, n
    return designs, expected
