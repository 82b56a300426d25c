"""The patients, the months or the effect that a power asks for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from analysis.conventions.border import border
from analysis.conventions.checks import choice, number
from analysis.conventions.values import replace
from analysis.design import AccrualRate, AfterLastEntry, AtTime, Look
from analysis.errors import AnalysisError, InfeasibleDesignError, InvalidValueError
from analysis.expected.numbers import expected_events
from analysis.expected.trial import expected_trials
from analysis.power.large_sample import LargeSample, check_test, large_samples, mean_power
from analysis.power.power import TRIALS, By, _default, from_members, power
from analysis.statistical_tests.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign
    from analysis.power.result import Power
    from analysis.statistical_tests import OneArmTest, TwoArmTest

LONGEST = 1e4  # months: no one waits 800 years
LARGEST = 1e7  # patients
HAZARD_RATIOS = (20.0, 0.001)  # between which a detectable one is looked for


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
    >>> from analysis.design import AccrualRate, AfterLastEntry, AtTime, Scenario, TrialDesign, UniformAccrual
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
    chosen = _checked(design, test, power)
    if choice("by", by, ("formula", "simulation")) == "simulation":
        return _size_by_simulation(design, scenario, chosen, power, arm, trials, rng)
    if _fixed_calendar(design):
        members = large_samples(design, scenario, chosen, arm=arm)
        factor = _factor(members, design, power)
        n, members = design.n * factor, [member.resized(factor) for member in members]
    else:
        n = _root_over_n(lambda k: mean_power(large_samples(design, scenario, chosen, arm=arm, n=k), design), power)
        members = large_samples(design, scenario, chosen, arm=arm, n=n)
    sized = replace(design, n=max(math.ceil(n - 1e-9), 1))
    return from_members(sized, scenario, chosen, members, n)


def _checked(design: TrialDesign, test: OneArmTest | TwoArmTest | None, power: float) -> OneArmTest | TwoArmTest:
    chosen = _default(design) if test is None else test
    check_test(design, chosen)
    floor = design.alpha / design.sided
    if not floor < number("power", power) < 1:
        expected = f"a probability between {floor:g}, the type I error, and 1"
        raise InvalidValueError("power", power, expected, "ask for 0.8 or 0.9")
    return chosen


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
    return _root_over_n(lambda factor: mean_power(members, design, factor), power, start=1.0)


def _root_over_n(power_with: Callable[[float], float], power: float, start: float = 64.0) -> float:
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
            raise InfeasibleDesignError(
                f"power: {power:g} is asked for, but it is {power - missing(high):.3f} with {high:.0f} times as many "
                "or as many patients; looks at a number of events fix what can be shown: ask events_needed"
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


@border
def study_duration(
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
    """Earliest calendar time at which a single analysis has a power, patients and accrual given.

    Parameters
    ----------
    design, scenario, test, by, arm, trials, rng
        As for `power`; the cut of the design's one look does not matter.
    power
        The power asked for, above the type I error.

    Returns
    -------
    Power
        Its ``time`` is the answer; its ``design`` is cut then.

    Raises
    ------
    InvalidValueError
        If the power is not above the type I error, or the design has several looks.
    InfeasibleDesignError
        If follow-up without end does not give the power; says what it would give and how many patients would do.

    Examples
    --------
    >>> from analysis.design import AtTime, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=150, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> round(study_duration(design, scenario, power=0.8).time, 1)
    43.8
    """
    chosen = _checked(design, test, power)
    if len(design.looks) > 1:
        raise InvalidValueError(
            "looks", len(design.looks), "one look", "find the duration of the trial without interim looks"
        )

    def at(time: float) -> TrialDesign:
        return replace(design, looks=[replace(design.looks[0], cut=AtTime(time))])

    if choice("by", by, ("formula", "simulation")) == "simulation":
        return _by_simulation(
            lambda time: _power_at(at(time), scenario, chosen, arm, trials, rng),
            power,
            _likely_duration(design, scenario, chosen, power, arm),
            (1e-3, LONGEST),
            tolerance=0.05,
        )
    trials_ = expected_trials(design, scenario, arm=arm)
    alpha_z = design.final_critical_z

    def reached(time: float) -> float:
        """Power at a time; none where nobody can have been followed so far."""
        try:
            moments = [chosen.moments(trial, time) for trial in trials_]
        except InfeasibleDesignError:
            return 0.0
        if all(isinstance(m, Moments) for m in moments) and design.sided == 1:
            return float(np.mean([m.probability_above(alpha_z) for m in moments]))
        return mean_power(large_samples(at(time), scenario, chosen, arm=arm), design)

    time = _earliest(reached, power, trials_[0].accrual.duration or 1.0)
    if time is None:
        raise _never(design, scenario, chosen, power, arm, reached)
    cut = at(time)
    return from_members(cut, scenario, chosen, large_samples(cut, scenario, chosen, arm=arm), float(design.n))


def _earliest(reached: Callable[[float], float], wanted: float, accrual: float) -> float | None:
    """Earliest time with a power that may rise and fall: at grid points, and at the peaks between them."""
    times = np.concatenate([[1e-9], np.geomspace(accrual / 64, LONGEST, 60)]).tolist()
    found: list[float] = []
    for number_of, time in enumerate(times):
        found.append(reached(time))
        if found[-1] >= wanted:
            return _crossing(reached, wanted, times[number_of - 1] if number_of else 0.0, time)
        if number_of >= 2 and found[-3] <= found[-2] > found[-1]:  # a peak between grid points
            peak = minimize_scalar(
                lambda t: -reached(t), bounds=(times[number_of - 2], time), method="bounded", options={"xatol": 1e-6}
            )
            if -peak.fun >= wanted:
                return _crossing(reached, wanted, times[number_of - 2], float(peak.x))
    return None


def _crossing(reached: Callable[[float], float], wanted: float, before: float, after: float) -> float:
    """Earliest of two times at which the power is reached, given that it is after and not before."""
    if before <= 0 or reached(after) == wanted:
        return after
    time = float(brentq(lambda t: wanted - reached(t), before, after, xtol=1e-9))
    while reached(time) == 0.0:  # the root is the test's horizon itself, met from below
        time += 1e-9
    return time


def _never(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest,
    wanted: float,
    arm: str | None,
    reached: Callable[[float], float],
) -> InfeasibleDesignError:
    late = replace(design, looks=[Look(AtTime(LONGEST))])
    trials = expected_trials(late, scenario, arm=arm)
    events = float(np.mean([expected_events(trial, LONGEST).sum() for trial in trials]))
    try:
        advice = f"enrol {sample_size(late, scenario, test, power=wanted, arm=arm).design.n}"
    except AnalysisError:
        advice = "assume a larger effect"
    return InfeasibleDesignError(
        f"power: {wanted:g} is not reached with {design.n:g} patients however long they are followed; the power with "
        f"all {events:.0f} expected events is {reached(LONGEST):.3f}; {advice}"
    )


def _likely_duration(
    design: TrialDesign, scenario: Scenario, test: OneArmTest | TwoArmTest, wanted: float, arm: str | None
) -> float:
    try:
        return study_duration(design, scenario, test, power=wanted, arm=arm).time
    except AnalysisError:
        return 2 * design.entry.duration + 1.0


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
    chosen = _checked(design, test, power)

    def assumed(log_ratio: float) -> Scenario:
        return with_effect(design, scenario, math.exp(log_ratio))

    if choice("by", by, ("formula", "simulation")) == "simulation":
        found = _by_simulation(
            lambda benefit: _power_at(design, assumed(-benefit), chosen, arm, trials, rng),
            power,
            _likely_benefit(design, scenario, chosen, power, arm),
            (-math.log(HAZARD_RATIOS[0]), -math.log(HAZARD_RATIOS[1])),
            tolerance=0.002,
        )
        ratio = found.scenario.name.removeprefix("HR ")
        return replace(found, hazard_ratio=float(ratio))

    def missing(log_ratio: float) -> float:
        try:
            return power - mean_power(large_samples(design, assumed(log_ratio), chosen, arm=arm), design)
        except InfeasibleDesignError:  # so strong an effect leaves too few events for the cut
            return power

    steps = np.log(np.geomspace(*HAZARD_RATIOS, 45))
    if design.sided == 2:  # harm is detected as well: benefit begins where the power is least
        first = int(np.argmax([missing(float(step)) for step in steps]))
    else:
        none = int(np.searchsorted(-steps, 0.0))
        first = none if missing(float(steps[none])) > 0 else 0
    reached = next((i for i in range(first, steps.size) if missing(float(steps[i])) <= 0), None)
    if reached == first:
        raise InfeasibleDesignError(
            f"power: {power:g} is exceeded at a hazard ratio of {HAZARD_RATIOS[0]:g} already; check the margin"
        )
    if reached is None:
        raise InfeasibleDesignError(
            f"power: {power:g} is not reached at any hazard ratio from {HAZARD_RATIOS[1]:.2g} on with {design.n:g} "
            f"patients; it is {power - min(missing(float(step)) for step in steps):.3f} at most; enrol more patients "
            "or analyse later"
        )
    log_ratio = float(brentq(missing, float(steps[reached]), float(steps[reached - 1]), xtol=1e-12))
    truth = assumed(log_ratio)
    members = large_samples(design, truth, chosen, arm=arm)
    return from_members(design, truth, chosen, members, float(design.n), hazard_ratio=math.exp(log_ratio))


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


def _power_at(
    design: TrialDesign, scenario: Scenario, test: OneArmTest | TwoArmTest, arm: str | None, trials: int, rng: Seed
) -> Power:
    return power(design, scenario, test, by="simulation", arm=arm, trials=trials, rng=rng)


def _by_simulation(
    simulated: Callable[[float], Power], wanted: float, start: float, within: tuple[float, float], tolerance: float
) -> Power:
    """Least argument whose simulated power is found to be as high, by bisection over one stream of random numbers."""

    def at(x: float) -> Power | None:
        try:
            return simulated(x)
        except InfeasibleDesignError:
            return None

    low, high = within[0], start
    step = max(0.25 * abs(start), 4 * tolerance)
    best = at(high)
    while best is None or best.power < wanted:
        if high >= within[1]:
            raise InfeasibleDesignError(
                f"power: {wanted:g} is not reached by simulation up to {within[1]:g}; it is "
                f"{0.0 if best is None else best.power:.3f} there; enrol more patients"
            )
        low, high, step = high, min(high + step, within[1]), 2 * step
        best = at(high)
    if low == within[0]:
        low = max(high - step, within[0])
        while low > within[0] and (found := at(low)) is not None and found.power >= wanted:
            best, high, step = found, low, 2 * step
            low = max(high - step, within[0])
    while high - low > tolerance:
        middle = (low + high) / 2
        found = at(middle)
        if found is not None and found.power >= wanted:
            high, best = middle, found
        else:
            low = middle
    return best
