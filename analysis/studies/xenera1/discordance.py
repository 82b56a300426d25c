"""What two readers make of XENERA-1: events, medians, hazard ratio and power, held against the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.conventions.monte_carlo import MonteCarlo, mean, proportion
from analysis.endpoints import discordance
from analysis.engine.risk_sets import Comparison, RiskSets, Snapshot, risk_sets
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.studies.remembered import remembered
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.two_readers import (
    ADJUDICATED,
    BEST_RESPONSES_DIFFER,
    DATES_DIFFER,
    EFFECT,
    INTERVAL,
    LEVELS,
    MEASURABLE,
    READERS,
    TIED,
    Cell,
    best_differs,
    calibrated,
    date_differs,
    recovered_events,
    reported_median,
    setting,
    setting_of,
    simulated_trials,
)
from analysis.survival import kaplan_meier

if TYPE_CHECKING:
    from analysis.studies.xenera1.two_readers import Floats


def both_arms(cell: Cell, reader: str) -> RiskSets:
    """Risk sets of every trial by one reader."""
    time, event = cell.time[reader], cell.event[reader]
    count, n = time.shape
    everybody = np.full(count, n, np.int32)
    known = Snapshot(
        np.zeros(time.shape),
        np.zeros((0, 0)),
        np.ones(count),
        time,
        event,
        everybody,
        event.sum(axis=1).astype(np.int32),
    )
    return risk_sets(known, Comparison(np.cumsum([0, *cell.sizes]), 2, control=0, experimental=1), stratified=False)


def median_of(cell: Cell, reader: str, arm: str, groups: int = 20) -> MonteCarlo:
    """Kaplan-Meier median of an arm over all trials in months; its error from the medians of groups of trials."""
    columns = cell.columns(arm)
    time, event = cell.time[reader][:, columns], cell.event[reader][:, columns]
    medians = [
        kaplan_meier(time[part].ravel(), event[part].ravel()).quantile(0.5)
        for part in np.array_split(np.arange(len(time)), groups)
    ]
    pooled = float(kaplan_meier(time.ravel(), event.ravel()).quantile(0.5))
    spread = mean(medians)
    half = float(ndtri(0.975)) * spread.std_error
    return MonteCarlo(pooled, spread.std_error, pooled - half, pooled + half, len(time))


def characteristics(cell: Cell) -> pd.DataFrame:
    """Collect what a cell's trials show by each reader.

    Returns
    -------
    DataFrame
        ``reader``, ``quantity``, ``value``, ``std_error`` (Monte Carlo): events, the geometric mean of the hazard
        ratio (Cox), power at the one-sided alpha, the median of each arm, and for both readers together the early and
        late discordance rates and the shares of patients whose progression is dated differently, whose best response
        differs, and who would be adjudicated for either.
    """
    rows: list[tuple[str, str, float, float]] = []

    def add(reader: str, quantity: str, found: MonteCarlo) -> None:
        rows.append((reader, quantity, found.value, found.std_error))

    for reader in READERS:
        sets = both_arms(cell, reader)
        add(reader, "events", mean(cell.event[reader].sum(axis=1)))
        ratio = CoxHazardRatio().evaluate(sets)
        log = mean(np.log(ratio[np.isfinite(ratio[:, 2]), 1]))
        rows.append((reader, "hazard ratio", float(np.exp(log.value)), float(np.exp(log.value)) * log.std_error))
        add(reader, "power", proportion(LogRank().evaluate(sets)[:, 0] >= -ndtri(plan.ALPHA.value)))
        for arm in plan.ARMS:
            add(reader, f"median, {arm}", median_of(cell, reader, arm))
    pairs = np.array(
        [
            discordance(
                cell.time["investigator"][t], cell.progressed["investigator"][t],
                cell.time["independent"][t], cell.progressed["independent"][t],
            )
            for t in range(len(cell.time["investigator"]))
        ]
    )  # fmt: skip
    add("both", "early discordance", mean(pairs[:, 0]))
    add("both", "late discordance", mean(pairs[:, 1]))
    dates, responses = date_differs(cell), best_differs(cell)
    for quantity, differs in (
        ("date of progression differs", dates),
        ("best response differs", responses),
        ("adjudicated", dates | responses),
    ):
        add("both", quantity, mean(differs.mean(axis=1)))
    return pd.DataFrame(rows, columns=["reader", "quantity", "value", "std_error"])


@remembered
def as_reported(seed: int = plan.SEED) -> Cell:
    """Trials whose investigators see the reported medians, with readers who disagree as in other trials."""
    return simulated_trials(calibrated(seed), seed=seed)


@remembered
def across_levels(seed: int = plan.SEED) -> pd.DataFrame:
    """Collect what each reader shows, by disagreement, effect, and where the independent reading ends.

    Returns
    -------
    DataFrame
        ``level``, ``truth`` (``"as reported"``: the investigators' medians; ``"effect"``: `EFFECT`), ``reading``
        (``"stops"`` at the investigator's progression, or ``"goes on"``), then as `characteristics`, and
        ``date_differs``, the share of patients whose progression is dated differently.
    """
    frames = []
    for level in LEVELS.value:
        for truth, effect in (("as reported", None), ("effect", EFFECT.value)):
            for reading in ("stops", "goes on"):
                cell = simulated_trials(setting(level, seed), effect=effect, stops=reading == "stops", seed=seed)
                frame = characteristics(cell)
                differs = frame.loc[frame["quantity"] == "date of progression differs", "value"].iloc[0]
                frames.append(frame.assign(level=level, truth=truth, reading=reading, date_differs=differs))
    return pd.concat(frames, ignore_index=True)[
        ["level", "truth", "reading", "date_differs", "reader", "quantity", "value", "std_error"]
    ]


@remembered
def across_measurable(seed: int = plan.SEED) -> pd.DataFrame:
    """Collect what the readers show where fewer patients have measurable disease, at one level of disagreement.

    The disease is calibrated anew to the investigators' medians and events for each share.

    Returns
    -------
    DataFrame
        ``measurable``, then as `characteristics`, of events, hazard ratio and the rates at which readers differ.
    """
    frames = []
    for share in MEASURABLE.value:
        cell = simulated_trials(setting_of(calibrated(seed).level, share, seed), seed=seed)
        frame = characteristics(cell)
        told = frame["quantity"].isin(["events", "hazard ratio"]) | (frame["reader"] == "both")
        frames.append(frame[told].assign(measurable=share))
    return pd.concat(frames, ignore_index=True)[["measurable", "reader", "quantity", "value", "std_error"]]


RENAMED = {"simulated": "value", "std_error": "std_error"}
PRINTED, RECOVERED, ELSEWHERE = "printed", "recovered from the interval", "other trials"
"""Where a target comes from: XENERA-1's report, its interval of the hazard ratio, or trials with two readers."""
COLUMNS = ["reader", "quantity", "target", "source", "simulated", "std_error"]


@remembered
def held_against_reported(seed: int = plan.SEED) -> pd.DataFrame:
    """Hold what the calibrated trials show against XENERA-1's report and what other trials found.

    Returns
    -------
    DataFrame
        ``reader``, ``quantity``, ``target``, ``source`` (`PRINTED`, `RECOVERED` or `ELSEWHERE`), ``simulated``,
        ``std_error`` (Monte Carlo), ``calibrated`` (whether it was made to agree). Best responses are compared over
        complete follow-up, all else as observed at the analysis.
    """
    found = characteristics(as_reported(seed)).set_index(["reader", "quantity"])
    rows = []
    for reader in READERS:
        fitted, ratio = reader == READERS[0], plan.hazard_ratio_of(plan.by_reader(reader))
        rows += [(reader, f"median, {arm}", reported_median(reader, arm), PRINTED, fitted) for arm in plan.ARMS]
        rows.append((reader, "events", recovered_events(reader).estimate, RECOVERED, fitted))
        rows.append((reader, "hazard ratio", ratio.estimate.value, PRINTED, False))
    rows.append(("both", "date of progression differs", DATES_DIFFER.value, ELSEWHERE, True))
    rows.append(("both", "best response differs", BEST_RESPONSES_DIFFER.value, ELSEWHERE, False))
    rows.append(("both", "adjudicated", ADJUDICATED.value, ELSEWHERE, False))
    table = pd.DataFrame(rows, columns=["reader", "quantity", "target", "source", "calibrated"])
    at = pd.MultiIndex.from_frame(table[["reader", "quantity"]])
    simulated = {name: found[column].reindex(at).to_numpy() for name, column in RENAMED.items()}
    return table.assign(**simulated)[[*COLUMNS, "calibrated"]]


def trial_medians(cell: Cell, reader: str, arm: str) -> Floats:
    """Kaplan-Meier median of an arm in each trial, months, shape (trials,)."""
    columns = cell.columns(arm)
    pairs = zip(cell.time[reader][:, columns], cell.event[reader][:, columns], strict=True)
    return np.array([kaplan_meier(time, event).quantile(0.5) for time, event in pairs])


def chance_of_the_report(seed: int = plan.SEED) -> pd.DataFrame:
    """Shares of the calibrated trials that come as far as XENERA-1 did from what they show on average.

    Returns
    -------
    DataFrame
        ``event``, ``share``, ``std_error``, ``lower``, ``upper`` (95% Wilson). The independent events were not printed:
        they stand at the estimate that the interval of the hazard ratio gives, and at its limits.
    """
    cell = as_reported(seed)
    medians = {(r, arm): trial_medians(cell, r, arm) for r in READERS for arm in plan.ARMS}
    printed = reported_median("independent", plan.EXPERIMENTAL)
    recovered, seen = recovered_events("independent"), cell.event["independent"].sum(axis=1)
    counts = {"recovered": recovered.estimate, "lower limit": recovered.lower, "upper limit": recovered.upper}
    longer = {r: medians[r, plan.EXPERIMENTAL] > medians[r, plan.CONTROL] for r in READERS}
    events = {
        f"independent median of {plan.EXPERIMENTAL} at least {printed:g} months": (
            medians["independent", plan.EXPERIMENTAL] >= printed
        ),
        **{f"at most {round(n)} independent events ({name})": seen <= round(n) for name, n in counts.items()},
        "arm with the longer median changes with the reader": longer["independent"] & ~longer["investigator"],
    }
    rows = [
        (name, p.value, p.std_error, p.lower, p.upper)
        for name, p in zip(events, map(proportion, events.values()), strict=True)
    ]
    return pd.DataFrame(rows, columns=["event", "share", "std_error", "lower", "upper"])


def curves(seed: int = plan.SEED, end: float = 24.0) -> pd.DataFrame:
    """Kaplan-Meier curves of the calibrated trials together, by arm and reading.

    Returns
    -------
    DataFrame
        ``arm``, ``reading`` (``"investigator"``, ``"independent, stops"``, ``"independent, goes on"``), ``time``,
        ``survival``.
    """
    stopping, complete = as_reported(seed), simulated_trials(calibrated(seed), stops=False, seed=seed)
    readings = {
        "investigator": (stopping, "investigator"),
        "independent, stops": (stopping, "independent"),
        "independent, goes on": (complete, "independent"),
    }
    times, frames = np.arange(0.0, end + 1e-9, INTERVAL / 8).round(TIED), []
    for arm in plan.ARMS:
        for name, (cell, reader) in readings.items():
            columns = cell.columns(arm)
            curve = kaplan_meier(cell.time[reader][:, columns].ravel(), cell.event[reader][:, columns].ravel())
            frames.append(
                pd.DataFrame({"arm": arm, "reading": name, "time": times, "survival": curve.survival_at(times)})
            )
    return pd.concat(frames, ignore_index=True)
