"""What XENERA-1 could have shown: power, detectable effects, the events it takes and when they come."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from analysis.conventions.seeds import Seed, child, seed_sequence
from analysis.design import AtEvents, AtTime
from analysis.power import ExpectedCourse, detectable_effect, events_needed, power_summary
from analysis.simulation import simulate
from analysis.studies.remembered import remembered
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.plan import (
    ACCRUAL,
    ACCRUAL_OTHERWISE,
    ALPHA,
    ALPHA_OTHERWISE,
    ASSESSMENTS_OTHERWISE,
    CONTROL_ARM,
    DROPOUT_OTHERWISE,
    FOLLOW_UP_OTHERWISE,
    HAZARD_RATIO,
    HAZARD_RATIOS,
    SEED,
    TRIALS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analysis.design import TrialDesign
    from analysis.survival import Distribution


POWERS = (0.8, 0.9)
CURVES = 25
"""Of how many curves of an ensemble the detectable hazard ratio is found."""
SPREAD = (0.05, 0.95)
"""Quantiles over the members of a reconstruction: its central 90%."""

Cell = dict[str, float]
Case = TypeVar("Case")
GRID, ASSUMPTIONS, EVENTS, DETECTABLE = range(4)
"""Numbers of the tables, each of which draws from a stream of its own."""


def power_of(design: TrialDesign, control: str | Distribution, hazard_ratio: float, trials: int, seed: Seed) -> Cell:
    """Power of one design under proportional hazards, by formulas and by simulation.

    Returns
    -------
    dict
        ``events`` (simulated mean), ``large_sample`` (log-rank, its large-sample moments, mean over members) with its
        central 90% over the members ``large_sample_lower`` and ``large_sample_upper`` and the standard error of that
        mean as another draw of members would move it, ``members_std_error``; ``schoenfeld`` and ``freedman``;
        ``power`` (simulated) with its Monte Carlo ``std_error`` and 95% Wilson interval ``lower``, ``upper``. The
        formulas do not know assessments that are laid over the curves.
    """
    scenario = plan.scenario(hazard_ratio, control)
    methods = power_summary(design, scenario).methods
    large_sample = methods["exact moments"]
    low, high = np.quantile(large_sample.members, SPREAD)
    result = simulate(design, scenario, trials=trials, rng=seed)
    simulated = result.power()
    return {
        "events": float(result.columns["events"].mean()),
        "large_sample": large_sample.power,
        "large_sample_lower": float(low),
        "large_sample_upper": float(high),
        "members_std_error": large_sample.members_std_error,
        "schoenfeld": methods["Schoenfeld"].power,
        "freedman": methods["Freedman"].power,
        "power": simulated.value,
        "std_error": simulated.std_error,
        "lower": simulated.lower,
        "upper": simulated.upper,
    }


def _seeded(cases: Iterable[Case], seed: Seed, table: int) -> list[tuple[Case, np.random.SeedSequence]]:
    """Give each cell of a table a stream of its own, so that their errors do not go one way together."""
    own = child(seed_sequence(seed), table)
    return [(case, child(own, number)) for number, case in enumerate(cases)]


@remembered
def power_grid(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Power of the log-rank test over control arms and hazard ratios; formulas beside the simulation.

    Returns
    -------
    DataFrame
        ``control_arm``, ``hazard_ratio``, then as `power_of`.
    """
    rows: list[dict[str, object]] = [
        {"control_arm": name, "hazard_ratio": ratio, **power_of(plan.design(), name, ratio, trials, own)}
        for (name, ratio), own in _seeded(product(plan.control_arms(), HAZARD_RATIOS.value), seed, GRID)
    ]
    return pd.DataFrame(rows)


def designs() -> dict[tuple[str, str], TrialDesign]:
    """Give the registered design, and designs that differ from it in one assumption, by what differs and how."""
    randomised = plan.fact_count("randomised")
    found = {("as assumed", ""): plan.design(), ("patients", f"{randomised}"): plan.design(n=randomised)}
    found |= {("type I error", f"{alpha:g} one-sided"): plan.design(alpha=alpha) for alpha in ALPHA_OTHERWISE.value}
    found |= {("accrual", f"{months:g} months"): plan.design(accrual=months) for months in ACCRUAL_OTHERWISE.value}
    for months in FOLLOW_UP_OTHERWISE.value:
        cut = AtTime(ACCRUAL.value + months)
        found["follow-up after accrual", f"{months:g} months"] = plan.design(cut=cut)
    found |= {("dropout", f"{rate:g} per month"): plan.design(dropout=rate) for rate in DROPOUT_OTHERWISE.value}
    for weeks in ASSESSMENTS_OTHERWISE.value:
        found["assessments laid over the curves", f"{weeks:g} weeks"] = plan.design(weeks=weeks)
    return found


@remembered
def what_moves_power(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Power at one hazard ratio with one assumption at a time replaced, in order of weight.

    Returns
    -------
    DataFrame
        ``replaced``, ``by``, ``difference`` from the power as assumed with its Monte Carlo
        ``difference_std_error``, then as `power_of`; the power as assumed first, then what moves it most. Each is
        simulated with draws of its own.
    """
    cases = [(key, planned, CONTROL_ARM.value) for key, planned in designs().items()]
    cases += [(("control arm", name), plan.design(), name) for name in plan.control_arms() if name != CONTROL_ARM.value]
    rows: list[dict[str, Any]] = [
        {"replaced": what, "by": how, **power_of(planned, control, HAZARD_RATIO.value, trials, own)}
        for ((what, how), planned, control), own in _seeded(cases, seed, ASSUMPTIONS)
    ]
    for row in rows:
        row["difference"] = row["power"] - rows[0]["power"]
        row["difference_std_error"] = float(np.hypot(row["std_error"], rows[0]["std_error"]))
    rows[0]["difference_std_error"] = 0.0  # of the power as assumed to itself
    base, *others = rows
    frame = pd.DataFrame([base, *sorted(others, key=lambda row: -abs(row["difference"]))])
    first = ["replaced", "by", "difference", "difference_std_error"]
    return frame[[*first, *frame.columns.drop(first)]].reset_index(drop=True)


@remembered
def events_and_when(asked: float = 0.8, trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Count the events that a power asks for by Schoenfeld's formula, and say when so many patients give them.

    Returns
    -------
    DataFrame
        ``hazard_ratio``, ``events`` (rounded up), ``month`` since the start at which they are expected (median over the
        curves of the control arm) with its central 90% ``month_lower``, ``month_upper``, infinite where they never
        come; ``power`` (simulated at that number of events) with its Monte Carlo ``std_error``, NaN where most curves
        never give them.
    """
    rows = list[tuple[object, ...]]()
    for ratio in HAZARD_RATIOS.value:
        if ratio >= 1:
            continue
        events = int(np.ceil(events_needed(ratio, asked, ALPHA.value)))
        months = months_to_events(plan.design(), CONTROL_ARM.value, ratio, events)
        lower, middle, upper = np.quantile(months, (SPREAD[0], 0.5, SPREAD[1]), method="nearest")
        simulated, error = np.nan, np.nan
        if np.isfinite(upper):
            planned = plan.design(cut=AtEvents(events))
            own = child(child(seed_sequence(seed), EVENTS), len(rows))
            result = simulate(planned, plan.scenario(ratio), trials=trials, rng=own)
            simulated, error = result.power().value, result.power().std_error
        rows.append((ratio, events, middle, lower, upper, simulated, error))
    columns = ["hazard_ratio", "events", "month", "month_lower", "month_upper", "power", "std_error"]
    return pd.DataFrame(rows, columns=columns)


def months_to_events(
    design: TrialDesign, control: str | Distribution, hazard_ratio: float, events: int
) -> NDArray[np.float64]:
    """Months from the start until so many events are expected, one per curve of the control arm; inf where never."""
    return ExpectedCourse(design, plan.scenario(hazard_ratio, control)).times_of_events(events)


@remembered
def detectable(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Find the weakest hazard ratio that the registered design detects, by control arm and power.

    Returns
    -------
    DataFrame
        ``control_arm``, ``asked`` (power), ``hazard_ratio`` at which the mean power over the curves of the control arm
        is that (log-rank, large-sample moments); ``lower``, ``upper``: central 90% of the detectable ratios of the
        single curves; ``power`` (simulated at ``hazard_ratio``) with its Monte Carlo ``std_error``.
    """
    rows, planned = list[tuple[object, ...]](), plan.design()
    for name in plan.control_arms():
        scenario = plan.scenario(HAZARD_RATIO.value, name)
        some = [scenario.member(k) for k in range(0, scenario.members, max(1, scenario.members // CURVES))]
        for asked in POWERS:
            single = [detectable_effect(planned, one, power=asked).hazard_ratio for one in some]
            lower, upper = np.quantile(np.array(single, dtype=np.float64), SPREAD)
            ratio = detectable_effect(planned, scenario, power=asked).hazard_ratio
            assert ratio is not None
            own = child(child(seed_sequence(seed), DETECTABLE), len(rows))
            found = simulate(planned, plan.scenario(ratio, name), trials=trials, rng=own).power()
            rows.append((name, asked, ratio, lower, upper, found.value, found.std_error))
    columns = ["control_arm", "asked", "hazard_ratio", "lower", "upper", "power", "std_error"]
    return pd.DataFrame(rows, columns=columns)
