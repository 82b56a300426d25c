"""Two readings made one by a third reader: whose reading of a patient stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import times
from analysis.endpoints.batch import Endpoints
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.endpoints.codes import Bools, Floats


@border
def adjudicate(first: Floats, second: Floats, third: Floats) -> tuple[Floats, Bools]:
    """Resolve two readings by a third: where they differ, the one that the third is nearer to, the first if neither is.

    To a third reading without progression the later of two progressions is the nearer.

    Parameters
    ----------
    first, second, third
        Times of progression, inf without one, shape (patients,).

    Returns
    -------
    float array, bool array
        The times that stand, and who was adjudicated.

    Examples
    --------
    >>> import numpy as np
    >>> adjudicate(np.array([4.0, 6]), np.array([4.0, np.inf]), np.array([2.0, 8]))[0].tolist()
    [4.0, 6.0]
    >>> adjudicate(np.array([4.0]), np.array([6.0]), np.array([np.inf]))[0].tolist()
    [6.0]
    """
    first, second, third = times("first", first), times("second", second), times("third", third)
    for field, given in (("second", second), ("third", third)):
        if given.shape != first.shape:
            expected = f"one for each of {first.size} patients"
            raise InvalidValueError(field, given.shape, expected, "give the readings of the same patients")
    return np.where(_lead(first, second, third) > 0, second, first), first != second


def _lead(first: Floats, second: Floats, third: Floats) -> Floats:
    """Months by which the second reading is nearer to the third than the first is; where the third is inf, later."""
    last = np.finfo(float).max
    one, other, decisive = (np.minimum(seen, last) for seen in (first, second, third))
    months: Floats = np.where(decisive == last, other - one, np.abs(one - decisive) - np.abs(other - decisive))
    return months


def readings_differ(first: Endpoints, second: Endpoints) -> Bools:
    """Whether two readings differ in the date of progression or in the best response, by criterion and patient."""
    differ: Bools = (first.progression != second.progression) | (first.best != second.best)
    return differ


def adjudicated(first: Endpoints, second: Endpoints, third: Endpoints) -> Endpoints:
    """Take for each patient and criterion all endpoints of one of two readings.

    Where they differ in the date of progression or in the best response, the reading stands whose date the third
    reader's is nearer to (the later, if the third sees no progression); if both are as near, the one whose best
    response the third shares; else the first. What has no criterion (depth, growth) follows the choice by RECIST 1.1.
    """
    lead = _lead(first.progression, second.progression, third.progression)
    shared = (second.best == third.best) & (first.best != third.best)
    takes_second = readings_differ(first, second) & ((lead > 0) | ((lead == 0) & shared))
    pairs: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(first, second, strict=True))
    chosen = []
    for one, other in pairs:
        which = takes_second if one.ndim > 1 else takes_second[0]
        chosen.append(np.where(which.reshape(which.shape + (1,) * (one.ndim - which.ndim)), other, one))
    return Endpoints(*chosen)
