"""Whole numbers of events and censorings that follow a drawn curve and empty the risk table exactly.

The follow-up of an arm is cut into cells, at the digitised times and at the ticks of the risk table. Within a cell the
events come first, evenly spaced, and the censorings after them; so the Kaplan-Meier estimate at the end of a cell is
the product of ``(n - d) / n`` over the cells up to there, whatever the times of the censorings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.survival.checks import FloatArray

TRIES = 60


@njit(cache=True, nogil=True)
def follow(
    first: int,
    last: int,
    n: int,
    survival: float,
    target: FloatArray,
    share: FloatArray,
    censored: int,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> tuple[int, float]:  # pragma: no cover - compiled
    """Go through the cells ``first`` to ``last - 1``: in each, the events that bring the curve nearest to its target.

    ``share`` is the part of the interval's ``censored`` patients that have left by the end of the cell. Counts are
    written to ``events`` and ``censorings``; returned are the patients and the survival that are left.
    """
    gone = 0
    for k in range(first, last):
        d = 0
        if n > 0 and survival > 0.0:
            d = min(max(int(np.floor(n * (1.0 - target[k] / survival) + 0.5)), 0), n)
            survival *= (n - d) / n
        n -= d
        due = int(np.floor(censored * share[k] + 0.5))
        c = min(due - gone, n)
        gone += c
        n -= c
        events[k] = d
        censorings[k] = c
    return n, survival


@njit(cache=True, nogil=True)
def empty_interval(
    first: int,
    last: int,
    n: int,
    survival: float,
    target: FloatArray,
    share: FloatArray,
    leaving: int,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> tuple[int, float]:  # pragma: no cover - compiled
    """Let exactly ``leaving`` patients go within an interval, with as many censorings as its curve leaves room for.

    The number of events hardly depends on the number of censorings, so that subtracting the excess converges; should
    it swing between two numbers, the last cells give way: a patient more or less is censored there.
    """
    censored = leaving
    left, end = n, survival
    for _ in range(TRIES):
        left, end = follow(first, last, n, survival, target, share, censored, events, censorings)
        excess = (n - left) - leaving
        if excess == 0 or (censored == 0 and excess > 0):
            break
        censored = min(max(censored - excess, 0), leaving)
    return left, end


@njit(cache=True, nogil=True)
def fill(
    n: int,
    starts: NDArray[np.int64],
    leaving: NDArray[np.int64],
    target: FloatArray,
    share: FloatArray,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> int:  # pragma: no cover - compiled
    """Fill all intervals one after the other, and return the number of events."""
    survival = 1.0
    left = n
    for i in range(leaving.size):
        left, survival = empty_interval(
            starts[i], starts[i + 1], left, survival, target, share, leaving[i], events, censorings
        )
    return events.sum()
