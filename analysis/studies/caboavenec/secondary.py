"""CaboAveNEC simulated down to the scan: its secondary endpoints, by stratum and against the monotherapy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from analysis.conventions import WEEK
from analysis.endpoints.disease_control import DEFINITIONS
from analysis.endpoints.simulation_results import CRITERIA
from analysis.endpoints.trial_values import durations, median_times, medians, over_trials, shares, sizes
from analysis.reconstruction import Reconstruction, reconstruct
from analysis.studies.caboavenec import dcr
from analysis.studies.caboavenec.disease import (
    MONOTHERAPY,
    MONOTHERAPY_TRIAL,
    STRATA,
    WEEK_16,
    disease,
    treatment,
)
from analysis.studies.caboavenec.scans import ALL, WEEKS, Cohorts, net_patients, simulated
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from analysis.endpoints.batch import Endpoints
    from analysis.endpoints.codes import Bools, Floats

SURVIVAL_WEEKS = (48, 96)
NO_CRITERIA = ""
"""Stands for endpoints that no response decides: overall survival, size of the targets."""


def secondary_endpoints(name: str = WEEK_16, mix: str = WEEK_16) -> pd.DataFrame:
    """Tabulate response, best response, PFS, durations, overall survival and tumour size by criterion and stratum.

    Returns
    -------
    DataFrame
        ``endpoint``, ``unit``, ``criteria`` (empty where no response decides), ``stratum``, ``value`` (mean over trials
        of each trial's value) with its Monte Carlo ``std_error``, and ``trials``, the share of trials that have a
        value: a median duration of disease control is not always reached, and a trial without a response has no time
        to it.
    """
    cohorts, rows = simulated(name, mix=mix), []
    for criteria in (*CRITERIA, NO_CRITERIA):
        for stratum in (ALL, *STRATA):
            for (endpoint, unit), values in by_trial(cohorts, criteria, stratum).items():
                known = float(np.isfinite(values).mean())
                estimate = over_trials(np.where(np.isfinite(values), values, np.nan))
                rows.append((endpoint, unit, criteria, stratum, *estimate, known))
    return pd.DataFrame(rows, columns=["endpoint", "unit", "criteria", "stratum", "value", "std_error", "trials"])


def by_trial(cohorts: Cohorts, criteria: str, stratum: str = ALL) -> dict[tuple[str, str], Floats]:
    """Each trial's value of the endpoints of a criterion, or of those without one, by name and unit."""
    which = cohorts.of(stratum)
    if criteria == NO_CRITERIA:
        return _of_survival(cohorts, which) | _of_size(cohorts.endpoints, which)
    c = CRITERIA.index(criteria)
    seen = cohorts.part(stratum)
    values = {(name, "share"): share for name, share in shares(seen, c).items()}
    pairs = list(zip(seen.time[c], seen.event[c], strict=True))
    free = [float(kaplan_meier(time, event).survival_at((WEEKS[-1] - 1) * WEEK)) for time, event in pairs]
    values[f"PFS before the scan of week {WEEKS[-1]}", "share"] = np.array(free)
    at_last = seen.control[c][:, :, -1, DEFINITIONS.index("progression-free at landmark")]
    values[f"progression-free at the scan of week {WEEKS[-1]}", "share"] = at_last.mean(axis=1)
    for name, of in durations(seen, c).items():
        values[f"median {name}", "weeks"] = median_times(*of) / WEEK
    return values


def _of_survival(cohorts: Cohorts, which: slice) -> dict[tuple[str, str], Floats]:
    """Share alive in each trial; deaths are known for all 96 weeks."""
    time = cohorts.survival.time[:, which]
    dead: dict[int, Bools] = {w: cohorts.survival.died[:, which] & (time <= w * WEEK) for w in SURVIVAL_WEEKS}
    return {(f"overall survival at week {week}", "share"): 1 - of.mean(axis=1) for week, of in dead.items()}


def _of_size(seen: Endpoints, which: slice) -> dict[tuple[str, str], Floats]:
    """Median depth of response and tumour growth rate in each trial."""
    return {(f"median {name}", unit): medians(of[:, which]) for (name, unit), of in sizes(seen).items()}


def against_monotherapy(name: str = WEEK_16) -> pd.DataFrame:
    """Tabulate the endpoints of the combination beside the monotherapy's, in CaboAveNEC's mix of strata and scans.

    The size of the targets is withheld: no size is printed of AveNEC, and the calibration to its progressions puts the
    growth at the limit that is assumed (`FASTEST`), so that depth of response and growth rate would be that limit's.
    Overall survival, which no scan decides, is in `overall_survival`.

    Returns
    -------
    DataFrame
        ``endpoint``, ``unit``, ``criteria``, ``combination``, ``monotherapy`` (means over trials that have a value),
        ``difference`` with its Monte Carlo ``std_error`` over pairs of trials in which both have one, and ``pairs``,
        their share.
    """
    combined, alone, rows = simulated(name), simulated(MONOTHERAPY), []
    for criteria in CRITERIA:
        first, second = ({**_control(of, criteria), **by_trial(of, criteria)} for of in (combined, alone))
        for (endpoint, unit), values in first.items():
            known = [np.where(np.isfinite(v), v, np.nan) for v in (values, second[endpoint, unit])]
            both = float(np.isfinite(known[0] - known[1]).mean())
            means = [over_trials(v).value for v in known]
            rows.append((endpoint, unit, criteria, *means, *over_trials(known[0] - known[1]), both))
    columns = ["endpoint", "unit", "criteria", "combination", "monotherapy", "difference", "std_error", "pairs"]
    return pd.DataFrame(rows, columns=columns)


def _control(cohorts: Cohorts, criteria: str) -> dict[tuple[str, str], Floats]:
    """Share of each trial with disease control at the scans."""
    seen = cohorts.endpoints.control[CRITERIA.index(criteria), :, :, :, 0].mean(axis=1)
    return {(f"disease control at week {week}", "share"): seen[:, k] for k, week in enumerate(WEEKS)}


def overall_survival() -> pd.DataFrame:
    """Tabulate overall survival at weeks 48 and 96, from the deaths printed alone.

    The combination's is exponential, with the share alive at the median follow-up. AveNEC's, of which a median and two
    landmarks are printed, is reconstructed.

    Returns
    -------
    DataFrame
        ``treatment``, ``how``, ``week``, ``survival`` (of the strata together), ``lower`` and ``upper``: of the
        combination approximate, what the exact 95% interval of the share alive gives, as if nobody were censored; of
        the monotherapy the 95% limits of each member's Kaplan-Meier curve, averaged over the reconstruction. Then
        ``NET G3`` and ``NEC`` of the combination, by the assumed ratio, and ``trial_sd`` of the share of 30 patients.
    """
    planned, net, treated = dcr.planned_enrolment(), net_patients(WEEK_16), treatment(WEEK_16)
    n, rows = sum(treated.strata), []
    ci = binomtest(round(treated.alive * n), n).proportion_ci(method="exact")
    for week in SURVIVAL_WEEKS:
        month = week * WEEK
        strata = [float(np.exp(-disease(WEEK_16, stratum).death * month)) for stratum in STRATA]
        together = (net * strata[0] + (planned - net) * strata[1]) / planned
        spread = np.sqrt(sum(k * s * (1 - s) for k, s in zip((net, planned - net), strata, strict=True))) / planned
        limits = [limit ** (month / treated.alive_at) for limit in (ci.low, ci.high)]
        rows.append((WEEK_16, "exponential", week, together, *limits, *strata, float(spread)))
    for week in SURVIVAL_WEEKS:
        members = [kaplan_meier(member["time"], member["event"]) for _, member in avenec_members()]
        limits = list(np.mean([one.limits_at(week * WEEK, scale="log-log") for one in members], axis=0))
        alive = float(np.mean([one.survival_at(week * WEEK) for one in members]))
        spread = np.sqrt(alive * (1 - alive) / planned)
        rows.append((MONOTHERAPY, "reconstructed", week, alive, *limits, np.nan, np.nan, float(spread)))
    columns = ["treatment", "how", "week", "survival", "lower", "upper", *STRATA, "trial_sd"]
    return pd.DataFrame(rows, columns=columns)


@remembered
def avenec_survival(members: int = 200, seed: int = 2025) -> Reconstruction:
    """Reconstruct AveNEC's overall survival from its printed median and the shares alive at one and two years."""
    return reconstruct(report_of(MONOTHERAPY_TRIAL).comparison("os"), members=members, rng=seed)


def avenec_members() -> list[tuple[object, pd.DataFrame]]:
    """Give the pseudo-patients of AveNEC's survival, member by member."""
    return list(avenec_survival().ipd().groupby("member"))


def survival_check() -> pd.DataFrame:
    """Tabulate AveNEC's printed overall survival beside the closed form; the year sets it, later times are a check.

    Returns
    -------
    DataFrame
        ``month``, ``printed``, ``reconstructed`` (mean over the members), and the exponentials of the simulated
        disease: ``one_population`` and ``strata`` (the assumed strata in AveNEC's mix).
    """
    treated, rows = treatment(MONOTHERAPY), []
    n = sum(treated.strata)
    for landmark in report_of(MONOTHERAPY_TRIAL).comparison("os").arms[0].landmarks:
        month = landmark.time.value
        mixed = sum(
            k / n * np.exp(-disease(MONOTHERAPY, stratum).death * month)
            for k, stratum in zip(treated.strata, STRATA, strict=True)
        )
        seen = float(avenec_survival().survival_at("avelumab", [month])["mean"].iloc[0])
        rows.append((month, landmark.survival.value, seen, float(np.exp(-treated.death * month)), float(mixed)))
    return pd.DataFrame(rows, columns=["month", "printed", "reconstructed", "one_population", "strata"])
