"""Draws an ensemble: states from the prior, conditioned on the report, turned into patients, chunk by chunk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.reconstruction import forward
from analysis.reconstruction.conditioning import FROM_NEAR, condition
from analysis.reconstruction.members import draw_patients, expected_counts, meet_ratio
from analysis.survival.estimators import reverse_kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.problem import Problem
    from analysis.reconstruction.requirements import Requirements

CHUNK = 50  # members whose random numbers come from one stream
SEARCHES = (600, 1000, 2000, 4000, 8000, 8000)  # swaps tried in an arm, by attempt at a member
CLUMP = 0.01  # variance that each event of an arm adds to the spacing of its events: published curves move in steps


@dataclass(frozen=True)
class Ensemble:
    """Members of one reconstruction, arms in the order of the requirements.

    ``miss`` is 0 for a member that gives every required number back, and otherwise says how far off it is.
    """

    times: tuple[FloatArray, ...]
    events: tuple[BoolArray, ...]
    states: FloatArray
    miss: FloatArray
    attempts: int


def draw_ensemble(problem: Problem, members: int, seed: np.random.SeedSequence, threads: int) -> Ensemble:
    """Draw members in chunks of ``CHUNK``; the same bits for any number of threads."""
    sizes = [min(CHUNK, members - start) for start in range(0, members, CHUNK)]
    streams = [np.random.SeedSequence([*seed.generate_state(4).tolist(), k]) for k in range(len(sizes))]
    with ThreadPoolExecutor(threads) as pool:
        chunks = list(pool.map(lambda task: _draw_chunk(problem, *task), zip(sizes, streams, strict=True)))
    return Ensemble(
        times=tuple(np.concatenate([chunk.times[k] for chunk in chunks]) for k in range(problem.arms)),
        events=tuple(np.concatenate([chunk.events[k] for chunk in chunks]) for k in range(problem.arms)),
        states=np.concatenate([chunk.states for chunk in chunks]),
        miss=np.concatenate([chunk.miss for chunk in chunks]),
        attempts=sum(chunk.attempts for chunk in chunks),
    )


def _draw_chunk(problem: Problem, members: int, seed: np.random.SeedSequence) -> Ensemble:
    rng = np.random.default_rng(seed)
    best = _attempt(problem, members, rng, SEARCHES[0])
    attempts = members
    for steps in SEARCHES[1:]:
        open_ = np.flatnonzero(best.miss > 0)
        if open_.size == 0:
            break
        again = _attempt(problem, open_.size, rng, steps)
        attempts += open_.size
        better = again.miss < best.miss[open_]
        chosen = open_[better]
        best.states[chosen], best.miss[chosen] = again.states[better], again.miss[better]
        for k in range(problem.arms):
            best.times[k][chosen], best.events[k][chosen] = again.times[k][better], again.events[k][better]
    return Ensemble(best.times, best.events, best.states, best.miss, attempts)


def _attempt(problem: Problem, members: int, rng: np.random.Generator, steps: int) -> Ensemble:
    required, arms = problem.required, problem.arms
    start = problem.mean + rng.standard_normal((members, problem.mean.size)) @ problem.root.T
    targets = _draw_targets(required, members, rng)
    states = np.empty_like(start)
    condition(
        start,
        problem.mode,
        FROM_NEAR,
        problem.covariance,
        problem.precision,
        problem.noise,
        arms,
        problem.edges,
        problem.lengths,
        problem.sizes,
        required.equations,
        targets,
        states,
    )
    events = _split_events(problem, states, rng)
    miss = np.zeros(members)
    times, flags = [], []
    for k, arm in enumerate(required.arms):
        time, event = np.empty((members, arm.size)), np.empty((members, arm.size), dtype=np.bool_)
        seeds = rng.integers(0, 2**64, members, dtype=np.uint64)
        clump = 1.0 + CLUMP * events[:, k : k + 1]
        spacings = rng.gamma(1.0 / clump, clump, (members, arm.size))
        draw_patients(
            states,
            k,
            arms,
            problem.edges,
            problem.lengths,
            problem.sizes,
            events,
            seeds,
            spacings,
            arm.quantiles,
            arm.follow_up,
            arm.ticks,
            arm.landmarks,
            required.interval,
            steps,
            time,
            event,
            miss,
        )
        times.append(time)
        flags.append(event)
    if arms == 2:
        boxes = [(arm.quantiles, arm.follow_up, arm.ticks, arm.landmarks) for arm in required.arms]
        seeds = rng.integers(0, 2**64, members, dtype=np.uint64)
        meet_ratio(
            *(times[0], flags[0], boxes[0], times[1], flags[1], boxes[1]),
            *(required.ratio_box, *required.test_box, seeds, miss),
        )
    if required.follow_up_of_all is not None:
        miss += _outside_follow_up(times, flags, required.follow_up_of_all)
    return Ensemble(tuple(times), tuple(flags), states, miss, members)


def _outside_follow_up(times: list[FloatArray], events: list[BoolArray], box: tuple[float, float]) -> FloatArray:
    """How far the reverse Kaplan-Meier median of all arms together is from its box, in months, by member."""
    out = np.empty(len(times[0]))
    for i in range(out.size):
        time = np.concatenate([arm[i] for arm in times])
        event = np.concatenate([arm[i] for arm in events])
        median = reverse_kaplan_meier(time, event).median()
        out[i] = min(max(box[0] - median, median - box[1], 0.0), box[1])
    return out


def _draw_targets(required: Requirements, members: int, rng: np.random.Generator) -> FloatArray:
    """Values inside the boxes; the log ratio where its limits and the least error, 2 / sqrt(events), put it."""
    low, high = required.boxes.T
    targets = low + rng.random((members, low.size)) * (high - low)
    box = required.ratio_box
    for e in np.flatnonzero(required.equations[:, 0] == forward.SCORE):
        least = 2 * box[6] / np.sqrt(required.events_total or np.inf)
        low = max(box[0], box[2] + least, (box[2] + box[4]) / 2)
        high = min(box[1], box[5] - least, (box[3] + box[5]) / 2)
        if low < high:
            targets[:, e] = low + rng.random(members) * (high - low)
    return np.asarray(targets)


def _split_events(problem: Problem, states: FloatArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """Integer events of each arm: the printed ones, or the expected ones, adding to the printed total."""
    required, arms = problem.required, problem.arms
    expected = np.empty((len(states), arms))
    expected_counts(states, arms, problem.edges, problem.lengths, problem.sizes, expected)
    sizes = problem.sizes.astype(np.int64)
    events = np.floor(expected + rng.random(expected.shape)).astype(np.int64)
    printed = {k: arm.events for k, arm in enumerate(required.arms) if arm.events is not None}
    known = list(printed)
    for k, count in printed.items():
        events[:, k] = count
    open_ = [k for k in range(arms) if k not in known]
    if required.events_total is not None and open_:
        left = required.events_total - events[:, known].sum(axis=1)
        share = expected[:, open_] / expected[:, open_].sum(axis=1, keepdims=True)
        parts = np.floor(np.cumsum(share, axis=1) * left[:, None] + 0.5)
        parts[:, -1] = left
        events[:, open_] = np.diff(parts, axis=1, prepend=0).astype(np.int64)
        events = np.clip(events, 0, sizes)
        for k in open_:  # what does not fit in one arm goes to the others
            short = required.events_total - events.sum(axis=1)
            events[:, k] = np.clip(events[:, k] + short, 0, sizes[k])
    return np.clip(events, 0, sizes)
