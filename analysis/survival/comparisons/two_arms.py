"""Two arms on plain arrays: their risk sets at the event times, stratum by stratum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.survival.checks import indicator, observations, same_length
from analysis.survival.estimators.risk_sets import counts

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.survival.checks import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Both arms of one stratum at its distinct event times; the fields but `survival_before` have shape ``(k,)``.

    Attributes
    ----------
    time
        Months, increasing.
    n_risk, n_event
        At risk just before and events at each time, both arms together.
    n_risk_experimental, n_event_experimental
        The same in the experimental arm.
    survival
        Kaplan-Meier estimate of both arms together just after each time.
    """

    time: FloatArray
    n_risk: FloatArray
    n_event: FloatArray
    n_risk_experimental: FloatArray
    n_event_experimental: FloatArray
    survival: FloatArray

    @property
    def survival_before(self) -> FloatArray:
        """Kaplan-Meier estimate of both arms together just before each time, shape ``(k,)``."""
        return np.concatenate([[1.0], self.survival[:-1]])


def split_arms(time: ArrayLike, event: ArrayLike, experimental: ArrayLike) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return checked times, events and arms, for data with at least one patient in each arm."""
    times, events = observations(time, event)
    arms = indicator("experimental", experimental, times.size)
    for name, empty in (("experimental", not arms.any()), ("control", bool(arms.all()))):
        if empty:
            got = f"no patient in the {name} arm"
            raise InvalidValueError("experimental", got, "patients in both arms", "check how the arms are coded")
    return times, events, arms


def risk_sets(
    time: ArrayLike, event: ArrayLike, experimental: ArrayLike, strata: ArrayLike | None = None
) -> list[RiskSets]:
    """Return the risk sets at the event times of each stratum that has events.

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``.
    event
        Whether it ended with an event, shape ``(n,)``.
    experimental
        Whether the patient is in the experimental arm, shape ``(n,)``.
    strata
        Label of each patient's stratum, shape ``(n,)``; several factors are crossed to one label.

    Raises
    ------
    InvalidValueError
        If the data are malformed, an arm is empty or a label is missing.
    """
    times, events, arms = split_arms(time, event, experimental)
    if strata is None:
        return [_of_stratum(times, events, arms)] if events.any() else []
    labels = _stratum_numbers(strata, times.size)
    chosen = [labels == number for number in np.unique(labels[events])]
    return [_of_stratum(times[c], events[c], arms[c]) for c in chosen]


def _of_stratum(time: FloatArray, event: BoolArray, arm: BoolArray) -> RiskSets:
    distinct, n_risk, n_event, _ = counts(time, event)
    at, died = n_event > 0, time[event]
    survival: FloatArray = np.cumprod(1 - n_event[at] / n_risk[at], dtype=np.float64)
    moments = distinct[at]
    followed = np.sort(time[arm])
    n_risk_experimental = (followed.size - np.searchsorted(followed, moments, side="left")).astype(np.float64)
    deaths = np.searchsorted(moments, died[arm[event]])
    n_event_experimental = np.bincount(deaths, minlength=moments.size).astype(np.float64)
    return RiskSets(moments, n_risk[at], n_event[at], n_risk_experimental, n_event_experimental, survival)


def _stratum_numbers(strata: ArrayLike, n: int) -> FloatArray:
    labels = np.asarray(strata).astype(str)
    if labels.ndim != 1:
        raise InvalidValueError("strata", f"shape {labels.shape}", "one label a patient", "cross the factors first")
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.float64)
    same_length("strata", numbers, "time", n)
    missing = np.flatnonzero(np.isin(labels, ["nan", "None", "<NA>", ""]))
    if missing.size:
        got = f"no label at position {missing[0]}"
        raise InvalidValueError("strata", got, "a label for each patient", "give those patients a stratum or drop them")
    return numbers
