"""Event times from unit exponentials: every distribution becomes a table of its cumulative hazard."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.survival.distributions import members_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.survival.distributions import Distribution

KNOTS = np.unique(np.concatenate([np.geomspace(1e-9, 1.0, 1400), np.linspace(1, 8, 500), np.linspace(8, 40, 400)]))
"""Cumulative hazards at which a smooth curve is followed: 1.5% apart where few have failed, to 40, the end of all."""
GUIDE = (64, 1024)
"""Fewest and most cells of a guide: about one a knot."""
HAZARD, TIME, MONTHS_PER_HAZARD = range(3)
"""Columns of the knots."""


class HazardTables(NamedTuple):
    """Cumulative hazards, linear between knots; the table of member m and cell c is number m * cells + c.

    `knots` hold, side by side as a search reads them, the knots' cumulative hazards, months, and the inverse rate from
    a knot on; `first` is the position of each table's first knot, with one entry more than there are tables. Cell g of
    the G of a table's row of `guide` holds how many knots after the first one its last knot is at or below the
    cumulative hazard H with H / (1 + H) = g / G: a search starts there. An ensemble's tables are many, and each trial
    reads others: they are kept small.
    """

    knots: NDArray[np.float64]
    first: NDArray[np.int64]
    guide: NDArray[np.int32]
    cells: int
    members: int


def hazard_tables(by_cell: Sequence[Distribution]) -> HazardTables:
    """Tables of the distributions of a population's cells, one a cell and member of its ensembles.

    A piecewise-exponential distribution is kept exactly. Any other is followed at knots on the scale of its cumulative
    hazard, so that a tail of any weight is as fine as the rest: between knots, the error in the probability of an event
    is below 1e-5.
    """
    members = max(len(members_of(distribution)) for distribution in by_cell)
    tables = [members_of(each)[m % len(members_of(each))] for m in range(members) for each in by_cell]
    knots = [_knots(distribution) for distribution in tables]
    first = np.concatenate(([0], np.cumsum([len(knot) for knot in knots])))
    cells = int(min(max(2 ** np.ceil(np.log2(max(map(len, knots)))), GUIDE[0]), GUIDE[1]))
    share = np.arange(cells) / cells
    edges = share / (1 - share) * (1 - 1e-12)
    guide = np.array([np.searchsorted(knot[:, HAZARD], edges, side="right") - 1 for knot in knots])
    return HazardTables(np.concatenate(knots), first, np.maximum(guide, 0).astype(np.int32), len(by_cell), members)


def _knots(distribution: Distribution) -> NDArray[np.float64]:
    """Cumulative hazard, months and inverse rate at each knot, shape (knots, 3)."""
    time = np.concatenate([[0.0], distribution.change_points])
    exact = np.isinf(distribution.piecewise_exponential_until)
    if not exact:
        followed = distribution.inverse_cumulative_hazard(KNOTS)
        time = np.unique(np.concatenate([time, followed[np.isfinite(followed)]]))
    hazard = np.maximum.accumulate(distribution.cumulative_hazard(time))
    known = np.isfinite(hazard)
    time, hazard = time[known], hazard[known]
    if exact:
        rate = np.asarray(distribution.hazard(time))
    else:
        rate = np.diff(hazard) / np.diff(time)
        rate = np.append(rate, _rate_beyond(distribution, float(time[-1]), float(hazard[-1])))
    with np.errstate(divide="ignore", over="ignore"):
        return np.column_stack([hazard, time, 1.0 / rate])


def _rate_beyond(distribution: Distribution, time: float, hazard: float) -> float:
    """Rate after the last knot: 0 where the rest never fail, else that of the next unit of cumulative hazard."""
    later = float(distribution.inverse_cumulative_hazard(hazard + 1.0))
    return 0.0 if np.isinf(later) else 1.0 / max(later - time, np.finfo(float).tiny)


@njit(inline="always")
def inverse_hazard(tables: HazardTables, table: int, cumulative: float) -> float:
    """Time at which a table reaches a cumulative hazard; inf if never."""
    knots, guide = tables.knots, tables.guide
    knot = tables.first[table] + guide[table, int(guide.shape[1] * (cumulative / (1.0 + cumulative)))]
    last = tables.first[table + 1] - 1
    while knot < last and knots[knot + 1, HAZARD] <= cumulative:
        knot += 1
    if knots[knot, MONTHS_PER_HAZARD] == np.inf:
        return np.inf
    return float(knots[knot, TIME] + (cumulative - knots[knot, HAZARD]) * knots[knot, MONTHS_PER_HAZARD])


@njit(inline="always")
def cumulative_hazard(tables: HazardTables, table: int, time: float) -> float:
    """Cumulative hazard that a table has reached by a time."""
    low, high = tables.first[table], tables.first[table + 1]
    while high - low > 1:
        middle = (low + high) // 2
        if tables.knots[middle, TIME] <= time:
            low = middle
        else:
            high = middle
    hazard, reached, months_per_hazard = tables.knots[low]
    return float(hazard + (time - reached) / months_per_hazard)


@njit(nogil=True, cache=True, error_model="numpy")
def event_times(
    tables: HazardTables, member: NDArray[np.int64], bounds: NDArray[np.int64], exponential: NDArray[np.float64]
) -> None:
    """Turn unit exponentials, shape (trials, n), into event times in place; columns are those of a `Population`."""
    for trial in range(exponential.shape[0]):
        for cell in range(tables.cells):
            table = (member[trial] % tables.members) * tables.cells + cell
            if tables.first[table + 1] - tables.first[table] == 1:
                months = tables.knots[tables.first[table], MONTHS_PER_HAZARD]
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
            table = (member[trial] % tables.members) * tables.cells + cell
            for i in range(bounds[cell], bounds[cell + 1]):
                reached = cumulative_hazard(tables, table, start[trial, i])
                exponential[trial, i] = inverse_hazard(tables, table, reached + exponential[trial, i])
