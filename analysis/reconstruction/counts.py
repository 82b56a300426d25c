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
SHIFTS = 18  # of the censorings towards the end or the beginning of their intervals, each way
STEP = 0.1


@njit(cache=True, nogil=True)
def follow(
    first: int,
    last: int,
    n: int,
    survival: float,
    target: FloatArray,
    share: FloatArray,
    leaving: int,
    censored: int,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> tuple[int, float]:  # pragma: no cover - compiled
    """Go through the cells ``first`` to ``last - 1``: in each, the events that bring the curve nearest to its target.

    ``share`` is the part of the interval's ``censored`` patients that have left by the end of the cell. Counts are
    written to ``events`` and ``censorings``; returned are the patients and the survival that are left.
    """
    died = gone = 0
    for k in range(first, last):
        d = 0
        if n > 0 and survival > 0.0:
            d = min(max(int(np.floor(n * (1.0 - target[k] / survival) + 0.5)), 0), leaving - died, n)
            died += d
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
        left, end = follow(first, last, n, survival, target, share, leaving, censored, events, censorings)
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
    return int(events.sum())


@njit(cache=True, nogil=True)
def fill_exactly(
    n: int,
    starts: NDArray[np.int64],
    leaving: NDArray[np.int64],
    target: FloatArray,
    elapsed: FloatArray,
    lateness: FloatArray,
    total: int,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> int:  # pragma: no cover - compiled
    """Fill all intervals so that the events add up to ``total`` (-1: as many as there are), and return their number.

    Of an interval's censored patients the part ``elapsed ** exp(lateness)`` has left by the end of a cell. The later
    they leave, the more patients are at risk and the more events a drop of the curve takes: so all intervals are made
    later or earlier alike, as little as will do. Where that is not enough the curve is bent, ``target ** bend``.
    """
    share = np.empty_like(elapsed)
    found = 0
    nearest = n + 1
    best = 0.0
    for step in range(2 * SHIFTS + 1):
        shift = STEP * ((step + 1) // 2) * (1 if step % 2 else -1)
        _shares(starts, elapsed, lateness, shift, share)
        found = fill(n, starts, leaving, target, share, events, censorings)
        if total < 0 or found == total:
            return found
        if abs(found - total) < nearest:
            nearest, best = abs(found - total), shift
    _shares(starts, elapsed, lateness, best, share)
    low, high = 0.25, 4.0
    for _ in range(TRIES):
        bend = np.sqrt(low * high)
        found = fill(n, starts, leaving, target**bend, share, events, censorings)
        if found == total:
            break
        if found < total:
            low = bend
        else:
            high = bend
    return found


@njit(cache=True, nogil=True)
def place(
    edges: FloatArray,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
    within: FloatArray,
    time: FloatArray,
    event: NDArray[np.bool_],
) -> None:  # pragma: no cover - compiled
    """Give each patient a time: ``within`` (0 to 1, one per patient) is its place in its even share of the cell.

    The last patient leaves at the end of the curve.
    """
    i = 0
    start = 0.0
    for k in range(edges.size):
        d, c = events[k], censorings[k]
        last = start
        for m in range(d):
            last = start + (edges[k] - start) * (m + within[i]) / d
            time[i] = last
            event[i] = True
            i += 1
        for m in range(c):
            time[i] = last + (edges[k] - last) * (m + within[i]) / c
            event[i] = False
            i += 1
        start = edges[k]
    if i > 0:
        time[i - 1] = edges[-1]


@njit(cache=True, nogil=True)
def _shares(
    starts: NDArray[np.int64], elapsed: FloatArray, lateness: FloatArray, shift: float, share: FloatArray
) -> None:  # pragma: no cover - compiled
    for i in range(lateness.size):
        power = np.exp(lateness[i] + shift)
        for k in range(starts[i], starts[i + 1]):
            share[k] = elapsed[k] ** power
