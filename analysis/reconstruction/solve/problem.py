"""Poses the problem of one reconstruction: the Gaussian that its members are drawn from, with the reports to meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import block_diag

from analysis.reconstruction.algebra import exp, log, positive_part, product, root_and_inverse
from analysis.reconstruction.report.followed import follow_up_of_cuts, last_follow_up
from analysis.reconstruction.solve import forward
from analysis.reconstruction.solve.conditioning import FROM_FAR, condition
from analysis.reconstruction.terms import FOLLOW_UP, LIMIT, QUANTILE, SURVIVAL, Equations, Frame

if TYPE_CHECKING:
    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.prior import EndpointPrior, PairPrior
    from analysis.reconstruction.report.block import Analysis, Block

ADAPTATIONS = 3
KNOWN = 0.001  # spread of the log of a time that is printed
STEP = 0.5  # of a step of the Kaplan-Meier curve, by which a smooth path may miss a printed time
JITTER = 1e-6  # variance that keeps hazards apart of which nothing tells that they differ
# how subgroups differ from the rest of their trial, on the scale of the log hazard: level in both arms, in one arm, and
# the share of the prior's difference between arms that their shapes have of their own
PROGNOSIS, INTERACTION, OWN_SHAPE = 0.3, 0.2, 0.5
SAME_ACCRUAL = 0.7  # correlation of the shapes of follow-up at two cuts
NEAR = 0.01  # step of the log of a median follow-up, over which a profile's change with it is told


@dataclass(frozen=True)
class Problem:
    """Prior of the state and errors allowed to the equations, the sampling noise of these patients included.

    ``frame`` holds the intervals of the log hazards and the patients of each arm, analysis by analysis. ``mean``,
    ``covariance``, its inverse ``precision`` and its Cholesky factor ``root`` are those of the state; ``mode`` is the
    most probable state given the reports, ``noise`` the variance of each equation's residual, ``boxes`` the range of
    its target.
    """

    block: Block
    frame: Frame
    equations: Equations
    boxes: FloatArray
    mean: FloatArray
    mode: FloatArray
    covariance: FloatArray
    precision: FloatArray
    root: FloatArray
    noise: FloatArray


def pose(block: Block, prior: EndpointPrior) -> Problem:
    """Prior of the state, with the sampling noise that arms of this size add to it.

    The noise of a log hazard is one over its expected events; these are taken at the most probable state, found
    by a few rounds of conditioning.
    """
    required, arms, number = block.first, block.arms, len(block.analyses)
    follow_up, followed = prior.follow_up, last_follow_up(block)
    if followed is None:
        shape, (log_unit, unit_sd) = prior.shape, required.median
        mean_ratio, ratio_sd = prior.log_follow_up
        log_length, length_sd = log_unit + mean_ratio, ratio_sd
    else:
        log_length, length_sd = followed
        if required.immature:
            shape, (log_unit, unit_sd) = prior.immature, (log_length, KNOWN)
        else:
            shape, (log_unit, unit_sd) = prior.shape, required.median
    shapes = np.tile(shape.mean + shape.trend * (log_unit - shape.centre), arms * number)
    profile = follow_up.mean + follow_up.trend * (log_length - follow_up.centre)
    shorter, spreads, slopes = follow_up_of_cuts(block, log_length)
    moves = [_stretch(follow_up.edges, ratio) for ratio in shorter]
    farther = [_stretch(follow_up.edges, ratio + NEAR * slope) for ratio, slope in zip(shorter, slopes, strict=True)]
    lengths = np.concatenate(
        [np.tile(_times(m, profile) - log_ratio, arms) for m, log_ratio in zip(moves, shorter, strict=True)]
    )
    mean = np.concatenate([shapes, lengths, [log_unit, log_length]])
    scales = np.zeros((mean.size, 2))  # what a change of each unit does to the state
    length_trend = np.concatenate(
        [
            np.tile(_times(m, follow_up.trend) + _times(f - m, profile) / NEAR - slope, arms)
            for m, f, slope in zip(moves, farther, slopes, strict=True)
        ]
    )
    scales[: shapes.size, 0], scales[shapes.size : -2, 1] = np.tile(shape.trend, arms * number), length_trend
    scales[-2, 0] = scales[-1, 1] = 1.0
    if followed is None:  # what is known of it is its ratio to the unit: a change of the unit changes both
        scales[-1, 0], scales[shapes.size : -2, 0] = 1.0, length_trend
    covariance = product(scales * np.square([unit_sd, length_sd]), scales.T.copy())
    covariance[:-2, :-2] += block_diag(
        _hazard_covariance(block, shape), _follow_up_covariance(block, follow_up, moves, spreads)
    )
    frame = Frame(shape.edges, follow_up.edges, block.sizes)
    equations, boxes, errors = block.equations()
    state = mean.copy()
    centre = boxes.mean(axis=1)[None]
    noise = errors
    total = covariance
    for turn in range(ADAPTATIONS + 1):
        variance, sampling, steps = _sampling_error(block, equations, state, frame, centre[0])
        total, noise = covariance + sampling, errors + steps
        root, precision = root_and_inverse(total)
        expected = mean - variance / 2  # so that the sample's hazards have the population's as their mean
        if turn < ADAPTATIONS:
            solved = np.empty((1, mean.size))
            condition(expected[None], state, FROM_FAR, total, precision, noise, frame, equations, centre, solved)
            state = solved[0]
    return Problem(block, frame, equations, boxes, expected, state, total, precision, root, noise)


def _stretch(edges: FloatArray, log_ratio: float) -> FloatArray:
    """Matrix that reads a profile of another length at the middles of the intervals, (L, L)."""
    if log_ratio == 0.0:
        return np.eye(edges.size)
    middle = np.append((edges[1:] + edges[:-1]) / 2, 1.1 * edges[-1])
    at = middle / exp(log_ratio)
    return np.array([np.interp(at, middle, one) for one in np.eye(edges.size)]).T


def _hazard_covariance(block: Block, shape: PairPrior) -> FloatArray:
    """Covariance of the log event hazards of all analyses: the same population's but for what subgroups differ by."""
    arms, width = block.arms, shape.edges.size
    number = len(block.analyses)
    total = np.kron(np.ones((number, number)), shape.covariance(arms))
    level = np.kron(PROGNOSIS**2 * np.ones((arms, arms)) + INTERACTION**2 * np.eye(arms), np.ones((width, width)))
    differs = level + OWN_SHAPE * np.kron(np.eye(arms), 2 * shape.difference)
    whole = sum(arm.size for arm in block.first.arms)
    for group in sorted({analysis.group for analysis in block.analyses if analysis.group >= 0}):
        members = sum(arm.size for arm in block.analyses[block.of_group(group)].required.arms)
        share = members / whole
        weight = [
            0.0 if analysis.group != group else (1 - share if analysis.inside else -share)
            for analysis in block.analyses
        ]
        total += np.kron(np.outer(weight, weight), differs)
    return np.asarray(total)


def _follow_up_covariance(block: Block, prior: PairPrior, moves: list[FloatArray], spreads: FloatArray) -> FloatArray:
    """Covariance of the log censoring hazards: the same follow-up within a cut, a like accrual between cuts."""
    arms, length = block.arms, prior.edges.size
    cuts = np.array([analysis.cut for analysis in block.analyses])
    alike = np.where(cuts[:, None] == cuts, 1.0, SAME_ACCRUAL)
    stretched = block_diag(*(np.kron(np.eye(arms), move) for move in moves))
    between = np.asarray(np.kron(alike, prior.covariance(arms)), dtype=np.float64)
    total = product(product(stretched, between), stretched.T.copy())
    known = np.where(cuts[:, None] == cuts, np.outer(spreads, spreads), 0.0)
    return np.asarray(total + np.kron(known, np.ones((arms * length, arms * length))))


def _sampling_error(
    block: Block, equations: Equations, state: FloatArray, frame: Frame, targets: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Variance and covariance of a sample's log hazards around the smooth ones, and of each equation for its steps.

    The variance is one over the expected counts, and 0 where none are expected: nothing of the population is seen
    there, and its hazard is the prior's. What two analyses share is that of the larger one. The last is the square of
    half a step, on the scale of the residual.
    """
    edges, lengths, sizes = frame
    arms = sizes.size
    room = 4 * (edges.size + lengths.size + 8)
    cells, paths = np.empty(room), np.empty((5, arms, room))
    count = forward.lay_cells(state, frame, cells)
    forward.fill_paths(state, frame, cells, count, paths)
    nodes, last = cells[:count], cells[count - 1]
    at_edges = np.append(exp(state[-2]) * edges, last)
    at_lengths = np.append(exp(state[-1]) * lengths, last)
    events = [np.interp(at_edges, nodes, paths[3, k, :count]) for k in range(arms)]
    left = [paths[4, k, :count] + paths[3, k, :count] for k in range(arms)]
    censored = [np.interp(at_lengths, nodes, sizes[k] - left[k]) for k in range(arms)]
    counts = np.concatenate([np.diff(path) for path in events + censored])
    counts = np.maximum(counts, 0.0)
    variance = np.append(counts / (counts + 0.5) ** 2, [0.0, 0.0])
    steps = np.zeros(targets.size)
    for e, (kind, arm) in enumerate(zip(equations.kind, equations.arm, strict=True)):
        if kind in (QUANTILE, LIMIT, FOLLOW_UP):
            at_risk = max(np.interp(targets[e], nodes, paths[4, arm, :count]), 1.0)
            hazard = np.interp(targets[e], nodes, paths[int(kind == FOLLOW_UP), arm, :count])
            steps[e] = (STEP / at_risk / max(hazard, 0.1)) ** 2
        elif kind == SURVIVAL:
            at_risk = max(np.interp(equations.time[e], nodes, paths[4, arm, :count]), 1.0)
            steps[e] = (STEP / at_risk / -log(targets[e])) ** 2
    return variance, _shared_error(block, variance, edges.size, lengths.size), steps


def _shared_error(block: Block, variance: FloatArray, width: int, length: int) -> FloatArray:
    """Covariance of the sampling errors: analyses of the same patients share those of the larger one."""
    covariance = np.diag(variance)
    number, arms = len(block.analyses), block.arms
    if number == 1:
        return covariance
    cut = number * arms * width
    for start, errors, at_one_cut in (
        (0, variance[:cut].reshape(number, arms * width), False),
        (cut, variance[cut:-2].reshape(number, arms * length), True),  # who is cut early leaves at another time
    ):
        size = errors.shape[1]
        alike = np.zeros((size, number, number))  # an interval of an arm, in one analysis and in another
        for v, one in enumerate(block.analyses):
            alike[:, v, v] = errors[v]
            for w, other in enumerate(block.analyses[:v]):
                if _apart(one, other) or (at_one_cut and one.cut != other.cut):
                    continue
                both = np.minimum(errors[v], errors[w])
                alike[:, v, w] = alike[:, w, v] = both if _nested(one, other) else np.minimum(both, errors[0])
        alike = positive_part(alike)
        for v in range(number):
            for w in range(number):
                covariance[start + v * size + np.arange(size), start + w * size + np.arange(size)] = alike[:, v, w]
    seen = np.arange(variance.size - 2)
    covariance[seen, seen] += JITTER
    return covariance


def _times(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    return product(matrix, vector[:, None])[:, 0]


def _apart(one: Analysis, other: Analysis) -> bool:
    return one.group == other.group and one.group >= 0 and one.inside != other.inside


def _nested(one: Analysis, other: Analysis) -> BoolArray | bool:
    same = one.group == other.group and one.inside == other.inside
    return same or (one.group < 0 and one.cut >= other.cut) or (other.group < 0 and other.cut >= one.cut)
