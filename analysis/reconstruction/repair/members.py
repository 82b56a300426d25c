"""Turns conditioned paths into members: the patients of every arm, in the boxes of every analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.repair.anchors import new_scratch
from analysis.reconstruction.repair.board import Asked, Board
from analysis.reconstruction.repair.both import not_bound
from analysis.reconstruction.repair.layout import lay_out
from analysis.reconstruction.repair.moving import move_between
from analysis.reconstruction.repair.search import go_home, meet_ratios, open_events, reorder
from analysis.reconstruction.repair.swaps import no_standing, standing_of
from analysis.reconstruction.solve.forward import fill_paths, lay_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.layout import Layout
    from analysis.reconstruction.repair.search import Effort
    from analysis.reconstruction.terms import Frame

    IntArray = NDArray[np.int64]

TURNS = 4  # times that each of several arms is laid out at most until its bounds agree: all must, to be met together


class Drawn(NamedTuple):
    """Patients of all members, arms one after the other: what is filled.

    ``time`` and ``event`` (members, N) are those at the last cut, ``limit`` (members, cuts - 1, N) the time of leaving
    at an earlier cut, inf where it does not come before; ``group`` (members, N) bits; ``miss`` (members,) is 0 for a
    member that gives every number back; ``own`` (members,) is False for one that was walked on from another.
    """

    time: FloatArray
    event: BoolArray
    limit: FloatArray
    group: IntArray
    miss: FloatArray
    own: BoolArray

    def rows(self, members: IntArray) -> Drawn:
        """Take some of the members."""
        return Drawn(*(each[members] for each in self))  # type: ignore[arg-type]  # each as it was


def new_boards(members: int, size: IntArray, cuts: int) -> Board:
    """Room for the points and patients of so many members: a board whose arrays but ``size`` have an axis for them."""
    arms, most = size.size, int(np.max(size))
    points = (members, arms, most * cuts)
    return Board(
        time=np.empty(points),
        home=np.empty(points),
        patient=np.empty(points, np.int64),
        cut=np.empty(points, np.int64),
        odds=np.empty(points),
        points=np.empty((members, arms), np.int64),
        event=np.empty((members, arms, most), np.bool_),
        group=np.zeros((members, arms, most), np.int64),
        size=size,
    )


def rows_of(boards: Board, rows: IntArray) -> Board:
    """Copy some members of a board."""
    return Board._make([*(each[rows] for each in boards[:-1]), boards.size])


def joined_boards(parts: Sequence[Board]) -> Board:
    """Put the members of several boards into one."""
    joined = [np.concatenate(each) for each in zip(*(part[:-1] for part in parts), strict=True)]
    return Board._make([*joined, parts[0].size])


def read_boards(boards: Board, cuts: int, miss: FloatArray) -> Drawn:
    """Give the patients of all members, arms one after the other."""
    members, _, points = boards.time.shape
    total = int(boards.size.sum())
    start = np.cumsum(boards.size) - boards.size
    member, arm, point = np.nonzero(np.arange(points) < boards.points[:, :, None])
    time, cut = boards.time[member, arm, point], boards.cut[member, arm, point]
    patient = start[arm] + boards.patient[member, arm, point]
    last = cut == cuts - 1
    drawn = Drawn(
        time=np.empty((members, total)),
        event=np.concatenate([boards.event[:, k, :size] for k, size in enumerate(boards.size)], axis=1),
        limit=np.full((members, cuts - 1, total), np.inf),
        group=np.concatenate([boards.group[:, k, :size] for k, size in enumerate(boards.size)], axis=1),
        miss=miss,
        own=np.ones(members, np.bool_),
    )
    drawn.time[member[last], patient[last]] = time[last]
    drawn.limit[member[~last], cut[~last], patient[~last]] = time[~last]
    return drawn


def boards_of(drawn: Drawn, size: IntArray) -> Board:
    """Give the board of members at one data cut as they are, ``size`` (arms,) patients each."""
    boards = new_boards(drawn.miss.size, size, cuts=1)
    boards.points[:], boards.cut[:], boards.odds[:] = size, 0, 0.0
    for arm, end in enumerate(np.cumsum(size)):
        rows, n = slice(end - size[arm], end), size[arm]
        order = np.argsort(drawn.time[:, rows], axis=1, kind="stable")
        boards.patient[:, arm, :n] = order
        boards.time[:, arm, :n] = boards.home[:, arm, :n] = np.take_along_axis(drawn.time[:, rows], order, axis=1)
        boards.event[:, arm, :n], boards.group[:, arm, :n] = drawn.event[:, rows], drawn.group[:, rows]
    return boards


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


@inner
def board_of(boards: Board, member: int) -> Board:
    """Give the board of one member."""
    return Board(
        boards.time[member],
        boards.home[member],
        boards.patient[member],
        boards.cut[member],
        boards.odds[member],
        boards.points[member],
        boards.event[member],
        boards.group[member],
        boards.size,
    )


@njit(cache=True, nogil=True)
def arrange(
    states: FloatArray,
    frame: Frame,
    layout: Layout,
    asked: Asked,
    wanted: IntArray,
    spacings: FloatArray,
    effects: FloatArray,
    effort: Effort,
    rng_states: NDArray[np.uint64],
    boards: Board,
    miss: FloatArray,
) -> None:
    """Lay out the patients of every member, each statistic of each arm in its box where that can be.

    ``wanted`` (members, V, A) are events by analysis and arm, -1 where nothing is asked of them; for the first
    analysis they are always given. ``spacings`` (members, A, n) are the random gaps between events, ``effects``
    (members, G) the log hazard ratios of the levels of factors, ``rng_states`` (members, 1) each member's generator.
    Fills ``boards``, and ``miss`` (members,) with what is left over.
    """
    room = 4 * (frame.edges.size + frame.lengths.size + 8)
    cells = np.empty(room)
    paths = np.empty((5, frame.sizes.size, room))
    scratch = new_scratch(boards.time.shape[2], boards.event.shape[2], asked.boxes, effort.slack)
    analyses, nothing = asked.analyses, no_standing(asked.analyses.cut.size)
    turns = TURNS if layout.size.size > 2 else 1  # two arms are searched on together
    for i in range(states.shape[0]):
        count = lay_cells(states[i], frame, cells)
        fill_paths(states[i], frame, cells, count, paths)
        board, state = board_of(boards, i), rng_states[i]
        miss[i] = 0.0
        for arm in range(layout.size.size):
            gaps, events = spacings[i, arm], wanted[i, :, arm]
            for _ in range(turns):
                lay_out(board, arm, cells, count, paths, layout, analyses, wanted[i], gaps, effects[i], state)
                left_over = reorder(
                    board,
                    arm,
                    analyses,
                    asked.boxes,
                    events,
                    asked.latest,
                    effort.steps,
                    False,
                    nothing,
                    scratch,
                    state,
                )
                if left_over == 0.0:
                    break
            points = board.points[arm]
            move_between(board.time[arm, :points], scratch.low, scratch.high, scratch.work)
            miss[i] += left_over


@njit(cache=True, nogil=True)
def meet_comparisons(
    boards: Board,
    asked: Asked,
    wanted: IntArray,
    effort: Effort,
    rng_states: NDArray[np.uint64],
    miss: FloatArray,
) -> None:
    """Bring the hazard ratios and tests of every member into their boxes; arguments as those of `arrange`."""
    scratch = new_scratch(boards.time.shape[2], boards.event.shape[2], asked.boxes, effort.slack)
    for i in range(miss.size):
        board, loose = board_of(boards, i), open_events(asked, wanted[i])
        standing, bound = standing_of(board, asked, scratch.listing), not_bound(board, asked.boxes)
        miss[i] = meet_ratios(board, asked, loose, effort, standing, bound, scratch, rng_states[i])


@njit(cache=True, nogil=True)
def walk_arms(
    boards: Board,
    asked: Asked,
    wanted: IntArray,
    effort: Effort,
    rng_states: NDArray[np.uint64],
    miss: FloatArray,
) -> None:
    """Walk on in every arm of every member by itself, where no comparison is asked; arguments as those of `arrange`."""
    scratch = new_scratch(boards.time.shape[2], boards.event.shape[2], asked.boxes, effort.slack)
    nothing = no_standing(asked.analyses.cut.size)
    for i in range(miss.size):
        board, state = board_of(boards, i), rng_states[i]
        miss[i] = 0.0
        for arm in range(boards.size.size):
            points = board.points[arm]
            miss[i] += reorder(
                board,
                arm,
                asked.analyses,
                asked.boxes,
                wanted[i, :, arm],
                asked.latest,
                min(effort.singles * points, effort.most),
                True,
                nothing,
                scratch,
                state,
            )
            go_home(board, arm)
            move_between(board.time[arm, :points], scratch.low, scratch.high, scratch.work)
