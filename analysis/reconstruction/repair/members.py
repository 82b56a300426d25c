"""Turns conditioned paths into members: the patients of every arm, in the boxes of every analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.reconstruction.repair.anchors import new_scratch
from analysis.reconstruction.repair.board import Asked, Board
from analysis.reconstruction.repair.bounds import move_between
from analysis.reconstruction.repair.layout import lay_out
from analysis.reconstruction.repair.search import meet_ratios, reorder
from analysis.reconstruction.solve.forward import fill_paths, lay_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.layout import Layout
    from analysis.reconstruction.repair.search import Effort
    from analysis.reconstruction.terms import Frame

    IntArray = NDArray[np.int64]


class Drawn(NamedTuple):
    """Patients of all members, arms one after the other: what is filled.

    ``time`` and ``event`` (members, N) are those at the last cut, ``limit`` (members, cuts - 1, N) the time of leaving
    at an earlier cut, inf where it does not come before; ``group`` (members, N) bits; ``miss`` (members,) is 0 for a
    member that gives every number back.
    """

    time: FloatArray
    event: BoolArray
    limit: FloatArray
    group: IntArray
    miss: FloatArray

    def rows(self, members: IntArray) -> Drawn:
        """Take some of the members."""
        return Drawn(*(each[members] for each in self))  # type: ignore[arg-type]  # each as it was


@njit(cache=True, nogil=True)
def expected_counts(states: FloatArray, frame: Frame, events: FloatArray) -> None:
    """Fill ``events`` (members, arms) with the expected events of each arm."""
    room = 4 * (frame.edges.size + frame.lengths.size + 8)
    cells = np.empty(room)
    paths = np.empty((5, frame.sizes.size, room))
    for i in range(states.shape[0]):
        count = lay_cells(states[i], frame, cells)
        fill_paths(states[i], frame, cells, count, paths)
        for k in range(frame.sizes.size):
            events[i, k] = paths[3, k, count - 1]


@njit(cache=True, nogil=True)
def draw_members(
    states: FloatArray,
    frame: Frame,
    layout: Layout,
    asked: Asked,
    wanted: IntArray,
    spacings: FloatArray,
    effects: FloatArray,
    effort: Effort,
    seeds: NDArray[np.uint64],
    drawn: Drawn,
) -> None:
    """Draw the patients of every member: each statistic of each analysis in its box where that can be.

    ``wanted`` (members, V, A) are events by analysis and arm, -1 where nothing is asked of them; for the first
    analysis they are always given. ``spacings`` (members, A, n) are the random gaps between events, ``effects``
    (members, G) the log hazard ratios of the levels of factors, ``seeds`` (members,) start each member's generator.
    """
    room = 4 * (frame.edges.size + frame.lengths.size + 8)
    cells = np.empty(room)
    paths = np.empty((5, frame.sizes.size, room))
    arms, cuts = layout.size.size, asked.latest.size
    most = np.max(layout.size)
    capacity = most * cuts
    board = Board(
        np.empty((arms, capacity)),
        np.empty((arms, capacity)),
        np.empty((arms, capacity), np.int64),
        np.empty((arms, capacity), np.int64),
        np.empty((arms, capacity)),
        np.empty(arms, np.int64),
        np.empty((arms, most), np.bool_),
        np.zeros((arms, most), np.int64),
        layout.size,
    )
    scratch = new_scratch(int(capacity), int(most), asked.boxes, effort.slack)
    state = np.empty(1, np.uint64)
    for i in range(states.shape[0]):
        count = lay_cells(states[i], frame, cells)
        fill_paths(states[i], frame, cells, count, paths)
        state[0] = seeds[i]
        drawn.miss[i] = 0.0
        for arm in range(arms):
            lay_out(
                board, arm, cells, count, paths, layout, asked.analyses, wanted[i], spacings[i, arm], effects[i], state
            )
            left_over = reorder(
                board,
                arm,
                asked.analyses,
                asked.boxes,
                wanted[i, :, arm],
                asked.latest,
                effort.steps,
                scratch,
                state,
            )
            points = board.points[arm]
            move_between(board.time[arm, :points], scratch.low, scratch.high, scratch.work)
            drawn.miss[i] += left_over
        if asked.compared:
            drawn.miss[i] = meet_ratios(board, asked, wanted[i], effort, scratch, state)
        start = 0
        for arm in range(arms):
            size = board.size[arm]
            for c in range(cuts - 1):
                drawn.limit[i, c, start : start + size] = np.inf
            for k in range(board.points[arm]):
                at = start + board.patient[arm, k]
                if board.cut[arm, k] < cuts - 1:
                    drawn.limit[i, board.cut[arm, k], at] = board.time[arm, k]
                else:
                    drawn.time[i, at] = board.time[arm, k]
            drawn.event[i, start : start + size] = board.event[arm, :size]
            drawn.group[i, start : start + size] = board.group[arm, :size]
            start += size
