"""Futility boundaries, binding or not.

A binding boundary counts on the trial to stop when it is crossed, and gives the alpha so saved to the later efficacy
bounds; a non-binding one leaves the efficacy bounds as they would be without it. Every kind answers
``bounds(plan, drift)``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import number, one_of
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.sequential.boundaries import Bounds, efficacy_bounds
from analysis.sequential.crossing import Paths, crossing_probabilities
from analysis.sequential.spending import SpendingFunction

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.sequential.boundaries import Looks


@dataclass(frozen=True)
class Plan:
    """What the efficacy side has fixed before futility is added.

    Attributes
    ----------
    looks
        When the data are looked at.
    increments
        Alpha of one side that each look spends; shape (K,).
    beta
        Type II error at the alternative.
    """

    looks: Looks
    increments: FloatArray
    beta: float

    @cached_property
    def efficacy(self) -> Bounds:
        """Bounds with which nothing but efficacy stops the trial."""
        return efficacy_bounds(self.looks, self.increments)


class Futility(ABC):
    """A boundary for futility."""

    description: str
    """The boundary as a protocol names it, with its reference."""
    binding: bool
    """Whether alpha counts on stopping below it."""

    @abstractmethod
    def bounds(self, plan: Plan, drift: float) -> Bounds:
        """Lower and upper bounds, when E[Z] is ``drift`` at the last look under the alternative."""


def _spending(name: str, given: Any) -> SpendingFunction:
    function: SpendingFunction = one_of(name, given, SpendingFunction, "HwangShihDeCani(-2)")
    return function


def _interim_bounds(name: str, given: Any) -> tuple[float | None, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidValueError(name, given, "a bound for each interim look", "write (0.3,), None for a look without")
    return tuple(None if z is None else number(name, z) for z in given)


@border
@value
class FutilityBounds(Futility):
    """Futility bounds given on the scale of Z.

    Parameters
    ----------
    values
        Bound at each interim look, None for none; the last look stops in any case; shape (K - 1,).
    binding
        Whether alpha counts on stopping below them.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> print(GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.3,))).lower.round(3))
    [0.3   1.969]
    """

    values: tuple[float | None, ...] = fields.converted(_interim_bounds)
    binding: bool = False

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The boundary as a protocol names it, with its reference."""
        values = ", ".join("none" if z is None else f"{z:g}" for z in self.values)
        return f"{_kind(self.binding)} futility bounds given as Z = {values}"

    def bounds(self, plan: Plan, drift: float) -> Bounds:
        """Lower and upper bounds; they do not depend on the drift."""
        values = np.array([-math.inf if z is None else z for z in self.values])
        if values.size != plan.increments.size - 1:
            expected = f"{plan.increments.size - 1} bounds, one for each interim look"
            raise InvalidValueError("values", self.values, expected, "write None where a look has none")
        return _solve(plan, np.r_[values, -math.inf], np.full(plan.increments.size, math.nan), 0.0, self.binding)


@border
@value
class BetaSpending(Futility):
    """Futility bounds that spend beta under the alternative (Pampallona, Tsiatis and Kim, Drug Inf J 2001;35:1113-21).

    The last two bounds meet; the drift at which they do is that of the design.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import HwangShihDeCani
    >>> print(GroupSequentialDesign((0.5, 1.0), futility=BetaSpending(HwangShihDeCani(-2))).lower.round(3))
    [0.406 1.969]
    """

    function: SpendingFunction = fields.converted(_spending)
    binding: bool = False

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The boundary as a protocol names it, with its reference."""
        return f"a {_kind(self.binding)} futility boundary that spends beta by the {self.function.description}"

    def bounds(self, plan: Plan, drift: float) -> Bounds:
        """Lower and upper bounds when beta is spent at this drift."""
        spent = self.function.spent(plan.beta, plan.looks.spending_time)
        return _solve(plan, np.full(spent.size, math.nan), np.diff(np.r_[0.0, spent]), drift, self.binding)


@border
@value
class NullSpending(Futility):
    """Lower bounds that spend an error probability under the null hypothesis.

    Parameters
    ----------
    function
        The spending function.
    total
        Probability, if there is no effect, of stopping below; none for all that efficacy leaves, so that under the null
        hypothesis every trial ends in one of the two.
    binding
        Whether alpha counts on stopping below them.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import LanDeMetsOBrienFleming
    >>> spending = NullSpending(LanDeMetsOBrienFleming(), total=0.1)
    >>> print(GroupSequentialDesign((0.5, 1.0), futility=spending).lower.round(3))
    [-2.054 -1.316]
    """

    function: SpendingFunction = fields.converted(_spending)
    total: float | None = fields.probability(default=None, optional=True)
    binding: bool = False

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The boundary as a protocol names it, with its reference."""
        return f"a {_kind(self.binding)} lower boundary that spends under no effect by the {self.function.description}"

    def bounds(self, plan: Plan, drift: float) -> Bounds:
        """Lower and upper bounds; they do not depend on the drift."""
        if self.total is not None:
            return self._spending(plan, self.total)

        def excess(rejected: float) -> float:
            bounds = self._spending(plan, 1.0 - rejected)
            crossed = crossing_probabilities(plan.looks.information, bounds.lower, bounds.upper, 0.0)
            return float(crossed.upper.sum()) - rejected

        alpha = float(plan.increments.sum())
        if self.binding:
            return self._spending(plan, 1.0 - alpha)
        least, most = 1e-6 * alpha, (1.0 + 1e-9) * alpha
        if excess(least) < 0:
            raise InfeasibleDesignError(
                f"futility: got {self.description}, which stops nearly every trial below before alpha = {alpha:g} "
                f"can be spent; expected a function that spends later; choose another or name a total below "
                f"{1.0 - alpha:g}"
            )
        return self._spending(plan, 1.0 - float(brentq(excess, least, most, xtol=1e-16)))

    def _spending(self, plan: Plan, total: float) -> Bounds:
        spent = self.function.spent(total, plan.looks.spending_time)
        free = np.full(spent.size, math.nan)
        return _solve(plan, free, np.diff(np.r_[0.0, spent]), 0.0, self.binding, meet=self.total is None)


def _kind(binding: bool) -> str:
    return "binding" if binding else "non-binding"


def _solve(
    plan: Plan, given: FloatArray, increments: FloatArray, drift: float, binding: bool, *, meet: bool = True
) -> Bounds:
    """Bounds look by look.

    ``given`` holds lower bounds or NaN where the look spends its increment under ``drift``; where the bounds ``meet``,
    the last look accepts what it does not reject. If they meet before, the trial ends there; the later bounds are zero.
    """
    information = plan.looks.information
    looks = information.size
    lower, upper = np.zeros(looks), np.zeros(looks)
    null, path = Paths.start(), Paths.start()
    for k, level in enumerate(information.tolist()):
        mean = drift * math.sqrt(level)
        last = k + 1 == looks
        upper[k] = null.upper_bound(level, 0.0, plan.increments[k]) if binding else plan.efficacy.upper[k]
        if not math.isnan(given[k]):
            lower[k] = upper[k] if last and meet else given[k]
        elif last and meet:
            lower[k] = upper[k]
        else:
            lower[k] = path.lower_bound(level, mean, increments[k])
        if lower[k] >= upper[k]:
            lower[k] = upper[k]
            break
        if not last:
            following = float(information[k + 1])
            null = null.advance(level, 0.0, lower[k] if binding else -math.inf, upper[k], following)
            path = path.advance(level, mean, lower[k], upper[k], following)
    return Bounds(lower, upper)
