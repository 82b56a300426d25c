"""CaboAveNEC simulated down to the scan: what its registered endpoints would show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from analysis.design import WEEK
from analysis.endpoints.batch import Endpoints
from analysis.endpoints.codes import CODE_LISTS, CPD, CR, MISSING, NE, NON_CR_NON_PD, PD, PR, SD
from analysis.endpoints.simulated import EndpointDefinitions, simulate_endpoints
from analysis.endpoints.simulation_results import CONTROL, CRITERIA, DEFINITIONS, Estimate, over_trials
from analysis.reported import load
from analysis.studies import caboavenec
from analysis.studies.assumptions import Assumption, assumption_table
from analysis.studies.caboavenec_disease import (
    ASSUMPTIONS,
    MONOTHERAPY,
    MONOTHERAPY_TRIAL,
    NEC,
    NET,
    PSEUDO_SHARE,
    READERS,
    STRATA,
    STRATUM_RATIO,
    SWELLING_UNTIL,
    TRIAL,
    WEEK_16,
    calibrated,
    count,
    disease,
    scans,
    treatment,
    treatments,
)
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from analysis.endpoints.calibration import Target
    from analysis.endpoints.codes import Bools, Floats
    from analysis.endpoints.disease_control import UnconfirmedAs

TRIALS = Assumption(
    "replicates", 1_000, "trials of 30", "Monte Carlo standard error of a rate of all 30 at most 0.3 percentage points"
)
WEEKS = (8, 16, 24, 48)
SEED = 1630
ALL = "all"

BEST = {"CR": (CR,), "PR": (PR,), "SD": (SD, NON_CR_NON_PD), "PD": (PD, CPD), "NE": (NE, MISSING)}


@dataclass(frozen=True)
class Cohorts:
    """Simulated trials, patients of NET G3 first.

    Attributes
    ----------
    endpoints
        Arrays of shape (criteria, trials, patients, ...).
    net
        Number of patients with NET G3 in each trial.
    """

    endpoints: Endpoints
    net: int

    @property
    def patients(self) -> int:
        """Patients in each trial."""
        return int(self.endpoints.time.shape[2])

    def of(self, stratum: str) -> slice:
        """Patients of a stratum, or all."""
        return {ALL: slice(None), NET: slice(self.net), NEC: slice(self.net, None)}[stratum]


def assumptions() -> pd.DataFrame:
    """Tabulate everything that no source prints."""
    return assumption_table((*ASSUMPTIONS, caboavenec.VISITS, caboavenec.ALPHA, TRIALS))


def net_patients(mix: str = WEEK_16) -> int:
    """Patients with NET G3 among the planned ones, in the mix that a treatment's report has.

    Examples
    --------
    >>> net_patients(), net_patients("monotherapy")
    (19, 11)
    """
    net, nec = treatment(mix).strata
    return round(caboavenec.planned_enrolment() * net / (net + nec))


@cache
def simulated(
    name: str = WEEK_16,
    *,
    share: float = PSEUDO_SHARE.value,
    until: float = SWELLING_UNTIL.value,
    unconfirmed: UnconfirmedAs = "failure",
    ratio: float = STRATUM_RATIO.value,
    mix: str = WEEK_16,
    trials: int = TRIALS.value,
    seed: int = SEED,
) -> Cohorts:
    """Simulate trials of the planned size with CaboAveNEC's scans.

    Parameters
    ----------
    name
        Treatment of `caboavenec_disease.treatments`.
    share, until
        Share of patients with pseudo-progression, and the month at which the swelling ends.
    unconfirmed
        How an iUPD at a landmark counts; the patients are the same for each rule.
    ratio
        How many times faster NEC's disease is than NET G3's.
    mix
        Treatment whose report gives the share of NET G3.
    trials, seed
        Replicates, and their seed.
    """
    net, planned = net_patients(mix), caboavenec.planned_enrolment()
    seeds = np.random.SeedSequence(seed).spawn(len(STRATA))
    parts = [
        simulate_endpoints(
            disease(name, stratum, share=share, until=until, ratio=ratio),
            scans(),
            patients=patients,
            trials=trials,
            rng=stream,
            readers=READERS,
            definitions=EndpointDefinitions(tuple(7 * week for week in WEEKS), unconfirmed=unconfirmed),
        ).of()
        for stratum, patients, stream in zip(STRATA, (net, planned - net), seeds, strict=True)
    ]
    joined = [np.concatenate(arrays, axis=min(arrays[0].ndim - 1, 2)) for arrays in zip(*parts, strict=True)]
    return Cohorts(Endpoints(*joined), net)


def fit() -> pd.DataFrame:
    """Tabulate what was printed, what the calibrated population shows, and what its two strata show together.

    Returns
    -------
    DataFrame
        ``treatment``, ``printed``, ``criteria``, ``target`` with its ``binomial_std_error``, as if all were followed,
        ``calibrated`` with its Monte Carlo ``std_error``, and ``strata`` with theirs.
    """
    rows = []
    for name, treated in treatments().items():
        mixed, found = simulated(name, mix=name), calibrated(name).fit
        for printed, (_, row) in zip(treated.targets, found.iterrows(), strict=True):
            strata = SEEN[printed.target.quantity](mixed, printed.target)
            report = (printed.printed, printed.target.criteria, printed.target.value, printed.std_error)
            rows.append((name, *report, row["simulated"], row["std_error"], *strata))
    columns = ["treatment", "printed", "criteria", "target", "binomial_std_error", "calibrated", "std_error"]
    return pd.DataFrame(rows, columns=[*columns, "strata", "strata_std_error"])


def _response(cohorts: Cohorts, target: Target) -> Estimate:
    return over_trials(cohorts.endpoints.response[CRITERIA.index(target.criteria)].mean(axis=1))


def _control(cohorts: Cohorts, target: Target) -> Estimate:
    assert target.at is not None, "control is judged at a landmark"
    week = WEEKS.index(round(target.at / 7))
    return over_trials(cohorts.endpoints.control[CRITERIA.index(target.criteria), :, :, week, 0].mean(axis=1))


def _free(cohorts: Cohorts, target: Target) -> Estimate:
    assert target.at is not None, "a rate of PFS is read at a time"
    return progression_free(cohorts, target.at, target.criteria)


SEEN = {"objective response": _response, "control at landmark": _control, "PFS rate": _free}
"""How the figure of a target is read off trials of both strata."""


def disease_control(name: str = WEEK_16, seed: int = SEED) -> pd.DataFrame:
    """Tabulate disease control at the visits by criterion, definition and stratum.

    Returns
    -------
    DataFrame
        ``week``, ``criteria``, ``definition``, ``stratum``, ``rate``, its Monte Carlo ``std_error``, and ``trial_sd``,
        the standard deviation from one trial to the next. An iUPD at the landmark scan is a failure.
    """
    cohorts, rows = simulated(name, seed=seed), []
    for k, week in enumerate(WEEKS):
        for c, criteria in enumerate(CRITERIA):
            for d, definition in enumerate(DEFINITIONS):
                for stratum in (ALL, *STRATA):
                    rates = cohorts.endpoints.control[c, :, cohorts.of(stratum), k, d].mean(axis=1)
                    rows.append((week, criteria, definition, stratum, *over_trials(rates), float(rates.std(ddof=1))))
    columns = ["week", "criteria", "definition", "stratum", "rate", "std_error", "trial_sd"]
    return pd.DataFrame(rows, columns=columns)


def progression_free(cohorts: Cohorts, month: float, criteria: str, stratum: str = ALL) -> Estimate:
    """Share free of progression at a month by Kaplan-Meier in each trial, averaged."""
    c, which = CRITERIA.index(criteria), cohorts.of(stratum)
    times, events = cohorts.endpoints.time[c][:, which], cohorts.endpoints.event[c][:, which]
    free = [float(kaplan_meier(*trial).survival_at(month)) for trial in zip(times, events, strict=True)]
    return over_trials(np.array(free))


def secondary_endpoints(name: str = WEEK_16) -> pd.DataFrame:
    """Tabulate response, best response, PFS, durations and tumour growth by criterion and stratum.

    Returns
    -------
    DataFrame
        ``endpoint``, ``unit``, ``criteria``, ``stratum``, ``value`` (mean over trials of each trial's value) with its
        Monte Carlo ``std_error``, and ``trials``, the share of trials that have a value: a median duration of
        disease control is not always reached, and a trial without a response has no time to it.
    """
    cohorts, rows = simulated(name), []
    for c, criteria in enumerate(CRITERIA):
        for stratum in (ALL, *STRATA):
            for (endpoint, unit), values in _by_trial(cohorts, c, cohorts.of(stratum)).items():
                known = float(np.isfinite(values).mean())
                estimate = over_trials(np.where(np.isfinite(values), values, np.nan))
                rows.append((endpoint, unit, criteria, stratum, *estimate, known))
    return pd.DataFrame(rows, columns=["endpoint", "unit", "criteria", "stratum", "value", "std_error", "trials"])


def _by_trial(cohorts: Cohorts, c: int, which: slice) -> dict[tuple[str, str], Floats]:
    """Each trial's value of the endpoints, by name and unit."""
    seen = cohorts.endpoints
    best, response = seen.best[c][:, which], seen.response[c][:, which]
    month = WEEKS[-1] * WEEK
    values = {("objective response", "share"): response.mean(axis=1)}
    confirmed = np.isin(seen.confirmed_best[c][:, which], (CR, PR))
    values["confirmed response", "share"] = confirmed.mean(axis=1)
    values["control as best response", "share"] = np.isin(best, CONTROL).mean(axis=1)
    for term, codes in BEST.items():
        values[f"best response {term}", "share"] = np.isin(best, codes).mean(axis=1)
    pairs = list(zip(seen.time[c][:, which], seen.event[c][:, which], strict=True))
    free = [float(kaplan_meier(time, event).survival_at(month - WEEK)) for time, event in pairs]
    values[f"PFS before the scan of week {WEEKS[-1]}", "share"] = np.array(free)
    values[f"progression-free at the scan of week {WEEKS[-1]}", "share"] = seen.control[c][:, which, -1, 2].mean(axis=1)
    values["median time to response", "weeks"] = _median(seen.time_to_response[c][:, which], response) / WEEK
    control = seen.disease_control[c][:, which]
    durations = zip(control, seen.event[c][:, which], strict=True)
    medians = [
        float(kaplan_meier(time[had], event[had]).quantile(0.5)) if (had := ~np.isnan(time)).any() else np.nan
        for time, event in durations
    ]
    values["median duration of disease control", "weeks"] = np.array(medians) / WEEK
    growth = seen.growth[:, which]
    values["median tumour growth rate to week 8", "% of volume per month"] = _median(growth, np.isfinite(growth))
    return values


def _median(values: Floats, had: Bools) -> Floats:
    """Median of each trial over the patients who had a value."""
    return np.array([np.median(row[which]) if which.any() else np.nan for row, which in zip(values, had, strict=True)])


def overall_survival() -> pd.DataFrame:
    """Tabulate overall survival at weeks 48 and 96, in closed form: it follows from the deaths printed alone.

    Returns
    -------
    DataFrame
        ``treatment``, ``week``, ``survival`` of the strata together and of each (``NET G3``, ``NEC``), ``lower`` and
        ``upper`` (approximate: what the exact 95% interval of the share alive gives, as if nobody were censored), and
        ``trial_sd`` of the share of 30 patients.
    """
    planned, rows = caboavenec.planned_enrolment(), []
    for name in (WEEK_16, MONOTHERAPY):
        treated, net = treatment(name), net_patients(name)
        n = sum(treated.strata) if name == WEEK_16 else count(MONOTHERAPY_TRIAL, "dcr-16-weeks")[1]
        ci = binomtest(round(treated.alive * n), n).proportion_ci(method="exact")
        for week in (48, 96):
            month = week * WEEK
            strata = [float(np.exp(-disease(name, stratum).death * month)) for stratum in STRATA]
            together = (net * strata[0] + (planned - net) * strata[1]) / planned
            spread = np.sqrt(sum(k * s * (1 - s) for k, s in zip((net, planned - net), strata, strict=True))) / planned
            limits = [limit ** (month / treated.alive_at) for limit in (ci.low, ci.high)]
            rows.append((name, week, together, *strata, *limits, float(spread)))
    return pd.DataFrame(rows, columns=["treatment", "week", "survival", *STRATA, "lower", "upper", "trial_sd"])


def survival_check() -> pd.DataFrame:
    """Tabulate AveNEC's printed overall survival beside the closed form; the year sets it, later times are a check.

    Returns
    -------
    DataFrame
        ``month``, ``printed``, ``one_population`` and ``strata`` (the assumed strata in AveNEC's mix).
    """
    treated, rows = treatment(MONOTHERAPY), []
    n = sum(treated.strata)
    for landmark in load(MONOTHERAPY_TRIAL).comparison("os").arms[0].landmarks:
        month = landmark.time.value
        mixed = sum(
            k / n * np.exp(-disease(MONOTHERAPY, stratum).death * month)
            for k, stratum in zip(treated.strata, STRATA, strict=True)
        )
        rows.append((month, landmark.survival.value, float(np.exp(-treated.death * month)), float(mixed)))
    return pd.DataFrame(rows, columns=["month", "printed", "one_population", "strata"])


def one_trial(number: int = 0, name: str = WEEK_16, seed: int = SEED) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take one simulated trial, by iRECIST, as the waterfall and the swimmer plots read it.

    Returns
    -------
    DataFrame, DataFrame
        A row for each patient: ``subject``, ``stratum``, ``best_change`` (per cent), ``best_response``, ``end_day`` of
        progression-free follow-up, ``ongoing``. A row for each event: ``subject``, ``day``, ``event``.
    """
    cohorts = simulated(name, seed=seed)
    seen, c, terms = cohorts.endpoints, CRITERIA.index("iRECIST"), CODE_LISTS["iRECIST"]
    day = 7 / WEEK
    patients = pd.DataFrame(
        {
            "subject": [f"S{i + 1:02d}" for i in range(cohorts.patients)],
            "stratum": np.where(np.arange(cohorts.patients) < cohorts.net, NET, NEC),
            "best_change": seen.depth[number],
            "best_response": [terms.term(int(code)) for code in seen.best[c, number]],
            "end_day": seen.time[c, number] * day,
            "ongoing": ~seen.event[c, number],
        }
    )
    progressed = np.isfinite(seen.progression[c, number])
    times = {
        "response": seen.time_to_response[c, number] * day,
        "iUPD": np.where(progressed, patients["end_day"], np.nan),
        "death": np.where(progressed | patients["ongoing"], np.nan, patients["end_day"]),
    }
    marks = [pd.DataFrame({"subject": patients["subject"], "day": at, "event": event}) for event, at in times.items()]
    return patients, pd.concat(marks).dropna(subset="day").reset_index(drop=True)


TRIALS_USED = (TRIAL, MONOTHERAPY_TRIAL)
