"""Moves the times of ordered patients between their bounds, the others going along."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray

CLEAR = 1e-3  # months within which patients who move to one bound are spread, so that those of two arms are not tied
GAP = 2e-6  # months between consecutive patients, so that no two are tied, nor taken for tied by who analyses them
BOX = 1.1  # months: bounds so near to each other are those of a printed time
DIGITS = 1e3


@njit(cache=True, nogil=True)
def move_between(time: FloatArray, low: FloatArray, high: FloatArray, work: FloatArray) -> None:
    """Move times the least that meets the bounds, neighbours along with them, order kept."""
    size = time.size
    ceiling = np.inf
    latest = work[1]
    for i in range(size - 1, -1, -1):
        ceiling = min(ceiling, high[i])
        latest[i] = ceiling
    moved = work[0]
    floor = 0.0
    old_start = new_start = 0.0
    start = -1
    for i in range(size):
        if low[i] == 0.0 and high[i] == np.inf:
            continue
        floor = max(floor, low[i])
        room = max(latest[i] - floor, 0.0)
        # the digits of the old time keep patients of two arms apart that move to the same bound, and spread those that
        # move into a box over all of it
        digits = DIGITS * time[i] - math.floor(DIGITS * time[i])
        if room < BOX and (time[i] < floor or time[i] > latest[i]):
            aim = floor + digits * room
        else:
            clear = min(CLEAR * digits + GAP * (i - start), 0.5 * room)
            aim = min(max(time[i], floor + clear), latest[i] - clear)
        floor = max(floor, aim)
        span = time[i] - old_start
        for k in range(start + 1, i):
            share = (time[k] - old_start) / span if span > 0.0 else 0.5
            moved[k] = new_start + share * (aim - new_start)
        moved[i] = aim
        start, old_start, new_start = i, time[i], aim
    shift = new_start - old_start
    for k in range(start + 1, size):
        moved[k] = max(time[k] + shift, new_start, low[size])
    time[0] = moved[0]
    for i in range(1, size):
        time[i] = moved[i] if moved[i] >= time[i - 1] + GAP else min(time[i - 1] + GAP, latest[i])


@inner
def move_back(time: FloatArray, low: FloatArray, high: FloatArray, home: FloatArray) -> None:
    """Give the free points the places from which `move_between` moves them to ``time``; bound ones keep theirs."""
    start, begin, home_begin = -1, 0.0, 0.0
    size = time.size
    for i in range(size):
        if low[i] == 0.0 and high[i] == np.inf:
            continue
        span, home_span = time[i] - begin, home[i] - home_begin
        for k in range(start + 1, i):
            share = (time[k] - begin) / span if span > 0.0 else 0.5
            home[k] = home_begin + share * home_span
        start, begin, home_begin = i, time[i], home[i]
    for k in range(start + 1, size):
        home[k] = home_begin + time[k] - begin
