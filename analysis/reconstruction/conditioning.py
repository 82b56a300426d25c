"""Conditions draws from the prior on a report: each draw moves the least that satisfies every equation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.reconstruction.forward import residuals
from analysis.reconstruction.tangents import slopes

if TYPE_CHECKING:
    from analysis.survival.checks import FloatArray

ITERATIONS = 10
EASE = 20.0
DIFFERENCE = 1e-4
LARGEST_STEP = 3.0


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
        best = np.inf
        for turn in range(ITERATIONS):
            ease = max(1.0, EASE ** (2 - turn))
            nodes = residuals(x, arms, edges, lengths, sizes, equations, targets[i], cells, paths, here)
            error = np.max(np.abs(here) / np.sqrt(noise)) if count > 0 else 0.0
            if error < best:
                best = error
                solved[i] = x
            if error < 0.2:
                break
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
            step = start[i] - x
            for e in range(count):
                step += weight[e] * gain[e]
            x = x + step * min(1.0, LARGEST_STEP / max(np.max(np.abs(step)), 1e-9))
        worst[i] = best
    return worst
