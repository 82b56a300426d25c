"""CaboAveNEC's treatment: adverse events that interrupt, reduce and end it, and what its end does to the endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions import WEEK
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.endpoints import EndpointDefinitions, SimulatedGroups, Treatment, simulate_groups
from analysis.endpoints.simulation_results import CRITERIA
from analysis.endpoints.treatment import STRATEGIES
from analysis.endpoints.trial_values import BEST, over_trials
from analysis.reported import Reported
from analysis.safety import TreatmentCourse
from analysis.studies.assumptions import Assumption
from analysis.studies.bolero2 import curves
from analysis.studies.caboavenec import dcr
from analysis.studies.caboavenec.disease import NEC, NET, READERS, STRATA, WEEK_16, WINDOW, disease, scans
from analysis.studies.caboavenec.scans import SEED, TRIALS, WEEKS, net_patients
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.survival.estimators import rmst

if TYPE_CHECKING:
    from analysis.endpoints.codes import Bools

LONGEST = Assumption("longest treatment", 12.0, "months", "registered")
RATES = Assumption(
    "dose interruptions and reductions", "as everolimus in BOLERO-2", "per month of treatment",
    "no count is printed of cabozantinib + avelumab; events of 482 patients over the months that they were free of "
    "progression by local reading",
)  # fmt: skip
LENGTH = Assumption(
    "length of an interruption", 7 / np.log(2) / DAYS_PER_MONTH, "months, mean of an exponential",
    "BOLERO-2's median of 7 days",
)  # fmt: skip
ENDS = Assumption("events that end treatment", (0.0, 0.05, 0.15), "of events", "not reported; the middle one elsewhere")
LEVELS = Assumption(
    "doses after a reduction", (0.5, 0.25), "of 40 mg a day", "not reported; 20 mg a day, then every other day"
)
FRAILTY = Assumption("events between patients", 0.5, "variance of a gamma factor", "not reported")
REGROWTH = Assumption("growth after the end of treatment", "as before it, without shrinkage", "", "not reported")
ASSUMPTIONS = (LONGEST, RATES, LENGTH, ENDS, LEVELS, FRAILTY, REGROWTH)


def _printed(fact: str) -> float:
    value = report_of(curves.TRIAL).fact(fact).value
    assert isinstance(value, Reported)
    return value.value


@remembered
def rates() -> dict[str, float]:
    """Interruptions and reductions per month of treatment of everolimus in BOLERO-2.

    Returns
    -------
    dict
        ``interruptions``, ``reductions`` per month; ``months``, the mean time free of progression by local reading up
        to the last patient of each member, averaged over the reconstruction.
    """
    patients = curves.by_itself("pfs-final-local", members=100).ipd().query("arm == 'everolimus'")
    months = []
    for _, member in patients.groupby("member"):
        months.append(rmst(member["time"], member["event"], float(member["time"].max())).estimate)
    per_patient = float(np.mean(months))
    treated = _printed("safety-population-everolimus")
    return {
        "interruptions": _printed("dose-interruptions-everolimus") / treated / per_patient,
        "reductions": _printed("dose-reductions-everolimus") / treated / per_patient,
        "months": per_patient,
    }


def course(ends: float = ENDS.value[1], factor: float = 1.0, longest: float = LONGEST.value) -> TreatmentCourse:
    """Give the course of treatment; `factor` multiplies the rate of events."""
    seen = rates()
    return TreatmentCourse(
        factor * seen["interruptions"],
        frailty=FRAILTY.value,
        interrupts=1.0,
        reduces=seen["reductions"] / seen["interruptions"],
        ends=ends,
        interruption=LENGTH.value,
        levels=LEVELS.value,
        longest=longest,
    )


@remembered
def treated(
    strategy: str, ends: float = ENDS.value[1], factor: float = 1.0, longest: float = LONGEST.value
) -> SimulatedGroups:
    """Simulate trials of the planned size, the week-16 reading of the report, under a strategy of ICH E9(R1)."""
    net, planned = net_patients(), dcr.planned_enrolment()
    diseases = {stratum: disease(WEEK_16, stratum) for stratum in STRATA}
    regrowth = diseases[NET].growth.growth  # type: ignore[attr-defined]  # the calibrated law is Stein's
    return simulate_groups(
        diseases,
        scans(),
        patients={NET: net, NEC: planned - net},
        trials=TRIALS.value,
        rng=SEED,
        readers=READERS,
        definitions=EndpointDefinitions(tuple(7 * week for week in WEEKS)),
        treatment=Treatment(course(ends, factor, longest), strategy, regrowth),  # type: ignore[arg-type]  # checked there
    )


@remembered
def by_estimand() -> pd.DataFrame:
    """Tabulate disease control and PFS by what is made of the end of treatment, over how many events end it.

    Returns
    -------
    DataFrame
        ``ends`` (share of adverse events that end treatment), ``strategy``, ``criteria``, ``endpoint``, ``value`` with
        its Monte Carlo ``std_error``. The same patients are read under every strategy.
    """
    rows = []
    for ends in ENDS.value:
        for strategy in STRATEGIES:
            seen = treated(strategy, ends).of()
            for c, criteria in enumerate(CRITERIA):
                for k, week in enumerate(WEEKS):
                    rate = over_trials(seen.control[c, :, :, k, 0].mean(axis=1))
                    rows.append((ends, strategy, criteria, f"disease control at week {week}", *rate))
                failed = seen.event[c] & (seen.time[c] < (WEEKS[-1] - 1) * WEEK)
                rows.append((ends, strategy, criteria, "failed before week 48", *over_trials(failed.mean(axis=1))))
    return pd.DataFrame(rows, columns=["ends", "strategy", "criteria", "endpoint", "value", "std_error"])


@remembered
def safety(factors: tuple[float, ...] = (0.5, 1.0, 2.0)) -> pd.DataFrame:
    """Tabulate adverse events that change treatment, doses and the end of treatment, over rates of events.

    Returns
    -------
    DataFrame
        ``factor`` on the rate of events, ``endpoint``, ``unit``, ``value``, ``std_error``: means over the strata as
        they are mixed. Treatment ends with progression by iRECIST.
    """
    frames = []
    for factor in factors:
        groups = treated("treatment policy", factor=factor).groups
        parts = {name: result.safety("iRECIST") for name, result in groups.items()}
        weight = {name: result.survival.time.shape[1] / dcr.planned_enrolment() for name, result in groups.items()}
        mixed = parts[NET][["endpoint", "unit"]].copy()
        mixed["value"] = sum(weight[name] * part["value"] for name, part in parts.items())
        mixed["std_error"] = np.sqrt(sum((weight[name] * part["std_error"]) ** 2 for name, part in parts.items()))
        frames.append(mixed.assign(factor=factor))
    return pd.concat(frames, ignore_index=True)[["factor", "endpoint", "unit", "value", "std_error"]]


@remembered
def responses_by_week() -> pd.DataFrame:
    """Tabulate objective response and best response up to weeks 8, 16, 24 and 48.

    Scans up to each week, its window included, are read; the patients are the same.

    Returns
    -------
    DataFrame
        ``week``, ``criteria``, ``endpoint``, ``value`` (share of patients) with its Monte Carlo ``std_error``.
    """
    rows = []
    for week in WEEKS:
        # a treatment that nobody feels and that ends after the week's window: scans until then
        until = (week + WINDOW.value / 7) * WEEK + 1e-6
        seen = _read_until(until).of()
        for c, criteria in enumerate(CRITERIA):
            shown: dict[str, Bools] = {"objective response": seen.response[c]}
            shown |= {f"best response {name}": np.isin(seen.best[c], codes) for name, codes in BEST.items()}
            rows += [(week, criteria, name, *over_trials(had.mean(axis=1))) for name, had in shown.items()]
    return pd.DataFrame(rows, columns=["week", "criteria", "endpoint", "value", "std_error"])


@remembered
def _read_until(month: float) -> SimulatedGroups:
    net, planned = net_patients(), dcr.planned_enrolment()
    return simulate_groups(
        {stratum: disease(WEEK_16, stratum) for stratum in STRATA},
        scans(),
        patients={NET: net, NEC: planned - net},
        trials=TRIALS.value,
        rng=SEED,
        readers=READERS,
        definitions=EndpointDefinitions(tuple(7 * week for week in WEEKS)),
        treatment=Treatment(TreatmentCourse(0.0, longest=month), "while on treatment"),
    )
