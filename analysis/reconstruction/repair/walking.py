"""Moves members on: from those that miss no number to others, and back to the numbers where times were moved."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis.reconstruction.repair.asking import asked_of, asks_for_events
from analysis.reconstruction.repair.ensemble import Ensemble, follow_up_missed
from analysis.reconstruction.repair.members import (
    Drawn,
    boards_of,
    meet_comparisons,
    read_boards,
    rows_of,
    walk_arms,
)
from analysis.reconstruction.repair.search import Effort

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.repair.board import Board
    from analysis.reconstruction.report.block import Block

    IntArray = NDArray[np.int64]

WALK = Effort(steps=0, bends=0, singles=40, spread=0.0, slack=1.0, most=1_500, warmth=0.0, walk=True)
WALKS = WALK, WALK._replace(reach=0.03)
WALKS_TOGETHER = WALK._replace(slack=0.05), WALK
"""How long a member that misses nothing is walked on from, of one report, without ties of events and where those are
needed, and of several, with few points that are pushed together and where more are."""
REFIT = Effort(steps=0, bends=0, singles=400, spread=0.0, slack=1.0, most=6_000, warmth=0.1)
"""How long a member is searched for again, whose times were moved a little."""
WALKED, TOGETHER = 10, 6  # members that are walked on by one thread at a time; so many times before it is looked at
WALKING = 2  # number of the stream of random numbers for that


def walk_on(
    block: Block,
    drawn: Drawn,
    states: FloatArray,
    met: NDArray[np.intp],
    boards: Board,
    seed: np.random.SeedSequence,
    pool: ThreadPoolExecutor,
) -> None:
    """Replace members that miss a number by ones that are walked on from those that miss none.

    ``met`` are such members, and ``boards`` theirs, each of which is taken as often as the others. They are changed by
    moves that are as probable as the hazards make them, after each of which no number is missed (resample-move: Gilks
    and Berzuini 2001). Who cannot be replaced so stays.
    """
    if met.size == 0:
        return
    rng = np.random.default_rng([*seed.generate_state(4).tolist(), WALKING])
    for effort in WALKS if len(block.analyses) == 1 else WALKS_TOGETHER:
        missed = np.flatnonzero(drawn.miss > 0)
        source = np.resize(rng.permutation(met.size), missed.size)
        rng_states = rng.integers(0, 2**64, (missed.size, 1), dtype=np.uint64)
        parts = [slice(start, start + WALKED) for start in range(0, missed.size, WALKED)]
        for first in range(0, len(parts), TOGETHER):
            some = parts[first : first + TOGETHER]
            walks = pool.map(
                partial(_walk, block, effort, boards),
                [source[part] for part in some],
                [rng_states[part] for part in some],
            )
            replaced = 0
            for part, walked in zip(some, walks, strict=True):
                better = walked.miss == 0
                chosen = missed[part][better]
                for kept, new in zip(drawn, walked, strict=True):
                    kept[chosen] = new[better]
                states[chosen], drawn.own[chosen] = states[met[source[part][better]]], False
                replaced += chosen.size
            if replaced == 0:
                break  # nor will the others be


def _walk(block: Block, effort: Effort, boards: Board, rows: NDArray[np.intp], rng_states: NDArray[np.uint64]) -> Drawn:
    """Walk on from some members that give every number back."""
    boards, miss = rows_of(boards, rows), np.zeros(rows.size)
    wanted = _events_of(block, read_boards(boards, len(block.latest), miss))
    walk = meet_comparisons if block.arms == 2 else walk_arms
    walk(boards, asked_of(block, effort), wanted, effort, rng_states, miss)
    drawn = read_boards(boards, len(block.latest), miss)
    drawn.miss[:] += follow_up_missed(block, drawn)
    return drawn


def _events_of(block: Block, drawn: Drawn) -> IntArray:
    """Events of each analysis and arm that members have, shape (members, V, A); -1 where nothing is asked of them."""
    out = np.full((drawn.miss.size, len(block.analyses), block.arms), -1, dtype=np.int64)
    whole = Ensemble(block, drawn, np.empty(0), 0)
    for v, asked in enumerate(asks_for_events(block)):
        for arm in np.flatnonzero(asked):
            out[:, v, arm] = whole.patients(v, np.arange(drawn.miss.size))[1][arm].sum(axis=1)
    return out


def refit(block: Block, drawn: Drawn, rng: np.random.Generator) -> Drawn:
    """Move patients of members of two arms at one data cut until all numbers are met again, as near as is found."""
    boards, miss = boards_of(drawn, np.array([arm.size for arm in block.first.arms])), np.zeros(drawn.miss.size)
    rng_states = rng.integers(0, 2**64, (drawn.miss.size, 1), dtype=np.uint64)
    meet_comparisons(boards, asked_of(block, REFIT), _events_of(block, drawn), REFIT, rng_states, miss)
    return read_boards(boards, 1, miss)
