"""Draws an ensemble: states from the prior, conditioned on the reports, turned into patients, chunk by chunk."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.reconstruction.algebra import product
from analysis.reconstruction.repair.asking import asked_of, asks_for_events, layout_of
from analysis.reconstruction.repair.ensemble import Ensemble, follow_up_missed
from analysis.reconstruction.repair.members import (
    Drawn,
    arrange,
    expected_counts,
    joined_boards,
    meet_comparisons,
    new_boards,
    read_boards,
    rows_of,
)
from analysis.reconstruction.repair.search import Effort
from analysis.reconstruction.repair.walking import walk_on
from analysis.reconstruction.solve.conditioning import FROM_NEAR, condition
from analysis.reconstruction.terms import SCORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.repair.board import Board
    from analysis.reconstruction.solve.problem import Problem

    IntArray = NDArray[np.int64]

CHUNK = 50  # members whose random numbers come from one stream
COOLER = 0.5  # warmth of every other long attempt before events are tied: which one meets more differs by report
EFFORTS = (
    Effort(steps=600, bends=150, singles=0, spread=0.0, slack=1.0),
    Effort(steps=1000, bends=150, singles=0, spread=0.2, slack=1.0),
    Effort(steps=2000, bends=400, singles=400, spread=0.4, slack=1.0, most=6_000),
    Effort(steps=4000, bends=400, singles=1600, spread=0.7, slack=1.0, warmth=COOLER),
    Effort(steps=8000, bends=400, singles=1600, spread=1.0, slack=1.0),
    Effort(steps=8000, bends=400, singles=4000, spread=1.0, slack=1.0, warmth=COOLER),
    Effort(steps=4000, bends=400, singles=1600, spread=0.7, slack=1.0, reach=0.01),
    Effort(steps=8000, bends=400, singles=4000, spread=1.0, slack=1.0, reach=0.03),
    Effort(steps=8000, bends=400, singles=4000, spread=1.0, slack=1.0, reach=0.1),
)
EFFORTS_TOGETHER = (
    Effort(steps=2000, bends=150, singles=1600, spread=0.1, slack=0.015, most=40_000, warmth=0.5),
    Effort(steps=2000, bends=150, singles=1600, spread=0.1, slack=0.015, most=40_000, warmth=0.5),
    Effort(steps=2000, bends=150, singles=3200, spread=0.2, slack=0.03, most=40_000, warmth=0.5),
    Effort(steps=4000, bends=400, singles=12800, spread=0.2, slack=0.05, most=40_000, warmth=0.5),
    Effort(steps=4000, bends=400, singles=12800, spread=0.3, slack=1.0, most=40_000, warmth=0.5),
    Effort(steps=4000, bends=400, singles=25600, spread=0.3, slack=1.0, most=40_000, warmth=0.5),
)
"""How long a member is searched for, by attempt: of one report, and of several together."""
SOURCES = 500  # members at least whose boards are kept for that, if so many miss nothing
HARD = 2  # attempts from this one on are long, and made for so many members of an ensemble first:
HARD_MEMBERS = 60
PROBED, WORTH = 10, 0.05  # of a chunk, in the first long attempt, and the share met for others to be tried too
ENOUGH = 0.3  # share of a chunk met that long attempts are made for
WALL = 1.1  # of what is missed at least by one attempt after the other, a ratio under which they end at the same wall
RARE = 0.1  # share below which the longest are made too, and events are tied
CLUMP = 0.01  # variance that each event of an arm adds to the spacing of its events: published curves move in steps


@dataclass(frozen=True)
class _Attempt:
    """Members as they were drawn: their patients, the states of their paths, and the boards of the search."""

    drawn: Drawn
    states: FloatArray
    boards: Board


@dataclass(frozen=True)
class _Chunk:
    """Members of a chunk, some that ``met`` every number with their boards, and how many draws all that took."""

    drawn: Drawn
    states: FloatArray
    met: NDArray[np.intp]
    boards: Board
    draws: int


def draw_ensemble(
    problem: Problem, members: int, seed: np.random.SeedSequence, threads: int, *, attempts: int | None = None
) -> Ensemble:
    """Draw members in chunks of ``CHUNK``; the same bits for any number of threads.

    Each is drawn in at most so many ``attempts``. If that is not given all are made, and members that still miss a
    number are replaced by ones that are walked on from the others.
    """
    sizes = [min(CHUNK, members - start) for start in range(0, members, CHUNK)]
    streams = [np.random.SeedSequence([*seed.generate_state(4).tolist(), k]) for k in range(len(sizes))]
    hard, sources = -(-HARD_MEMBERS // len(sizes)), -(-SOURCES // len(sizes))
    with ThreadPoolExecutor(threads) as pool:
        rows = np.split(np.arange(members), np.cumsum(sizes)[:-1])
        chunks = list(pool.map(partial(_draw_chunk, problem, hard, sources, attempts), rows, streams))
        drawn = Drawn(*(np.concatenate(parts) for parts in zip(*(chunk.drawn for chunk in chunks), strict=True)))
        states = np.concatenate([chunk.states for chunk in chunks])
        if attempts is None:
            met = np.concatenate([number * CHUNK + chunk.met for number, chunk in enumerate(chunks)])
            boards = joined_boards([chunk.boards for chunk in chunks])
            walk_on(problem.block, drawn, states, met, boards, seed, pool)
    return Ensemble(problem.block, drawn, states, sum(chunk.draws for chunk in chunks))


def _draw_chunk(
    problem: Problem, hard: int, sources: int, most: int | None, rows: NDArray[np.intp], seed: np.random.SeedSequence
) -> _Chunk:
    """Draw some members in at most so many attempts, of which the long ones are made for ``hard`` of them.

    The boards of at most ``sources`` that miss nothing are kept.
    """
    rng = np.random.default_rng(seed)
    single = len(problem.block.analyses) == 1
    efforts = EFFORTS if single else EFFORTS_TOGETHER
    best = _attempt(problem, rows, rng, efforts[0])
    draws, least = rows.size, [float(np.min(best.drawn.miss))]

    def draw_again(part: NDArray[np.intp], effort: Effort) -> float:
        """Replace members by better ones; returns the share of them that give all numbers back."""
        again = _attempt(problem, rows[part], rng, effort)
        least.append(float(np.min(again.drawn.miss)))
        better = again.drawn.miss < best.drawn.miss[part]
        chosen = part[better]
        for kept, new in zip(_by_member(best), _by_member(again), strict=True):
            kept[chosen] = new[better]
        return float(np.mean(again.drawn.miss == 0))

    for number, effort in enumerate(efforts[1:most], start=1):
        open_ = np.flatnonzero(best.drawn.miss > 0)
        enough = 1.0 if single and number < HARD else ENOUGH if number <= HARD else RARE
        if np.mean(best.drawn.miss == 0) >= enough:
            break
        if effort.reach > 0 and np.min(best.drawn.miss) > effort.reach:
            continue  # more is missed than ties make up for
        if single and effort.reach == 0 and number > HARD and max(least) < WALL * min(least):
            continue  # each attempt so far was as near as the others, which a longer one would be too
        probing = single and number == HARD
        some = open_ if number < HARD else open_[: max(hard, PROBED) if probing else hard]
        met = draw_again(some, effort)
        draws += some.size
        if probing and met >= WORTH:
            short = math.ceil((ENOUGH * rows.size - np.sum(best.drawn.miss == 0)) / met)
            others = open_[some.size :][: max(short, 0)]
            if others.size > 0:
                draw_again(others, effort)
                draws += others.size
    kept = np.flatnonzero(best.drawn.miss == 0)[:sources]
    return _Chunk(best.drawn, best.states, kept, rows_of(best.boards, kept), draws)


def _by_member(attempt: _Attempt) -> list[NDArray[Any]]:
    """Give all arrays that have a row for each member."""
    return [*attempt.drawn, attempt.states, *attempt.boards[:-1]]


def _attempt(problem: Problem, rows: NDArray[np.intp], rng: np.random.Generator, effort: Effort) -> _Attempt:
    block, members = problem.block, rows.size
    start = problem.mean + product(rng.standard_normal((members, problem.mean.size)), problem.root.T.copy())
    targets = _draw_targets(problem, rows, rng)
    states = np.empty_like(start)
    condition(
        start,
        problem.mode,
        FROM_NEAR,
        problem.covariance,
        problem.precision,
        problem.noise,
        problem.frame,
        problem.equations,
        targets,
        states,
    )
    wanted = _events(problem, states, effort.spread, rng)
    sizes = [arm.size for arm in block.first.arms]
    spacings = np.zeros((members, block.arms, max(sizes)))
    for k, size in enumerate(sizes):
        clump = 1.0 + CLUMP * wanted[:, 0, k : k + 1]
        spacings[:, k, :size] = rng.gamma(1.0 / clump, clump, (members, size))
    rng_states = rng.integers(0, 2**64, (members, 1), dtype=np.uint64)
    middle, spread = block.effects
    effects = middle + spread * rng.standard_normal((members, middle.size))
    asked, layout = asked_of(block, effort), layout_of(block)
    boards, miss = new_boards(members, layout.size, len(block.latest)), np.empty(members)
    arrange(states, problem.frame, layout, asked, wanted, spacings, effects, effort, rng_states, boards, miss)
    if block.arms == 2:
        meet_comparisons(boards, asked, wanted, effort, rng_states, miss)
    drawn = read_boards(boards, len(block.latest), miss)
    drawn.miss[:] += follow_up_missed(block, drawn)
    return _Attempt(drawn, states, boards)


def _draw_targets(problem: Problem, rows: NDArray[np.intp], rng: np.random.Generator) -> FloatArray:
    """Values inside the boxes; the log ratio where its limits and the least error, 2 / sqrt(events), put it.

    Numbers at risk that are told of a draw, which are the last equations, are its own.
    """
    members = rows.size
    low, high = problem.boxes.T
    targets = low + rng.random((members, low.size)) * (high - low)
    for e in np.flatnonzero(problem.equations.kind == SCORE):
        required = problem.block.analyses[problem.equations.arm[e] // problem.block.arms].required
        box = required.ratios.ratio[0]
        least = 2 * box[6] / np.sqrt(required.events_total or np.inf)
        lowest = max(box[0], box[2] + least, (box[2] + box[4]) / 2)
        highest = min(box[1], box[5] - least, (box[3] + box[5]) / 2)
        if lowest < highest:
            targets[:, e] = lowest + rng.random(members) * (highest - lowest)
    for place, told in enumerate(reversed(problem.block.told.at_risk), start=1):
        targets[:, -place] = told.patients[rows]
    return np.asarray(targets)


def _events(problem: Problem, states: FloatArray, spread: float, rng: np.random.Generator) -> IntArray:
    """Events of each analysis and arm, shape (members, V, A); -1 where a later analysis leaves them open.

    They are the printed ones, or the expected ones, adding to the printed total; these vary by ``spread`` times the
    root of the events or censorings that are expected.
    """
    block = problem.block
    counts = np.empty((len(states), problem.frame.sizes.size))
    expected_counts(states, problem.frame, counts)
    expected = counts.reshape(len(states), -1, block.arms)
    sizes = problem.frame.sizes.astype(np.int64).reshape(-1, block.arms)
    varied = spread * rng.standard_normal(expected.shape) * np.sqrt(np.minimum(expected, sizes - expected) + 1)
    expected = np.clip(expected + varied, 0.3, sizes)
    out = np.full(expected.shape, -1, dtype=np.int64)
    for v, (analysis, asked) in enumerate(zip(block.analyses, asks_for_events(block), strict=True)):
        if not asked.any():
            continue
        printed = {k: arm.events for k, arm in enumerate(analysis.required.arms) if arm.events is not None}
        most = np.broadcast_to(sizes[v], out[:, v].shape) if v == 0 else np.minimum(sizes[v], out[:, 0])
        events = _split(expected[:, v], most, printed, analysis.required.events_total, rng)
        out[:, v, asked] = events[:, asked]
    return out


def _split(
    expected: FloatArray, most: IntArray, printed: dict[int, int], total: int | None, rng: np.random.Generator
) -> IntArray:
    events = np.floor(expected + rng.random(expected.shape)).astype(np.int64)
    for k, count in printed.items():
        events[:, k] = count
    open_ = [k for k in range(expected.shape[1]) if k not in printed]
    if total is not None and open_:
        left = total - events[:, list(printed)].sum(axis=1)
        share = expected[:, open_] / expected[:, open_].sum(axis=1, keepdims=True)
        parts = np.floor(np.cumsum(share, axis=1) * left[:, None] + 0.5)
        parts[:, -1] = left
        events[:, open_] = np.diff(parts, axis=1, prepend=0).astype(np.int64)
        events = np.clip(events, 0, most)
        for k in open_:  # what does not fit in one arm goes to the others
            short = total - events.sum(axis=1)
            events[:, k] = np.clip(events[:, k] + short, 0, most[:, k])
    return np.clip(events, 0, most)
