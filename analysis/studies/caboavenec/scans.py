"""CaboAveNEC simulated down to the scan: what its registered endpoints would show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions import WEEK
from analysis.endpoints.batch import Endpoints
from analysis.endpoints.codes import CODE_LISTS
from analysis.endpoints.disease_control import DEFINITIONS
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.endpoints.groups import SimulatedGroups, simulate_groups
from analysis.endpoints.simulated_measurements import START, SimulatedMeasurements, simulated_measurements
from analysis.endpoints.simulation_results import CRITERIA
from analysis.endpoints.trial_values import Estimate, Survival, over_trials
from analysis.studies.assumptions import Assumption, assumption_table
from analysis.studies.caboavenec import dcr
from analysis.studies.caboavenec.disease import (
    ASSUMPTIONS,
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
    disease,
    scans,
    treatment,
    treatments,
)
from analysis.studies.remembered import remembered
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.endpoints.calibration import Target
    from analysis.endpoints.disease_control import UnconfirmedAs

TRIALS = Assumption(
    "replicates", 1_000, "trials of 30", "Monte Carlo standard error of a rate of all 30 at most 0.3 percentage points"
)
WEEKS = (8, 16, 24, 48)
SEED = 1630
ALL = "all"


@dataclass(frozen=True)
class Cohorts:
    """Simulated trials, patients of NET G3 first.

    Attributes
    ----------
    endpoints
        Arrays of shape (criteria, trials, patients, ...).
    groups
        The simulated strata, NET G3 first.
    net
        Number of patients with NET G3 in each trial.
    """

    endpoints: Endpoints
    groups: SimulatedGroups
    net: int

    @property
    def survival(self) -> Survival:
        """Overall survival, arrays of shape (trials, patients)."""
        return self.groups.survival

    @property
    def patients(self) -> int:
        """Patients in each trial."""
        return int(self.endpoints.time.shape[2])

    def of(self, stratum: str) -> slice:
        """Patients of a stratum, or all."""
        return {ALL: slice(None), NET: slice(self.net), NEC: slice(self.net, None)}[stratum]

    def part(self, stratum: str) -> Endpoints:
        """Endpoints of a stratum's patients."""
        every: list[NDArray[Any]] = list(self.endpoints)
        which = self.of(stratum)
        return Endpoints(*(values[:, which] if values.ndim == 2 else values[:, :, which] for values in every))


def assumptions() -> pd.DataFrame:
    """Tabulate everything that no source prints."""
    return assumption_table((*ASSUMPTIONS, dcr.VISITS, dcr.ALPHA, TRIALS))


def net_patients(mix: str = WEEK_16) -> int:
    """Patients with NET G3 among the planned ones, in the mix that a treatment's report has.

    Examples
    --------
    >>> net_patients(), net_patients("monotherapy")
    (19, 11)
    """
    net, nec = treatment(mix).strata
    return round(dcr.planned_enrolment() * net / (net + nec))


@remembered
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
    net, planned = net_patients(mix), dcr.planned_enrolment()
    found = simulate_groups(
        {stratum: disease(name, stratum, share=share, until=until, ratio=ratio) for stratum in STRATA},
        scans(),
        patients={NET: net, NEC: planned - net},
        trials=trials,
        rng=seed,
        readers=READERS,
        definitions=EndpointDefinitions(tuple(7 * week for week in WEEKS), unconfirmed=unconfirmed),
    )
    return Cohorts(found.of(), found, net)


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


def measured_trial(number: int = 0, name: str = WEEK_16, seed: int = SEED) -> SimulatedMeasurements:
    """Lay out the measurements of the trial that `one_trial` takes, its scans named by their week.

    Returns
    -------
    SimulatedMeasurements
        What `derive` reads; patients are numbered as in `one_trial`.
    """
    groups = simulated(name, seed=seed).groups
    parts = []
    for stratum, result in groups.groups.items():
        first = groups.columns(stratum).start
        frames = simulated_measurements(result, number)
        for frame in frames:
            frame["subject"] = [f"S{int(subject[1:]) + first:02d}" for subject in frame["subject"]]
        parts.append(frames)
    tr, tu, subjects = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    week = (pd.to_datetime(tr["date"]) - pd.Timestamp(START)).dt.days / 7
    nearest = np.array(WEEKS)[np.abs(week.to_numpy()[:, None] - WEEKS).argmin(axis=1)]
    tr["visit"] = np.where(tr["visit"] == "baseline", "baseline", [f"week {at}" for at in nearest])
    return SimulatedMeasurements(tr, tu, subjects)


TRIALS_USED = (TRIAL, MONOTHERAPY_TRIAL)
