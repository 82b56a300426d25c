"""Kaplan-Meier curves of many simulated arms at once, one arm a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]


class Curves(NamedTuple):
    """Kaplan-Meier steps of many arms, shape (arms, patients), by increasing time, events before losses at equal times.

    ``increment`` is each step's share of Greenwood's sum; tied events add up to ``d / (m * (m - d))``. A step to 0
    adds infinity.
    """

    time: FloatArray
    survival: FloatArray
    increment: FloatArray

    def at(self, time: float) -> tuple[FloatArray, FloatArray]:
        """Survival and Greenwood's variance of its logarithm at a time, one an arm."""
        by = self.time <= time
        survival = np.where(by, self.survival, 1.0).min(axis=1)
        return survival, np.where(by, self.increment, 0.0).sum(axis=1)

    def restricted_mean(self, tau: float) -> tuple[FloatArray, FloatArray]:
        """Area under each curve up to tau, and its variance."""
        arms = len(self.time)
        edges = np.hstack([np.zeros((arms, 1)), np.minimum(self.time, tau), np.full((arms, 1), tau)])
        area = np.hstack([np.ones((arms, 1)), self.survival]) * np.diff(edges, axis=1)
        left = np.cumsum(area[:, ::-1], axis=1)[:, ::-1]
        # a step to 0 has no area left after it
        counted = np.where((self.time <= tau) & np.isfinite(self.increment), self.increment, 0.0)
        return left[:, 0], (left[:, 1:] ** 2 * counted).sum(axis=1)


def kaplan_meier_rows(time: FloatArray, event: NDArray[np.bool_]) -> Curves:
    """Estimate the curves of many arms; ``time`` and ``event`` of shape (arms, patients)."""
    order = np.lexsort((~event, time), axis=1)
    time, event = np.take_along_axis(time, order, axis=1), np.take_along_axis(event, order, axis=1)
    at_risk = np.arange(time.shape[1], 0, -1, dtype=float)
    survival = np.asarray(np.cumprod(np.where(event, 1 - 1 / at_risk, 1.0), axis=1), dtype=float)
    with np.errstate(divide="ignore"):
        increment = np.where(event, 1 / (at_risk * (at_risk - 1)), 0.0)
    return Curves(time, survival, increment)
