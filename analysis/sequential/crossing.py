"""Crossing probabilities of a sequence of standardised statistics, by recursive numerical integration.

Z_1, .., Z_K have independent increments on the score scale: with information I_k and E[Z_k] = mean_k, Z_k given Z_j is
normal with mean ``mean_k + sqrt(I_j / I_k) (Z_j - mean_j)`` and variance ``1 - I_j / I_k``. The density of Z_k over the
paths that have not yet stopped is carried from look to look (Armitage, McPherson and Rowe, JRSS A 1969;132:235-44) on
panels of ten-point Gauss-Legendre nodes whose width follows the narrowest normal density involved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.special import ndtri

from analysis.conventions.border import border
from analysis.conventions.checks import far_apart
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray

REACH = 9.0  # standard deviations on each side that are integrated; the mass beyond is 2e-19
_PANEL = 2.0  # width of a panel in the narrowest standard deviation
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_SQRT2 = math.sqrt(2.0)
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
FARTHEST = 30.0
"""Highest z of which tails can be computed."""


@njit(cache=True, nogil=True)
def _advance(nodes, mass, slope, shift, deviation, lower, upper, width):  # type: ignore[no-untyped-def]  # compiled
    """Nodes in [lower, upper] and the mass that reaches them."""
    panels = max(1, math.ceil((upper - lower) / width))
    half = 0.5 * (upper - lower) / panels
    points = _NODES.size
    new_nodes = np.empty(panels * points)
    new_mass = np.empty(panels * points)
    for i in range(panels):
        for j in range(points):
            y = lower + half * (2 * i + 1 + _NODES[j])
            density = 0.0
            for m in range(nodes.size):
                u = (y - shift - slope * nodes[m]) / deviation
                if abs(u) < REACH + 3.0:
                    density += mass[m] * math.exp(-0.5 * u * u)
            new_nodes[i * points + j] = y
            new_mass[i * points + j] = density * _DENSITY / deviation * half * _WEIGHTS[j]
    return new_nodes, new_mass


@njit(cache=True, nogil=True)
def _tail(nodes, mass, slope, shift, deviation, bound, sign):  # type: ignore[no-untyped-def]  # compiled
    """Mass beyond the bound (above it for sign 1, below for -1), and the density there."""
    probability, density = 0.0, 0.0
    for m in range(nodes.size):
        u = sign * (bound - shift - slope * nodes[m]) / deviation
        probability += mass[m] * 0.5 * math.erfc(u / _SQRT2)
        density += mass[m] * math.exp(-0.5 * u * u)
    return probability, density * _DENSITY / deviation


@njit(cache=True, nogil=True)
def _bound(nodes, mass, slope, shift, deviation, target, start, sign):  # type: ignore[no-untyped-def]  # compiled
    """Bound beyond which the mass is ``target``: Newton on the log, which descends from outside without overshoot."""
    bound = start
    for _ in range(200):
        probability, density = _tail(nodes, mass, slope, shift, deviation, bound, sign)
        if probability <= 0.0 or density <= 0.0:
            bound -= sign
            continue
        step = math.log(probability / target) * probability / density
        bound += sign * step
        if abs(step) < 1e-13 * (1.0 + abs(bound)):
            break
    return bound


@dataclass(frozen=True)
class Paths:
    """The paths that go on: density of the statistic at the last look over those that have not stopped.

    Begin with :meth:`start`, at no information or at an observed statistic; then ask for tails and bounds at the next
    look and :meth:`advance` to it.
    """

    origin: tuple[float, float, float]
    information: float
    mean: float
    nodes: FloatArray
    mass: FloatArray

    @classmethod
    def start(cls, z: float = 0.0, information: float = 0.0, mean: float = 0.0) -> Paths:
        """All paths, which stand at ``z`` when the information is ``information``."""
        return cls((z, information, mean), information, mean, np.array([z]), np.ones(1))

    def _step(self, information: float, mean: float) -> tuple[float, float, float]:
        slope = math.sqrt(self.information / information)
        return slope, mean - slope * self.mean, math.sqrt(1.0 - self.information / information)

    @property
    def probability(self) -> float:
        """Probability of not having stopped."""
        return float(self.mass.sum())

    def above(self, information: float, mean: float, bound: float) -> float:
        """Probability of going on to the next look and being above ``bound`` there."""
        return float(_tail(self.nodes, self.mass, *self._step(information, mean), bound, 1.0)[0])

    def below(self, information: float, mean: float, bound: float) -> float:
        """Probability of going on to the next look and being below ``bound`` there."""
        return float(_tail(self.nodes, self.mass, *self._step(information, mean), bound, -1.0)[0])

    def upper_bound(self, information: float, mean: float, probability: float) -> float:
        """Bound that is exceeded with this probability; infinite for none, minus infinite for more than there is."""
        return self._solve(information, mean, probability, 1.0)

    def lower_bound(self, information: float, mean: float, probability: float) -> float:
        """Bound that is undershot with this probability; minus infinite for none, infinite for more than there is."""
        return self._solve(information, mean, probability, -1.0)

    def _solve(self, information: float, mean: float, probability: float, sign: float) -> float:
        if probability <= 0.0:
            return sign * math.inf
        if probability >= self.probability:
            return -sign * math.inf
        centre, spread = self._reach(information, mean)
        outside = centre - sign * spread * float(ndtri(probability))
        step = self._step(information, mean)
        return float(_bound(self.nodes, self.mass, *step, probability, outside, sign))

    def advance(
        self, information: float, mean: float, lower: float, upper: float, following: float | None = None
    ) -> Paths:
        """Paths that go on from the next look, which stops below ``lower`` and above ``upper``.

        ``following`` is the information of the look after that: the closer it is, the finer are the nodes.
        """
        slope, shift, deviation = self._step(information, mean)
        centre, spread = self._reach(information, mean)
        low, high = max(lower, centre - REACH * spread), min(upper, centre + REACH * spread)
        if low >= high:
            return Paths(self.origin, information, mean, np.zeros(1), np.zeros(1))
        narrowest = deviation
        if following is not None:
            narrowest = min(deviation, math.sqrt((following - information) / information))
        nodes, mass = _advance(self.nodes, self.mass, slope, shift, deviation, low, high, _PANEL * narrowest)
        return Paths(self.origin, information, mean, nodes, mass)

    def _reach(self, information: float, mean: float) -> tuple[float, float]:
        """Mean and standard deviation at the next look, had no path stopped since the origin."""
        z, begun, expected = self.origin
        return mean + math.sqrt(begun / information) * (z - expected), math.sqrt(1.0 - begun / information)


@dataclass(frozen=True)
class Crossing:
    """Probabilities of stopping at each look.

    Attributes
    ----------
    upper, lower
        Probability of first crossing the upper, the lower bound at each look; shape (K,).
    """

    upper: FloatArray
    lower: FloatArray

    def __post_init__(self) -> None:
        self.upper.setflags(write=False)
        self.lower.setflags(write=False)

    @property
    def stopping(self) -> FloatArray:
        """Probability that the trial ends at each look; the last look ends it in any case."""
        crossed = self.upper + self.lower
        crossed[-1] = max(0.0, 1.0 - float(crossed[:-1].sum()))
        return crossed


@border
def crossing_probabilities(
    information: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    mean: ArrayLike,
    *,
    start: Paths | None = None,
) -> Crossing:
    """Probability of first crossing the lower or the upper bound at each look.

    Parameters
    ----------
    information
        Information at the looks, strictly increasing, in any unit; shape (K,).
    lower, upper
        Bounds on the scale of Z, infinite where a look has none; broadcast to shape (K,).
    mean
        Expected Z at the looks, for a constant effect theta ``theta sqrt(information)``; broadcast to shape (K,).
    start
        Where the paths come from: nothing observed, or ``Paths.start(z, information, mean)`` for probabilities that are
        conditional on an observed statistic.

    Returns
    -------
    Crossing
        Probabilities of ending at each look.

    Raises
    ------
    InvalidValueError
        If the information does not increase strictly, looks are closer than a millionth of it, or bounds cross.

    Examples
    --------
    >>> print(crossing_probabilities([1, 2], -np.inf, [2.7965, 1.9774], 0.0).upper.sum().round(4))
    0.025
    """
    levels = np.atleast_1d(np.asarray(information, dtype=np.float64))
    paths = Paths.start() if start is None else start
    if any(level <= before for before, level in pairwise([paths.information, *levels.tolist()])):
        expected = f"information above {paths.information:g} that increases strictly from look to look"
        raise InvalidValueError("information", information, expected, "leave out looks that add no information")
    far_apart("information", levels.tolist())
    for field, given in (("lower", lower), ("upper", upper), ("mean", mean)):
        if np.shape(given) not in ((), (1,), levels.shape):
            raise InvalidValueError(field, given, f"one number, or one for each of {levels.size} looks", "give as many")
    low, high, means = (np.broadcast_to(np.asarray(x, dtype=np.float64), levels.shape) for x in (lower, upper, mean))
    if not np.isfinite(means).all():
        raise InvalidValueError("mean", mean, "the expected Z of each look, finite", "give theta * sqrt(information)")
    if not np.all(low <= high):
        k = int(np.argmin(low <= high))
        got, expected = f"{low[k]:g} above {high[k]:g} at look {k + 1}", "lower bounds below the upper ones"
        raise InvalidValueError("lower, upper", got, expected, "exchange them")
    above, below = np.empty(levels.size), np.empty(levels.size)
    for k, (level, mu) in enumerate(zip(levels.tolist(), means.tolist(), strict=True)):
        above[k] = paths.above(level, mu, high[k])
        below[k] = paths.below(level, mu, low[k])
        if k + 1 < levels.size:
            paths = paths.advance(level, mu, low[k], high[k], float(levels[k + 1]))
    return Crossing(above, below)
