"""What each simulated trial reports: one value a trial for every endpoint, by name and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.conventions.display import short_repr
from analysis.endpoints.codes import CPD, CR, MISSING, NE, NON_CR_NON_PD, PD, PR, SD
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.endpoints.batch import Endpoints
    from analysis.endpoints.codes import Bools, Floats

CONTROL = (CR, PR, SD, NON_CR_NON_PD)
BEST = {"CR": (CR,), "PR": (PR,), "SD": (SD, NON_CR_NON_PD), "PD": (PD, CPD), "NE": (NE, MISSING)}
GROUPS = 20


class Estimate(NamedTuple):
    """A simulated value and its Monte Carlo standard error.

    Examples
    --------
    >>> Estimate(0.35, 0.01).std_error
    0.01
    """

    value: float
    std_error: float


class Survival(NamedTuple):
    """Overall survival in months, with whether death was seen, shape (trials, patients).

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein, Tumours, simulate_endpoints
    >>> tumours = Tumours(Stein(Rate(0.05, 0.3), Rate(0.1, 0.3)), death=0.05)
    >>> scans = Attendance(Assessments.every(8 * WEEK), until=12.0)
    >>> found = simulate_endpoints(tumours, scans, patients=5, trials=3, rng=1)
    >>> found.survival.time.shape
    (3, 5)
    """

    time: Floats
    died: Bools

    def __repr__(self) -> str:
        return short_repr(self)


def over_trials(values: Floats) -> Estimate:
    """Mean over trials, with the standard error of the mean; NaN with fewer than two trials."""
    known = values[~np.isnan(values)]
    error = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")
    return Estimate(float(known.mean()) if known.size else float("nan"), error)


def shares(seen: Endpoints, c: int) -> dict[str, Floats]:
    """Share of each trial's patients with a response, a confirmed one, control, each best response; shape (trials,)."""
    binary: Mapping[str, Bools] = {
        "objective response": seen.response[c],
        "confirmed response": np.isin(seen.confirmed_best[c], (CR, PR)),
        "disease control as best response": np.isin(seen.best[c], CONTROL),
        **{f"best response {term}": np.isin(seen.best[c], codes) for term, codes in BEST.items()},
    }
    return {name: had.mean(axis=1) for name, had in binary.items()}


def durations(seen: Endpoints, c: int) -> dict[str, tuple[Floats, Bools, Bools]]:
    """Give times in months with their events, and who has one: shape (trials, patients)."""
    every = np.ones(seen.event[c].shape, np.bool_)
    responded = seen.response[c]
    return {
        "progression-free survival": (seen.time[c], seen.event[c], every),
        "time to response": (seen.time_to_response[c], responded, responded),
        "duration of response": (seen.duration_of_response[c], seen.event[c], responded),
        "duration of disease control": (seen.disease_control[c], seen.event[c], ~np.isnan(seen.disease_control[c])),
    }


def median_time(time: Floats, event: Bools, had: Bools) -> float:
    """Kaplan-Meier median in months of those who have such a time; inf if not reached, NaN if nobody has one."""
    return float(kaplan_meier(time[had], event[had]).quantile(0.5)) if had.any() else float("nan")


def median_times(time: Floats, event: Bools, had: Bools) -> Floats:
    """Kaplan-Meier median of each trial, shape (trials,)."""
    return np.array([median_time(*trial) for trial in zip(time, event, had, strict=True)])


def sizes(seen: Endpoints) -> dict[tuple[str, str], Floats]:
    """Depth of response and growth rate of each patient, by name and unit; they have no criterion."""
    return {
        ("depth of response", "% of the baseline sum"): seen.depth,
        ("tumour growth rate to the first scan", "% of volume per month"): seen.growth,
    }


def medians(values: Floats) -> Floats:
    """Median of each trial over the patients who have a value, NaN if nobody has; shape (trials,)."""
    known = ~np.isnan(values)
    return np.array([np.median(row[k]) if k.any() else np.nan for row, k in zip(values, known, strict=True)])


def pooled_median(time: Floats, event: Bools, had: Bools) -> Estimate:
    """Kaplan-Meier median of all trials' patients together.

    The error is taken over 20 groups of trials; NaN with fewer than 20 trials or a median not reached.
    """
    groups = np.array_split(np.arange(len(time)), GROUPS) if len(time) >= GROUPS else []
    found = np.array([median_time(time[g], event[g], had[g]) for g in groups])
    known = bool(len(found)) and bool(np.isfinite(found).all())
    error = float(found.std(ddof=1) / np.sqrt(GROUPS)) if known else float("nan")
    return Estimate(median_time(time, event, had), error)
