"""A trial that is planned: design, what is assumed, the test; its power by every way, its figures, its words."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.design import IllnessDeath, Scenario, TrialDesign
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnavailableError
from analysis.power import Power, power, power_summary
from analysis.power.large_sample import check_test
from analysis.single_arm import BinomialDesign

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.plots import NumberedFigure
    from analysis.power.summary import PowerSummary
    from analysis.statistical_tests import OneArmTest, TwoArmTest

TRIALS = 10_000
SPREAD = np.array([0.75, 0.875, 1.0, 1.125, 1.25, 1.5])
"""Sizes at which a report shows the power, times that of the design."""

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the control with an event, at whose times hazards are compared."""

HAZARD_RATIOS = np.linspace(0.4, 1.0, 13)


@border
@value
class Plan:
    """A trial as it is planned.

    Parameters
    ----------
    title
        What the trial is called.
    design
        A `TrialDesign`, or a `BinomialDesign` for a single arm on a binary endpoint.
    scenario
        What is assumed of the event times; needed with a `TrialDesign`, none with a `BinomialDesign`.
    test
        The test; by default the log-rank test where there is a control.
    trials, seed
        Replicates and seed of the simulation; 0: none.
    sources
        Where the assumptions come from.

    Raises
    ------
    InvalidValueError
        If a scenario is missing, or given where there is none, the test does not fit the design, or several arms are
        compared with the control.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> plan = Plan(
    ...     "A phase II trial", TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))]),
    ...     Scenario.proportional_hazards(Exponential.from_median(11), 0.6), trials=0,
    ... )
    >>> plan.power()
    <power 0.5240 of the log-rank, 100 patients, 62.9 events, 30.00 months>
    """

    title: str
    design: TrialDesign | BinomialDesign = fields.converted(
        lambda name, given: one_of(name, given, (TrialDesign, BinomialDesign), "TrialDesign(...)")
    )
    scenario: Scenario | None = fields.converted(
        lambda name, given: one_of(name, given, Scenario, "Scenario.proportional_hazards(...)"),
        default=None,
        optional=True,
    )
    test: OneArmTest | TwoArmTest | None = None
    trials: int = fields.count("trials", at_least=0, default=TRIALS)
    seed: int = fields.count("the seed", at_least=0, default=1)
    sources: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.title, str) or not self.title.strip():
            raise InvalidValueError("title", self.title, "what the trial is called", "give it a title")
        if isinstance(self.design, TrialDesign) and self.scenario is None:
            expected = "what is assumed of the event times"
            raise InvalidValueError("scenario", None, expected, "give Scenario.proportional_hazards(control, 0.6)")
        if isinstance(self.design, TrialDesign) and len(self.design.experimental_arms) > 1:
            expected = "one comparison, of an experimental arm with the control or of a single arm"
            remedy = f"ask power(design, scenario, arm={self.design.experimental_arms[0]!r}) for each of them"
            raise InvalidValueError("design", list(self.design.arms), expected, remedy)
        if isinstance(self.design, TrialDesign) and self.test is not None:
            check_test(self.design, self.test)
        if isinstance(self.design, BinomialDesign) and self.scenario is not None:
            expected = "none: the rates are part of the design"
            raise InvalidValueError("scenario", self.scenario, expected, "leave it out")

    def power(self) -> Power | float:
        """Give the power by formula, or by simulation where there is none; of a binomial design the exact one.

        Raises
        ------
        UnavailableError
            If there is no formula and ``trials`` is 0, or a binomial design has no alternative rate.
        """
        if isinstance(self.design, BinomialDesign):
            if self.design.alternative_rate is None:
                raise UnavailableError("power: the design has no alternative rate; give one")
            return float(np.sum(self.design.summary()["p_reject_alternative"]))
        try:
            return power(*self._assumed, self.test)
        except UnavailableError:
            if not self.trials:
                raise
            return self.simulated()

    def simulated(self) -> Power:
        """Give the power by simulation of the same thing.

        Raises
        ------
        UnavailableError
            For a binomial design, which is exact, or where ``trials`` is 0.
        """
        if isinstance(self.design, BinomialDesign):
            raise UnavailableError("simulated: a binomial design is exact; ask for power()")
        if self._by_method.simulated is None:
            raise UnavailableError("simulated: trials is 0; say how many are to be simulated")
        return self._by_method.simulated

    def methods(self) -> pd.DataFrame:
        """Show the power by every method beside the simulation; of a binomial design its looks with their chances."""
        if isinstance(self.design, BinomialDesign):
            return self.design.summary().reset_index()
        return self._by_method.summary()

    @cached_property
    def _by_method(self) -> PowerSummary:
        return power_summary(*self._assumed, self.test, trials=self.trials, rng=self.seed)

    @property
    def _assumed(self) -> tuple[TrialDesign, Scenario]:
        assert isinstance(self.design, TrialDesign), "asked of a design with event times only"
        assert self.scenario is not None, "checked when it was made"
        return self.design, self.scenario

    def assumptions(self) -> pd.DataFrame:
        """List what the answer rests on: ``assumption``, ``value``."""
        if isinstance(self.design, BinomialDesign):
            shown = {
                "patients": self.design.n, "rate under the null": self.design.null_rate,
                "rate under the alternative": self.design.alternative_rate, "one-sided alpha": self.design.alpha,
                "power asked for": self.design.power,
            }  # fmt: skip
            given = [(name, f"{number:g}") for name, number in shown.items() if number is not None]
            return pd.DataFrame(given, columns=["assumption", "value"])
        design, scenario = self._assumed
        rows = [(f"event times, {arm}{'' if stratum == 'all' else f', {stratum}'}", model.description)
                for arm, stratum, model in scenario.models()]  # fmt: skip
        by_arm: Any = design.dropout  # distributions by arm, once the design is made
        lost = {arm: given.description for arm, given in by_arm.items()}
        rows += [(f"loss to follow-up, {arm}", words) for arm, words in lost.items()] or [("loss to follow-up", "none")]
        side = "one" if design.sided == 1 else "two"
        rows += [("alpha", f"{design.alpha:g}, {side}-sided"), ("patients", str(design.n))]
        return pd.DataFrame(rows, columns=["assumption", "value"])

    def protocol_text(self) -> str:
        """Write the paragraph for the protocol: design, assumptions, test, power, references."""
        if isinstance(self.design, BinomialDesign):
            return self.design.protocol_text()
        found = self.power()
        assert isinstance(found, Power), "a TrialDesign has a Power"
        return found.protocol_text()

    def figures(self) -> dict[str, NumberedFigure]:
        """Draw what a report shows of the plan: power over the effect, the trial over time, its boundaries."""
        from analysis.plots import binomial_design, boundaries, power_curve, saw_tooth, trial_course

        if isinstance(self.design, BinomialDesign):
            decisions = {"What each number of responders decides": binomial_design(self.design)}
            if self.design.alternative_rate is None or self.design.alpha is None:
                return decisions
            sizes = np.arange(max(2, self.design.n // 2), 2 * self.design.n + 1)
            shown = saw_tooth(
                sizes, null_rate=self.design.null_rate, alternative_rate=self.design.alternative_rate,
                alpha=self.design.alpha, power=self.design.power,
            )  # fmt: skip
            return decisions | {"Exact power and type I error of one stage by number of patients": shown}
        design, scenario = self._assumed
        one_effect = design.control is not None and len(design.experimental_arms) == 1
        sizes = np.unique(np.round(design.n * SPREAD))
        draws: dict[str, Callable[[], NumberedFigure]] = {
            "Power over the number of patients": lambda: power_curve(design, scenario, self.test, sizes=sizes)
        }
        if one_effect:
            constant = "" if _keeps_its_ratio(design, scenario) else ", were it the same at all times and in all strata"
            draws[f"Power over the hazard ratio{constant}"] = lambda: power_curve(
                design, scenario, self.test, hazard_ratios=HAZARD_RATIOS
            )
        draws["Accrual and events, and where one trial's events lie"] = lambda: trial_course(design, scenario)
        found = self.power()
        if isinstance(found, Power) and found.times.size > 1:
            draws["Boundaries of the looks"] = lambda: boundaries(found)
        drawn = {}
        for title, draw in draws.items():
            try:
                drawn[title] = draw()
            except (UnavailableError, InvalidValueError, InfeasibleDesignError):  # no formula, or too few patients
                continue
        return drawn

    def _repr_html_(self) -> str:
        return f"<p><b>{self.title}</b></p><p>{self.protocol_text()}</p>{html(self.methods())}"


def _keeps_its_ratio(design: TrialDesign, scenario: Scenario) -> bool:
    """Whether the hazards of two arms have one ratio, at all times and in all strata."""
    first, ratios = scenario.member(0), []
    for stratum in design.strata:
        control, other = (first.of(arm, stratum) for arm in (design.control or "", design.experimental_arms[0]))
        if isinstance(control, IllnessDeath) or isinstance(other, IllnessDeath):
            return False
        at = np.array([control.quantile(level) for level in LEVELS])
        at = at[np.isfinite(at)]
        ratios.append(other.cumulative_hazard(at) / control.cumulative_hazard(at))
    every = np.concatenate(ratios)
    return bool(np.allclose(every, every[:1]))
