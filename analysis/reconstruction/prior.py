"""What curves of earlier trials look like: the Gaussian prior on shapes, and its parameter file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.errors import InvalidValueError

Array = NDArray[np.float64]

SHAPE_EDGES = np.array(
    [0, 0.05, 0.1, 0.16, 0.22, 0.29, 0.37, 0.46, 0.56, 0.67, 0.79, 0.92, 1.06, 1.22, 1.4, 1.65, 2, 2.5, 3.2, 4.2, 6.0]
)
FOLLOW_UP_EDGES = np.array(
    [0, 0.05, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.32, 1.46, 1.65, 1.9, 2.2, 2.7]
)


@dataclass(frozen=True)
class PairPrior:
    """Log hazards of two arms of one trial, in units of the trial's own median time.

    The half-sum and half-difference of the arms' log hazards are independent Gaussians on the intervals
    between ``edges`` (the last interval is open): ``shared`` and ``difference`` are their covariances.
    """

    edges: Array
    mean: Array
    shared: Array
    difference: Array

    def covariance(self, arms: int) -> Array:
        """Joint covariance of the log hazards of ``arms`` arms, shape (arms * J, arms * J)."""
        between = self.shared - self.difference
        within = self.shared + self.difference
        blocks = np.eye(arms)[:, :, None, None] * (within - between) + between
        size = arms * self.mean.size
        return np.asarray(blocks.transpose(0, 2, 1, 3).reshape(size, size))


@dataclass(frozen=True)
class EndpointPrior:
    """Shapes of survival and of follow-up for one endpoint.

    ``log_follow_up`` is the mean and the standard deviation, over trials, of the log of the median follow-up
    divided by the median survival.
    """

    shape: PairPrior
    follow_up: PairPrior
    log_follow_up: tuple[float, float]
    figures: int


@dataclass(frozen=True)
class ShapePrior:
    """The prior by endpoint, with where it came from."""

    endpoints: Mapping[str, EndpointPrior]
    provenance: Mapping[str, str]

    def for_endpoint(self, endpoint: str) -> EndpointPrior:
        """Prior of an endpoint; the one of all endpoints together when it has none of its own."""
        return self.endpoints.get(family(endpoint), self.endpoints["default"])


FAMILIES = {
    "OS": "OS",
    "PFS": "PFS",
    "TTP": "PFS",
    "TTF": "PFS",
    "RPFS": "PFS",
    "DFS": "DFS",
    "EFS": "DFS",
    "RFS": "DFS",
    "LRR": "DFS",
    "IDFS": "DFS",
    "DMFS": "DFS",
}


def family(endpoint: str) -> str:
    """Name under which the prior keeps an endpoint: ``OS``, ``PFS``, ``DFS`` or ``default``."""
    return FAMILIES.get(endpoint.upper(), "default")
