"""The effect that a power asks for."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

from analysis.conventions.border import border
from analysis.conventions.checks import choice
from analysis.conventions.values import replace
from analysis.errors import AnalysisError, InfeasibleDesignError
from analysis.power.asked import checked_test, least_by_simulation, simulated_power
from analysis.power.large_sample import large_samples, mean_power
from analysis.power.power import TRIALS, By, from_members

if TYPE_CHECKING:
    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign
    from analysis.power.result import Power
    from analysis.statistical_tests import OneArmTest, TwoArmTest

HAZARD_RATIOS = (20.0, 0.001)  # between which a detectable one is looked for


@border
def detectable_effect(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest | None = None,
    *,
    power: float,
    by: By = "formula",
    arm: str | None = None,
    trials: int = TRIALS,
    rng: Seed = 1,
) -> Power:
    """Weakest constant hazard ratio that a design detects with a power.

    The ratio is against the scenario's control; in a single arm it multiplies the hazard of the scenario's event times,
    for which the null hypothesis is a natural choice.

    Parameters
    ----------
    design, scenario, test, by, arm, trials, rng
        As for `power`.
    power
        The power asked for, above the type I error.

    Returns
    -------
    Power
        Its ``hazard_ratio`` is the answer; over ensembles it is that at which the mean power is reached.

    Raises
    ------
    InvalidValueError
        If the power is not above the type I error.
    InfeasibleDesignError
        If no hazard ratio from 0.001 on is detected with the power; says what the power is there.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> round(detectable_effect(design, scenario, power=0.8).hazard_ratio, 3)
    0.48
    """
    chosen = checked_test(design, test, power)

    def assumed(log_ratio: float) -> Scenario:
        return with_effect(design, scenario, math.exp(log_ratio))

    if choice("by", by, ("formula", "simulation")) == "simulation":
        found = least_by_simulation(
            lambda benefit: simulated_power(design, assumed(-benefit), chosen, arm, trials, rng),
            power,
            _likely_benefit(design, scenario, chosen, power, arm),
            (-math.log(HAZARD_RATIOS[0]), -math.log(HAZARD_RATIOS[1])),
            tolerance=0.002,
        )
        ratio = found.scenario.name.removeprefix("HR ")
        return replace(found, hazard_ratio=float(ratio))

    @cache
    def missing(log_ratio: float) -> float:
        try:
            return power - mean_power(large_samples(design, assumed(log_ratio), chosen, arm=arm), design)
        except InfeasibleDesignError:  # so strong an effect leaves too few events for the cut
            return math.nan

    steps = np.log(np.geomspace(*HAZARD_RATIOS, 45))
    if design.sided == 2:  # harm is detected as well: benefit begins where the power is least
        misses = [missing(float(step)) for step in steps]
        first = int(np.nanargmax(misses)) if np.isfinite(misses).any() else 0
    else:
        none = int(np.searchsorted(-steps, 0.0))
        first = 0 if missing(float(steps[none])) <= 0 else none
    reached = next((i for i in range(first, steps.size) if missing(float(steps[i])) <= 0), None)
    if reached == first:
        raise InfeasibleDesignError(
            f"power: {power:g} is exceeded at a hazard ratio of {HAZARD_RATIOS[0]:g} already; check the margin"
        )
    if reached is None:
        known = [power - miss for step in steps if not math.isnan(miss := missing(float(step)))]
        raise InfeasibleDesignError(
            f"power: {power:g} is not reached at any hazard ratio from {HAZARD_RATIOS[1]:.2g} on with {design.n:g} "
            f"patients; it is {max(known, default=0.0):.3f} at most; enrol more patients or analyse later"
        )
    log_ratio = float(brentq(missing, float(steps[reached]), float(steps[reached - 1]), xtol=1e-12))
    truth = assumed(log_ratio)
    members = large_samples(design, truth, chosen, arm=arm)
    return from_members(design, truth, chosen, members, float(design.n), arm=arm, hazard_ratio=math.exp(log_ratio))


def with_effect(design: TrialDesign, scenario: Scenario, hazard_ratio: float) -> Scenario:
    """Give the scenario with a constant hazard ratio against its control, or on its single arm."""
    if design.control is not None:
        return scenario.with_hazard_ratio(hazard_ratio, design.control)
    control = "null"
    both = type(scenario)({control: next(iter(scenario.event_time.values())), design.arms[0]: _any(scenario)})
    changed = both.with_hazard_ratio(hazard_ratio, control)
    return type(scenario)({design.arms[0]: changed.event_time[design.arms[0]]}, changed.name)


def _any(scenario: Scenario) -> Any:
    return next(iter(scenario.event_time.values()))


def _likely_benefit(
    design: TrialDesign, scenario: Scenario, test: OneArmTest | TwoArmTest, wanted: float, arm: str | None
) -> float:
    try:
        found = detectable_effect(design, scenario, test, power=wanted, arm=arm).hazard_ratio
    except AnalysisError:
        found = 0.6
    return -math.log(found or 0.6)
