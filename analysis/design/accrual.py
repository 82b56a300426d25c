"""When patients enter: accrual patterns, each a value with its entry times and its enrolled fraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.design.checks import finite, increasing, not_negative, positive
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


class Accrual(Protocol):
    """How a trial fills. A new pattern is a new class with these members."""

    @property
    def duration(self) -> float:
        """Months from the first possible entry to the last."""

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn uniform draws, shape (trials, n), into the patients' entry times in months, same shape."""

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Give the expected fraction of the trial's patients that have entered by each time (months)."""


@dataclass(frozen=True)
class UniformAccrual:
    """Entry times uniform over `duration` months.

    Parameters
    ----------
    duration
        Length of the accrual period, in months.

    Raises
    ------
    InvalidValueError
        If the duration is not a positive number.

    Examples
    --------
    >>> UniformAccrual(18).enrolled_fraction([0, 9, 30])
    array([0. , 0.5, 1. ])
    """

    duration: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "duration", positive("duration", self.duration))

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entry times, same shape as the uniform draws."""
        return uniform * self.duration

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Fraction enrolled by each time."""
        return np.clip(np.asarray(time, float) / self.duration, 0.0, 1.0)


@dataclass(frozen=True)
class PiecewiseAccrual:
    """Entry at rates that are constant between change points.

    The trial's size is the design's `n`; the rates decide how it is spread over time, so only their proportions count.

    Parameters
    ----------
    rates
        Patients per month in each interval.
    breaks
        Inner change points in months, one fewer than `rates`, strictly increasing.
    duration
        End of accrual in months, after the last change point.

    Raises
    ------
    InvalidValueError
        If a rate is negative, all are 0, or the change points do not increase to `duration`.

    Examples
    --------
    >>> PiecewiseAccrual(rates=(2, 6), breaks=(6,), duration=12).enrolled_fraction([6, 12])
    array([0.25, 1.  ])
    """

    rates: Sequence[float]
    breaks: Sequence[float]
    duration: float

    def __post_init__(self) -> None:
        rates = tuple(not_negative("rates", rate, "patients per month") for rate in self.rates)
        breaks = increasing("breaks", self.breaks)
        if len(rates) != len(breaks) + 1:
            raise InvalidValueError("rates", rates, f"{len(breaks) + 1} rates", "give one rate more than change points")
        if sum(rates) == 0:
            raise InvalidValueError("rates", rates, "at least one rate above 0", "give patients per month")
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "breaks", breaks)
        object.__setattr__(self, "duration", increasing("duration", (self.duration,), (0.0, *breaks)[-1])[0])

    def _cumulative(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        times = np.array((0.0, *self.breaks, self.duration))
        enrolled = np.concatenate(([0.0], np.cumsum(np.diff(times) * np.array(self.rates))))
        return times, enrolled / enrolled[-1]

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entry times, same shape as the uniform draws."""
        times, enrolled = self._cumulative()
        piece = np.searchsorted(enrolled, uniform, side="right") - 1
        slope = np.diff(times) / np.where(np.diff(enrolled) > 0, np.diff(enrolled), 1.0)
        return times[piece] + (uniform - enrolled[piece]) * slope[piece]

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Fraction enrolled by each time."""
        return np.asarray(np.interp(np.asarray(time, float), *self._cumulative()))


@dataclass(frozen=True)
class RampAccrual:
    """Accrual whose rate grows linearly from 0 over `ramp` months and is steady from then on.

    Parameters
    ----------
    duration
        Length of the accrual period, in months.
    ramp
        Months until the steady rate is reached, at most `duration`.

    Raises
    ------
    InvalidValueError
        If a length is not positive or the ramp is longer than the accrual.

    Examples
    --------
    >>> RampAccrual(duration=18, ramp=12).enrolled_fraction([6, 12, 18])
    array([0.125, 0.5  , 1.   ])
    """

    duration: float
    ramp: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "duration", positive("duration", self.duration))
        object.__setattr__(self, "ramp", positive("ramp", self.ramp))
        if self.ramp > self.duration:
            raise InvalidValueError(
                "ramp", self.ramp, f"at most {self.duration:g} months", "shorten it or lengthen accrual"
            )

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entry times, same shape as the uniform draws."""
        steady_months = self.duration - self.ramp / 2
        return np.where(
            uniform * steady_months < self.ramp / 2,
            np.sqrt(uniform * steady_months * 2 * self.ramp),
            uniform * steady_months + self.ramp / 2,
        )

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Fraction enrolled by each time."""
        at = np.clip(np.asarray(time, float), 0.0, self.duration)
        enrolled = np.where(at < self.ramp, at**2 / (2 * self.ramp), at - self.ramp / 2)
        return np.asarray(enrolled / (self.duration - self.ramp / 2))


@dataclass(frozen=True)
class FixedAccrual:
    """Entry times that are given, e.g. those of a trial under way; which patient takes which is drawn.

    Parameters
    ----------
    times
        Entry time of every patient, in months from the first possible entry; as many as the design has patients.

    Raises
    ------
    InvalidValueError
        If a time is negative, or there are not as many times as patients.

    Examples
    --------
    >>> FixedAccrual((0, 1, 1, 4)).enrolled_fraction([0, 1, 3.9, 4])
    array([0.25, 0.75, 0.75, 1.  ])
    """

    times: Sequence[float]

    def __post_init__(self) -> None:
        times = tuple(sorted(finite("times", time) for time in self.times))
        if not times or times[0] < 0:
            raise InvalidValueError(
                "times", times[:1], "entry times of at least 0", "count months from the first entry"
            )
        object.__setattr__(self, "times", times)

    @property
    def duration(self) -> float:
        """Months until the last entry."""
        return self.times[-1]

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the entry times in a random order per trial, same shape as the uniform draws."""
        if uniform.shape[-1] != len(self.times):
            raise InvalidValueError(
                "accrual.times", len(self.times), f"{uniform.shape[-1]} entry times", "give one for every patient"
            )
        return np.array(self.times)[np.argsort(uniform, axis=-1, kind="stable")]

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Fraction enrolled by each time."""
        return np.asarray(
            np.searchsorted(np.array(self.times), np.asarray(time, float), side="right") / len(self.times)
        )
