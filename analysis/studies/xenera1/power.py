"""What XENERA-1 could have shown: power, detectable effects, the events it takes and when they come."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.power import (
    LogRank,
    expected_events,
    power_at_events,
    two_arm_trials,
)
from analysis.simulation import LogRank as SimulatedLogRank
from analysis.simulation import simulate
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.plan import HAZARD_RATIOS, SEED, TRIALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.design import Scenario, TrialDesign
    from analysis.power.events import Formula


FORMULAS: tuple[Formula, ...] = ("schoenfeld", "freedman")
SPREAD = (0.05, 0.95)
"""Quantiles over the members of a reconstruction: its central 90%."""

Cell = dict[str, float]


def power_of(design: TrialDesign, scenario: Scenario, hazard_ratio: float, time: float, trials: int, seed: int) -> Cell:
    """Power of one design under one scenario by formulas, with assessments by simulation.

    Returns
    -------
    dict
        ``events`` (simulated mean), ``exact`` (log-rank, exact moments, mean over members) with its central 90% over
        the members ``exact_lower`` and ``exact_upper``, ``schoenfeld`` and ``freedman``; ``power`` (simulated) with its
        Monte Carlo ``std_error`` and 95% Wilson interval ``lower``, ``upper``. The formulas do not know assessments:
        events count when they happen.
    """
    members = two_arm_trials(design, scenario)
    exact = np.array([LogRank().moments(trial, time).power(design.alpha) for trial in members])
    events = [float(expected_events(trial, time).sum()) for trial in members]
    low, high = np.quantile(exact, SPREAD)
    result = simulate(design, scenario, trials=trials, rng=seed, tests=(SimulatedLogRank(),))
    power = result.power()
    return {
        "events": float(result.columns["events"].mean()),
        "exact": float(exact.mean()),
        "exact_lower": float(low),
        "exact_upper": float(high),
        **{formula: mean_power(events, hazard_ratio, design.alpha, formula) for formula in FORMULAS},
        "power": power.value,
        "std_error": power.std_error,
        "lower": power.lower,
        "upper": power.upper,
    }


def mean_power(events: Sequence[float], hazard_ratio: float, alpha: float, formula: Formula) -> float:
    """Average a formula's power over the events expected in each member."""
    return float(np.mean([power_at_events(number, hazard_ratio, alpha, formula=formula) for number in events]))


@cache
def power_grid(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Power of the log-rank test over control arms and hazard ratios; formulas beside the simulation.

    Returns
    -------
    DataFrame
        ``control_arm``, ``hazard_ratio``, then as `power_of`.
    """
    planned, time = plan.design(), plan.calendar_end()
    rows = [
        {"control_arm": name, "hazard_ratio": ratio}
        | power_of(planned, plan.scenario(ratio, name), ratio, time, trials, seed)
        for name in plan.control_arms()
        for ratio in HAZARD_RATIOS.value
    ]
    return pd.DataFrame(rows)
