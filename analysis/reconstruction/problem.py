"""Poses the problem of one reconstruction: the Gaussian that its members are drawn from, with the report to meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import block_diag

from analysis.reconstruction import forward
from analysis.reconstruction.conditioning import FROM_FAR, condition

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.prior import EndpointPrior
    from analysis.reconstruction.requirements import Requirements

ADAPTATIONS = 3
KNOWN = 0.001  # spread of the log of a time that is printed
STEP = 0.5  # of a step of the Kaplan-Meier curve, by which a smooth path may miss a printed time


@dataclass(frozen=True)
class Problem:
    """Prior of the state and errors allowed to the equations, the sampling noise of these patients included.

    ``edges`` and ``lengths`` are the intervals of the log hazards of event and of censoring, ``sizes`` the patients of
    each arm. ``mean``, ``covariance``, its inverse ``precision`` and its Cholesky factor ``root`` are those of the
    state; ``mode`` is the most probable state given the report, ``noise`` the variance of each equation's residual.
    """

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
    if required.follow_up is None:  # what is known of it is its ratio to the unit: a change of the unit changes both
        scales[-1, 0], scales[shapes.size : -2, 0] = 1.0, np.tile(follow_up.trend, arms)
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
                FROM_FAR,
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


def _sampling_error(
    required: Requirements,
    state: FloatArray,
    edges: FloatArray,
    lengths: FloatArray,
    sizes: FloatArray,
    targets: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Variance of a sample's log hazards around the smooth ones, and of each equation for the curve's steps.

    The first is one over the expected counts, and 0 where none are expected: nothing of the population is seen there,
    and its hazard is the prior's. The second is the square of half a step, on the scale of the residual.
    """
    arms = sizes.size
    room = 4 * (edges.size + lengths.size + 8)
    cells, paths = np.empty(room), np.empty((5, arms, room))
    count = forward.lay_cells(state, edges, lengths, cells)
    forward.fill_paths(state, arms, edges, lengths, sizes, cells, count, paths)
    nodes, last = cells[:count], cells[count - 1]
    at_edges = np.append(np.exp(state[-2]) * edges, last)
    at_lengths = np.append(np.exp(state[-1]) * lengths, last)
    events = [np.interp(at_edges, nodes, paths[3, k, :count]) for k in range(arms)]
    left = [paths[4, k, :count] + paths[3, k, :count] for k in range(arms)]
    censored = [np.interp(at_lengths, nodes, sizes[k] - left[k]) for k in range(arms)]
    counts = np.concatenate([np.diff(path) for path in events + censored])
    counts = np.maximum(counts, 0.0)
    variance = np.append(counts / (counts + 0.5) ** 2, [0.0, 0.0])
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
