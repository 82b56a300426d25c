"""Elacestrant + exemestane: what an early FES-PET response says of disease control at week 24."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.monte_carlo import MonteCarlo, mean
from analysis.studies.elacestrant import pfs_rate
from analysis.studies.elacestrant.scans import ACCURACY, SEED, cohort

if TYPE_CHECKING:
    from analysis.studies.elacestrant.scans import Bools

READINGS = ("predicts the outcome", "predicts the receptor")


@cache
def rates_by_pet(seed: int = SEED) -> pd.DataFrame:
    """Tabulate disease control at week 24 by early FES-PET response, for two readings of its accuracy.

    Sensitivity and specificity can be those for the outcome itself, disease control at week 24, or those for a state of
    the disease, all sites avid, that acts on the outcome through the hazard.

    Returns
    -------
    DataFrame
        ``reading``, ``response`` (of FES-PET), ``share`` of patients with it, ``rate`` of disease control among them
        with its Monte Carlo ``std_error``, and ``lower`` and ``upper``, the central 95% of the trials.
    """
    of = cohort(pfs_rate.SCANS.value, seed=seed)
    right = np.random.default_rng(seed + 2).random(of.time.shape) < ACCURACY.value
    rows = []
    for reading, state in zip(READINGS, (of.controlled, of.avid), strict=True):
        positive = state == right
        for response, group in (("yes", positive), ("no", ~positive)):
            rates = np.array([c[g].mean() for c, g in zip(of.controlled, group, strict=True) if g.any()])
            found = _ratio(of.controlled & group, group)
            limits = np.quantile(rates, (0.025, 0.975))
            rows.append((reading, response, float(group.mean()), found.value, found.std_error, *limits))
    return pd.DataFrame(rows, columns=["reading", "response", "share", "rate", "std_error", "lower", "upper"])


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
