"""Event times from unit exponentials: every distribution becomes a table of its cumulative hazard."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.survival.distributions import as_piecewise_exponential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.survival.distributions import Distribution

TAIL = 1e-7
HORIZONS = 2.0 ** np.arange(-20, 30, 0.125)
PIECES = 1000
GUIDE = 1024


class HazardTables(NamedTuple):
    """Cumulative hazards, linear between knots; the table of member m and cell c is number m * cells + c.

    `hazard` and `time` hold the knots' cumulative hazards and months, `months_per_hazard` the inverse rate from a knot
    on, `first` the position of each table's first knot, with one entry more than there are tables. Cell g of a table's
    `guide` holds its last knot at or below the cumulative hazard H with H / (1 + H) = g / 1024: a search starts there.
    """

    hazard: NDArray[np.float64]
    time: NDArray[np.float64]
    months_per_hazard: NDArray[np.float64]
    first: NDArray[np.int64]
    guide: NDArray[np.int64]
    cells: int


def hazard_tables(by_member: Sequence[Sequence[Distribution]]) -> HazardTables:
    """Tables of the distributions of each member's cells.

    A piecewise-exponential distribution is kept exactly; any other is followed at 1,000 quantiles and 1,000 times up to
    a time that all but 1e-7 of its events precede, and keeps its last rate from there on.
    """
    knots = [_knots(distribution) for cells in by_member for distribution in cells]
    sizes = [len(hazard) for hazard, _, _ in knots]
    hazard, time, inverse = (np.concatenate(column) for column in zip(*knots, strict=True))
    first = np.concatenate(([0], np.cumsum(sizes)))
    share = np.arange(GUIDE) / GUIDE
    edges = share / (1 - share) * (1 - 1e-12)
    starts = [first[table] + np.searchsorted(knot[0], edges, side="right") - 1 for table, knot in enumerate(knots)]
    guide = np.maximum(np.concatenate(starts), np.repeat(first[:-1], GUIDE))
    return HazardTables(hazard, time, inverse, first, guide, len(by_member[0]))


def _knots(distribution: Distribution) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    changes = distribution.change_points
    failed = 1.0 - np.asarray(distribution.survival(HORIZONS))
    latest = float(HORIZONS[np.argmax(failed >= failed[-1] * (1.0 - TAIL))])
    beyond_changes = float(changes[-1]) + max(1.0, float(changes[-1])) if changes.size else 0.0
    pieces = as_piecewise_exponential(distribution, max(latest, beyond_changes), PIECES)
    time = np.concatenate(([0.0], pieces.breaks))
    hazard = np.concatenate(([0.0], np.cumsum(pieces.rates[:-1] * np.diff(time))))
    with np.errstate(divide="ignore", over="ignore"):
        return hazard, time, 1.0 / np.asarray(pieces.rates)


@njit(inline="always")
def inverse_hazard(tables: HazardTables, table: int, cumulative: float) -> float:
    """Time at which a table reaches a cumulative hazard; inf if never."""
    knot = tables.guide[table * GUIDE + int(GUIDE * (cumulative / (1.0 + cumulative)))]
    last = tables.first[table + 1] - 1
    while knot < last and tables.hazard[knot + 1] <= cumulative:
        knot += 1
    if tables.months_per_hazard[knot] == np.inf:
        return np.inf
    return float(tables.time[knot] + (cumulative - tables.hazard[knot]) * tables.months_per_hazard[knot])


@njit(inline="always")
def cumulative_hazard(tables: HazardTables, table: int, time: float) -> float:
    """Cumulative hazard that a table has reached by a time."""
    low, high = tables.first[table], tables.first[table + 1]
    while high - low > 1:
        middle = (low + high) // 2
        if tables.time[middle] <= time:
            low = middle
        else:
            high = middle
    return float(tables.hazard[low] + (time - tables.time[low]) / tables.months_per_hazard[low])


@njit(nogil=True, cache=True, error_model="numpy")
def event_times(
    tables: HazardTables, member: NDArray[np.int64], bounds: NDArray[np.int64], exponential: NDArray[np.float64]
) -> None:
    """Turn unit exponentials, shape (trials, n), into event times in place; columns are those of a `Population`."""
    for trial in range(exponential.shape[0]):
        for cell in range(tables.cells):
            table = member[trial] * tables.cells + cell
            if tables.first[table + 1] - tables.first[table] == 1:
                months = tables.months_per_hazard[tables.first[table]]
                for i in range(bounds[cell], bounds[cell + 1]):
                    exponential[trial, i] *= months
            else:
                for i in range(bounds[cell], bounds[cell + 1]):
                    exponential[trial, i] = inverse_hazard(tables, table, exponential[trial, i])


@njit(nogil=True, cache=True, error_model="numpy")
def event_times_after(
    tables: HazardTables,
    member: NDArray[np.int64],
    bounds: NDArray[np.int64],
    start: NDArray[np.float64],
    exponential: NDArray[np.float64],
) -> None:
    """Event times given no event before `start`, shape (trials, n), in place of unit exponentials."""
    for trial in range(exponential.shape[0]):
        for cell in range(tables.cells):
            table = member[trial] * tables.cells + cell
            for i in range(bounds[cell], bounds[cell + 1]):
                reached = cumulative_hazard(tables, table, start[trial, i])
                exponential[trial, i] = inverse_hazard(tables, table, reached + exponential[trial, i])
