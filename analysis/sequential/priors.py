"""Prior knowledge of an effect, updated by an interim statistic and integrated over.

Effects are drifts, E[Z] at the planned last look; at information fraction t the statistic is normal with mean
``drift sqrt(t)`` and variance 1. A prior of another kind is an object with the two methods below.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import vector
from analysis.conventions.values import value
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.checks import FloatArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_REACH = 8.5


class Prior(ABC):
    """A distribution of the drift."""

    @abstractmethod
    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Points and weights, the weights summing to 1, with which to integrate over the prior."""

    @abstractmethod
    def updated(self, z: float, fraction: float) -> Prior:
        """Give the posterior after the statistic ``z`` at an information fraction."""


@border
@value
class NormalPrior(Prior):
    """Normal distribution of the drift; a standard deviation of ``inf`` is the flat prior.

    Examples
    --------
    >>> NormalPrior(0.0, float("inf")).updated(1.0, 0.25)
    NormalPrior(mean=2.0, sd=2.0)
    """

    mean: float = fields.number()
    sd: float

    def __attrs_post_init__(self) -> None:
        if isinstance(self.sd, bool) or not self.sd > 0:
            raise InvalidValueError(
                "sd", self.sd, "a standard deviation above 0", "use PointsPrior for a single effect"
            )

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Gauss-Legendre panels over 8.5 standard deviations, narrow enough for the power function as well."""
        if not math.isfinite(self.sd):
            raise InvalidValueError("sd", self.sd, "a proper prior", "update it with an interim statistic first")
        panels = math.ceil(2 * _REACH * self.sd / min(2.0 * self.sd, 2.0))
        edges = np.linspace(-_REACH, _REACH, panels + 1)
        half = 0.5 * np.diff(edges)[:, None]
        points = ((edges[:-1] + edges[1:])[:, None] * 0.5 + half * _NODES).ravel()
        weights = (half * _WEIGHTS).ravel() * np.exp(-0.5 * points**2)
        return self.mean + self.sd * points, weights / weights.sum()

    def updated(self, z: float, fraction: float) -> NormalPrior:
        """Conjugate normal posterior."""
        precision = self.sd**-2 + fraction
        return NormalPrior((self.mean * self.sd**-2 + z * math.sqrt(fraction)) / precision, precision**-0.5)


@border
@value
class PointsPrior(Prior):
    """Finitely many drifts with their probabilities.

    Parameters
    ----------
    values
        Drifts.
    weights
        Their weights, scaled to sum to 1.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> round(GroupSequentialDesign((1.0,)).assurance(PointsPrior([0.0, 3.24], [0.3, 0.7])), 3)
    0.637
    """

    values: Sequence[float]
    weights: Sequence[float]

    def __attrs_post_init__(self) -> None:
        for field in ("values", "weights"):
            vector(field, getattr(self, field))
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.size != len(self.values) or weights.size == 0 or np.any(weights < 0) or not weights.sum() > 0:
            expected = f"{len(self.values)} weights, none negative, not all 0"
            raise InvalidValueError("weights", self.weights, expected, "give one for each value")
        object.__setattr__(self, "values", tuple(map(float, self.values)))
        object.__setattr__(self, "weights", tuple(map(float, weights / weights.sum())))

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Give the points themselves."""
        return np.array(self.values), np.array(self.weights)

    def updated(self, z: float, fraction: float) -> PointsPrior:
        """Posterior weights by Bayes' rule."""
        drifts, weights = self.nodes()
        log_likelihood = -0.5 * (z - drifts * math.sqrt(fraction)) ** 2
        return PointsPrior(self.values, tuple(weights * np.exp(log_likelihood - log_likelihood.max())))
