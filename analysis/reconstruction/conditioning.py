"""Conditions draws from the prior on a report: each draw moves the least that satisfies every equation."""

from __future__ import annotations

import numpy as np
from numba import njit

from analysis.reconstruction.forward import residuals

ITERATIONS = 8
DIFFERENCE = 1e-4
LARGEST_STEP = 1.5


@njit(cache=True, nogil=True)
def condition(start, covariance, noise, arms, edges, lengths, sizes, equations, targets, solved):
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
        Largest absolute residual of each member.
    """
    members, size = start.shape
    count = equations.shape[0]
    room = 4 * (edges.size + lengths.size + 8)
    cells = np.empty(room)
    paths = np.empty((5, arms, room))
    here = np.empty(count)
    there = np.empty(count)
    slope = np.empty((count, size))
    worst = np.empty(members)
    for i in range(members):
        x = start[i].copy()
        best = np.inf
        for _ in range(ITERATIONS):
            residuals(x, arms, edges, lengths, sizes, equations, targets[i], cells, paths, here)
            error = np.max(np.abs(here)) if count > 0 else 0.0
            if error < best:
                best = error
                solved[i] = x
            if error < 1e-4:
                break
            for k in range(size):
                kept = x[k]
                x[k] = kept + DIFFERENCE
                residuals(x, arms, edges, lengths, sizes, equations, targets[i], cells, paths, there)
                x[k] = kept
                for e in range(count):
                    slope[e, k] = (there[e] - here[e]) / DIFFERENCE
            gain = covariance @ slope.T
            system = slope @ gain
            for e in range(count):
                system[e, e] += noise[e]
            right = slope @ (x - start[i]) - here
            step = start[i] + gain @ np.linalg.solve(system, right) - x
            x = x + np.minimum(np.maximum(step, -LARGEST_STEP), LARGEST_STEP)
        worst[i] = best
    return worst
