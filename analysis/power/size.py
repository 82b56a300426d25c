"""The patients that a power asks for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.conventions.border import border
from analysis.conventions.checks import choice
from analysis.conventions.values import replace
from analysis.design import AccrualRate, AfterLastEntry, AtTime
from analysis.errors import AnalysisError, InfeasibleDesignError
from analysis.power.asked import checked_test
from analysis.power.large_sample import LargeSample, large_samples, mean_power
from analysis.power.power import TRIALS, By, from_members, power
from analysis.statistical_tests.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign
    from analysis.power.result import Power
    from analysis.statistical_tests import OneArmTest, TwoArmTest

LARGEST = 1e7  # patients
MORE = 0.001  # power that is beyond what is asked for
FINER = 100  # sizes tried where none of the doubled ones has the power


@border
def sample_size(
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
    """Patients for a power, in the design's proportions.

    Accrual over given months stays as long as it is; an `AccrualRate` goes on for as long as the patients take, and
    cuts after the last entry move with it.

    Parameters
    ----------
    design, scenario, test, by, arm, trials, rng
        As for `power`; the design's own `n` does not matter.
    power
        The power asked for, above the type I error.

    Returns
    -------
    Power
        Its ``n`` is not rounded, its ``design`` has it rounded up. By simulation ``n`` is the least whole number whose
        simulated power was found to be as high; the power has a Monte Carlo error.

    Raises
    ------
    InvalidValueError
        If the power is not above the type I error.
    InfeasibleDesignError
        If no number of patients has the power.

    Examples
    --------
    >>> from analysis.design import AccrualRate, AfterLastEntry, AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> round(sample_size(design, scenario, power=0.9).n)
    257

    Accrual of eight patients a month for as long as it takes, and a year of follow-up:

    >>> open_ended = TrialDesign(n=100, accrual=AccrualRate(8), looks=[Look(AfterLastEntry(12))])
    >>> found = sample_size(open_ended, scenario, power=0.9)
    >>> round(found.n), round(found.design.entry.duration, 1)
    (231, 29.0)
    """
    chosen = checked_test(design, test, power)
    if choice("by", by, ("formula", "simulation")) == "simulation":
        return _size_by_simulation(design, scenario, chosen, power, arm, trials, rng)
    if _fixed_calendar(design):
        members = large_samples(design, scenario, chosen, arm=arm)
        factor = _factor(members, design, power)
        n, members = design.n * factor, [member.resized(factor) for member in members]
    else:

        def power_with(n: float) -> float:
            return mean_power(large_samples(design, scenario, chosen, arm=arm, n=n), design)

        n = _root_over_n(power_with, power, design)
        members = large_samples(design, scenario, chosen, arm=arm, n=n)
    sized = replace(design, n=max(math.ceil(n - 1e-9), 1))
    found = from_members(sized, scenario, chosen, members, n, arm=arm)
    if found.power > power + MORE:
        note = f"the power is above {power:g}: fewer patients never have the events that a look waits for"
        found = replace(found, notes=(*found.notes, note))
    return found


def _fixed_calendar(design: TrialDesign) -> bool:
    """Whether accrual and looks stay where they are when only the number of patients changes."""
    fixed = all(isinstance(look.cut, AtTime | AfterLastEntry) for look in design.looks)
    return fixed and not isinstance(design.accrual, AccrualRate)


def _factor(members: list[LargeSample], design: TrialDesign, power: float) -> float:
    """How many times as many patients give the power."""
    [first, *others] = members
    if not others and len(first.moments) == 1 and design.looks[-1].efficacy_z is None and design.sided == 1:
        factor: float = first.moments[0].size_factor(power, design.alpha)
        return factor
    if all(isinstance(m, Moments) and m.effect <= 0 for member in members for m in member.moments):
        first.moments[-1].size_factor(power, design.alpha)  # says that no size has the power
    return _root_over_n(lambda factor: mean_power(members, design, factor), power, design, start=1.0)


def _root_over_n(power_with: Callable[[float], float], power: float, design: TrialDesign, start: float = 64.0) -> float:
    """Least size with a power that grows with it, from a start on that is doubled or halved."""

    def missing(size: float) -> float:
        try:
            return power - power_with(size)
        except InfeasibleDesignError:  # so few patients never give the events that are asked for
            return power

    high = start
    while missing(high) > 0:
        high *= 2
        if high > LARGEST:
            high = float(min(np.geomspace(start, LARGEST, FINER), key=missing))  # with too many events come too soon
            if missing(high) <= 0:
                break
            limits = "looks at a number of events fix what can be shown: ask events_needed"
            if _fixed_calendar(design):
                limits = "a larger trial stops for futility, or sees no benefit: move the looks, or the effect"
            elif isinstance(design.accrual, AccrualRate) and isinstance(design.looks[-1].cut, AtTime):
                limits = "at this rate no more enter by the last look: look later, or recruit faster"
            found = power - missing(high)
            raise InfeasibleDesignError(
                f"power: {power:g} is asked for, but it is at most {found:.3f} however many patients are planned; "
                f"{limits}"
            )
    low = high / 2
    while missing(low) < 0:
        low /= 2
        if low < 1e-6:
            return low
    return float(brentq(missing, low, high, xtol=1e-10 * high, rtol=1e-13))


def _size_by_simulation(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest,
    wanted: float,
    arm: str | None,
    trials: int,
    rng: Seed,
) -> Power:
    def simulated(n: int) -> Power:
        return power(replace(design, n=n), scenario, test, by="simulation", arm=arm, trials=trials, rng=rng)

    try:
        start = sample_size(design, scenario, test, power=wanted, arm=arm).design.n
    except AnalysisError:
        start = design.n
    found = {start: simulated(start)}
    low, high = start, start
    while found[high].power < wanted:
        low, high = high, 2 * high
        if high > LARGEST:
            raise InfeasibleDesignError(
                f"power: {wanted:g} is not reached with {high:,} patients; assume a larger effect"
            )
        found[high] = simulated(high)
    while found[low].power >= wanted and low > len(design.cell_sizes):
        high, low = low, max(low // 2, len(design.cell_sizes))
        found[low] = simulated(low)
    while high - low > max(1, high // 500):
        middle = (low + high) // 2
        found[middle] = simulated(middle)
        low, high = (low, middle) if found[middle].power >= wanted else (middle, high)
    return found[high]
