"""Efficacy boundaries: how much alpha each look spends.

Every kind answers one question, ``increments(alpha, looks)``: the probability under the null hypothesis of first
crossing the bound at each look. A spending function says it directly, a boundary of a given shape through the constant
with which the increments sum to alpha. The bounds follow from the increments by one recursion (`efficacy_bounds`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.sequential.crossing import Paths, crossing_probabilities
from analysis.sequential.spending import SpendingFunction, UserSpending

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray


@dataclass(frozen=True)
class Looks:
    """When the data are looked at.

    Attributes
    ----------
    information
        Information at each look as a fraction of that at the last one; shape (K,).
    spending_time
        Fraction at which spending functions are read; the planned information fraction, also when the information
        came out otherwise; shape (K,).
    symmetric
        Whether crossing the mirrored lower bound ends the trial as well (a two-sided test).
    """

    information: FloatArray
    spending_time: FloatArray
    symmetric: bool

    def null_increments(self, upper: FloatArray) -> FloatArray:
        """Probability under the null hypothesis of first crossing ``upper`` at each look."""
        lower = -upper if self.symmetric else np.full(upper.shape, -math.inf)
        return crossing_probabilities(self.information, lower, upper, 0.0).upper


class Efficacy(ABC):
    """A boundary for efficacy."""

    description: str
    """The boundary as a protocol names it, with its reference."""

    @abstractmethod
    def increments(self, alpha: float, looks: Looks) -> FloatArray:
        """Alpha of one side that each look spends; shape (K,)."""

    def as_observed(self, alpha: float, planned: Looks) -> Efficacy:
        """Give the boundary for looks that come at other information than planned.

        The bounds of looks that are over may not depend on later ones; where a kind fixes them all together, what it
        planned to spend is spent, linearly between the planned looks.
        """
        return self


@border
@value
class AlphaSpending(Efficacy):
    """Boundary that spends alpha by a spending function.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import LanDeMetsPocock
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=AlphaSpending(LanDeMetsPocock())).upper.round(3))
    [2.157 2.201]
    """

    function: SpendingFunction = fields.converted(
        lambda name, given: one_of(name, given, SpendingFunction, "LanDeMetsOBrienFleming()")
    )

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The boundary as a protocol names it, with its reference."""
        return f"the {self.function.description}"

    def increments(self, alpha: float, looks: Looks) -> FloatArray:
        """Alpha of one side that each look spends; the last look spends all that is left."""
        spent = np.asarray(self.function.spent(alpha, looks.spending_time), dtype=np.float64)
        spent = np.r_[spent[:-1], alpha]
        if np.any(np.diff(np.r_[0.0, spent]) < 0):
            expected = "cumulative spending that does not decrease and stays within alpha"
            raise InvalidValueError("efficacy", self.function, expected, "correct the spending function")
        return np.asarray(np.diff(np.r_[0.0, spent]))


class Shape(Efficacy):
    """A boundary of a given shape, through a constant with which all looks together spend alpha."""

    def as_observed(self, alpha: float, planned: Looks) -> Efficacy:
        """Spend what was planned to be spent at the planned looks, linearly between them."""
        spent = np.cumsum(self.increments(alpha, planned)) / alpha
        spent[-1] = 1.0
        return AlphaSpending(UserSpending(tuple(planned.information.tolist()), tuple(spent.tolist())))


@border
@value
class WangTsiatis(Shape):
    """Bounds ``C t^(delta - 1/2)`` with C such that the total is alpha (Wang and Tsiatis, Biometrics 1987;43:193-9).

    ``delta`` 0 is the exact O'Brien-Fleming boundary, 1/2 the exact Pocock boundary.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=WangTsiatis(0.25)).upper.round(3))
    [2.424 2.038]
    """

    delta: float = fields.number()

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The boundary as a protocol names it, with its reference."""
        return f"the Wang-Tsiatis boundary with delta = {self.delta:g} (Wang and Tsiatis 1987)"

    def increments(self, alpha: float, looks: Looks) -> FloatArray:
        """Alpha of one side that each look spends."""
        shape = looks.information ** (self.delta - 0.5)
        single = -float(ndtri(alpha))

        def excess(constant: float) -> float:
            return math.log(float(looks.null_increments(constant * shape).sum()) / alpha)

        widest = max(1.0, 1.0 / float(shape.min())) * -float(ndtri(alpha / shape.size)) + 1e-6
        least = min(single, 1e-3 if looks.symmetric else 0.0)
        constant = float(brentq(excess, least, widest, xtol=1e-14))
        return looks.null_increments(constant * shape)


@border
@value
class OBrienFleming(Shape):
    """Exact O'Brien-Fleming boundary ``C / sqrt(t)`` (O'Brien and Fleming, Biometrics 1979;35:549-56).

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=OBrienFleming()).upper.round(3))
    [2.797 1.977]
    """

    description = "the O'Brien-Fleming boundary (O'Brien and Fleming 1979)"

    def increments(self, alpha: float, looks: Looks) -> FloatArray:
        """Alpha of one side that each look spends."""
        return WangTsiatis(0.0).increments(alpha, looks)


@border
@value
class Pocock(Shape):
    """Exact Pocock boundary, the same at every look (Pocock, Biometrika 1977;64:191-9).

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=Pocock()).upper.round(3))
    [2.178 2.178]
    """

    description = "the Pocock boundary (Pocock 1977)"

    def increments(self, alpha: float, looks: Looks) -> FloatArray:
        """Alpha of one side that each look spends."""
        return WangTsiatis(0.5).increments(alpha, looks)


@border
@value
class HaybittlePeto(Efficacy):
    """One critical value at all interim looks, the rest of alpha at the last (Haybittle 1971; Peto et al. 1976).

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=HaybittlePeto(3.0)).upper.round(3))
    [3.    1.967]
    """

    critical_value: float = fields.positive(default=3.0)

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The boundary as a protocol names it, with its reference."""
        return f"the Haybittle-Peto boundary with |Z| = {self.critical_value:g} at interim looks (Haybittle 1971)"

    def increments(self, alpha: float, looks: Looks) -> FloatArray:
        """Alpha of one side that each look spends."""
        interim = np.r_[np.full(looks.information.size - 1, self.critical_value), math.inf]
        increments = looks.null_increments(interim)
        left = alpha - float(increments.sum())
        if left <= 0:
            raise InfeasibleDesignError(
                f"critical_value: got {self.critical_value:g}, which spends {increments.sum():.3g} before the last look"
                f"; expected less than alpha = {alpha:g} per side; raise the critical value or leave out looks"
            )
        return np.asarray(np.r_[increments[:-1], left])


@dataclass(frozen=True)
class Bounds:
    """Lower and upper bounds on the scale of Z; infinite where a look has none; shape (K,)."""

    lower: FloatArray
    upper: FloatArray

    def __post_init__(self) -> None:
        self.lower.setflags(write=False)
        self.upper.setflags(write=False)


def efficacy_bounds(looks: Looks, increments: FloatArray) -> Bounds:
    """Upper bounds that spend the increments when nothing but efficacy stops the trial.

    Parameters
    ----------
    looks
        The looks; if symmetric, the lower bounds mirror the upper ones.
    increments
        Alpha of one side to be spent at each look; shape (K,).
    """
    upper = np.empty(increments.size)
    paths = Paths.start()
    for k, (level, spend) in enumerate(zip(looks.information.tolist(), increments.tolist(), strict=True)):
        upper[k] = paths.upper_bound(level, 0.0, spend)
        if k + 1 < upper.size:
            lower = -float(upper[k]) if looks.symmetric else -math.inf
            paths = paths.advance(level, 0.0, lower, float(upper[k]), float(looks.information[k + 1]))
    return Bounds(-upper if looks.symmetric else np.full(upper.shape, -math.inf), upper)
