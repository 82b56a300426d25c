"""Conditions draws from the prior on a report: each draw moves the least that satisfies every equation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.solve.forward import residuals
from analysis.reconstruction.solve.tangents import slopes

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.terms import Equations, Frame

ITERATIONS = 30
EASE = 5.0
FROM_FAR, FROM_NEAR = 4, 3  # stages in which the errors allowed shrink to their own size
DIFFERENCE = 1e-4
LARGEST_STEP = 3.0
CONVERGED = 0.05  # improvement of the objective, a half sum of squares, under which a step is the last
HALVINGS = 6


@njit(cache=True, nogil=True)
def condition(
    start: FloatArray,
    first: FloatArray,
    stages: int,
    covariance: FloatArray,
    precision: FloatArray,
    noise: FloatArray,
    frame: Frame,
    equations: Equations,
    targets: FloatArray,
    solved: FloatArray,
) -> FloatArray:
    """Move each prior draw onto the report (randomised maximum likelihood).

    Parameters
    ----------
    start
        Draws from the prior, shape (members, D).
    first
        State to set out from, shape (D,): the most probable one, or the prior's mean where it is not known.
    stages
        Number of first steps with wider errors, which keep the path from sticking where it sets out.
    covariance, precision
        Prior covariance and its inverse, shape (D, D).
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
    count, arms, widths = targets.shape[1], frame.sizes.size, frame.edges.size + frame.lengths.size
    room = 4 * (widths + 8)
    cells = np.empty(room)
    paths = np.empty((5, arms, room))
    cells_there, paths_there = np.empty(room), np.empty((5, arms, room))
    tangents = np.empty((arms, 5, widths, room))
    here = np.empty(count)
    there = np.empty(count)
    slope, gain = np.empty((count, size)), np.empty((count, size))
    system, right = np.empty((count, count)), np.empty(count)
    worst = np.empty(members)
    for i in range(members):
        x = first.copy()
        nodes = residuals(x, frame, equations, targets[i], cells, paths, here)
        for turn in range(ITERATIONS):
            ease = max(1.0, EASE ** (stages - turn))
            cost = misfit(here, noise) / ease + remoteness(x, start[i], precision)
            slopes(x, frame, equations, targets[i], here, cells, nodes, paths, tangents, slope)
            for k in range(size - 2, size):
                kept = x[k]
                x[k] = kept + DIFFERENCE
                residuals(x, frame, equations, targets[i], cells_there, paths_there, there)
                x[k] = kept
                for e in range(count):
                    slope[e, k] = (there[e] - here[e]) / DIFFERENCE
            fill_gain(slope, covariance, gain)
            for e in range(count):
                right[e] = -here[e]
                for k in range(size):
                    if slope[e, k] != 0.0:
                        right[e] += slope[e, k] * (x[k] - start[i, k])
                for other in range(e + 1):
                    system[e, other] = system[other, e] = inner_product(slope, other, gain, e)
                system[e, e] += noise[e] * ease
            solve_in_place(system, right)
            move = start[i] - x
            for e in range(count):
                move += right[e] * gain[e]
            share = min(1.0, LARGEST_STEP / max(np.max(np.abs(move)), 1e-9))
            before = cost
            for _ in range(HALVINGS):
                trial = x + share * move
                residuals(trial, frame, equations, targets[i], cells_there, paths_there, there)
                trial_cost = misfit(there, noise) / ease + remoteness(trial, start[i], precision)
                if trial_cost < cost:
                    break
                share *= 0.4
            if trial_cost < cost:
                x, cost = trial, trial_cost
                nodes = residuals(x, frame, equations, targets[i], cells, paths, here)
            if ease == 1.0 and before - cost < CONVERGED:
                break
        solved[i] = x
        worst[i] = np.max(np.abs(here) / np.sqrt(noise)) if count > 0 else 0.0
    return worst


@inner
def fill_gain(slope: FloatArray, covariance: FloatArray, gain: FloatArray) -> None:
    """Fill the product of slopes (E, D), most of which are 0, with the prior's covariance (D, D)."""
    count, size = slope.shape
    for e in range(count):
        for m in range(size):
            gain[e, m] = 0.0
        for k in range(size):
            by = slope[e, k]
            if by != 0.0:
                for m in range(size):
                    gain[e, m] += by * covariance[k, m]


@inner
def inner_product(one: FloatArray, i: int, other: FloatArray, j: int) -> float:
    """Inner product of a row of each of two matrices."""
    total = 0.0
    for k in range(one.shape[1]):
        total += one[i, k] * other[j, k]
    return total


@inner
def misfit(residual: FloatArray, noise: FloatArray) -> float:
    """Half the sum of the squared residuals in standard deviations."""
    return float(0.5 * np.sum(residual * residual / noise))


@inner
def remoteness(x: FloatArray, start: FloatArray, precision: FloatArray) -> float:
    """Half the squared distance of a state from a draw, in the prior's metric."""
    total = 0.0
    for k in range(x.size):
        along = 0.0
        for m in range(x.size):
            along += precision[k, m] * (x[m] - start[m])
        total += (x[k] - start[k]) * along
    return 0.5 * total


@inner
def solve_in_place(system: FloatArray, right: FloatArray) -> None:
    """Solve a symmetric positive definite system by Cholesky's method; both arguments are overwritten."""
    size = right.size
    for i in range(size):
        for j in range(i + 1):
            total = system[i, j]
            for k in range(j):
                total -= system[i, k] * system[j, k]
            if i == j:
                system[i, i] = math.sqrt(max(total, 1e-300))
            else:
                system[i, j] = total / system[j, j]
        for k in range(i):
            right[i] -= system[i, k] * right[k]
        right[i] /= system[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            right[i] -= system[k, i] * right[k]
        right[i] /= system[i, i]
