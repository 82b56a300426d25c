"""What XENERA-1 did show: the events behind its intervals, and what so few of them can say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis.conventions.monte_carlo import mean, proportion
from analysis.design import AtEvents
from analysis.power import hazard_ratio_at_events, power_at_events
from analysis.reported import Recovered, events_from_ci
from analysis.simulation import SimulatedTrials, simulate
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.studies.assumptions import Assumption
from analysis.studies.bolero2 import curves
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.plan import ALPHA, CONTROL_ARM, READERS, SEED, TRIALS
from analysis.studies.xenera1.power import POWERS, SPREAD, months_to_events

TRUTHS = Assumption("true hazard ratios", (0.6, 0.8, 1.0), "", "an effect worth a phase III trial, half of it, none")
READ_AS = {
    "independent": "BOLERO-2 central without visceral metastases, reconstructed",
    "investigator": "BOLERO-2 local without visceral metastases, reconstructed",
}
"""The control arm that was read as each reader read XENERA-1."""


def events_seen(reader: str) -> Recovered:
    """Recover the events of XENERA-1 from the interval of its hazard ratio; the report does not print them."""
    arms = {arm.name: arm for arm in plan.by_reader(reader).arms}
    n = {name: arm.n.value for name, arm in arms.items() if arm.n is not None}
    return events_from_ci(plan.hazard_ratio_of(plan.by_reader(reader)), (n[plan.EXPERIMENTAL], n[plan.CONTROL]))


@remembered
def trials_at_events(
    events: int,
    hazard_ratio: float,
    trials: int = TRIALS.value,
    seed: int = SEED,
    control: str = CONTROL_ARM.value,
) -> SimulatedTrials:
    """Simulate the trial analysed at a number of events, with log-rank test and Cox hazard ratio."""
    planned = plan.design(n=plan.fact_count("treated"), cut=AtEvents(events))
    tests = (LogRank(), CoxHazardRatio())
    return simulate(planned, plan.scenario(hazard_ratio, control), trials=trials, rng=seed, tests=tests)


def simulated_hazard_ratios(events: int, hazard_ratio: float, trials: int, seed: int) -> np.ndarray:
    """Estimate the hazard ratio in each simulated trial analysed at a number of events."""
    return trials_at_events(events, hazard_ratio, trials, seed).statistic(CoxHazardRatio().name, "estimate")[:, 0]


def estimates_at_events_seen(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Hazard ratios that a trial with XENERA-1's events would report, by reader and true hazard ratio.

    Returns
    -------
    DataFrame
        ``reader``, ``events``, ``true_hazard_ratio``; ``median``, ``lower`` and ``upper`` (central 95%) of the
        simulated estimates; ``above_1`` and ``above_reported``, the shares of estimates above 1 and at or above the
        reported one, with their Monte Carlo standard errors ``above_1_std_error`` and ``above_reported_std_error``;
        ``above_1_normal``: the first by the normal approximation at the events recovered, ``above_1_normal_lower``
        and ``above_1_normal_upper``: its range over the range of the recovered events.
    """
    rows = []
    for reader in READERS:
        recovered, printed = events_seen(reader), plan.hazard_ratio_of(plan.by_reader(reader)).estimate.value
        events = round(recovered.estimate)
        for truth in TRUTHS.value:
            estimates = simulated_hazard_ratios(events, truth, trials, seed)
            lower, median, upper = np.quantile(estimates, (0.025, 0.5, 0.975))
            above, extreme = proportion(estimates > 1), proportion(estimates >= printed)
            normal = [above_one(number, truth) for number in (recovered.estimate, recovered.lower, recovered.upper)]
            row: dict[str, object] = {"reader": reader, "events": events, "true_hazard_ratio": truth}
            row |= {"median": median, "lower": lower, "upper": upper}
            row |= {"above_1": above.value, "above_1_std_error": above.std_error, "above_1_normal": normal[0]}
            row |= {"above_1_normal_lower": min(normal), "above_1_normal_upper": max(normal)}
            row |= {"above_reported": extreme.value, "above_reported_std_error": extreme.std_error}
            rows.append(row)
    return pd.DataFrame(rows)


def above_one(events: float, hazard_ratio: float) -> float:
    """Probability that the estimate is above 1, the log hazard ratio normal with variance 4 over the events."""
    return float(ndtr(np.log(hazard_ratio) * np.sqrt(events) / 2))


def power_at_events_seen(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Power at the events that were seen, Schoenfeld's over the range of the recovered events and simulated.

    Returns
    -------
    DataFrame
        ``reader``, ``events``, ``events_lower``, ``events_upper``, ``true_hazard_ratio``, ``schoenfeld`` with its range
        ``schoenfeld_lower``, ``schoenfeld_upper`` over the range of the events, ``power`` (simulated at the events
        rounded) with its Monte Carlo ``std_error``.
    """
    rows = []
    for reader in READERS:
        recovered = events_seen(reader)
        for truth in TRUTHS.value:
            formula = [
                power_at_events(number, truth, ALPHA.value)
                for number in (recovered.estimate, recovered.lower, recovered.upper)
            ]
            power = trials_at_events(round(recovered.estimate), truth, trials, seed).power()
            formula_range = (formula[0], min(formula), max(formula))
            seen = (recovered.estimate, recovered.lower, recovered.upper)
            rows.append((reader, *seen, truth, *formula_range, power.value, power.std_error))
    columns = ["reader", "events", "events_lower", "events_upper", "true_hazard_ratio", "schoenfeld"]
    return pd.DataFrame(rows, columns=[*columns, "schoenfeld_lower", "schoenfeld_upper", "power", "std_error"])


def detectable_at_events_seen() -> pd.DataFrame:
    """Hazard ratios that the events seen can detect, and the largest observed one that they call significant.

    Returns
    -------
    DataFrame
        ``reader``, ``events``, ``significant_below``, and ``detectable_80`` and ``detectable_90`` (with 80% and 90%
        power), by Schoenfeld's formula.
    """
    rows = []
    for reader in READERS:
        events = events_seen(reader).estimate
        detectable = [hazard_ratio_at_events(events, power=power, alpha=ALPHA.value) for power in POWERS]
        rows.append((reader, events, hazard_ratio_at_events(events, alpha=ALPHA.value), *detectable))
    return pd.DataFrame(rows, columns=["reader", "events", "significant_below", "detectable_80", "detectable_90"])


def when_events_seen_were_due(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Say when the events that were seen were to be expected, had xentuzumab no effect and all else been as assumed.

    Returns
    -------
    DataFrame
        ``reader``, ``control_arm``, ``events``; ``month`` since the start (median over the curves of the control arm)
        with its central 90% ``month_lower``, ``month_upper``; ``simulated`` (mean) with its Monte Carlo
        ``std_error``.
    """
    rows = []
    for reader, control in READ_AS.items():
        events = round(events_seen(reader).estimate)
        months = months_to_events(plan.design(n=plan.fact_count("treated")), control, 1.0, events)
        lower, middle, upper = np.quantile(months, (SPREAD[0], 0.5, SPREAD[1]))
        simulated = mean(trials_at_events(events, 1.0, trials, seed, control).columns["calendar_time"][:, 0])
        rows.append((reader, control, events, middle, lower, upper, simulated.value, simulated.std_error))
    columns = ["reader", "control_arm", "events", "month", "month_lower", "month_upper", "simulated", "std_error"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class MedianSource:
    """One arm whose median was printed: how to call it, and where it stands."""

    label: str
    trial: str
    comparison: str
    arm: str


MEDIANS = (
    MedianSource("XENERA-1 xentuzumab, independent", plan.TRIAL, "pfs-independent", plan.EXPERIMENTAL),
    MedianSource("XENERA-1 placebo, independent", plan.TRIAL, "pfs-independent", plan.CONTROL),
    MedianSource("BOLERO-2 everolimus, central", curves.TRIAL, "pfs-final-central", "everolimus"),
    MedianSource("XENERA-1 xentuzumab, investigator", plan.TRIAL, "pfs-investigator", plan.EXPERIMENTAL),
    MedianSource("XENERA-1 placebo, investigator", plan.TRIAL, "pfs-investigator", plan.CONTROL),
    MedianSource("BOLERO-2 everolimus, local", curves.TRIAL, "pfs-final-local", "everolimus"),
    MedianSource("Phase II xentuzumab, all patients", plan.TRIAL_BEFORE, "pfs", "xentuzumab"),
    MedianSource("Phase II control, all patients", plan.TRIAL_BEFORE, "pfs", "control"),
)


def reported_medians() -> pd.DataFrame:
    """Collect the printed medians of everolimus + exemestane with and without xentuzumab.

    Returns
    -------
    DataFrame
        ``arm``, ``experimental`` (with xentuzumab), ``median``, ``lower``, ``upper`` in months: NaN where no interval
        was printed, infinite where the limit was not reached.
    """
    rows = []
    for source in MEDIANS:
        arm = report_of(source.trial).comparison(source.comparison).arm(source.arm)
        assert arm.median is not None, f"{source.label} prints no median"
        lower, upper = (np.nan, np.nan)
        if arm.median_ci is not None:
            low, high = arm.median_ci.lower, arm.median_ci.upper
            lower, upper = low.value, high.value if high.reached else np.inf
        rows.append((source.label, source.arm == plan.EXPERIMENTAL, arm.median.value, lower, upper))
    return pd.DataFrame(rows, columns=["arm", "experimental", "median", "lower", "upper"])
