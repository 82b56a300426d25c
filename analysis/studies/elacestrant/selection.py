"""Elacestrant + exemestane: what FES-PET is for in this trial: who enters, how many are screened, what that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import betabinom, binom, nbinom

from analysis.conventions.monte_carlo import mean
from analysis.studies.assumptions import Assumption
from analysis.studies.elacestrant import pfs_rate
from analysis.studies.elacestrant.scans import ACCURACY, NOT_AVID_RATIO, SEED, cohort
from analysis.studies.remembered import remembered

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray

PREVALENCES = Assumption(
    "lesions that express the receptor",
    (0.7, 0.8, 0.9),
    "share of all lesions",
    "not reported after a CDK4/6 inhibitor",
)
LESIONS = Assumption("measurable lesions", (2, 4, 6), "per patient", "not reported")
LIKENESS = Assumption(
    "likeness of a patient's lesions", (0.3, 0.6, 0.9), "correlation of their expression",
    "not reported; near 1 all lesions of a patient are alike",
)  # fmt: skip
RULE = Assumption("rule of selection", 0.5, "of the measurable lesions avid, at least", "registered")
ASSUMPTIONS = (PREVALENCES, LESIONS, LIKENESS, RULE)


def by_patient() -> pd.DataFrame:
    """Tabulate FES-PET as a test of the patient: predictive values, who enters, how many have to be screened.

    Returns
    -------
    DataFrame
        ``prevalence`` of receptor-positive disease, ``positive_predictive_value``, ``negative_predictive_value``,
        ``enter`` (share of the screened), ``missed`` (share of the receptor-positive who do not), and for the middle
        size of the trial the ``screened`` on average and ``screened_90``, enough in nine trials of ten.
    """
    right, n, rows = ACCURACY.value, pfs_rate.SIZES.value[1], []
    for prevalence in PREVALENCES.value:
        enter = right * prevalence + (1 - right) * (1 - prevalence)
        positive = right * prevalence / enter
        negative = right * (1 - prevalence) / (1 - enter)
        enough = n + int(nbinom.ppf(0.9, n, enter))
        rows.append((prevalence, positive, negative, enter, 1 - right, n / enter, enough))
    columns = ["prevalence", "positive_predictive_value", "negative_predictive_value", "enter", "missed"]
    return pd.DataFrame(rows, columns=[*columns, "screened", "screened_90"])


def expressing(lesions: int, prevalence: float, likeness: float) -> FloatArray:
    """Probabilities that 0, 1 .. of a patient's lesions express the receptor: beta-binomial.

    The correlation of two lesions of a patient is `likeness`.
    """
    size = 1 / likeness - 1
    return np.asarray(
        betabinom.pmf(np.arange(lesions + 1), lesions, prevalence * size, (1 - prevalence) * size), dtype=float
    )


def avid_given(lesions: int) -> FloatArray:
    """Probability of so many avid lesions (columns) where so many express the receptor (rows)."""
    right, table = ACCURACY.value, np.zeros((lesions + 1, lesions + 1))
    for k in range(lesions + 1):
        true = binom.pmf(np.arange(k + 1), k, right)
        false = binom.pmf(np.arange(lesions - k + 1), lesions - k, 1 - right)
        table[k] = np.convolve(true, false)
    return table


@remembered
def by_lesion() -> pd.DataFrame:
    """Tabulate the registered rule, at least half of the lesions avid, where FES-PET reads each lesion with its error.

    Returns
    -------
    DataFrame
        ``prevalence``, ``lesions``, ``likeness``; ``enter`` (share of the screened); of those who enter, ``fulfil`` (at
        least half of the lesions do express the receptor), ``all_express`` (every one does), ``none_express``; of those
        who do not enter, ``wrongly_out`` (at least half do). Exact.
    """
    rows = []
    for prevalence in PREVALENCES.value:
        for lesions in LESIONS.value:
            for likeness in LIKENESS.value:
                express = expressing(lesions, prevalence, likeness)
                joint = express[:, None] * avid_given(lesions)
                enters = np.arange(lesions + 1) >= RULE.value * lesions
                selected = joint[:, enters].sum(axis=1)
                enter = selected.sum()
                out = joint[:, ~enters].sum(axis=1)
                rows.append(
                    (
                        *(prevalence, lesions, likeness, enter),
                        *(selected[enters].sum() / enter, selected[-1] / enter, selected[0] / enter),
                        out[enters].sum() / out.sum(),
                    )
                )
    columns = ["prevalence", "lesions", "likeness", "enter", "fulfil", "all_express", "none_express", "wrongly_out"]
    return pd.DataFrame(rows, columns=columns)


@remembered
def rate_under_selection(seed: int = SEED) -> pd.DataFrame:
    """Tabulate disease control at week 24 of the selected and of all comers.

    Patients whose every lesion expresses the receptor have the calibrated disease, all others progress faster by the
    assumed ratio. Both rates are simulated; their mix is exact.

    Returns
    -------
    DataFrame
        ``prevalence``, ``lesions``, ``likeness``, ``all_comers``, ``selected``, ``difference``, and the Monte Carlo
        ``std_error`` of the difference.
    """
    weeks = pfs_rate.SCANS.value
    good = mean(cohort(weeks, 0.0, NOT_AVID_RATIO.value, seed=seed).controlled.mean(axis=1))
    bad = mean(cohort(weeks, 1.0, NOT_AVID_RATIO.value, seed=seed).controlled.mean(axis=1))
    rows = []
    for row in by_lesion().itertuples():
        every = expressing(int(row.lesions), float(row.prevalence), float(row.likeness))[-1]  # type: ignore[arg-type]  # numbers of a frame
        shares = (every, float(row.all_express))  # type: ignore[arg-type]  # numbers of a frame
        rates = [share * good.value + (1 - share) * bad.value for share in shares]
        error = abs(shares[1] - shares[0]) * np.hypot(good.std_error, bad.std_error)
        rows.append((row.prevalence, row.lesions, row.likeness, *rates, rates[1] - rates[0], error))
    columns = ["prevalence", "lesions", "likeness", "all_comers", "selected", "difference", "std_error"]
    return pd.DataFrame(rows, columns=columns)
