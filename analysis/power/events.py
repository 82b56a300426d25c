"""How many events a hazard ratio asks for, and what a number of events can show: the formulas that need no accrual."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from scipy.special import ndtri

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.moments import Moments, Rejection, critical_z

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
    for name, value in (("hazard_ratio", hazard_ratio), ("allocation_ratio", allocation_ratio), ("margin", margin)):
        if not 0 < value < np.inf:
            raise InvalidValueError(name, value, "a number above 0", f"check {name}")
    ratio, r = hazard_ratio / margin, allocation_ratio
    by_formula = {
        "schoenfeld": -np.log(ratio) * np.sqrt(r) / (1 + r),
        "freedman": np.sqrt(r) * (1 - ratio) / (1 + r * ratio),
        "hsieh-freedman": 2 * np.sqrt(r) / (1 + r) * (1 - ratio) / (1 + ratio),
    }
    if formula not in by_formula:
        raise InvalidValueError("formula", formula, f"one of {sorted(by_formula)}", "choose one of them")
    return float(by_formula[formula])


def events_needed(
    hazard_ratio: float,
    power: float,
    alpha: float = 0.025,
    *,
    sided: int = 1,
    allocation_ratio: float = 1.0,
    margin: float = 1.0,
    formula: Formula = "schoenfeld",
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
    """
    per_root_event = z_per_root_event(hazard_ratio, allocation_ratio=allocation_ratio, margin=margin, formula=formula)
    return Moments(per_root_event, 1.0, 1.0).size_factor(power, alpha, sided=sided)


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
) -> float:
    """Power of the log-rank test at a number of events; the parameters are those of `events_needed`.

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
    return Moments(per_root_event * np.sqrt(_events(events)), 1.0, 1.0).power(alpha, sided=sided, rejection=rejection)


def expected_z(events: float, hazard_ratio: float, *, allocation_ratio: float = 1.0, margin: float = 1.0) -> float:
    """Schoenfeld's z for a hazard ratio at a number of events; above 0 favours the experimental arm."""
    per_root_event = z_per_root_event(hazard_ratio, allocation_ratio=allocation_ratio, margin=margin)
    return per_root_event * float(np.sqrt(_events(events)))


def hazard_ratio_at_z(z: float, events: float, *, allocation_ratio: float = 1.0, margin: float = 1.0) -> float:
    """Give the hazard ratio whose Schoenfeld z at a number of events is `z`.

    At the critical z it is the largest observed hazard ratio that is significant; at ``z + z_beta`` the one that is
    detected with power 1 - beta.

    Examples
    --------
    >>> round(hazard_ratio_at_z(critical_z(0.025), events=60), 4)
    0.6029
    """
    per_root_event = z_per_root_event(1 / np.e, allocation_ratio=allocation_ratio)
    return float(margin * np.exp(-z / (per_root_event * np.sqrt(_events(events)))))


def detectable_hazard_ratio_at_events(
    events: float,
    power: float,
    alpha: float = 0.025,
    *,
    sided: int = 1,
    allocation_ratio: float = 1.0,
    margin: float = 1.0,
) -> float:
    """Weakest hazard ratio that Schoenfeld's formula detects with `power` at a number of events.

    Raises
    ------
    InvalidValueError
        If a number is impossible.
    InfeasibleDesignError
        If the power is below what a test without data has.
    """
    if not 0 < power < 1:
        raise InvalidValueError("power", power, "a probability between 0 and 1", "ask for 0.8 or 0.9")
    z = critical_z(alpha, sided) + float(ndtri(power))
    if z <= 0:
        raise InfeasibleDesignError(f"power: {power:g} is not above the type I error {alpha / sided:g}; ask for more")
    return hazard_ratio_at_z(z, events, allocation_ratio=allocation_ratio, margin=margin)


def _events(events: float) -> float:
    if not 0 < events < np.inf:
        raise InvalidValueError("events", events, "a number of events above 0", "give the events of both arms")
    return events
