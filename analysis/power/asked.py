"""What all questions share that a power asks for: the test and the power asked, and the search by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conventions.checks import number
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.large_sample import check_test
from analysis.power.power import default_test, power

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign
    from analysis.power.result import Power
    from analysis.statistical_tests import OneArmTest, TwoArmTest


def checked_test(design: TrialDesign, test: OneArmTest | TwoArmTest | None, power: float) -> OneArmTest | TwoArmTest:
    """Give the test, by default the design's own, once the power asked for can be one."""
    chosen = default_test(design) if test is None else test
    check_test(design, chosen)
    floor = design.alpha / design.sided
    if not floor < number("power", power) < 1:
        expected = f"a probability between {floor:g}, the type I error, and 1"
        raise InvalidValueError("power", power, expected, "ask for 0.8 or 0.9")
    return chosen


def simulated_power(
    design: TrialDesign, scenario: Scenario, test: OneArmTest | TwoArmTest, arm: str | None, trials: int, rng: Seed
) -> Power:
    """Give the simulated power."""
    return power(design, scenario, test, by="simulation", arm=arm, trials=trials, rng=rng)


def least_by_simulation(
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
