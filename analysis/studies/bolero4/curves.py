"""BOLERO-4: progression-free survival of its one arm, reconstructed from what was printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.reconstruction import Reconstruction, reconstruct
from analysis.statistical_tests import RestrictedMean
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of

if TYPE_CHECKING:
    from analysis.reported import ReportedTrial

TRIAL, ARM = "bolero-4", "everolimus"
SEED, MEMBERS = 2016, 200


def reported() -> ReportedTrial:
    """BOLERO-4 as it was reported."""
    return report_of(TRIAL)


@remembered
def reconstruction(members: int = MEMBERS, seed: int = SEED) -> Reconstruction:
    """Reconstruct progression-free survival: 202 patients, two landmarks with intervals, a median not reached."""
    return reconstruct(reported().comparison("pfs"), members=members, rng=seed)


def landmarks(months: tuple[float, ...] = (3.0, 6.0, 9.0, 12.0, 15.0, 18.0)) -> pd.DataFrame:
    """Survival at landmarks, printed (6 and 12 months) or not: mean over the members and central 90%."""
    return reconstruction().survival_at(ARM, months)


def mean_time(tau: float = 12.0) -> pd.DataFrame:
    """Tabulate the mean time free of progression up to `tau` months.

    Returns
    -------
    DataFrame
        ``tau``, ``estimate`` (mean over the members), ``lower``, ``upper`` (their central 90%: what the report leaves
        open), ``std_error`` (sampling error of the trial, averaged).
    """
    found = [
        RestrictedMean(tau, null_mean=tau / 2).analyse(member["time"], member["event"])
        for _, member in reconstruction().ipd().groupby("member")
    ]
    values = np.array([one.estimate for one in found])
    error = float(np.mean([one.std_error for one in found]))
    row = (tau, float(values.mean()), *np.quantile(values, (0.05, 0.95)), error)
    return pd.DataFrame([row], columns=["tau", "estimate", "lower", "upper", "std_error"])
