"""The patients of a trial on one time axis: one list of points per arm, read by every analysis in its own way.

A point is where a patient leaves an analysis: at the last data cut by an event or a censoring, at an earlier cut, if
that comes before, by a censoring. An analysis takes of its patients the first point that its cut or a later one has:
so an earlier analysis is always nested in a later one, and a subgroup in the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.terms import Boxes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.terms import RatioBoxes

    IntArray = NDArray[np.int64]


class Analyses(NamedTuple):
    """The analyses of a trial.

    ``cut`` (V,): number of the data cut, the last one being the greatest, which ``last`` (V,) repeats; ``group`` (V,):
    bit of the subgroup, -1 for all patients; ``inside`` (V,): whether it is the subgroup or its complement.
    """

    cut: IntArray
    group: IntArray
    inside: BoolArray
    strata: IntArray
    last: IntArray


class PackedBoxes(NamedTuple):
    """The boxes of every analysis and arm, one after the other; ``starts`` (V, A, 4, 2) says whose rows are which."""

    quantiles: FloatArray
    follow_up: FloatArray
    ticks: FloatArray
    landmarks: FloatArray
    starts: IntArray


class Asked(NamedTuple):
    """What is asked of the patients of a trial: its analyses, their boxes, and the longest follow-up by data cut.

    ``ratios`` are the boxes that are searched for, ``tests`` (V, 3) those of the tests that must be met in the end.
    ``totals`` (V,) are the events of all arms together where those of each arm are open, else -1; ``open`` (A,) are the
    arms whose events at the last cut are not printed.
    """

    analyses: Analyses
    boxes: PackedBoxes
    ratios: RatioBoxes
    tests: FloatArray
    totals: IntArray
    open: BoolArray
    latest: FloatArray


class Board(NamedTuple):
    """Points and patients of one member, arm by arm.

    ``time``, ``home``, ``patient``, ``cut`` and ``odds`` (A, P) are those of the points, ``points`` (A,) their number;
    ``home`` is where the smooth path puts a point, ``time`` where its bounds do;
    ``event`` and ``group`` (bits) (A, n) those of the patients, ``size`` (A,) their number. ``odds`` is
    the log odds of an event against a censoring at a point's time.
    """

    time: FloatArray
    home: FloatArray
    patient: IntArray
    cut: IntArray
    odds: FloatArray
    points: IntArray
    event: BoolArray
    group: IntArray
    size: IntArray


class Listing(NamedTuple):
    """Room for the patients of one arm in one analysis: the ``point`` of each, its ``event``, and who was ``seen``."""

    point: IntArray
    event: BoolArray
    seen: BoolArray


@inner
def boxes_of(packed: PackedBoxes, v: int, arm: int) -> Boxes:
    """Boxes of one analysis and arm."""
    at = packed.starts[v, arm]
    return Boxes(
        packed.quantiles[at[0, 0] : at[0, 1]],
        packed.follow_up[at[1, 0] : at[1, 1]],
        packed.ticks[at[2, 0] : at[2, 1]],
        packed.landmarks[at[3, 0] : at[3, 1]],
    )


@inner
def read_analysis(board: Board, arm: int, analyses: Analyses, v: int, listing: Listing) -> int:
    """Fill the points and event flags of the patients of an analysis in order of time; returns their number."""
    point, event, seen = listing
    cut, group, last = analyses.cut[v], analyses.group[v], analyses.last[v]
    patients, points, patient, has_event = board.size[arm], board.points[arm], board.patient[arm], board.event[arm]
    if group < 0 and cut == last and points == patients:
        for k in range(patients):
            point[k] = k
            event[k] = has_event[patient[k]]
        return int(patients)
    at_cut, groups, bit, inside = board.cut[arm], board.group[arm], 1 << max(group, 0), analyses.inside[v]
    seen[:patients] = False
    size = 0
    for k in range(points):
        i = patient[k]
        if at_cut[k] < cut or seen[i]:
            continue
        seen[i] = True
        if group >= 0 and ((groups[i] & bit) != 0) != inside:
            continue
        point[size] = k
        event[size] = at_cut[k] == last and has_event[i]
        size += 1
    return size


@njit(cache=True, nogil=True)
def stratum(bits: Any, strata: int) -> Any:
    """Put the bits of a patient together that an analysis is stratified by: its stratum; of an array, one by one."""
    number, place = bits & 0, 0
    while strata > 0:
        if strata & 1:
            number = number | ((bits & 1) << place)
            place += 1
        bits = bits >> 1
        strata >>= 1
    return number
