"""Draws an ensemble: shapes from the prior, conditioned on the report, turned into patients, chunk by chunk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import block_diag

from analysis.reconstruction import forward
from analysis.reconstruction.conditioning import STAGES, condition
from analysis.reconstruction.members import draw_patients, expected_counts, meet_ratio
from analysis.survival.estimators import reverse_kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.reconstruction.prior import EndpointPrior
    from analysis.reconstruction.requirements import Requirements
    from analysis.survival.checks import BoolArray, FloatArray

CHUNK = 50  # members whose random numbers come from one stream
SEARCHES = (600, 1000, 2000, 4000, 8000, 8000)  # swaps tried in an arm, by attempt at a member
ADAPTATIONS = 3
CLUMP = 0.01  # variance that each event of an arm adds to the spacing of its events: published curves move in steps
KNOWN = 0.001  # spread of the log of a time that is printed
STEP = 0.5  # of a step of the Kaplan-Meier curve, by which a smooth path may miss a printed time


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


@dataclass(frozen=True)
class Problem:
    """The Gaussian that members are drawn from, with the report to meet."""

    required: Requirements
    edges: FloatArray
    lengths: FloatArray
    sizes: FloatArray
    mean: FloatArray
    mode: FloatArray
    covariance: FloatArray
    precision: FloatArray
    root: FloatArray
    noise: FloatArray

    @property
    def arms(self) -> int:
        """Number of arms."""
        return len(self.required.arms)


def pose(required: Requirements, prior: EndpointPrior) -> Problem:
    """Prior of the state, with the sampling noise that arms of this size add to it.

    The noise of a log hazard is one over its expected events; these are taken at the most probable state, found
    by a few rounds of conditioning.
    """
    arms = len(required.arms)
    follow_up = prior.follow_up
    if required.follow_up is None:
        shape, (log_unit, unit_sd) = prior.shape, required.median
        mean_ratio, ratio_sd = prior.log_follow_up
        log_length, length_sd = log_unit + mean_ratio, ratio_sd
    else:
        log_length, length_sd = required.follow_up
        if required.immature:
            shape, (log_unit, unit_sd) = prior.immature, (log_length, KNOWN)
        else:
            shape, (log_unit, unit_sd) = prior.shape, required.median
    shapes = np.tile(shape.mean + shape.trend * (log_unit - shape.centre), arms)
    lengths = np.tile(follow_up.mean + follow_up.trend * (log_length - follow_up.centre), arms)
    mean = np.concatenate([shapes, lengths, [log_unit, log_length]])
    scales = np.zeros((mean.size, 2))  # what a change of each unit does to the state
    scales[: shapes.size, 0], scales[shapes.size : -2, 1] = np.tile(shape.trend, arms), np.tile(follow_up.trend, arms)
    scales[-2, 0] = scales[-1, 1] = 1.0
    covariance = (scales * np.square([unit_sd, length_sd])) @ scales.T
    covariance[:-2, :-2] += block_diag(shape.covariance(arms), follow_up.covariance(arms))
    sizes = np.array([arm.size for arm in required.arms], dtype=np.float64)
    state = mean.copy()
    centre = required.boxes.mean(axis=1)[None]
    noise = required.noise
    total = covariance
    for turn in range(ADAPTATIONS + 1):
        variance, steps = _sampling_error(required, state, shape.edges, follow_up.edges, sizes, centre[0])
        total, noise = covariance + np.diag(variance), required.noise + steps
        precision = np.asarray(np.linalg.inv(total), dtype=np.float64)
        expected = mean - variance / 2  # so that the sample's hazards have the population's as their mean
        if turn < ADAPTATIONS:
            solved = np.empty((1, mean.size))
            condition(
                expected[None],
                state,
                STAGES,
                total,
                precision,
                noise,
                arms,
                shape.edges,
                follow_up.edges,
                sizes,
                required.equations,
                centre,
                solved,
            )
            state = solved[0]
    root = np.asarray(np.linalg.cholesky(total), dtype=np.float64)
    return Problem(required, shape.edges, follow_up.edges, sizes, expected, state, total, precision, root, noise)


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
        0,
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
            steps,
            time,
            event,
            miss,
        )
        times.append(time)
        flags.append(event)
    if arms == 2:
        boxes = [(arm.quantiles, arm.follow_up, arm.ticks, arm.landmarks) for arm in required.arms]
        meet_ratio(
            times[0], flags[0], boxes[0], times[1], flags[1], boxes[1], required.ratio_box, *required.test_box, miss
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


def _sampling_error(
    required: Requirements,
    state: FloatArray,
    edges: FloatArray,
    lengths: FloatArray,
    sizes: FloatArray,
    targets: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Variance of a sample's log hazards around the smooth ones, and of each equation for the curve's steps.

    The first is one over the expected counts; the second the square of half a step, on the scale of the residual.
    """
    arms = sizes.size
    room = 4 * (edges.size + lengths.size + 8)
    cells, paths = np.empty(room), np.empty((5, arms, room))
    count = forward.lay_cells(state, arms, edges, lengths, cells)
    forward.fill_paths(state, arms, edges, lengths, sizes, cells, count, paths)
    nodes, last = cells[:count], cells[count - 1]
    at_edges = np.append(np.exp(state[-2]) * edges, last)
    at_lengths = np.append(np.exp(state[-1]) * lengths, last)
    events = [np.interp(at_edges, nodes, paths[3, k, :count]) for k in range(arms)]
    left = [paths[4, k, :count] + paths[3, k, :count] for k in range(arms)]
    censored = [np.interp(at_lengths, nodes, sizes[k] - left[k]) for k in range(arms)]
    counts = np.concatenate([np.diff(path) for path in events + censored])
    variance = np.append(1.0 / (np.maximum(counts, 0.0) + 0.5), [0.0, 0.0])
    steps = np.zeros(targets.size)
    for e, (kind, arm) in enumerate(required.equations[:, :2].astype(int)):
        if kind in (forward.QUANTILE, forward.LIMIT, forward.FOLLOW_UP):
            at_risk = max(np.interp(targets[e], nodes, paths[4, arm, :count]), 1.0)
            hazard = np.interp(targets[e], nodes, paths[int(kind == forward.FOLLOW_UP), arm, :count])
            steps[e] = (STEP / at_risk / max(hazard, 0.1)) ** 2
        elif kind == forward.SURVIVAL:
            at_risk = max(np.interp(required.equations[e, 2], nodes, paths[4, arm, :count]), 1.0)
            steps[e] = (STEP / at_risk / -np.log(targets[e])) ** 2
    return variance, steps
