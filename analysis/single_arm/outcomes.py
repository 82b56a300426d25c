"""Every way a binomial design can end, with what does not depend on the response rate."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from analysis.conventions.display import short_repr
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = NDArray[np.float64]


class Stages(Protocol):
    """What ends a binomial design: patients at each look, and counts that stop it."""

    @property
    def looks(self) -> Sequence[int]:
        """Patients evaluated at each look, cumulative."""

    @property
    def futility(self) -> Sequence[int]:
        """Largest number of responders that stops the trial at each look."""

    @property
    def efficacy(self) -> Sequence[int | None]:
        """Smallest number of responders that stops the trial and rejects, at each look but the last."""

    @property
    def critical(self) -> int:
        """Smallest number of responders that rejects at the last look."""


class Outcomes(NamedTuple):
    """Every way a design can end: after ``n`` patients with ``responders`` of them.

    ``weight`` is the probability that the stages before let the trial come so far given these responders: it does not
    depend on the response rate, so that the probability of an outcome is ``weight`` times a binomial probability.
    ``umvue`` is the expected rate of the first stage given the outcome: the uniformly minimum-variance unbiased
    estimate.
    """

    n: NDArray[np.int64]
    responders: NDArray[np.int64]
    rejects: NDArray[np.bool_]
    weight: FloatArray
    umvue: FloatArray

    def __repr__(self) -> str:
        return short_repr(self)

    def probability(self, rate: ArrayLike) -> FloatArray:
        """Probability of each outcome, shape (number of rates, number of outcomes)."""
        rates = np.atleast_1d(np.asarray(rate, dtype=float))
        if not np.all((rates >= 0) & (rates <= 1)):
            raise InvalidValueError("true_rate", rate, "rates in [0, 1]", "give rates as fractions, not per cent")
        return np.asarray(self.weight * stats.binom.pmf(self.responders, self.n, rates[:, None]))


@lru_cache(maxsize=1024)
def outcomes(design: Stages) -> Outcomes:
    """Find every way the design can end, look after look.

    Given the responders at a look, those at the look before are hypergeometric whatever the response rate (Jung and
    Kim 2004, Statistics in Medicine 23:881-896), so that one pass serves all rates.
    """
    parts: list[tuple[Any, ...]] = []
    weight, first_rate = np.ones(design.looks[0] + 1), np.arange(design.looks[0] + 1) / design.looks[0]
    for k, n in enumerate(design.looks):
        x = np.arange(n + 1)
        last = k + 1 == len(design.looks)
        reject_at = design.critical if last else design.efficacy[k]
        rejects = x >= (n + 1 if reject_at is None else reject_at)
        ends = (rejects | (x <= design.futility[k])) & (weight > 0)
        mean = np.divide(first_rate, weight, out=np.zeros_like(weight), where=weight > 0)
        parts.append((np.full(ends.sum(), n), x[ends], rejects[ends], weight[ends], mean[ends]))
        if not last:
            before = _responders_before(n, design.looks[k + 1])
            weight, first_rate = before @ np.where(ends, 0.0, weight), before @ np.where(ends, 0.0, first_rate)
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    for column in columns:
        column.setflags(write=False)
    return Outcomes(*columns)


@lru_cache(maxsize=256)
def _responders_before(n: int, n_next: int) -> FloatArray:
    """Probability of x responders (column) among the first n patients given y (row) among n_next: hypergeometric."""
    x, y = np.arange(n + 1), np.arange(n_next + 1)[:, None]
    possible = (x <= y) & (y - x <= n_next - n)
    rest = np.where(possible, y - x, 0)
    log_probability = _log_choose(n, x) + _log_choose(n_next - n, rest) - _log_choose(n_next, y)
    return np.where(possible, np.exp(log_probability), 0.0)


def _log_choose(n: int, k: NDArray[Any]) -> FloatArray:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))
