"""Exact distributions of two-by-two tables: given both margins, and over the unknown common rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray

SAME = 1 + 1e-7
"""Two probabilities closer than this, as a ratio, are tied: as in R's ``fisher.test``."""
COMMON_RATES = np.linspace(0.0005, 0.9995, 1999)
"""The common rates over which an unconditional p-value is largest."""


def conditional(
    patients: Sequence[int], controls: Sequence[int], responders: Sequence[int]
) -> tuple[NDArray[np.int64], FloatArray]:
    """Give the responders of the first group that all margins allow, and their log-probabilities without effect.

    Parameters
    ----------
    patients, controls, responders
        Of each stratum: the size of the first group, of the second, and the responders of both.
    """
    low, weight = 0, np.ones(1)
    for n, m, k in zip(patients, controls, responders, strict=True):
        first = max(0, k - m)
        weight = np.convolve(weight, stats.hypergeom.pmf(np.arange(first, min(k, n) + 1), n + m, k, n))
        low += first
    with np.errstate(divide="ignore"):
        return np.arange(low, low + len(weight)), np.log(weight)


def fisher_tails(n: int, m: int) -> FloatArray:
    """One-sided p of Fisher's exact test that the first rate is higher, for every table, shape ``(n + 1, m + 1)``."""
    x, y = np.arange(n + 1)[:, None], np.arange(m + 1)[None, :]
    return np.asarray(stats.hypergeom.sf(x - 1, n + m, x + y, n), dtype=float)


def unconditional_tails(n: int, m: int) -> FloatArray:
    """One-sided p-values of Boschloo's test, for every table: Fisher's p, largest over the common rate.

    Boschloo 1970, Statistica Neerlandica 24:1. The largest is taken over 1,999 common rates.
    """
    fisher = fisher_tails(n, m)
    order = np.argsort(fisher, axis=None, kind="stable")
    ranked = fisher.ravel()[order]
    last = np.searchsorted(ranked, ranked * SAME, side="right") - 1  # of the tables that are tied with each
    largest = np.zeros(ranked.size)
    for first, second in zip(binomial(n, COMMON_RATES[:, None]), binomial(m, COMMON_RATES[:, None]), strict=True):
        below = np.cumsum(np.outer(first, second).ravel()[order])
        np.maximum(largest, below[last], out=largest)
    found = np.empty_like(largest)
    found[order] = np.minimum(largest, 1.0)
    return found.reshape(fisher.shape)


def binomial(n: int, rate: float | FloatArray) -> FloatArray:
    """Probabilities of 0 to `n` responders; a row for each of a column of rates."""
    return np.asarray(stats.binom.pmf(np.arange(n + 1), n, rate), dtype=float)


def tilted(counts: NDArray[np.int64], log_weight: FloatArray, log_odds_ratio: float) -> FloatArray:
    """Probabilities of the counts at another odds ratio."""
    exponent = log_weight + log_odds_ratio * (counts - counts[0])
    return np.asarray(np.exp(exponent - special.logsumexp(exponent)), dtype=float)
