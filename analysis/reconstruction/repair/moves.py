"""What a move of the points of an arm is, what it does to the board, and which analyses it can change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from numba import njit

if TYPE_CHECKING:
    from analysis.conventions.checks import BoolArray
    from analysis.reconstruction.repair.board import Analyses, Board

FLAGS, TRADE, OWNER, PLACE, GROUP, FLIP, DEAL, NOTHING = range(8)


class Move(NamedTuple):
    """One change of an arm's points: its kind, and what it is about.

    ``FLAGS``: patients ``a`` and ``b`` swap event and censoring. ``TRADE``: so do two pairs at once, ``a`` and
    ``b``, ``c`` and ``d``. ``OWNER``: the cut at point ``a`` goes from patient ``b`` to patient ``c``. ``PLACE``: point
    ``a`` becomes the ``b``-th, at ``time``, from ``home``.
    ``GROUP``: patients ``a`` and ``b`` swap their membership of subgroup ``c``. ``FLIP``: patient ``a`` has an event
    instead of a censoring, or the other way round. ``DEAL``: so have the patients at the points from the ``b``-th on
    whose bits are set in ``a``.
    """

    kind: int
    a: int
    b: int
    c: int
    d: int
    time: float
    home: float


NO_MOVE = Move(NOTHING, 0, 0, 0, 0, 0.0, 0.0)


@njit(cache=True, nogil=True)
def apply(board: Board, arm: int, move: Move) -> Move:
    """Change the board, and return the move that undoes it."""
    if move.kind == FLAGS:
        event = board.event[arm]
        event[move.a], event[move.b] = event[move.b], event[move.a]
        return move
    if move.kind == TRADE:
        event = board.event[arm]
        event[move.a], event[move.b] = event[move.b], event[move.a]
        event[move.c], event[move.d] = event[move.d], event[move.c]
        return move
    if move.kind == GROUP:
        bit = 1 << move.c
        board.group[arm, move.a] ^= bit
        board.group[arm, move.b] ^= bit
        return move
    if move.kind == FLIP:
        board.event[arm, move.a] = not board.event[arm, move.a]
        return move
    if move.kind == DEAL:
        for k in range(move.b, board.size[arm]):
            if move.a >> (k - move.b) & 1:
                i = board.patient[arm, k]
                board.event[arm, i] = not board.event[arm, i]
        return move
    if move.kind == OWNER:
        board.patient[arm, move.a] = move.c
        return Move(OWNER, move.a, move.c, move.b, 0, 0.0, 0.0)
    if move.kind == PLACE:
        before, from_home = board.time[arm, move.a], board.home[arm, move.a]
        step = 1 if move.b > move.a else -1
        patient, cut, odds = board.patient[arm, move.a], board.cut[arm, move.a], board.odds[arm, move.a]
        k = move.a
        while k != move.b:
            board.time[arm, k] = board.time[arm, k + step]
            board.home[arm, k] = board.home[arm, k + step]
            board.patient[arm, k] = board.patient[arm, k + step]
            board.cut[arm, k] = board.cut[arm, k + step]
            board.odds[arm, k] = board.odds[arm, k + step]
            k += step
        board.time[arm, k], board.home[arm, k] = move.time, move.home
        board.patient[arm, k], board.cut[arm, k], board.odds[arm, k] = patient, cut, odds
        return Move(PLACE, move.b, move.a, 0, 0, before, from_home)
    return move


@njit(cache=True, nogil=True)
def mark_touched(board: Board, arm: int, analyses: Analyses, move: Move, touched: BoolArray) -> None:
    """Mark the analyses that a move can change; one that changes places in the order may change all."""
    for v in range(touched.size):
        touched[v] = True
        if move.kind == GROUP:
            touched[v] = analyses.group[v] == move.c or (analyses.strata[v] >> move.c) & 1 == 1
        elif move.kind == OWNER:
            touched[v] = analyses.cut[v] <= board.cut[arm, move.a]
