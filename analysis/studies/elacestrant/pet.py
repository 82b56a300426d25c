"""Elacestrant + exemestane: what FES-PET says of disease control at week 24, at baseline and early on treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.monte_carlo import MonteCarlo, mean
from analysis.studies.assumptions import Assumption
from analysis.studies.elacestrant import pfs_rate
from analysis.studies.elacestrant.scans import ACCURACY, SEED, cohort
from analysis.studies.remembered import remembered

if TYPE_CHECKING:
    from analysis.studies.elacestrant.scans import Bools

READINGS = ("as if 86% were for the outcome", "receptor read at baseline", "early fall of uptake")
FALL = Assumption("fall of FES uptake on treatment", 0.5, "of the uptake, where all sites are avid", "not reported")
SPREAD = Assumption("scatter of a change of uptake", 0.25, "sd of its logarithm", "not reported; test and retest")
RESPONSE = Assumption("early FES-PET response", 0.3, "fall of the uptake", "not defined in public; a usual limit")
ASSUMPTIONS = (FALL, SPREAD, RESPONSE)


@remembered
def rates_by_pet(seed: int = SEED) -> pd.DataFrame:
    """Tabulate disease control at week 24 by what FES-PET shows.

    The accuracy of 86% was found for receptor expression. The first reading takes it for the outcome itself, which it
    is not. The second is a baseline scan that reads a state, all sites avid, with that accuracy; the state acts on the
    outcome through the hazard. The third is the early scan on treatment: uptake falls by `FALL` where all sites are
    avid and does not elsewhere, each change with a scatter, and a response is a fall by `RESPONSE`.

    Returns
    -------
    DataFrame
        ``reading``, ``positive`` (yes or no), ``share`` of patients with it, ``rate`` of disease control among them
        with its Monte Carlo ``std_error``, and ``lower`` and ``upper``, the central 95% of the trials.
    """
    of = cohort(pfs_rate.SCANS.value, seed=seed)
    rng = np.random.default_rng(seed + 2)
    right = rng.random(of.time.shape) < ACCURACY.value
    change = np.where(of.avid, np.log(1 - FALL.value), 0.0) + SPREAD.value * rng.standard_normal(of.time.shape)
    rows = []
    seen = (of.controlled == right, of.avid == right, change <= np.log(1 - RESPONSE.value))
    for reading, positive in zip(READINGS, seen, strict=True):
        for response, group in (("yes", positive), ("no", ~positive)):
            rates = np.array([c[g].mean() for c, g in zip(of.controlled, group, strict=True) if g.any()])
            found = _ratio(of.controlled & group, group)
            limits = np.quantile(rates, (0.025, 0.975))
            rows.append((reading, response, float(group.mean()), found.value, found.std_error, *limits))
    return pd.DataFrame(rows, columns=["reading", "positive", "share", "rate", "std_error", "lower", "upper"])


def _ratio(hits: Bools, group: Bools) -> MonteCarlo:
    """Share of a group over all trials, its error by the delta method over trials."""
    size = group.sum(axis=1)
    share = float(hits.sum() / size.sum())
    spread = mean((hits.sum(axis=1) - share * size) / size.mean())
    half = 1.96 * spread.std_error
    return MonteCarlo(share, spread.std_error, share - half, share + half, len(size))


def predictive_values(rate: float) -> tuple[float, float]:
    """Give the positive and the negative predictive value for an outcome of a given rate, by Bayes' rule.

    Examples
    --------
    >>> positive, negative = predictive_values(0.5)
    >>> round(positive, 2), round(negative, 2)
    (0.86, 0.86)
    """
    right, wrong = ACCURACY.value, 1 - ACCURACY.value
    positive = right * rate / (right * rate + wrong * (1 - rate))
    negative = right * (1 - rate) / (right * (1 - rate) + wrong * rate)
    return positive, negative
