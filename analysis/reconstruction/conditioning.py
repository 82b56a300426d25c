"""Conditions draws from the prior on a report: each draw moves the least that satisfies every equation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.reconstruction.forward import residuals
from analysis.reconstruction.tangents import slopes

if TYPE_CHECKING:
    from analysis.survival.checks import FloatArray

ITERATIONS = 30
EASE = 20.0
DIFFERENCE = 1e-4
LARGEST_STEP = 3.0
CONVERGED = 1e-3  # of the objective, by which the last step improved it
HALVINGS = 6


@njit(cache=True, nogil=True)
def condition(
    start: FloatArray,
    covariance: FloatArray,
    noise: FloatArray,
    arms: int,
    edges: FloatArray,
    lengths: FloatArray,
    sizes: FloatArray,
    equations: FloatArray,
    targets: FloatArray,
    solved: FloatArray,
) -> FloatArray:
    """Move each prior draw onto the report (randomised maximum likelihood).

    Parameters
    ----------
    start
        Draws from the prior, shape (members, D).
    covariance
        Prior covariance, shape (D, D).
    noise
        Variance allowed to each equation's residual, shape (E,).
    targets
        Values inside the rounding boxes, one row per member, shape (members, E).
    solved
        Output, shape (members, D).

    Returns
    -------
    numpy.ndarray
        Largest absolute residual of each member, in standard deviations of its noise.
    """
    members, size = start.shape
    count = equations.shape[0]
    room = 4 * (edges.size + lengths.size + 8)
    cells = np.empty(room)
    paths = np.empty((5, arms, room))
    cells_there, paths_there = np.empty(room), np.empty((5, arms, room))
    tangents = np.empty((arms, 5, edges.size + lengths.size, room))
    here = np.empty(count)
    there = np.empty(count)
    slope, gain = np.empty((count, size)), np.empty((count, size))
    system, right = np.empty((count, count)), np.empty(count)
    worst = np.empty(members)
    for i in range(members):
        x = start[i].copy()
        weight_of = np.zeros(size)  # x is start + covariance @ weight_of, so that the prior costs no inverse
        nodes = residuals(x, arms, edges, lengths, sizes, equations, targets[i], cells, paths, here)
        cost = misfit(here, noise)
        for turn in range(ITERATIONS):
            ease = max(1.0, EASE ** (2 - turn))
            slopes(x, arms, edges, lengths, sizes, equations, targets[i], here, cells, nodes, paths, tangents, slope)
            for k in range(size - 2, size):
                kept = x[k]
                x[k] = kept + DIFFERENCE
                residuals(x, arms, edges, lengths, sizes, equations, targets[i], cells_there, paths_there, there)
                x[k] = kept
                for e in range(count):
                    slope[e, k] = (there[e] - here[e]) / DIFFERENCE
            for e in range(count):
                gain[e] = 0.0
                right[e] = -here[e]
                for k in range(size):
                    if slope[e, k] != 0.0:
                        gain[e] += slope[e, k] * covariance[k]
                        right[e] += slope[e, k] * (x[k] - start[i, k])
            for e in range(count):
                for other in range(e + 1):
                    system[e, other] = system[other, e] = np.sum(slope[other] * gain[e])
                system[e, e] += noise[e] * ease
            weight = np.linalg.solve(system, right)
            move, move_of = start[i] - x, -weight_of
            for e in range(count):
                move += weight[e] * gain[e]
                move_of += weight[e] * slope[e]
            share = min(1.0, LARGEST_STEP / max(np.max(np.abs(move)), 1e-9))
            before = cost
            for _ in range(HALVINGS):
                trial, trial_of = x + share * move, weight_of + share * move_of
                residuals(trial, arms, edges, lengths, sizes, equations, targets[i], cells_there, paths_there, there)
                trial_cost = misfit(there, noise) + 0.5 * np.sum(trial_of * (trial - start[i]))
                if trial_cost < cost:
                    break
                share *= 0.4
            if trial_cost < cost:
                x, weight_of, cost = trial, trial_of, trial_cost
                nodes = residuals(x, arms, edges, lengths, sizes, equations, targets[i], cells, paths, here)
            if ease == 1.0 and before - cost < CONVERGED * max(cost, 1.0):
                break
        solved[i] = x
        worst[i] = np.max(np.abs(here) / np.sqrt(noise)) if count > 0 else 0.0
    return worst


@njit(cache=True, nogil=True)
def misfit(residual: FloatArray, noise: FloatArray) -> float:
    """Half the sum of the squared residuals in standard deviations."""
    return float(0.5 * np.sum(residual * residual / noise))
