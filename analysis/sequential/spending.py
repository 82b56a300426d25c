"""Spending functions: how much of an error probability may have been spent at a fraction of the information.

A spending function is a value with one method, ``spent(total, fraction)``. It serves alpha and beta alike; a kind that
is not here is an object of one's own with that method.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import fractions as increasing_fractions
from analysis.conventions.checks import vector
from analysis.conventions.values import value
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class SpendingFunction(ABC):
    """Cumulative error probability as a function of the information fraction."""

    description: str
    """The function as a protocol names it, with its reference."""

    @abstractmethod
    def spent(self, total: float, fraction: ArrayLike) -> NDArray[np.float64]:
        """Error probability spent up to ``fraction``.

        Parameters
        ----------
        total
            The error probability to be spent at fraction 1: alpha of one side, or beta.
        fraction
            Information fractions, any shape; from 1 on everything is spent.
        """


def _clipped(fraction: ArrayLike) -> NDArray[np.float64]:
    """Fractions as floats, cut at 1; a fraction that is not positive has no spending."""
    values = np.asarray(fraction, dtype=np.float64)
    if not np.all(values > 0):
        raise InvalidValueError(
            "fraction", fraction, "information fractions above 0", "drop the look without information"
        )
    return np.minimum(values, 1.0)


@border
@value
class LanDeMetsOBrienFleming(SpendingFunction):
    """O'Brien-Fleming-like spending: ``2 - 2 Phi(z(1 - total / 2) / sqrt(t))``.

    The total is the error of one side (Lan and DeMets, Biometrika 1983;70:659-63).

    Examples
    --------
    >>> round(float(LanDeMetsOBrienFleming().spent(0.025, 359 / 528)), 4)
    0.0066
    """

    description = "Lan-DeMets O'Brien-Fleming-like spending function (Lan and DeMets 1983)"

    def spent(self, total: float, fraction: ArrayLike) -> NDArray[np.float64]:
        """Error probability spent up to ``fraction`` of the information."""
        return np.asarray(2.0 * ndtr(ndtri(total / 2.0) / np.sqrt(_clipped(fraction))))


@border
@value
class LanDeMetsPocock(SpendingFunction):
    """Pocock-like spending: ``total log(1 + (e - 1) t)`` (Lan and DeMets, Biometrika 1983;70:659-63).

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import AlphaSpending
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=AlphaSpending(LanDeMetsPocock())).upper.round(3))
    [2.157 2.201]
    """

    description = "Lan-DeMets Pocock-like spending function (Lan and DeMets 1983)"

    def spent(self, total: float, fraction: ArrayLike) -> NDArray[np.float64]:
        """Error probability spent up to ``fraction`` of the information."""
        return np.asarray(total * np.log1p(np.expm1(1.0) * _clipped(fraction)))


@border
@value
class HwangShihDeCani(SpendingFunction):
    """Gamma family: ``total (1 - exp(-gamma t)) / (1 - exp(-gamma))``; linear at 0.

    Negative values spend late (-4 is close to O'Brien-Fleming), 1 is close to Pocock
    (Hwang, Shih and De Cani, Stat Med 1990;9:1439-45).

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import AlphaSpending
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=AlphaSpending(HwangShihDeCani(-4))).upper.round(3))
    [2.75  1.981]
    """

    gamma: float = fields.number()

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The function as a protocol names it, with its reference."""
        return f"Hwang-Shih-De Cani spending function with gamma = {self.gamma:g} (Hwang et al. 1990)"

    def spent(self, total: float, fraction: ArrayLike) -> NDArray[np.float64]:
        """Error probability spent up to ``fraction`` of the information."""
        t = _clipped(fraction)
        if abs(self.gamma) < 1e-12:  # as good as 0, and products of smaller ones vanish
            return np.asarray(total * t)
        return np.asarray(total * np.expm1(-self.gamma * t) / np.expm1(-self.gamma))


@border
@value
class KimDeMets(SpendingFunction):
    """Power family: ``total t^rho`` with rho above 0 (Kim and DeMets, Biometrika 1987;74:149-54).

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import AlphaSpending
    >>> print(GroupSequentialDesign((0.5, 1.0), efficacy=AlphaSpending(KimDeMets(3))).upper.round(3))
    [2.734 1.983]
    """

    rho: float = fields.positive()

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The function as a protocol names it, with its reference."""
        return f"Kim-DeMets power spending function with rho = {self.rho:g} (Kim and DeMets 1987)"

    def spent(self, total: float, fraction: ArrayLike) -> NDArray[np.float64]:
        """Error probability spent up to ``fraction`` of the information."""
        return np.asarray(total * _clipped(fraction) ** self.rho)


@border
@value
class ExponentialSpending(SpendingFunction):
    """Exponential family: ``total^(t^-nu)`` with nu above 0 (Anderson and Clark, Stat Med 2010;29:320-7).

    Examples
    --------
    >>> round(float(ExponentialSpending(0.8).spent(0.025, 0.5)), 5)
    0.00162
    """

    nu: float = fields.positive()

    @property
    def description(self) -> str:  # type: ignore[override]  # read-only here
        """The function as a protocol names it, with its reference."""
        return f"exponential spending function with nu = {self.nu:g} (Anderson and Clark 2010)"

    def spent(self, total: float, fraction: ArrayLike) -> NDArray[np.float64]:
        """Error probability spent up to ``fraction`` of the information."""
        return np.asarray(total ** (_clipped(fraction) ** -self.nu))


@border
@value
class UserSpending(SpendingFunction):
    """Spending given by points, linear between them and from (0, 0).

    Parameters
    ----------
    fractions
        Information fractions, strictly increasing, the last one 1.
    proportions
        Proportion of the total that is spent at each of them, not decreasing, the last one 1.

    Examples
    --------
    >>> UserSpending((0.5, 1.0), (0.1, 1.0)).spent(0.025, [0.5, 0.75, 1.0])
    array([0.0025 , 0.01375, 0.025  ])
    """

    fractions: tuple[float, ...] = fields.converted(increasing_fractions)
    proportions: tuple[float, ...]

    description = "spending function given by its points"

    def __attrs_post_init__(self) -> None:
        p = vector("proportions", self.proportions)
        if p.shape != (len(self.fractions),) or p[0] < 0 or p[-1] != 1 or np.any(np.diff(p) < 0):
            expected = f"{len(self.fractions)} proportions that do not decrease and end with 1"
            remedy = "give cumulative, not added, proportions"
            raise InvalidValueError("proportions", self.proportions, expected, remedy)
        object.__setattr__(self, "proportions", tuple(map(float, p)))

    def spent(self, total: float, fraction: ArrayLike) -> NDArray[np.float64]:
        """Error probability spent up to ``fraction`` of the information."""
        share = np.interp(_clipped(fraction), (0.0, *self.fractions), (0.0, *self.proportions))
        return np.asarray(total * share)
