"""Three named explanations of XENERA-1's two readings, each calibrated, and what each leaves unexplained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from analysis.conventions.monte_carlo import proportion
from analysis.statistical_tests import CoxHazardRatio
from analysis.studies.remembered import remembered
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.discordance import (
    ELSEWHERE,
    PRINTED,
    RECOVERED,
    both_arms,
    characteristics,
    trial_medians,
)
from analysis.studies.xenera1.two_readers import (
    CALIBRATION_PATIENTS,
    CALIBRATION_TRIALS,
    DATES_DIFFER,
    READERS,
    Cell,
    Setting,
    calibrated,
    date_differs,
    pace_for,
    recovered_events,
    reported_median,
    scanned,
    setting_for,
    simulated_trials,
    step_at_median,
    two_readers,
)

if TYPE_CHECKING:
    from analysis.studies.xenera1.two_readers import Floats

ALIKE = "readers err alike"
ALONE = "investigator alone calls some, alike in both arms"
BY_ARM = "investigator alone calls some, by arm"
EXPLANATIONS = (ALIKE, ALONE, BY_ARM)
MOST_UNSHARED = 0.8
"""Of an exponential hazard with the investigator's median: the largest share that is searched for unshared calls."""

INVESTIGATOR, INDEPENDENT = READERS
MEDIANS = tuple(f"median, {arm}" for arm in plan.ARMS)
BOTH, DATES = "both", DATES_DIFFER.name
FITTED = {
    ALIKE: {(INVESTIGATOR, of) for of in (*MEDIANS, "events")} | {(BOTH, DATES)},
    ALONE: {(INVESTIGATOR, of) for of in (*MEDIANS, "events")} | {(INDEPENDENT, "events")},
    BY_ARM: {(INVESTIGATOR, of) for of in (*MEDIANS, "events")} | {(INDEPENDENT, of) for of in MEDIANS},
}
"""What each explanation was made to agree with."""


def _most(arm: str) -> float:
    """Largest rate per month of unshared progressions in an arm."""
    return float(MOST_UNSHARED * np.log(2) / reported_median(INVESTIGATOR, arm))


@remembered
def explanation(name: str, seed: int = plan.SEED) -> Setting:
    """Calibrate an explanation.

    `ALIKE` is `xenera1_readers.calibrated`. The other two keep its readers and add progressions that the investigator
    alone calls, which end the independent reading: `ALONE` at one rate, set by the independent events recovered from
    the interval of the hazard ratio; `BY_ARM` at a rate for each arm, set by its independent median.
    """
    alike = calibrated(seed)
    if name == ALIKE:
        return alike
    if name == BY_ARM:
        return setting_for(alike.level, {arm: rate_for_median(arm, alike.level, seed) for arm in plan.ARMS}, seed)

    def miss(rate: float) -> float:
        of = setting_for(alike.level, dict.fromkeys(plan.ARMS, rate), seed)
        seen = simulated_trials(of, trials=200, seed=seed).event[INDEPENDENT].sum(axis=1)
        return float(seen.mean()) - recovered_events(INDEPENDENT).estimate

    rate = float(brentq(miss, 0.0, min(map(_most, plan.ARMS)), xtol=5e-4))
    return setting_for(alike.level, dict.fromkeys(plan.ARMS, rate), seed)


def rate_for_median(arm: str, level: float, seed: int = plan.SEED) -> float:
    """Find the rate of unshared progressions at which the independent median of an arm is the reported one.

    It is 0 if the independent reading is late enough without any.
    """

    def miss(rate: float) -> float:
        readers = two_readers(level, unshared=rate)
        pace = pace_for(reported_median(INVESTIGATOR, arm), readers, seed)
        found = scanned(pace, readers, CALIBRATION_PATIENTS, CALIBRATION_TRIALS, seed).of(INDEPENDENT)
        return step_at_median(found.time[0], found.event[0], reported_median(INDEPENDENT, arm)) - 0.5

    return 0.0 if miss(0.0) >= 0 else float(brentq(miss, 0.0, _most(arm), xtol=5e-4))


def settings(seed: int = plan.SEED) -> pd.DataFrame:
    """Tabulate the calibrated explanations.

    Returns
    -------
    DataFrame
        ``explanation``, ``arm``, ``pace`` of its disease, ``unshared`` (progressions a month that the investigator
        alone calls), ``losses`` (a month).
    """
    rows = [
        (name, arm, of.pace[arm], of.unshared.get(arm, 0.0), of.losses)
        for name in EXPLANATIONS
        for of in [explanation(name, seed)]
        for arm in plan.ARMS
    ]
    return pd.DataFrame(rows, columns=["explanation", "arm", "pace", "unshared", "losses"])


@remembered
def explained_trials(name: str, seed: int = plan.SEED) -> Cell:
    """Simulate trials under an explanation."""
    return simulated_trials(explanation(name, seed), seed=seed)


def by_trial(cell: Cell) -> dict[tuple[str, str], Floats]:
    """Each trial's value of what XENERA-1 reports, and the share whose dates differ, by reader and quantity."""
    found: dict[tuple[str, str], Floats] = {}
    for reader in READERS:
        for arm, name in zip(plan.ARMS, MEDIANS, strict=True):
            found[reader, name] = trial_medians(cell, reader, arm)
        found[reader, "events"] = cell.event[reader].sum(axis=1).astype(float)
        found[reader, "hazard ratio"] = CoxHazardRatio().evaluate(both_arms(cell, reader))[:, 1]
    found[BOTH, DATES] = date_differs(cell).mean(axis=1)
    return found


@remembered
def explanations(seed: int = plan.SEED) -> pd.DataFrame:
    """Hold each explanation against the report, and against how often the dates of two readers differ elsewhere.

    Returns
    -------
    DataFrame
        ``explanation``, ``reader``, ``quantity``, ``target`` and its ``source``, ``simulated`` (all trials; a median is
        that of all patients together) with its Monte Carlo ``std_error``, ``lower`` and ``upper`` (central 95% of
        single trials), ``calibrated`` (whether it was made to agree), and ``within`` (whether the target lies in the
        central 95%).
    """
    rows = []
    for name in EXPLANATIONS:
        cell = explained_trials(name, seed)
        table = characteristics(cell)
        shown = dict(zip(zip(table["reader"], table["quantity"], strict=True), table.index, strict=True))
        for (reader, quantity), values in by_trial(cell).items():
            target, source = _target(reader, quantity)
            value, error = table[["value", "std_error"]].to_numpy(float)[shown[reader, quantity]]
            low, high = np.quantile(values[~np.isnan(values)], (0.025, 0.975), method="inverted_cdf")
            fitted, within = (reader, quantity) in FITTED[name], bool(low <= target <= high)
            rows.append((name, reader, quantity, target, source, value, error, low, high, fitted, within))
    columns = ["explanation", "reader", "quantity", "target", "source", "simulated", "std_error", "lower", "upper"]
    return pd.DataFrame(rows, columns=[*columns, "calibrated", "within"])


def _target(reader: str, quantity: str) -> tuple[float, str]:
    """Return what was reported, by XENERA-1 or elsewhere, and where it comes from."""
    if quantity == DATES:
        return DATES_DIFFER.value, ELSEWHERE
    if quantity == "events":
        return recovered_events(reader).estimate, RECOVERED
    if quantity == "hazard ratio":
        return plan.hazard_ratio_of(plan.by_reader(reader)).estimate.value, PRINTED
    return reported_median(reader, plan.ARMS[MEDIANS.index(quantity)]), PRINTED


def reported_interval(reader: str, quantity: str) -> tuple[float, float]:
    """Return the printed 95% interval of a median or hazard ratio, the limits of what is recovered of events."""
    if quantity == "events":
        recovered = recovered_events(reader)
        return recovered.lower, recovered.upper
    comparison = plan.by_reader(reader)
    if quantity == "hazard ratio":
        interval = plan.hazard_ratio_of(comparison).ci
    else:
        interval = comparison.arm(plan.ARMS[MEDIANS.index(quantity)]).median_ci
    assert interval is not None, f"{reader} prints no interval of {quantity}"
    return interval.lower.value, interval.upper.value


def opposite_directions(seed: int = plan.SEED) -> pd.DataFrame:
    """Tabulate how often one reading's median and hazard ratio point as far apart as XENERA-1's independent ones.

    Returns
    -------
    DataFrame
        ``explanation``, ``share`` of trials in which xentuzumab's independent median exceeds placebo's by at least the
        printed difference while the hazard ratio is at least the printed one, ``std_error``, ``lower``, ``upper`` (95%
        Wilson).
    """
    control, experimental = (reported_median(INDEPENDENT, arm) for arm in plan.ARMS)
    ratio = _target(INDEPENDENT, "hazard ratio")[0]
    rows = []
    for name in EXPLANATIONS:
        values = by_trial(explained_trials(name, seed))
        first, second = (values[INDEPENDENT, of] for of in MEDIANS)
        with np.errstate(invalid="ignore"):
            longer = np.isfinite(first) & (second - first >= experimental - control)
        found = proportion(longer & (values[INDEPENDENT, "hazard ratio"] >= ratio))
        rows.append((name, found.value, found.std_error, found.lower, found.upper))
    return pd.DataFrame(rows, columns=["explanation", "share", "std_error", "lower", "upper"])
