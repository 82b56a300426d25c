"""Numbers at risk, of events and of censored patients at each distinct time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import nonnegative, observations, tied
from analysis.conventions.display import by_time, html, short_repr

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.checks import BoolArray, FloatArray


@border
@dataclass(frozen=True, eq=False)
class NumbersAtRisk:
    """The rows of a risk table under a curve: at each time the three counts add up to the number of patients.

    Attributes
    ----------
    time
        Months, shape ``(k,)``.
    n_risk
        Patients under observation just before each time; those whose follow-up ends at that time are still counted.
    n_event
        Patients with an event before each time.
    n_censor
        Patients censored before each time.

    Examples
    --------
    >>> from analysis.survival import numbers_at_risk
    >>> found = numbers_at_risk([2, 3, 5, 8], [1, 1, 0, 1], [0, 4])
    >>> found.n_risk.tolist()
    [4, 2]
    """

    time: FloatArray
    n_risk: NDArray[np.int64]
    n_event: NDArray[np.int64]
    n_censor: NDArray[np.int64]

    def __repr__(self) -> str:
        return short_repr(self)

    def summary(self) -> pd.DataFrame:
        """One row per time: `time`, `n_risk`, `n_event`, `n_censor`."""
        return by_time(self)

    def _repr_html_(self) -> str:
        return html(self.summary())


@border
def numbers_at_risk(time: ArrayLike, event: ArrayLike, ticks: ArrayLike, *, timefix: bool = True) -> NumbersAtRisk:
    """Count the patients at risk just before each tick of an axis, with those who have left by then.

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``.
    event
        Whether it ended with an event, shape ``(n,)``.
    ticks
        Months at which to count, shape ``(k,)``.
    timefix
        Whether times that are equal to each other or to a tick but for floating point are tied, as in R's survival.

    Returns
    -------
    NumbersAtRisk
        Counts at each tick.

    Raises
    ------
    InvalidValueError
        If a time is negative or missing, an indicator is neither true nor false, or there are no patients.

    Examples
    --------
    >>> numbers_at_risk(time=[2, 3, 3, 5], event=[1, 1, 0, 0], ticks=[0, 3, 6]).n_risk
    array([4, 3, 0])
    """
    times, events = observations(time, event, timefix=timefix)
    at = nonnegative("ticks", ticks)
    if timefix:
        at, times = np.split(tied(np.concatenate([at, times])), [at.size])
    n_event = np.searchsorted(np.sort(times[events]), at, side="left")
    n_censor = np.searchsorted(np.sort(times[~events]), at, side="left")
    return NumbersAtRisk(at, times.size - n_event - n_censor, n_event, n_censor)


def counts(time: FloatArray, event: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return distinct times with the numbers at risk just before, of events and of censored patients there."""
    distinct, position = np.unique(time, return_inverse=True)
    leaving = np.bincount(position).astype(np.float64)
    events: FloatArray = np.bincount(position[event], minlength=distinct.size).astype(np.float64)
    return distinct, np.cumsum(leaving[::-1])[::-1], events, leaving - events
