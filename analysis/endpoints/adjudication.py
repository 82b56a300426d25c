"""Two readings made one by a third reader: whose reading of a patient stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.endpoints.batch import Endpoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.endpoints.codes import Bools, Floats


def adjudicate(first: Floats, second: Floats, third: Floats) -> tuple[Floats, Bools]:
    """Resolve two readings by a third: where they differ, the one that the third is nearer to, the first if neither is.

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
    """
    nearer = _apart(second, third) < _apart(first, third)
    return np.where(nearer, second, first), first != second


def _apart(one: Floats, other: Floats) -> Floats:
    """Months between two progressions; 0 if there is neither."""
    last = np.finfo(float).max
    months: Floats = np.abs(np.minimum(one, last) - np.minimum(other, last))
    return months


def readings_differ(first: Endpoints, second: Endpoints) -> Bools:
    """Whether two readings differ in the date of progression or in the best response, by criterion and patient."""
    differ: Bools = (first.progression != second.progression) | (first.best != second.best)
    return differ


def adjudicated(first: Endpoints, second: Endpoints, third: Endpoints) -> Endpoints:
    """Take for each patient and criterion all endpoints of one of two readings.

    Where they differ in the date of progression or in the best response, the reading stands whose date the third
    reader's is nearer to; if both are as near, the one whose best response the third shares; else the first. What has
    no criterion (depth, growth) follows the choice by RECIST 1.1.
    """
    to_first, to_second = (_apart(seen.progression, third.progression) for seen in (first, second))
    shared = (second.best == third.best) & (first.best != third.best)
    takes_second = readings_differ(first, second) & ((to_second < to_first) | ((to_second == to_first) & shared))
    pairs: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(first, second, strict=True))
    chosen = []
    for one, other in pairs:
        which = takes_second if one.ndim > 1 else takes_second[0]
        chosen.append(np.where(which.reshape(which.shape + (1,) * (one.ndim - which.ndim)), other, one))
    return Endpoints(*chosen)
