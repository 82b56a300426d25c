"""XENERA-1: what about 100 patients could show of xentuzumab on top of everolimus + exemestane."""

from __future__ import annotations

from datetime import date
from functools import cache

import pandas as pd

from analysis.design import AtTime, Ensemble, Look, Scenario, TrialDesign, UniformAccrual
from analysis.design.assessments import WEEK, Assessments
from analysis.power import power_at_events
from analysis.reported import Reported, ReportedTrial, load
from analysis.simulation import LogRank, simulate
from analysis.studies import bolero2
from analysis.studies.assumptions import Assumption
from analysis.survival.distributions import Distribution, Exponential

TRIAL = "xenera-1"
CONTROL, EXPERIMENTAL = "placebo", "xentuzumab"

ACCRUAL = Assumption("accrual", 27, "months, uniform", "started 28 Nov 2018 and still recruiting on 23 Feb 2021")
DROPOUT = Assumption("dropout", 0.01, "per month, exponential", "not reported; about one patient in nine a year")
ASSESSMENTS = Assumption("tumour assessments", 8, "weeks", "not reported; usual in this setting")
ALPHA = Assumption("type I error", 0.025, "one-sided", "not reported; the confirmatory convention")
TRIALS = Assumption("replicates", 20_000, "per scenario", "Monte Carlo standard error at most 0.36 percentage points")
HAZARD_RATIOS = Assumption(
    "hazard ratios", (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), "", "from the subgroup's hope to no effect"
)
ASSUMPTIONS = (ACCRUAL, DROPOUT, ASSESSMENTS, ALPHA, HAZARD_RATIOS, TRIALS)

CONTROL_CURVES = {
    "pfs-final-local": "BOLERO-2 everolimus, local",
    "pfs-final-central": "BOLERO-2 everolimus, central",
}


def reported() -> ReportedTrial:
    """XENERA-1 as it was reported."""
    return load(TRIAL)


def calendar_end() -> float:
    """Months from the registered start of the trial to its registered end: when the data are cut here."""
    start, end = (reported().fact(name).value for name in ("start", "end"))
    assert isinstance(start, date)
    assert isinstance(end, date)
    return (end - start).days * WEEK / 7


def planned_enrolment() -> int:
    """Patients that the registered design planned."""
    planned = reported().fact("planned-enrolment").value
    assert isinstance(planned, Reported)
    return int(planned.value)


def control_arms(members: int = 500, seed: int = 2012) -> dict[str, Distribution | Ensemble]:
    """Control arms to plan with, by name: BOLERO-2's reconstructed everolimus arms, and exponential curves.

    A reconstruction enters as an ensemble: each simulated trial takes another member, so that what the reports leave
    open is part of the power. The exponential curves have the medians that BOLERO-2 reported.
    """
    arms: dict[str, Distribution | Ensemble] = {}
    for comparison, name in CONTROL_CURVES.items():
        reconstruction = bolero2.reconstruction(comparison, members=members, seed=seed)
        arms[f"{name}, reconstructed"] = Ensemble(reconstruction.arm("everolimus").components)
        median = bolero2.everolimus_median(comparison)
        arms[f"{name}, exponential with median {median:g}"] = Exponential.from_median(median)
    return arms


def design(n: int | None = None, assessed: bool = True) -> TrialDesign:
    """Set up the registered design: 1:1, the data cut at the registered end, the rest as assumed."""
    return TrialDesign(
        n=planned_enrolment() if n is None else n,
        accrual=UniformAccrual(ACCRUAL.value),
        looks=(Look(AtTime(calendar_end())),),
        allocation={CONTROL: 1, EXPERIMENTAL: 1},
        control=CONTROL,
        dropout=DROPOUT.value,
        assessments=Assessments.every(ASSESSMENTS.value * WEEK) if assessed else None,
        alpha=ALPHA.value,
    )


@cache
def power_grid(trials: int = TRIALS.value, seed: int = 2018) -> pd.DataFrame:
    """Power of the log-rank test over hazard ratios and control arms, simulated, next to Schoenfeld's formula.

    Returns
    -------
    DataFrame
        ``control_arm``, ``hazard_ratio``, ``events`` (mean), ``power`` with its Monte Carlo ``std_error`` and its
        Wilson interval ``lower``, ``upper``, and ``schoenfeld`` at the mean number of events.
    """
    planned, rows = design(), []
    for name, control in control_arms().items():
        for hazard_ratio in HAZARD_RATIOS.value:
            scenario = Scenario.proportional_hazards(control, hazard_ratio, arms=(CONTROL, EXPERIMENTAL))
            result = simulate(planned, scenario, trials=trials, rng=seed, tests=(LogRank(),))
            power, events = result.power(), float(result.columns["events"].mean())
            schoenfeld = power_at_events(events, hazard_ratio, ALPHA.value)
            rows.append(
                (name, hazard_ratio, events, power.value, power.std_error, power.lower, power.upper, schoenfeld)
            )
    columns = ["control_arm", "hazard_ratio", "events", "power", "std_error", "lower", "upper", "schoenfeld"]
    return pd.DataFrame(rows, columns=columns)
