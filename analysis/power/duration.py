"""The months that a power asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from analysis.conventions.border import border
from analysis.conventions.checks import choice
from analysis.conventions.values import replace
from analysis.design import AtTime, Look
from analysis.errors import AnalysisError, InfeasibleDesignError, InvalidValueError
from analysis.expected.numbers import expected_events
from analysis.expected.trial import expected_trials
from analysis.power.asked import checked_test, least_by_simulation, simulated_power
from analysis.power.large_sample import large_samples, mean_power
from analysis.power.power import TRIALS, By, from_members
from analysis.power.size import sample_size
from analysis.statistical_tests.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign
    from analysis.power.result import Power
    from analysis.statistical_tests import OneArmTest, TwoArmTest

LONGEST = 1e4  # months: no one waits 800 years


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
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=150, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> round(study_duration(design, scenario, power=0.8).time, 1)
    43.8
    """
    chosen = checked_test(design, test, power)
    if len(design.looks) > 1:
        raise InvalidValueError(
            "looks", len(design.looks), "one look", "find the duration of the trial without interim looks"
        )

    def at(time: float) -> TrialDesign:
        return replace(design, looks=[replace(design.looks[0], cut=AtTime(time))])

    if choice("by", by, ("formula", "simulation")) == "simulation":
        return least_by_simulation(
            lambda time: simulated_power(at(time), scenario, chosen, arm, trials, rng),
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
    members = large_samples(cut, scenario, chosen, arm=arm)
    return from_members(cut, scenario, chosen, members, float(design.n), arm=arm)


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
