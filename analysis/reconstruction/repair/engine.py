"""Draws an ensemble: states from the prior, conditioned on the reports, turned into patients, chunk by chunk."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.reconstruction.algebra import product
from analysis.reconstruction.repair.asking import asked_of, layout_of
from analysis.reconstruction.repair.board import stratum
from analysis.reconstruction.repair.members import (
    Drawn,
    arrange,
    boards_of,
    expected_counts,
    joined_boards,
    meet_comparisons,
    new_boards,
    read_boards,
    rows_of,
    walk_arms,
)
from analysis.reconstruction.repair.search import Effort
from analysis.reconstruction.solve.conditioning import FROM_NEAR, condition
from analysis.reconstruction.terms import SCORE
from analysis.survival.estimators import reverse_kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.board import Board
    from analysis.reconstruction.report.block import Block
    from analysis.reconstruction.solve.problem import Problem

    IntArray = NDArray[np.int64]

CHUNK = 50  # members whose random numbers come from one stream
EFFORTS = (
    Effort(steps=600, bends=150, singles=0, spread=0.0, slack=1.0),
    Effort(steps=1000, bends=150, singles=0, spread=0.2, slack=1.0),
    Effort(steps=2000, bends=400, singles=400, spread=0.4, slack=1.0, most=6_000),
    Effort(steps=4000, bends=400, singles=1600, spread=0.7, slack=1.0),
    Effort(steps=8000, bends=400, singles=1600, spread=1.0, slack=1.0),
    Effort(steps=8000, bends=400, singles=4000, spread=1.0, slack=1.0),
    Effort(steps=4000, bends=400, singles=1600, spread=0.7, slack=1.0, reach=0.01),
    Effort(steps=8000, bends=400, singles=4000, spread=1.0, slack=1.0, reach=0.03),
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
WALK = Effort(steps=0, bends=0, singles=40, spread=0.0, slack=1.0, most=1_500, warmth=0.0, walk=True)
WALKS = WALK, WALK._replace(reach=0.03)
WALKS_TOGETHER = WALK._replace(slack=0.05), WALK
"""How long a member that misses nothing is walked on from, of one report, without ties of events and where those are
needed, and of several, with few points that are pushed together and where more are."""
REFIT = Effort(steps=0, bends=0, singles=400, spread=0.0, slack=1.0, most=6_000, warmth=0.1)
"""How long a member is searched for again, whose times were moved a little."""
SOURCES = 500  # members at least whose boards are kept for that, if so many miss nothing
WALKED = 10  # members that are walked on by one thread at a time
WALKING = 2  # number of the stream of random numbers for that
HARD = 2  # attempts from this one on are long, and made for so many members of an ensemble first:
HARD_MEMBERS = 60
PROBED, WORTH = 10, 0.05  # of a chunk, in the first long attempt, and the share met for others to be tried too
ENOUGH = 0.3  # share of a chunk met that long attempts are made for
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


@dataclass(frozen=True)
class Ensemble:
    """Members of one reconstruction, arms one after the other in the order of the requirements.

    ``drawn.miss`` is 0 for a member that gives every required number back, and otherwise says how far off it is.
    """

    block: Block
    drawn: Drawn
    states: FloatArray
    attempts: int

    def patients(
        self, analysis: int, members: NDArray[np.intp]
    ) -> tuple[list[FloatArray], list[BoolArray], list[IntArray]]:
        """Give times, event flags and strata of the patients of an analysis in some members, arm by arm."""
        one = self.block.analyses[analysis]
        start, times, events, strata = 0, [], [], []
        for size, own in zip((arm.size for arm in self.block.first.arms), one.required.arms, strict=True):
            rows = slice(start, start + size)
            time, event = self.drawn.time[members, rows], self.drawn.event[members, rows]
            for cut in range(len(self.block.latest) - 2, one.cut - 1, -1):
                limit = self.drawn.limit[members, cut, rows]
                event = event & ~(limit < time)
                time = np.minimum(time, limit)
            bits = self.drawn.group[members, rows]
            own_stratum = stratum.py_func(bits, one.strata)
            if one.group >= 0:
                chosen = ((bits >> one.group) & 1 == 1) == one.inside
                time, event, own_stratum = (each[chosen].reshape(-1, own.size) for each in (time, event, own_stratum))
            times.append(time)
            events.append(event)
            strata.append(own_stratum)
            start += size
        return times, events, strata


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
            _walk_on(problem.block, drawn, states, met, boards, seed, pool)
    return Ensemble(problem.block, drawn, states, sum(chunk.draws for chunk in chunks))


def _walk_on(
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
        walks = pool.map(
            partial(_walk, block, effort, boards),
            [source[part] for part in parts],
            [rng_states[part] for part in parts],
        )
        for part, walked in zip(parts, walks, strict=True):
            better = walked.miss == 0
            chosen = missed[part][better]
            for kept, new in zip(drawn, walked, strict=True):
                kept[chosen] = new[better]
            states[chosen], drawn.own[chosen] = states[met[source[part][better]]], False


def _walk(block: Block, effort: Effort, boards: Board, rows: NDArray[np.intp], rng_states: NDArray[np.uint64]) -> Drawn:
    """Walk on from some members that give every number back."""
    boards, miss = rows_of(boards, rows), np.zeros(rows.size)
    wanted = _events_of(block, read_boards(boards, len(block.latest), miss))
    walk = meet_comparisons if block.arms == 2 else walk_arms
    walk(boards, asked_of(block, effort), wanted, effort, rng_states, miss)
    drawn = read_boards(boards, len(block.latest), miss)
    drawn.miss[:] += _follow_up_missed(block, drawn)
    return drawn


def _events_of(block: Block, drawn: Drawn) -> IntArray:
    """Events of each analysis and arm that members have, shape (members, V, A); -1 where nothing is asked of them."""
    out = np.full((drawn.miss.size, len(block.analyses), block.arms), -1, dtype=np.int64)
    whole = Ensemble(block, drawn, np.empty(0), 0)
    for v, asked in enumerate(_asks_for_events(block)):
        for arm in np.flatnonzero(asked):
            out[:, v, arm] = whole.patients(v, np.arange(drawn.miss.size))[1][arm].sum(axis=1)
    return out


def refit(block: Block, drawn: Drawn, rng: np.random.Generator) -> Drawn:
    """Move patients of members of two arms at one data cut until all numbers are met again, as near as is found."""
    boards, miss = boards_of(drawn, np.array([arm.size for arm in block.first.arms])), np.zeros(drawn.miss.size)
    rng_states = rng.integers(0, 2**64, (drawn.miss.size, 1), dtype=np.uint64)
    meet_comparisons(boards, asked_of(block, REFIT), _events_of(block, drawn), REFIT, rng_states, miss)
    return read_boards(boards, 1, miss)


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
    draws = rows.size

    def draw_again(part: NDArray[np.intp], effort: Effort) -> float:
        """Replace members by better ones; returns the share of them that give all numbers back."""
        again = _attempt(problem, rows[part], rng, effort)
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
    drawn.miss[:] += _follow_up_missed(block, drawn)
    return _Attempt(drawn, states, boards)


def _follow_up_missed(block: Block, drawn: Drawn) -> FloatArray:
    """How far the median follow-up of all arms together is from where it is printed, by member, over all analyses."""
    missed = np.zeros(drawn.miss.size)
    for v, analysis in enumerate(block.analyses):
        if analysis.required.follow_up_of_all is not None:
            times, events, _ = Ensemble(block, drawn, np.empty(0), 0).patients(v, np.arange(missed.size))
            missed += _outside_follow_up(times, events, analysis.required.follow_up_of_all)
    return missed


def _outside_follow_up(times: list[FloatArray], events: list[BoolArray], box: tuple[float, float]) -> FloatArray:
    """How far the reverse Kaplan-Meier median of all arms together is from its box, in months, by member."""
    out = np.empty(len(times[0]))
    for i in range(out.size):
        time = np.concatenate([arm[i] for arm in times])
        event = np.concatenate([arm[i] for arm in events])
        median = reverse_kaplan_meier(time, event).median()
        out[i] = min(max(box[0] - median, median - box[1], 0.0), box[1])
    return out


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
    for v, (analysis, asked) in enumerate(zip(block.analyses, _asks_for_events(block), strict=True)):
        if not asked.any():
            continue
        printed = {k: arm.events for k, arm in enumerate(analysis.required.arms) if arm.events is not None}
        most = np.broadcast_to(sizes[v], out[:, v].shape) if v == 0 else np.minimum(sizes[v], out[:, 0])
        events = _split(expected[:, v], most, printed, analysis.required.events_total, rng)
        out[:, v, asked] = events[:, asked]
    return out


def _asks_for_events(block: Block) -> BoolArray:
    """Whether the events of each analysis and arm are fixed, shape (V, A): those of the first always are."""
    return np.array(
        [
            [v == 0 or analysis.required.events_total is not None or arm.events is not None for arm in required.arms]
            for v, analysis in enumerate(block.analyses)
            for required in [analysis.required]
        ]
    )


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
