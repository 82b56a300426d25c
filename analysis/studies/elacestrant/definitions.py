"""Elacestrant + exemestane: what the definition of the rate at 6 months and the schedule do to the test of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri

from analysis.conventions.monte_carlo import proportion
from analysis.endpoints import simulate_endpoints
from analysis.single_arm import exact_binomial
from analysis.studies.assumptions import Assumption
from analysis.studies.elacestrant import pfs_rate
from analysis.studies.elacestrant.scans import (
    DEFINITIONS,
    ONE_WEEK,
    READER,
    SCHEDULES,
    SEED,
    attendance,
    definitions,
    disease,
    rate_in_trials,
    stratum,
    with_losses,
)
from analysis.studies.remembered import remembered
from analysis.survival import kaplan_meier

if TYPE_CHECKING:
    from analysis.studies.elacestrant.scans import Bools, Cohort

TRUE_GAIN = Assumption("true gain", pfs_rate.GAIN.value, "on the null rate", "that of the two-stage designs")


@remembered
def pace_at(rate: float, seed: int = SEED) -> float:
    """Find the pace of the disease at which weekly scans without error show a rate at 6 months."""

    def miss(log_pace: float) -> float:
        result = simulate_endpoints(
            disease(float(np.exp(log_pace)), seed), attendance(ONE_WEEK), patients=100, trials=80, rng=seed,
            definitions=definitions(),
        )  # fmt: skip
        return result.survival_at(pfs_rate.MONTHS).value - rate

    return float(np.exp(brentq(miss, np.log(0.1), np.log(10.0), xtol=0.005)))


def rejects(of: Cohort, definition: str, weeks: float, null_rate: float, seed: int = SEED) -> Bools:
    """Whether each trial rejects a null rate, one-sided: exactly by the counts, or by Kaplan-Meier with Greenwood."""
    rates = rate_in_trials(of, definition, weeks, seed)
    patients, alpha = of.time.shape[1], pfs_rate.ALPHA.value
    if definition != "Kaplan-Meier":
        critical = exact_binomial(patients, null_rate=null_rate, alpha=alpha).critical
        return np.asarray(np.rint(rates * patients) >= critical)
    errors = []
    for time, event in zip(*with_losses(of, weeks, seed), strict=True):
        errors.append(float(kaplan_meier(time, event).std_error_at(pfs_rate.MONTHS)))
    return np.asarray(rates - null_rate > -ndtri(alpha) * np.array(errors))


@remembered
def operating_characteristics(seed: int = SEED) -> pd.DataFrame:
    """Tabulate the test of the rate at 6 months by definition and schedule.

    Returns
    -------
    DataFrame
        ``null_rate``; ``truth``: the null rate, or `TRUE_GAIN` above it, as weekly scans without error show it;
        ``weeks`` between scans, ``definition``, ``rate`` (mean over trials), and ``rejects`` with its Monte Carlo
        ``std_error`` and 95% limits ``lower``, ``upper``: the error of the test in the first case, its power in the
        second. Losses as assumed, all sites avid.
    """
    rows = []
    for null_rate in pfs_rate.NULL_RATES.value:
        for truth in (null_rate, round(null_rate + TRUE_GAIN.value, 2)):
            for weeks in SCHEDULES.value:
                of = stratum(pace_at(truth, seed), weeks, READER.value, seed)
                for definition in DEFINITIONS:
                    rate = float(rate_in_trials(of, definition, weeks, seed).mean())
                    found = proportion(rejects(of, definition, weeks, null_rate, seed))
                    row = (null_rate, truth, weeks, definition, rate)
                    rows.append((*row, found.value, found.std_error, found.lower, found.upper))
    columns = ["null_rate", "truth", "weeks", "definition", "rate", "rejects", "std_error", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns)
