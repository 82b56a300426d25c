"""The truth at which the null hypothesis of a test ends: arms alike, or as far apart as its margin says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scipy.optimize import brentq

from analysis.conventions.display import fields_of
from analysis.design import IllnessDeath, Scenario
from analysis.errors import InfeasibleDesignError, UnavailableError
from analysis.power.large_sample import large_samples
from analysis.survival.distributions import Ensemble

if TYPE_CHECKING:
    from analysis.design import TrialDesign
    from analysis.statistical_tests import OneArmTest, TwoArmTest

FARTHEST = 20.0  # hazard ratio, or its inverse, at which a margin may lie
STEP = 1.1


def null_of(design: TrialDesign, scenario: Scenario, test: OneArmTest | TwoArmTest, *, arm: str | None) -> Scenario:
    """Give the scenario at which the null hypothesis of a test of two arms ends, with the control of another.

    Without a margin the arms are alike. A margin in the hazard ratio is that ratio; one in a difference is brought
    about by a constant hazard ratio, of each member of an ensemble its own.

    Raises
    ------
    InfeasibleDesignError
        If no hazard ratio from 1/20 to 20 brings the margin about.
    UnavailableError
        If the test has no formula for the design, or event times are those of an illness-death model.
    """
    assert design.control is not None, "asked of trials with a control"
    alike = scenario.null(design.control)
    none = next((field.default for field in fields_of(type(test)) if field.name == "margin"), None)
    margin: Any = getattr(test, "margin", none)
    if margin == none:
        return alike
    if any(isinstance(model, IllnessDeath) for _, _, model in scenario.models()):
        raise UnavailableError("margin: an illness-death model has no single hazard ratio that brings it about")
    if none == 1.0:
        return scenario.with_hazard_ratio(margin, design.control)
    truths = [_apart(design, alike.member(number), test, arm) for number in range(alike.members)]
    return truths[0] if len(truths) == 1 else _together(truths)


def _apart(design: TrialDesign, alike: Scenario, test: OneArmTest | TwoArmTest, arm: str | None) -> Scenario:
    """Give one truth with the constant hazard ratio at which the test expects nothing."""
    control = str(design.control)

    def effect(log_ratio: float) -> float:
        assumed = alike.with_hazard_ratio(math.exp(log_ratio), control)
        return float(large_samples(design, assumed, test, arm=arm)[0].moments[-1].effect)

    start = effect(0.0)
    step = math.copysign(math.log(STEP), start)  # an effect above the margin: so much more hazard
    low, high = 0.0, step
    while effect(high) * start > 0:
        low, high = high, high + step
        if abs(high) > math.log(FARTHEST):
            expected = f"a hazard ratio up to {FARTHEST:g}, or its inverse, that brings it about"
            raise InfeasibleDesignError(f"margin: got that of {test.name}; expected {expected}; check its scale")
    return alike.with_hazard_ratio(math.exp(brentq(effect, low, high, xtol=1e-10)), control)


def _together(truths: list[Scenario]) -> Scenario:
    """Give one scenario of ensembles whose members are the truths."""
    models: dict[str, Any] = {}
    for arm, given in truths[0].event_time.items():
        every: list[Any] = [one.event_time[arm] for one in truths]
        strata = given if isinstance(given, Mapping) else None
        models[arm] = Ensemble(every) if strata is None else {s: Ensemble([one[s] for one in every]) for s in strata}
    return Scenario(models, truths[0].name)
