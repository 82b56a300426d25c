"""The points of two arms together: how they are bound, bent, and shifted one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.anchors import (
    Aims,
    Anchors,
    aims_of,
    bound_arm,
    copy_anchors,
    no_aims,
    no_anchors,
)
from analysis.reconstruction.repair.bends import Stretches, stretches, tune
from analysis.reconstruction.repair.moving import move_back
from analysis.reconstruction.repair.patients import next_uniform
from analysis.reconstruction.repair.ratios import compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.anchors import Scratch
    from analysis.reconstruction.repair.board import Asked, Board, PackedBoxes
    from analysis.reconstruction.repair.ratios import Parts
    from analysis.reconstruction.repair.swaps import Standing
    from analysis.reconstruction.terms import RatioBoxes

    IntArray = NDArray[np.int64]


class Bound(NamedTuple):
    """How the points of two arms are bound.

    ``limits`` (2, 2, P + 1) are earliest and latest times by arm, ``penalty`` (2,) is what cannot be, ``fits`` (2,)
    whether all of an arm can but for points that are pushed together; the ``anchors`` of both arms, room for their
    ``aims``, and their ``free`` stretches.
    """

    limits: FloatArray
    penalty: FloatArray
    fits: BoolArray
    anchors: tuple[Anchors, Anchors]
    aims: tuple[Aims, Aims]
    free: Stretches


@inner
def not_bound(board: Board, packed: PackedBoxes) -> Bound:
    """Room for the bounds of two arms."""
    analyses, most = packed.starts.shape[0], np.max(board.points)
    return Bound(
        np.empty((2, 2, most + 1)),
        np.zeros(2),
        np.zeros(2, np.bool_),
        (no_anchors(packed), no_anchors(packed)),
        (no_aims(analyses), no_aims(analyses)),
        Stretches(np.empty((2, most + 1, 2), np.int64), np.zeros(2, np.int64)),
    )


@inner
def with_aims(aims: tuple[Aims, Aims], arm: int, new: Aims) -> tuple[Aims, Aims]:
    """Replace the aims of an arm."""
    return (new, aims[1]) if arm == 0 else (aims[0], new)


@inner
def keep_bounds(scratch: Scratch, points: int, bounds: FloatArray) -> None:
    """Copy the bounds of an arm."""
    bounds[0, : points + 1] = scratch.low[: points + 1]
    bounds[1, : points + 1] = scratch.high[: points + 1]


@inner
def bound_both(
    board: Board, asked: Asked, loose: IntArray, scratch: Scratch, bound: Bound, aims: tuple[Aims, Aims]
) -> tuple[Aims, Aims]:
    """Bound both arms; fills ``bound`` and returns what moves aim at."""
    for arm in range(2):
        points = board.points[arm]
        there, strain, worst = bound_arm(
            board, arm, asked.analyses, asked.boxes, loose[:, arm], asked.latest, scratch.every, scratch
        )
        bound.penalty[arm], bound.fits[arm] = there + strain, there == 0.0
        aims = with_aims(aims, arm, aims_of(scratch.place, scratch.excess, worst, aims[arm]))
        copy_anchors(scratch.anchors, bound.anchors[arm])
        keep_bounds(scratch, points, bound.limits[arm])
        bound.free.number[arm] = stretches(scratch.low, scratch.high, points, bound.free.ends[arm])
    return aims


@inner
def bend_both(
    board: Board, parts: Parts, ratios: RatioBoxes, bound: Bound, bends: int, state: NDArray[np.uint64]
) -> None:
    """Bend the free points of both arms together until the comparisons are in their boxes, as far as that goes."""
    p0, p1 = board.points[0], board.points[1]
    time0, time1 = board.time[0, :p0], board.time[1, :p1]
    tune(time0, time1, parts, bound.free, ratios, bends, state)
    move_back(time0, bound.limits[0, 0], bound.limits[0, 1], board.home[0, :p0])
    move_back(time1, bound.limits[1, 0], bound.limits[1, 1], board.home[1, :p1])


@inner
def try_shift(
    board: Board,
    arm: int,
    cuts: IntArray,
    standing: Standing,
    limits: FloatArray,
    miss: float,
    warmth: float,
    walk: bool,
    state: NDArray[np.uint64],
) -> float:
    """Shift one point between its neighbours, if less is missed then, or at most ``warmth`` more; returns what is."""
    p0, p1 = board.points[0], board.points[1]
    time0, time1 = board.time[0, :p0], board.time[1, :p1]
    points = board.points[arm]
    time, low, high = board.time[arm, :points], limits[0], limits[1]
    k = int(next_uniform(state) * points)
    if walk and k + 1 == points:
        return miss  # it has no neighbour behind it
    earliest = max(time[k - 1] if k > 0 else 0.0, low[k])
    latest = min(time[k + 1] if k + 1 < points else time[k], high[k])
    if latest <= earliest:
        return miss
    aim = earliest + (latest - earliest) * (0.05 + 0.9 * next_uniform(state))
    kept = time[k]
    time[k] = aim
    touched = cuts <= board.cut[arm, k]
    parts, values, trial = standing.parts, standing.values, standing.trial
    allowed = miss + warmth
    new = compare(time0, time1, parts, standing.boxes, touched, allowed, trial, standing.at_risk, standing.left)
    if new > allowed:
        time[k] = kept
        return miss
    values[:] = trial
    if low[k] != 0.0 or high[k] != np.inf:
        board.home[arm, :points] = time
    else:
        move_back(time, low, high, board.home[arm, :points])
    return new
