"""Whole numbers of events and censorings that follow a drawn curve and empty the risk table exactly.

The follow-up of an arm is cut into cells, at the digitised times and at the ticks of the risk table; the cells between
two ticks are an interval. Within a cell the events come first, anywhere in it, and the censorings after them; so the
Kaplan-Meier estimate at the end of a cell is the product of ``(n - d) / n`` over the cells up to there, whatever the
times of the censorings.

Of the patients censored in an interval, the part ``elapsed ** exp(lateness)`` has left when the part ``elapsed`` of the
interval has passed: evenly at a lateness of 0, towards its end above 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray

TRIES = 60
SHIFTS = 18  # of the lateness of all intervals, each way
STEP = 0.1
HALF = 0.5 + 1e-9  # rounding does not hang on the last bit of a percentage


@njit(cache=True, nogil=True)
def follow(
    cells: tuple[int, int],
    n: int,
    survival: float,
    target: FloatArray,
    elapsed: FloatArray,
    power: float,
    leaving: int,
    censored: int,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> tuple[int, float, float]:  # pragma: no cover - compiled
    """Go through the cells of an interval: in each, the events that bring the curve nearest to its target.

    Counts are written to ``events`` and ``censorings``; returned are the patients and the survival that are left, and
    the sum of squared distances between curve and target.
    """
    died = gone = 0
    misfit = 0.0
    for k in range(cells[0], cells[1]):
        d = 0
        if n > 0 and survival > 0.0:
            d = min(max(int(np.floor(n * (1.0 - target[k] / survival) + HALF)), 0), leaving - died, n)
            died += d
            survival *= (n - d) / n
        n -= d
        c = min(int(np.floor(censored * elapsed[k] ** power + HALF)) - gone, n)
        gone += c
        n -= c
        events[k] = d
        censorings[k] = c
        misfit += (survival - target[k]) ** 2
    return n, survival, misfit


@inner
def empty_interval(
    cells: tuple[int, int],
    n: int,
    survival: float,
    target: FloatArray,
    elapsed: FloatArray,
    lateness: float,
    leaving: int,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> tuple[int, float, float]:  # pragma: no cover - compiled
    """Let exactly ``leaving`` patients go within an interval, with the fewest censorings that make up the number.

    More censorings mean hardly fewer events, so that adding what is missing, from none upwards, converges.
    """
    power = np.exp(lateness)
    censored = 0
    left, end, misfit = n, survival, 0.0
    for _ in range(TRIES):
        left, end, misfit = follow(cells, n, survival, target, elapsed, power, leaving, censored, events, censorings)
        missing = leaving - (n - left)
        if missing == 0:
            return left, end, misfit
        censored = min(max(censored + missing, 0), leaving)
    missing = leaving - (n - left)  # swings between two numbers: the last cells give way
    for k in range(cells[1] - 1, cells[0] - 1, -1):
        more = max(missing, -censorings[k])
        censorings[k] += more
        left -= more
        missing -= more
    return left, end, misfit


@njit(cache=True, nogil=True)
def choose_lateness(
    n: int,
    starts: NDArray[np.int64],
    leaving: NDArray[np.int64],
    target: FloatArray,
    elapsed: FloatArray,
    candidates: FloatArray,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> FloatArray:  # pragma: no cover - compiled
    """Choose, for one interval after the other, the candidate with which whole patients follow the curve best.

    The size of a step tells how many patients are at risk, and so when the others were censored. ``candidates`` has
    shape ``(tries, intervals)``.
    """
    chosen = np.zeros(leaving.size)
    survival = 1.0
    for i in range(leaving.size):
        cells = (starts[i], starts[i + 1])
        best = np.inf
        for j in range(candidates.shape[0]):
            misfit = empty_interval(
                cells, n, survival, target, elapsed, candidates[j, i], leaving[i], events, censorings
            )[2]
            if misfit < best:
                best, chosen[i] = misfit, candidates[j, i]
        n, survival, _ = empty_interval(cells, n, survival, target, elapsed, chosen[i], leaving[i], events, censorings)
    return chosen


@njit(cache=True, nogil=True)
def fill(
    n: int,
    starts: NDArray[np.int64],
    leaving: NDArray[np.int64],
    target: FloatArray,
    elapsed: FloatArray,
    lateness: FloatArray,
    total: int,
    slack: float,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> int:  # pragma: no cover - compiled
    """Fill all intervals one after the other, and return the number of events.

    In the last one, whoever is not to die is censored, if the curve still comes down to within ``slack`` of its end: at
    a survival of 0 any number of censorings makes up the number of patients.
    """
    survival = 1.0
    for i in range(leaving.size - 1):
        n, survival, _ = empty_interval(
            (starts[i], starts[i + 1]), n, survival, target, elapsed, lateness[i], leaving[i], events, censorings
        )
    i = leaving.size - 1
    cells = (starts[i], starts[i + 1])
    due = total - events[: starts[i]].sum()
    if 0 <= due <= leaving[i]:
        power, spared = np.exp(lateness[i]), leaving[i] - due
        for _ in range(4):  # at a survival of 0, who was to be censored in the last cell dies in it
            left, end, _ = follow(cells, n, survival, target, elapsed, power, leaving[i], spared, events, censorings)
            excess = events.sum() - total
            if left == n - leaving[i] and end <= target[-1] + slack and excess == 0:
                return total
            spared = min(max(spared + excess, 0), leaving[i])
    empty_interval(cells, n, survival, target, elapsed, lateness[i], leaving[i], events, censorings)
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
    slack: float,
    events: NDArray[np.int64],
    censorings: NDArray[np.int64],
) -> int:  # pragma: no cover - compiled
    """Fill all intervals so that the events add up to ``total``, as nearly as can be, and return their number.

    The later patients are censored, the more are at risk and the more events a drop of the curve takes: so all
    intervals are made later or earlier alike, as little as will do. Where that is not enough the curve is bent,
    ``target ** bend``, by at most ``slack``.
    """
    found = 0
    nearest = n + 1
    best = 0.0
    for step in range(2 * SHIFTS + 1):
        shift = STEP * ((step + 1) // 2) * (1 if step % 2 else -1)
        found = fill(n, starts, leaving, target, elapsed, lateness + shift, total, slack, events, censorings)
        if found == total:
            return found
        if abs(found - total) < nearest:
            nearest, best = abs(found - total), shift
    low, high = 1.0 - np.e * slack, 1.0 + np.e * slack  # S ** (1 + x) differs from S by at most x / e
    for _ in range(TRIES):
        bend = (low + high) / 2
        found = fill(n, starts, leaving, target**bend, elapsed, lateness + best, total, slack, events, censorings)
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
    """Give each patient a time: ``within`` (uniform from 0 to 1, one per patient) says where in its cell.

    Events are anywhere in it, each whatever the others are, and drawn in their order: each is the earliest of those
    still to come. Spread evenly they would be known better than they are. Censorings follow them, evenly. The last
    patient leaves at the end of the curve.
    """
    i = 0
    start = 0.0
    for k in range(edges.size):
        d, c = events[k], censorings[k]
        last = start
        for m in range(d):
            last = edges[k] - (edges[k] - last) * (1 - within[i]) ** (1 / (d - m))
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
