"""CaboAveNEC's test of disease control at week 16: how the definition of the endpoint decides what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from analysis.endpoints.disease_control import DEFINITIONS
from analysis.endpoints.simulation_results import CRITERIA
from analysis.endpoints.trial_values import Estimate, over_trials
from analysis.single_arm import exact_binomial, infer
from analysis.studies.caboavenec import dcr
from analysis.studies.caboavenec.disease import (
    MEDIAN_PFS,
    MONOTHERAPY,
    MONOTHERAPY_TRIAL,
    NEC,
    NET,
    SWELLING_UNTIL,
    TRIAL,
    WEEK_16,
    count,
)
from analysis.studies.caboavenec.scans import SEED, WEEKS, simulated
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of

if TYPE_CHECKING:
    from analysis.endpoints.codes import Bools, Floats
    from analysis.endpoints.disease_control import UnconfirmedAs

SHARES = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15)
LASTING = 4.5
"""Months after which a longer swelling ends: after the scan of week 16."""
IUPD_RULES: tuple[UnconfirmedAs, ...] = ("failure", "resolved later", "control")


def reported_control() -> tuple[float, float, float]:
    """CaboAveNEC's reported control at week 16, with its exact 95% interval."""
    events, n = count(TRIAL, "dcr-16-weeks")
    found = infer(exact_binomial(n, null_rate=null_rate(), alpha=dcr.ALPHA.value), events, n)
    return events / n, found.lower, found.upper


def null_rate() -> float:
    """AveNEC's disease control at week 16, the historical rate to be exceeded."""
    events, n = count(MONOTHERAPY_TRIAL, "dcr-16-weeks")
    return events / n


def critical() -> int:
    """Patients with disease control from which the exact test rejects AveNEC's rate.

    Examples
    --------
    >>> null_rate(), critical()
    (0.15, 9)
    """
    return exact_binomial(dcr.planned_enrolment(), null_rate=null_rate(), alpha=dcr.ALPHA.value).critical


def operating_characteristics() -> pd.DataFrame:
    """Tabulate the exact test against AveNEC's 15% by the definition of disease control at week 16.

    Returns
    -------
    DataFrame
        ``treatment`` and ``mix`` (the combination by both readings of its report, the monotherapy in AveNEC's mix of
        strata and in CaboAveNEC's), ``criteria``, ``definition``, ``iupd`` (how an iUPD at week 16 counts, where there
        is a choice), ``rate`` and ``rejects`` (share of trials that reject), each with its Monte Carlo standard error.
    """
    settings = ((WEEK_16, WEEK_16), (MEDIAN_PFS, WEEK_16), (MONOTHERAPY, MONOTHERAPY), (MONOTHERAPY, WEEK_16))
    rows = []
    for name, mix in settings:
        trial = report_of(MONOTHERAPY_TRIAL if mix == MONOTHERAPY else TRIAL).title.split(":")[0]
        for criteria, definition, rule, controlled in _definitions(name, mix):
            rate, rejects = over_trials(controlled.mean(axis=1)), _rejects(controlled)
            rows.append((name, f"as in {trial}", criteria, definition, rule, *rate, *rejects))
    columns = ["treatment", "mix", "criteria", "definition", "iupd", "rate", "rate_std_error", "rejects"]
    return pd.DataFrame(rows, columns=[*columns, "rejects_std_error"])


def _rejects(controlled: Bools) -> Estimate:
    """Share of trials that reject, of arrays (trials, patients)."""
    return over_trials(1.0 * (controlled.sum(axis=1) >= critical()))


def _definitions(name: str, mix: str) -> list[tuple[str, str, str, Bools]]:
    """Disease control at week 16 of each patient by every definition."""
    week = WEEKS.index(16)
    found: list[tuple[str, str, str, Bools]] = []
    for d, definition in enumerate(DEFINITIONS):
        for c, criteria in enumerate(CRITERIA):
            rules = IUPD_RULES if criteria == "iRECIST" and d == 0 else IUPD_RULES[:1]
            for rule in rules:
                seen = simulated(name, mix=mix, unconfirmed=rule).endpoints
                shown = rule if len(rules) > 1 else ""
                found.append((criteria, definition, shown, seen.control[c, :, :, week, d]))
    return found


def pseudo_progression(name: str = WEEK_16, seed: int = SEED) -> pd.DataFrame:
    """Tabulate how far iRECIST's disease control at week 16 exceeds RECIST 1.1's, over shares of pseudo-progression.

    Returns
    -------
    DataFrame
        ``swelling_until`` (months), ``share``, ``iupd`` (whether an iUPD at week 16 is a failure or is resolved
        by later scans), ``recist`` and ``irecist`` (rates),
        ``difference`` with its Monte Carlo ``std_error`` (the same patients are read by both), ``recist_rejects`` and
        ``irecist_rejects`` with theirs: shares of trials that reject AveNEC's rate.
    """
    week, rows = WEEKS.index(16), []
    for until in (SWELLING_UNTIL.value, LASTING):
        for share in SHARES:
            for rule in IUPD_RULES[:2]:
                cohorts = simulated(name, share=share, until=until, unconfirmed=rule, seed=seed)
                control = cohorts.endpoints.control[..., week, 0]
                recist, irecist = control.mean(axis=2)
                rejects = [_rejects(read) for read in control]
                rates = (float(recist.mean()), float(irecist.mean()))
                rows.append((until, share, rule, *rates, *over_trials(irecist - recist), *rejects[0], *rejects[1]))
    columns = ["swelling_until", "share", "iupd", "recist", "irecist", "difference", "std_error", "recist_rejects"]
    return pd.DataFrame(
        rows, columns=[*columns, "recist_rejects_std_error", "irecist_rejects", "irecist_rejects_std_error"]
    )


def strata_difference(ratios: tuple[float, ...] = (1.0, 2.0, 4.0)) -> pd.DataFrame:
    """Tabulate what the planned patients show of NET G3 against NEC, iRECIST disease control at the scan of week 16.

    Returns
    -------
    DataFrame
        ``ratio`` (how much faster NEC's disease is), ``net``, ``nec`` (rates), ``difference`` with its Monte Carlo
        ``std_error`` and ``trial_sd``, and ``significant``: share of trials with a two-sided Fisher p below 5%, with
        its Monte Carlo error ``significant_std_error``.
    """
    rows = []
    for ratio in ratios:
        cohorts = simulated(ratio=ratio)
        control = cohorts.endpoints.control[CRITERIA.index("iRECIST"), :, :, WEEKS.index(16), 0]
        net, nec = control[:, cohorts.of(NET)], control[:, cohorts.of(NEC)]
        p = _fisher(net.shape[1], nec.shape[1])[net.sum(axis=1), nec.sum(axis=1)]
        difference = net.mean(axis=1) - nec.mean(axis=1)
        significant = over_trials(1.0 * (p < 0.05))
        rates, spread = (float(net.mean()), float(nec.mean())), float(difference.std(ddof=1))
        rows.append((ratio, *rates, *over_trials(difference), spread, *significant))
    columns = ["ratio", "net", "nec", "difference", "std_error", "trial_sd", "significant", "significant_std_error"]
    return pd.DataFrame(rows, columns=columns)


@remembered
def _fisher(first: int, second: int) -> Floats:
    """Two-sided Fisher p of every pair of counts."""
    return np.array(
        [[fisher_exact([[a, first - a], [b, second - b]]).pvalue for b in range(second + 1)] for a in range(first + 1)]
    )
