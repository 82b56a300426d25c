"""Integrals over follow-up time whose integrand is smooth between known change points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.checks import FloatArray
    from analysis.survival import Distribution

# A hazard may start at 0 or infinity like a power of time, and a trial may run for many medians: panels halve towards 0
# and then shrink eightfold.
GRADING = np.concatenate([2.0 ** -np.arange(1, 9), 2.0**-8 * 8.0 ** -np.arange(1, 9)])
# Within a panel a curve may fall steeply, or all of a sudden: panels are then cut where its cumulative hazard has grown
# by these amounts.
STEEP, SUDDEN = 8.0, 0.2
LEVELS = 2.0 ** np.arange(-12, 6)
CALM = 1.0
"""Growth of a constant hazard on a panel up to which fewer nodes are as exact; panels are cut at every half of it."""
STEPS = CALM / 2 * np.arange(1, 81)
"""Down to a survival of 1e-17 of that at the panel's beginning."""


@dataclass(frozen=True)
class Rule:
    """Gauss-Legendre nodes and weights on [-1, 1].

    ``running`` (nodes, nodes) takes values at the nodes to their integrals from -1 to each node.
    """

    nodes: FloatArray
    weights: FloatArray
    running: FloatArray

    @classmethod
    def of(cls, number: int) -> Rule:
        """Give the rule with so many nodes."""
        nodes, weights = legendre.leggauss(number)
        order = np.arange(number)
        polynomials = legendre.legvander(nodes, number)
        integrals = np.empty((number, number))
        integrals[:, 0] = nodes + 1
        integrals[:, 1:] = (polynomials[:, 2:] - polynomials[:, :-2]) / (2 * order[1:] + 1)
        coefficients = (2 * order[:, None] + 1) / 2 * polynomials[:, :-1].T * weights
        return cls(nodes, weights, (integrals @ coefficients).T)


FULL, LIGHT = Rule.of(16), Rule.of(12)
"""For curves of any kind; for panels on which every hazard is constant and grows by at most `CALM`."""


@dataclass(frozen=True)
class Quadrature:
    """Gauss-Legendre nodes on panels between change points.

    Parameters
    ----------
    time
        Nodes in months, shape ``(panels, nodes)``, increasing.
    middle, half_width
        Middle and half the width of each panel, shape ``(panels, 1)``.
    rule
        Where the nodes of a panel are.
    """

    time: FloatArray
    middle: FloatArray
    half_width: FloatArray
    rule: Rule = FULL

    @classmethod
    def over(
        cls, end: float, change_points: FloatArray, curves: Sequence[Distribution] = (), rule: Rule = FULL
    ) -> Quadrature:
        """Lay panels over [0, end] that change points do not cut, fine where a curve falls steeply.

        Change points outside are ignored.
        """
        inside = change_points[(change_points > 0) & (change_points < end)]
        edges = _distinct(np.concatenate([inside, end * GRADING, [0.0, end]]))
        steep = [points for curve in curves if (points := _steep_points(curve, edges)).size]
        if steep:
            edges = _distinct(np.concatenate([edges, *steep]))
        half = (edges[1:] - edges[:-1])[:, None] / 2
        middle = np.cumsum(np.concatenate([[0.0], 2 * half[:-1, 0]]))[:, None] + half
        return cls(middle + half * rule.nodes, middle, half, rule)

    @cached_property
    def from_middle(self) -> FloatArray:
        """Months from the middle of a node's panel, shape ``(panels, nodes)``."""
        return self.half_width * self.rule.nodes

    def integral(self, values: FloatArray) -> FloatArray:
        """Integrate values at the nodes over the whole range; shape ``(..., panels, nodes)`` gives ``(...)``."""
        total: FloatArray = values.reshape(*values.shape[:-2], -1) @ (self.half_width * self.rule.weights).ravel()
        return total

    def running_integral(self, values: FloatArray) -> FloatArray:
        """Integrate values at the nodes from 0 to each node, in their shape ``(panels, nodes)``."""
        panels = self.half_width[:, 0] * (values @ self.rule.weights)
        before = np.concatenate([[0.0], np.cumsum(panels)[:-1]])
        return before[:, None] + self.half_width * (values @ self.rule.running)


def _distinct(edges: FloatArray) -> FloatArray:
    """Sort times and leave out repeated ones; `numpy.unique` does the same at a few times the cost."""
    edges.sort()
    wide = np.empty(edges.size, np.bool_)
    wide[0] = True
    np.greater(edges[1:], edges[:-1], out=wide[1:])
    return edges[wide]


def _steep_points(curve: Distribution, edges: FloatArray) -> FloatArray:
    """Give times within panels over which a cumulative hazard grows by more than a polynomial can follow."""
    straight = curve.piecewise_exponential_until > 0  # but for a fall to 0 at its end, which `STEPS` follow
    at = edges if straight else np.concatenate([edges, (edges[1:] + edges[:-1]) / 2])
    hazard = np.minimum(curve.cumulative_hazard(at), 700.0)
    left, right = hazard[: edges.size - 1], hazard[1 : edges.size]
    grown = right - left
    if straight:
        steep = grown > CALM
        levels = left[steep, None] + STEPS[: int(2 / CALM * grown.max())]
    else:
        bent = np.abs(hazard[edges.size :] - (left + right) / 2)
        steep = (grown > STEEP) | ((bent > SUDDEN * grown) & (grown > 1e-9))
        levels = left[steep, None] + np.where(grown[steep, None] > 1.0, 1.0, grown[steep, None]) * LEVELS
    if not steep.any():
        return edges[:0]
    points = curve.inverse_cumulative_hazard(levels)
    inside = (points > edges[:-1][steep, None]) & (points < edges[1:][steep, None])
    return np.asarray(points[inside])
