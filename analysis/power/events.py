"""How many events a hazard ratio asks for, and what a number of events can show: the formulas that need no accrual."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy.special import ndtri

from analysis.conventions.border import border
from analysis.conventions.checks import choice, positive, probability
from analysis.design.scenario import hazard_ratio as checked_ratio
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.statistical_tests.moments import Moments, Rejection, critical_z

if TYPE_CHECKING:
    from analysis.sequential import GroupSequentialDesign

Formula: TypeAlias = Literal["schoenfeld", "freedman", "hsieh-freedman"]


def z_per_root_event(
    hazard_ratio: float, *, allocation_ratio: float = 1.0, margin: float = 1.0, formula: Formula = "schoenfeld"
) -> float:
    """Divide the expected z of the log-rank test by the square root of the number of events; above 0 is benefit.

    Parameters
    ----------
    hazard_ratio
        Experimental against control; below 1 favours the experimental arm.
    allocation_ratio
        Experimental patients per control patient.
    margin
        Hazard ratio of the null hypothesis: 1 for superiority.
    formula
        ``"schoenfeld"``: ``-log(HR / m) sqrt(r) / (1 + r)``; ``"freedman"``: ``sqrt(r) (m - HR) / (m + r HR)``;
        ``"hsieh-freedman"``: ``2 sqrt(r) / (1 + r) (m - HR) / (m + HR)``.

    Raises
    ------
    InvalidValueError
        If a number is not above 0 or the formula is unknown.
    """
    ratio = checked_ratio("hazard_ratio", hazard_ratio) / checked_ratio("margin", margin)
    r = positive("allocation_ratio", allocation_ratio, "experimental patients per control patient")
    by_formula = {
        "schoenfeld": -np.log(ratio) * np.sqrt(r) / (1 + r),
        "freedman": np.sqrt(r) * (1 - ratio) / (1 + r * ratio),
        "hsieh-freedman": 2 * np.sqrt(r) / (1 + r) * (1 - ratio) / (1 + ratio),
    }
    return float(by_formula[choice("formula", formula, by_formula)])


@border
def events_needed(
    hazard_ratio: float,
    power: float | None = None,
    alpha: float = 0.025,
    *,
    sided: int = 1,
    allocation_ratio: float = 1.0,
    margin: float = 1.0,
    formula: Formula = "schoenfeld",
    boundaries: GroupSequentialDesign | None = None,
) -> float:
    """Events for a power of the log-rank test; not rounded.

    Parameters
    ----------
    hazard_ratio
        Experimental against control that the power is for; below `margin`.
    power
        Probability of rejection in favour of the experimental arm.
    alpha
        Type I error, of as many sides as `sided` says.
    sided
        1 or 2.
    allocation_ratio
        Experimental patients per control patient.
    margin
        Hazard ratio of the null hypothesis.
    formula
        See `z_per_root_event`.
    boundaries
        A group-sequential design whose looks, error rates and power these are to be; then `power`, `alpha` and `sided`
        are its own.

    Returns
    -------
    float
        Events of both arms; round up for a protocol.

    Raises
    ------
    InvalidValueError
        If a number is impossible.
    InfeasibleDesignError
        If the hazard ratio is not below the margin.

    Examples
    --------
    >>> round(events_needed(0.6, power=0.8), 1)
    120.3

    BOLERO-2's hazard ratio at 2:1 with two interim looks:

    >>> from analysis.sequential import GroupSequentialDesign
    >>> three_looks = GroupSequentialDesign((0.4, 0.65, 1.0), power=0.9)
    >>> round(events_needed(0.74, allocation_ratio=2, boundaries=three_looks), 2)
    527.27
    """
    per_root_event = z_per_root_event(hazard_ratio, allocation_ratio=allocation_ratio, margin=margin, formula=formula)
    if (power is None) == (boundaries is None):
        raise InvalidValueError("power, boundaries", (power, boundaries), "exactly one of them", "give one of the two")
    if boundaries is not None:
        if per_root_event <= 0:
            raise InfeasibleDesignError(
                f"hazard_ratio: got {hazard_ratio:g}, which is not below the {margin:g} of the null hypothesis; no "
                "number of events shows a benefit that is not there; assume a smaller hazard ratio or a larger margin"
            )
        return float((boundaries.drift / per_root_event) ** 2)
    assert power is not None
    return Moments(per_root_event, 1.0, 1.0).size_factor(power, alpha, sided=sided)


@border
def power_at_events(
    events: float,
    hazard_ratio: float,
    alpha: float = 0.025,
    *,
    sided: int = 1,
    allocation_ratio: float = 1.0,
    margin: float = 1.0,
    formula: Formula = "schoenfeld",
    rejection: Rejection = "benefit",
    boundaries: GroupSequentialDesign | None = None,
) -> float:
    """Power of the log-rank test at a number of events; the parameters are those of `events_needed`.

    With `boundaries`, `events` are those of the last look.

    Raises
    ------
    InvalidValueError
        If a number is impossible.

    Examples
    --------
    >>> round(power_at_events(60, 0.6), 4)
    0.5074
    """
    per_root_event = z_per_root_event(hazard_ratio, allocation_ratio=allocation_ratio, margin=margin, formula=formula)
    drift = per_root_event * float(np.sqrt(_events(events)))
    if boundaries is not None:
        return float(boundaries.crossing(drift).upper.sum())
    return Moments(drift, 1.0, 1.0).power(alpha, sided=sided, rejection=rejection)


def expected_z(events: float, hazard_ratio: float, *, allocation_ratio: float = 1.0, margin: float = 1.0) -> float:
    """Schoenfeld's z for a hazard ratio at a number of events; above 0 favours the experimental arm."""
    per_root_event = z_per_root_event(hazard_ratio, allocation_ratio=allocation_ratio, margin=margin)
    return per_root_event * float(np.sqrt(_events(events)))


def hazard_ratio_at_z(z: float, events: float, *, allocation_ratio: float = 1.0, margin: float = 1.0) -> float:
    """Give the hazard ratio whose Schoenfeld z at a number of events is `z`: the estimate at a bound.

    Examples
    --------
    >>> round(hazard_ratio_at_z(critical_z(0.025), events=60), 4)
    0.6029
    """
    per_root_event = z_per_root_event(1 / math.e, allocation_ratio=allocation_ratio)
    with np.errstate(over="ignore"):
        return float(margin * np.exp(-z / (per_root_event * np.sqrt(_events(events)))))


@border
def hazard_ratio_at_events(
    events: float,
    *,
    z: float | None = None,
    power: float | None = None,
    alpha: float = 0.025,
    sided: int = 1,
    allocation_ratio: float = 1.0,
    margin: float = 1.0,
) -> float:
    """Hazard ratio at a number of events by Schoenfeld's formula.

    With a `power` the weakest that is detected with it; with a `z` the estimate at that z, e.g. at a bound; with
    neither the largest estimate that is significant.

    Raises
    ------
    InvalidValueError
        If a number is impossible.
    InfeasibleDesignError
        If the power is below what a test without data has.

    Examples
    --------
    >>> round(hazard_ratio_at_events(60), 3), round(hazard_ratio_at_events(60, power=0.8), 3)
    (0.603, 0.485)
    """
    if z is not None:
        return hazard_ratio_at_z(z, events, allocation_ratio=allocation_ratio, margin=margin)
    z = critical_z(alpha, sided) + (0.0 if power is None else float(ndtri(probability("power", power))))
    if z <= 0:
        raise InfeasibleDesignError(f"power: {power:g} is not above the type I error {alpha / sided:g}; ask for more")
    return hazard_ratio_at_z(z, events, allocation_ratio=allocation_ratio, margin=margin)


def _events(events: float) -> float:
    return positive("events", events, "events of both arms")
