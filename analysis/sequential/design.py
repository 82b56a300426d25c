"""A group-sequential design as a value: looks, error probabilities, boundaries, and what follows from them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import fractions, increasing, number, one_of, positive
from analysis.conventions.display import html
from analysis.conventions.values import replace, value
from analysis.design import AtEvents, Cut, Look
from analysis.errors import InfeasibleDesignError, InvalidValueError, NotEstimableError
from analysis.sequential.boundaries import AlphaSpending, Bounds, Efficacy, Looks
from analysis.sequential.crossing import Crossing, crossing_probabilities
from analysis.sequential.futility import BetaSpending, Futility, Plan
from analysis.sequential.spending import LanDeMetsOBrienFleming
from analysis.sequential.words import METHOD, LookInWords, looks_in_words, percent, sides

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray
    from analysis.sequential.priors import Prior

RARE = 1e-9  # chance below which rounding decides what is conditional on it


@border
@value
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
        Boundary for futility, e.g. ``BetaSpending(HwangShihDeCani(-2.0))`` or ``FutilityBounds((0.3,))``; None: the
        trial never stops for futility.
    rejection
        Which rejections of a two-sided test the power counts: those in favour of the experimental arm (``"benefit"``:
        gsDesign, lrstat) or in either direction (``"either"``: rpact).
    spending_time
        Fractions at which spending functions are read, when they are not the information fractions (see `observed`).
    alternative_drift
        E[Z] at the last look under the alternative, where it is given and the power follows (see `observed`); None: it
        follows from the power.

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

    Its looks in a trial, counted in events, with their boundaries:

    >>> for look in design.looks(events=300):
    ...     print(look)
    at 100 events, rejects at z of at least 3.71
    at 200 events, rejects at z of at least 2.511
    at 300 events, rejects at z of at least 1.993
    """

    fractions: Sequence[float] = fields.converted(fractions)
    alpha: float = fields.probability(default=0.025)
    sided: Literal[1, 2] = fields.sides(default=1)
    power: float = fields.probability(default=0.9)
    efficacy: Efficacy = fields.converted(
        lambda name, given: one_of(name, given, Efficacy, "AlphaSpending(LanDeMetsOBrienFleming())"),
        default=AlphaSpending(LanDeMetsOBrienFleming()),
    )
    futility: Futility | None = fields.converted(
        lambda name, given: one_of(name, given, Futility, "FutilityBounds((0.3,))"), default=None, optional=True
    )
    rejection: Literal["benefit", "either"] = fields.choice(("benefit", "either"), default="benefit")
    spending_time: Sequence[float] | None = fields.converted(increasing, default=None, optional=True)
    alternative_drift: float | None = fields.number(above=0, default=None, optional=True)

    def __attrs_post_init__(self) -> None:
        if not self.alpha / self.sided < self.power:
            expected = f"a probability between alpha per side = {self.alpha / self.sided:g} and 1"
            raise InvalidValueError("power", self.power, expected, "take 0.8 or 0.9")
        if self.sided == 2 and self.futility is not None:
            expected = "no futility boundary in a symmetric two-sided test"
            raise InvalidValueError("futility", self.futility, expected, "test one-sided at half of alpha")
        if self.spending_time is not None and len(self.spending_time) != len(self.fractions):
            expected = f"{len(self.fractions)} fractions, one for each look"
            raise InvalidValueError("spending_time", self.spending_time, expected, "give as many as there are looks")

    def looks(self, cuts: Sequence[Cut] | None = None, *, events: float | None = None) -> tuple[Look, ...]:
        """Give the looks of a `TrialDesign` with this design's boundaries.

        Parameters
        ----------
        cuts
            When the data are cut at each look.
        events
            Or the number of events at the last look: each look comes at its fraction of them, rounded up.

        Raises
        ------
        InvalidValueError
            If neither or both are given, or there are not as many cuts as looks.
        """
        if (cuts is None) == (events is None):
            raise InvalidValueError("cuts, events", (cuts, events), "exactly one of them", "write looks(events=528)")
        if cuts is None:
            last = positive("events", events, "events")
            cuts = [AtEvents(math.ceil(last * fraction - 1e-9)) for fraction in self.fractions]
        if len(cuts) != len(self.fractions):
            raise InvalidValueError("cuts", len(cuts), f"{len(self.fractions)} cuts", "give one for each look")
        futility = self.lower if self.sided == 1 else np.full(len(self.fractions), -math.inf)
        bounds = zip(cuts, self.upper.tolist(), futility.tolist(), strict=True)
        rule = self.efficacy.description
        if self.futility is not None:
            made_for = f", for a power of {percent(self.power)}" if isinstance(self.futility, BetaSpending) else ""
            rule = f"{rule} and {self.futility.description}{made_for}"
        return tuple(Look(cut, efficacy_z=upper, futility_z=lower, rule=rule) for cut, upper, lower in bounds)

    @cached_property
    def schedule(self) -> Looks:
        """The looks as the boundaries see them."""
        times = self.fractions if self.spending_time is None else self.spending_time
        return Looks(np.array(self.fractions), np.array(times), self.sided == 2)

    @cached_property
    def _plan(self) -> Plan:
        alpha = self.alpha / self.sided
        return Plan(self.schedule, self.efficacy.increments(alpha, self.schedule), 1.0 - self.power)

    def _bounds_at(self, drift: float) -> Bounds:
        return self._plan.efficacy if self.futility is None else self.futility.bounds(self._plan, drift)

    @cached_property
    def fixed_drift(self) -> float:
        """Drift with which the test without interim looks has the power: z(1 - alpha) + z(power)."""
        return float(ndtri(self.power) - ndtri(self.alpha / self.sided))

    @cached_property
    def drift(self) -> float:
        """E[Z] at the last look under the alternative: with it the design has its power, unless it is given."""
        if self.alternative_drift is not None:
            return self.alternative_drift

        def lacking(drift: float) -> float:
            return self.rejecting(self._crossing(self._bounds_at(drift), drift)) - self.power

        low, high = 0.8 * self.fixed_drift, 1.05 * self.fixed_drift
        while lacking(high) < 0:
            low, high = high, 1.15 * high
            if high > 5 * self.fixed_drift:
                raise InfeasibleDesignError(
                    f"futility: got {_words_of(self.futility)}; expected boundaries with which a power of "
                    f"{self.power:g} can be reached; spend less on futility early or ask for less power"
                )
        return float(brentq(lacking, low, high, xtol=1e-13, rtol=1e-13))

    def rejecting(self, crossed: Crossing) -> float:
        """Give the probability of rejecting, in the directions that count as power."""
        either = float(crossed.lower.sum()) if self.sided == 2 and self.rejection == "either" else 0.0
        return float(crossed.upper.sum()) + either

    @cached_property
    def attained_power(self) -> float:
        """Power under the alternative: what was asked for, or what the information that came gives (see `observed`)."""
        return self.rejecting(self.crossing(self.drift))

    @cached_property
    def bounds(self) -> Bounds:
        """Lower and upper bounds on the scale of Z."""
        bounds = self._bounds_at(self.drift)
        met = bounds.lower[:-1] >= bounds.upper[:-1]
        if np.any(met):
            look = int(np.argmax(met)) + 1
            raise InfeasibleDesignError(
                f"futility: got {_words_of(self.futility)}, which meets the efficacy bound at look {look} of "
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
        information = self.schedule.information
        return crossing_probabilities(information, bounds.lower, bounds.upper, drift * np.sqrt(information))

    def expected_fraction(self, drift: float) -> float:
        """Give the expected information at the end of the trial as a fraction of the maximum."""
        return float(self.crossing(drift).stopping @ self.schedule.information)

    def assurance(self, prior: Prior, *, after_look: int = 0) -> float:
        """Probability of rejecting in favour of the experimental arm, averaged over what is believed of the effect.

        Parameters
        ----------
        prior
            Distribution of the drift, E[Z] at the last look, before the trial.
        after_look
            A look that is known to have been passed without crossing a bound; 0: the trial has not begun.

        Raises
        ------
        InvalidValueError
            If the look is not an interim look.
        NotEstimableError
            If the prior all but excludes that the look was passed.

        References
        ----------
        O'Hagan A, Stevens JW, Campbell MJ (2005). Assurance in clinical trial design. Pharmaceutical
        Statistics 4:187-201.

        Examples
        --------
        >>> from analysis.sequential import NormalPrior
        >>> round(GroupSequentialDesign((1.0,)).assurance(NormalPrior(3.2415, 1.0)), 4)
        0.8176
        """
        if after_look not in range(len(self.fractions)):
            expected = f"an interim look, 1 to {len(self.fractions) - 1}, or 0"
            raise InvalidValueError(
                "after_look", after_look, expected, "condition on a look that is followed by another"
            )
        going_on = success = 0.0
        for drift, weight in zip(*prior.nodes(), strict=True):
            crossed = self.crossing(float(drift))
            success += float(weight) * float(crossed.upper[after_look:].sum())
            going_on += float(weight) * (1.0 - float((crossed.upper + crossed.lower)[:after_look].sum()))
        if going_on < RARE:
            raise NotEstimableError(
                f"assurance: got a chance of {max(going_on, 0.0):.1g} to pass look {after_look} with this prior; "
                f"expected at least {RARE:g}; take a prior that does not exclude what was seen"
            )
        return float(success / going_on) if after_look else success

    def operating_characteristics(self, effects: ArrayLike = (0.0, 0.5, 1.0)) -> pd.DataFrame:
        """Rejection, futility and expected information over the true effect.

        Parameters
        ----------
        effects
            True effects as multiples of the alternative; shape (E,).

        Returns
        -------
        DataFrame
            One row per effect: ``effect``, ``drift``, ``reject``, ``stop_low``, ``expected_fraction`` of the maximum
            information and ``expected_inflation`` relative to the test without interim looks.
        """
        import pandas as pd

        rows = []
        for effect in np.atleast_1d(np.asarray(effects, dtype=np.float64)):
            drift = float(effect) * self.drift
            crossed = self.crossing(drift)
            expected = float(crossed.stopping @ self.schedule.information)
            rows.append((effect, drift, crossed.upper.sum(), crossed.lower.sum(), expected, expected * self.inflation))
        names = ["effect", "drift", "reject", "stop_low", "expected_fraction", "expected_inflation"]
        return pd.DataFrame(rows, columns=names)

    def summary(self) -> pd.DataFrame:
        """One row per look: bounds, nominal p, cumulative alpha and beta, chances of stopping under both hypotheses."""
        import pandas as pd

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

    def observed(self, information: ArrayLike, maximum: float, *, final: bool | None = None) -> GroupSequentialDesign:
        """Re-spend alpha and beta at the information that was observed.

        Both are spent as planned at ``information / maximum``; a boundary of a given shape spends what it planned to
        spend, linearly between its looks. The correlations are those of the information as it came. So the bounds of
        looks that are over do not depend on what comes after them, and the type I error is kept. The alternative is the
        planned effect: with less information at the end than planned the `attained_power` is lower.

        Parameters
        ----------
        information
            Information (e.g. events) at the looks so far and as planned from then on; shape (K,).
        maximum
            Planned maximum information in the same unit.
        final
            Where the last look is below the planned maximum: True if the trial ends there, and spends all that is left
            of alpha; False if it goes on to the planned maximum, which then is one look more.

        Raises
        ------
        InvalidValueError
            If the information does not increase, or the last look is below the maximum and `final` is not given.

        Examples
        --------
        BOLERO-2 looked at 359 of 528 planned events, and for the last time at 510:

        >>> design = GroupSequentialDesign((0.6, 1.0), alpha=0.025)
        >>> after = design.observed([359, 510], 528, final=True)
        >>> print(after.upper.round(3), round(after.attained_power, 3))
        [2.48  1.992] 0.889
        """
        top = number("maximum", maximum, above=0, unit="planned information")
        levels = list(increasing("information", np.atleast_1d(np.asarray(information, dtype=np.float64)).tolist()))
        if not levels:
            raise InvalidValueError("information", information, "the information of at least one look", "list it")
        if len(levels) > 1 and levels[-2] >= top:
            expected = f"looks before the last below the planned maximum {top:g}"
            raise InvalidValueError("information", levels, expected, "end the list with the look that reached it")
        if levels[-1] < top * (1 - 1e-9):
            if final is None:
                expected = f"a last look at the planned maximum {top:g}, or a word on what the last look is"
                remedy = "say final=True if the trial ends there and spends all of alpha, final=False if it goes on"
                raise InvalidValueError("information", levels, expected, remedy)
            if not final:
                levels.append(top)
        return replace(
            self,
            fractions=tuple(level / levels[-1] for level in levels),
            spending_time=tuple(level / top for level in levels),
            efficacy=self.efficacy.as_observed(self.alpha / self.sided, self.schedule),
            alternative_drift=self.drift * math.sqrt(levels[-1] / top),
        )

    def protocol_text(self) -> str:
        """Write the design as a paragraph of a protocol, with its numbers and references."""
        looks = [
            LookInWords(f"{percent(fraction)} of the information", *numbers)
            for fraction, *numbers in zip(self.fractions, *self._numbers_of_looks(), strict=True)
        ]
        maximum = (
            f", which takes {self.inflation:.4f} times the information of a trial without interim analyses"
            if self.alternative_drift is None
            else ""
        )
        sentences = [
            f"The primary hypothesis is tested {sides(self.sided)} at a total significance level of {self.alpha:g}.",
            *looks_in_words(looks, self.efficacy.description, _words_of(self.futility), self.sided),
            f"The design has {percent(self.attained_power)} power when the expected test statistic at the last look "
            f"is {self.drift:.3f}{maximum}.",
            f"The expected information at the end of the trial is {percent(self.expected_fraction(self.drift))} of "
            f"the maximum under the alternative and {percent(self.expected_fraction(0.0))} under the null hypothesis.",
            METHOD,
        ]
        return " ".join(sentences)

    def _numbers_of_looks(self) -> tuple[list[float], ...]:
        """Upper bound, nominal p, alpha spent, lower bound and beta spent, by look."""
        columns = (self.upper, self.nominal_p, self.alpha_spent, self.lower, self.beta_spent)
        return tuple(column.tolist() for column in columns)

    def _repr_html_(self) -> str:
        return html(self.summary())

    def __str__(self) -> str:
        at = ", ".join(f"{t:.3g}" for t in self.fractions)
        return f"group-sequential design, looks at {at}, {self.sided}-sided alpha {self.alpha:g}, power {self.power:g}"


def _words_of(futility: Futility | None) -> str:
    return "no futility boundary" if futility is None else futility.description
