"""The truth at which the null hypothesis of a test ends: arms alike or a margin apart, one arm at its null value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from scipy.optimize import brentq

from analysis.conventions.display import fields_of
from analysis.design import IllnessDeath, Scenario
from analysis.design.scenario import multiplied
from analysis.errors import InfeasibleDesignError, UnavailableError
from analysis.power.large_sample import large_samples
from analysis.statistical_tests import OneSampleLogRank
from analysis.survival.distributions import Ensemble

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.design import TrialDesign
    from analysis.statistical_tests import OneArmTest, TwoArmTest
    from analysis.survival import Distribution

FARTHEST = 20.0  # hazard ratio, or its inverse, at which a margin may lie
STEP = 1.1


def null_of(design: TrialDesign, scenario: Scenario, test: OneArmTest | TwoArmTest, *, arm: str | None) -> Scenario:
    """Give the scenario at which the null hypothesis of a test ends, nearest to what is assumed.

    Two arms are alike, as the control, or as far apart as a margin says: one in the hazard ratio is that ratio, one in
    a difference is brought about by a constant hazard ratio. One arm has the null distribution of its test, or the
    assumed one with its hazard times what brings the null value about. Every member of an ensemble has its own ratio.

    Raises
    ------
    InfeasibleDesignError
        If no hazard ratio from 1/20 to 20 brings it about.
    UnavailableError
        If the test has no formula for the design or no null value, or event times are those of an illness-death model.
    """
    if design.control is None:
        return _of_one_arm(design, scenario, test)
    alike = scenario.null(design.control)
    none = next((field.default for field in fields_of(type(test)) if field.name == "margin"), None)
    margin: Any = getattr(test, "margin", none)
    if margin == none:
        return alike
    _no_illness_death(scenario)
    if none == 1.0:
        return scenario.with_hazard_ratio(margin, design.control)
    control = design.control

    def effect(truth: Scenario, log_ratio: float) -> float:
        assumed = truth.with_hazard_ratio(math.exp(log_ratio), control)
        return float(large_samples(design, assumed, test, arm=arm)[0].moments[-1].effect)

    def apart(truth: Scenario) -> Scenario:
        ratio = _ratio_without_effect(partial(effect, truth), test)
        return truth.with_hazard_ratio(ratio, control)

    return _each(alike, apart)


def _of_one_arm(design: TrialDesign, scenario: Scenario, test: Any) -> Scenario:
    name = design.arms[0]
    if isinstance(test, OneSampleLogRank):
        return Scenario({name: test.null if test.margin == 1.0 else multiplied(test.null, test.margin)}, "null")
    if math.isnan(test.null_value):
        raise UnavailableError(f"{test.name}: it says no null value")
    _no_illness_death(scenario)

    def changed(truth: Scenario, ratio: float) -> dict[str, Any]:
        return {stratum: multiplied(cast("Distribution", truth.of(name, stratum)), ratio) for stratum in design.strata}

    def effect(truth: Scenario, log_ratio: float) -> float:
        curves = changed(truth, math.exp(log_ratio))
        truths = [share * float(test.truth(curves[stratum])) for stratum, share in design.strata.items()]
        return math.fsum(truths) - float(test.null_value)

    def at_null(truth: Scenario) -> Scenario:
        curves = changed(truth, _ratio_without_effect(partial(effect, truth), test))
        return Scenario({name: curves if isinstance(truth.event_time[name], Mapping) else next(iter(curves.values()))})

    return _each(scenario, at_null)


def _no_illness_death(scenario: Scenario) -> None:
    if any(isinstance(model, IllnessDeath) for _, _, model in scenario.models()):
        raise UnavailableError("null: an illness-death model has no single hazard ratio that brings it about")


def _ratio_without_effect(effect: Callable[[float], float], test: OneArmTest | TwoArmTest) -> float:
    """Give the constant hazard ratio at which an effect, a function of its logarithm, is none."""
    start = effect(0.0)
    step = math.copysign(math.log(STEP), start)  # too good: so much more hazard
    low, high = 0.0, step
    while effect(high) * start > 0:
        low, high = high, high + step
        if abs(high) > math.log(FARTHEST):
            expected = f"a hazard ratio up to {FARTHEST:g}, or its inverse, that brings it about"
            raise InfeasibleDesignError(f"null: got that of {test.name}; expected {expected}; check its scale")
    return math.exp(brentq(effect, low, high, xtol=1e-10))


def _each(scenario: Scenario, change: Callable[[Scenario], Scenario]) -> Scenario:
    """Give a scenario each of whose truths is changed."""
    truths = [change(scenario.member(number)) for number in range(scenario.members)]
    if len(truths) == 1:
        return truths[0]
    models: dict[str, Any] = {}
    for arm, given in truths[0].event_time.items():
        every: list[Any] = [one.event_time[arm] for one in truths]
        strata = given if isinstance(given, Mapping) else None
        models[arm] = Ensemble(every) if strata is None else {s: Ensemble([one[s] for one in every]) for s in strata}
    return Scenario(models, truths[0].name)
