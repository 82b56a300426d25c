"""A group-sequential design as a value: looks, error probabilities, boundaries, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.design import from_json, to_json
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.boundaries import AlphaSpending, Bounds, Efficacy, Looks
from analysis.power.crossing import Crossing, crossing_probabilities
from analysis.power.futility import Futility, NoFutility, Plan
from analysis.power.protocol import group_sequential_paragraph
from analysis.power.spending import LanDeMetsOBrienFleming

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.power.crossing import FloatArray

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class GroupSequentialDesign:
    """A group-sequential design on the canonical scale.

    Z is positive when it favours the experimental arm; the *drift* is E[Z] at the last look.

    Parameters
    ----------
    fractions
        Information fractions of the looks, strictly increasing, the last one 1; shape (K,).
    alpha
        Type I error, over both sides if ``sided`` is 2.
    sided
        1, or 2 for a symmetric two-sided test.
    power
        Probability of rejecting under the alternative.
    efficacy
        Boundary for efficacy, e.g. ``AlphaSpending(LanDeMetsOBrienFleming())`` or ``Pocock()``.
    futility
        Boundary for futility, e.g. ``BetaSpending(HwangShihDeCani(-2.0))`` or ``FutilityBounds((0.3,))``.
    rejection
        Which rejections of a two-sided test the power counts: those in favour of the experimental arm (``"benefit"``:
        gsDesign, lrstat) or in either direction (``"either"``: rpact).
    spending_time
        Fractions at which spending functions are read, when they are not the information fractions (see `observed`).

    Raises
    ------
    InvalidValueError
        If fractions do not increase up to 1, or error probabilities are impossible.
    InfeasibleDesignError
        If no drift reaches the power with these boundaries.

    Examples
    --------
    >>> design = GroupSequentialDesign((1 / 3, 2 / 3, 1.0), alpha=0.025, power=0.9)
    >>> print(design.upper.round(4), round(design.inflation, 4))
    [3.7103 2.5114 1.993 ] 1.0119
    """

    fractions: tuple[float, ...]
    alpha: float = 0.025
    sided: Literal[1, 2] = 1
    power: float = 0.9
    efficacy: Efficacy = field(default_factory=lambda: AlphaSpending(LanDeMetsOBrienFleming()))
    futility: Futility = field(default_factory=NoFutility)
    rejection: Literal["benefit", "either"] = "benefit"
    spending_time: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        fractions = tuple(map(float, self.fractions))
        if not fractions or fractions[0] <= 0 or fractions[-1] != 1 or np.any(np.diff(fractions) <= 0):
            expected = "information fractions above 0 that increase strictly, the last one 1"
            raise InvalidValueError(
                "fractions", self.fractions, expected, "divide the information of the looks by the last"
            )
        object.__setattr__(self, "fractions", fractions)
        if self.sided not in (1, 2):
            raise InvalidValueError("sided", self.sided, "1 or 2", "take 1 with half of a two-sided alpha if in doubt")
        if not 0 < self.alpha < self.sided:
            expected = f"a probability below {'one half on each side' if self.sided == 2 else '1'}"
            raise InvalidValueError("alpha", self.alpha, expected, "take 0.025 one-sided or 0.05 two-sided")
        if not self.alpha / self.sided < self.power < 1:
            expected = f"a probability between alpha per side = {self.alpha / self.sided:g} and 1"
            raise InvalidValueError("power", self.power, expected, "take 0.8 or 0.9")
        if self.rejection not in ("benefit", "either"):
            raise InvalidValueError(
                "rejection", self.rejection, "'benefit' or 'either'", "choose which rejections count"
            )
        if self.sided == 2 and not isinstance(self.futility, NoFutility):
            expected = "no futility boundary in a symmetric two-sided test"
            raise InvalidValueError("futility", self.futility, expected, "test one-sided at half of alpha")
        if self.spending_time is not None:
            times = tuple(map(float, self.spending_time))
            if len(times) != len(fractions) or times[0] <= 0 or np.any(np.diff(times) <= 0):
                expected = f"{len(fractions)} fractions above 0 that increase strictly"
                raise InvalidValueError("spending_time", self.spending_time, expected, "give one for each look")
            object.__setattr__(self, "spending_time", times)

    @cached_property
    def looks(self) -> Looks:
        """The looks as the boundaries see them."""
        times = self.fractions if self.spending_time is None else self.spending_time
        return Looks(np.array(self.fractions), np.array(times), self.sided == 2)

    @cached_property
    def _plan(self) -> Plan:
        alpha = self.alpha / self.sided
        return Plan(self.looks, self.efficacy.increments(alpha, self.looks), 1.0 - self.power)

    @cached_property
    def fixed_drift(self) -> float:
        """Drift with which the test without interim looks has the power: z(1 - alpha) + z(power)."""
        return float(ndtri(self.power) - ndtri(self.alpha / self.sided))

    @cached_property
    def drift(self) -> float:
        """E[Z] at the last look under the alternative: with it the design has its power."""

        def lacking(drift: float) -> float:
            bounds = self.futility.bounds(self._plan, drift)
            crossed = self._crossing(bounds, drift)
            either = float(crossed.lower.sum()) if self.sided == 2 and self.rejection == "either" else 0.0
            return float(crossed.upper.sum()) + either - self.power

        low, high = 0.8 * self.fixed_drift, 1.05 * self.fixed_drift
        while lacking(high) < 0:
            low, high = high, 1.15 * high
            if high > 5 * self.fixed_drift:
                raise InfeasibleDesignError(
                    f"futility: got {self.futility.description}; expected boundaries with which a power of "
                    f"{self.power:g} can be reached; spend less on futility early or ask for less power"
                )
        return float(brentq(lacking, low, high, xtol=1e-13, rtol=1e-13))

    @cached_property
    def bounds(self) -> Bounds:
        """Lower and upper bounds on the scale of Z."""
        bounds = self.futility.bounds(self._plan, self.drift)
        met = bounds.lower[:-1] >= bounds.upper[:-1]
        if np.any(met):
            look = int(np.argmax(met)) + 1
            raise InfeasibleDesignError(
                f"futility: got {self.futility.description}, which meets the efficacy bound at look {look} of "
                f"{len(self.fractions)}; expected bounds that meet at the last look; spend later or drop the looks "
                f"after {look}"
            )
        return bounds

    @property
    def upper(self) -> FloatArray:
        """Efficacy bounds on the scale of Z; shape (K,)."""
        return self.bounds.upper

    @property
    def lower(self) -> FloatArray:
        """Lower bounds on the scale of Z, ``-inf`` where nothing stops; shape (K,)."""
        return self.bounds.lower

    @property
    def inflation(self) -> float:
        """Maximum information relative to that of the test without interim looks."""
        return (self.drift / self.fixed_drift) ** 2

    @property
    def nominal_p(self) -> FloatArray:
        """One-sided nominal p-value at or below which a look rejects; shape (K,)."""
        return np.asarray(ndtr(-self.upper))

    @property
    def alpha_spent(self) -> FloatArray:
        """Cumulative alpha spent at the looks, over both sides if two-sided; shape (K,)."""
        return self.sided * np.cumsum(self._plan.increments)

    @property
    def beta_spent(self) -> FloatArray:
        """Cumulative probability under the alternative of having crossed the lower bound; shape (K,)."""
        return np.cumsum(self.crossing(self.drift).lower)

    def crossing(self, drift: float) -> Crossing:
        """Probability of first crossing each bound at each look when E[Z] is ``drift`` at the last look."""
        return self._crossing(self.bounds, drift)

    def _crossing(self, bounds: Bounds, drift: float) -> Crossing:
        information = self.looks.information
        return crossing_probabilities(information, bounds.lower, bounds.upper, drift * np.sqrt(information))

    def expected_fraction(self, drift: float) -> float:
        """Give the expected information at the end of the trial as a fraction of the maximum."""
        return float(self.crossing(drift).stopping @ self.looks.information)

    def operating_characteristics(self, effects: ArrayLike = (0.0, 0.5, 1.0)) -> pd.DataFrame:
        """Rejection, futility and expected information over the true effect.

        Parameters
        ----------
        effects
            True effects as multiples of the alternative; shape (E,).

        Returns
        -------
        pandas.DataFrame
            One row per effect: ``effect``, ``drift``, ``reject``, ``stop_low``, ``expected_fraction`` of the maximum
            information and ``expected_inflation`` relative to the test without interim looks.
        """
        rows = []
        for effect in np.atleast_1d(np.asarray(effects, dtype=np.float64)):
            drift = float(effect) * self.drift
            crossed = self.crossing(drift)
            expected = float(crossed.stopping @ self.looks.information)
            rows.append((effect, drift, crossed.upper.sum(), crossed.lower.sum(), expected, expected * self.inflation))
        names = ["effect", "drift", "reject", "stop_low", "expected_fraction", "expected_inflation"]
        return pd.DataFrame(rows, columns=names)

    def summary(self) -> pd.DataFrame:
        """One row per look: bounds, nominal p, cumulative alpha and beta, chances of stopping under both hypotheses."""
        null, alternative = self.crossing(0.0), self.crossing(self.drift)
        return pd.DataFrame(
            {
                "look": np.arange(1, len(self.fractions) + 1),
                "fraction": self.fractions,
                "upper": self.upper,
                "nominal_p": self.nominal_p,
                "alpha_spent": self.alpha_spent,
                "lower": self.lower,
                "reject_null": np.cumsum(null.upper),
                "reject_alternative": np.cumsum(alternative.upper),
                "stop_low_null": np.cumsum(null.lower),
                "stop_low_alternative": np.cumsum(alternative.lower),
            }
        )

    def observed(self, information: ArrayLike, maximum: float) -> GroupSequentialDesign:
        """Re-spend alpha and beta at the information that was observed.

        Both are spent as planned at ``information / maximum``, whatever is left goes to the last look; the correlations
        are those of the information as it came.

        Parameters
        ----------
        information
            Information (e.g. events) at the looks so far and as planned from then on; shape (K,).
        maximum
            Planned maximum information in the same unit.

        Examples
        --------
        BOLERO-2 looked at 359 of 528 planned events, and for the last time at 510:

        >>> design = GroupSequentialDesign((0.6, 1.0), alpha=0.025)
        >>> print(design.observed([359, 510], 528).upper.round(3))
        [2.48  1.992]
        """
        levels = np.asarray(information, dtype=np.float64)
        if levels.ndim != 1 or levels.size == 0 or levels[0] <= 0 or np.any(np.diff(levels) <= 0):
            expected = "information above 0 that increases strictly from look to look"
            raise InvalidValueError("information", information, expected, "leave out looks that add no information")
        if not maximum > 0:
            raise InvalidValueError(
                "maximum", maximum, "the planned maximum information, above 0", "give e.g. planned events"
            )
        if levels.size > 1 and levels[-2] >= maximum:
            expected = f"looks before the last below the planned maximum {maximum:g}"
            raise InvalidValueError("information", information, expected, "end the list with the look that reached it")
        return GroupSequentialDesign(
            tuple(levels / levels[-1]),
            self.alpha,
            self.sided,
            self.power,
            self.efficacy,
            self.futility,
            self.rejection,
            tuple(levels / maximum),
        )

    def protocol_text(self) -> str:
        """Write the design as a paragraph of a protocol, with its numbers and references."""
        return group_sequential_paragraph(self)

    def to_json(self) -> str:
        """Write the design as JSON, every object with its ``kind``; `from_json` reads it back."""
        return to_json(self)

    @staticmethod
    def from_json(text: str) -> GroupSequentialDesign:
        """Read the design that `to_json` wrote; every value is checked again."""
        return of_kind(from_json(text), GroupSequentialDesign)

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))

    def __str__(self) -> str:
        fractions = ", ".join(f"{t:.3g}" for t in self.fractions)
        error = f"{self.sided}-sided alpha {self.alpha:g}"
        return f"group-sequential design, looks at {fractions}, {error}, power {self.power:g}"


def of_kind(thing: object, kind: type[Kind]) -> Kind:
    """Give the thing if it is of this kind, as it should be after reading."""
    if not isinstance(thing, kind):
        expected = f"JSON of a {kind.__name__}"
        raise InvalidValueError("kind", type(thing).__name__, expected, "read it with analysis.design.from_json")
    return thing


def required_information(design: GroupSequentialDesign, theta: float) -> float:
    """Maximum information with which the design has its power at effect ``theta``: ``(drift / theta)^2``."""
    if theta == 0 or not math.isfinite(theta):
        raise InvalidValueError(
            "theta", theta, "an effect other than 0", "name the effect that the design shall detect"
        )
    return (design.drift / theta) ** 2
