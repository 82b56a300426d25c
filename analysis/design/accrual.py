"""When patients enter: accrual patterns, each a value with its entry times and its enrolled fraction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import increasing, not_negative
from analysis.conventions.display import months
from analysis.conventions.values import value
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@border
class Accrual(ABC):
    """How a trial fills. A new pattern is a new class with these members.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> isinstance(UniformAccrual(18), Accrual), UniformAccrual(18).duration
    (True, 18.0)
    """

    duration: float
    """Months from the first possible entry to the last."""
    is_drawn: ClassVar[bool] = True
    """Whether every patient's entry is drawn, so that the number that has entered by a month varies."""

    @abstractmethod
    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn uniform draws, shape (trials, n), into the patients' entry times in months, same shape."""

    @abstractmethod
    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Give the expected fraction of the trial's patients that have entered by each time (months)."""

    @property
    @abstractmethod
    def description(self) -> str:
        """The pattern in words, to follow "patients enter"."""

    @property
    def rate_changes(self) -> NDArray[np.float64]:
        """Calendar times at which the rate of entry may jump, the end of accrual among them.

        A pattern that does not say is taken to be smooth between 65 equally spaced times.
        """
        return np.linspace(0, self.duration, 65)

    def for_patients(self, n: float) -> Accrual:
        """Give the pattern as it is for `n` patients; the same for all but those whose length depends on `n`."""
        return self


@border
@value
class UniformAccrual(Accrual):
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

    duration: float = fields.positive("months")

    @property
    def description(self) -> str:
        """The pattern in words."""
        return f"uniformly over {months(self.duration)} months"

    @property
    def rate_changes(self) -> NDArray[np.float64]:
        """The end of accrual."""
        return np.array([self.duration])

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entry times, same shape as the uniform draws."""
        return np.asarray(uniform * self.duration)

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Fraction enrolled by each time."""
        return np.clip(np.asarray(time, float) / self.duration, 0.0, 1.0)


def _rates(name: str, given: Any) -> tuple[float, ...]:
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        given = (given,)
    if isinstance(given, str):
        raise InvalidValueError(name, given, "patients per month, one number an interval", "write rates=(2, 6)")
    rates = tuple(not_negative(name, rate, "patients per month") for rate in given)
    if sum(rates) == 0:
        raise InvalidValueError(name, rates, "at least one rate above 0", "give patients per month")
    return rates


def _check_lengths(rates: Sequence[float], breaks: Sequence[float]) -> None:
    if len(rates) != len(breaks) + 1:
        raise InvalidValueError("rates", rates, f"{len(breaks) + 1} rates", "give one rate more than change points")


@border
@value
class PiecewiseAccrual(Accrual):
    """Entry at rates that are constant between change points, over a period that is given.

    The trial's size is the design's `n`; the rates decide how it is spread over time, so only their proportions count.
    Where the rates are known and the length is not, take `AccrualRate`.

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

    rates: Sequence[float] = fields.converted(_rates)
    breaks: Sequence[float] = fields.converted(increasing)
    duration: float = fields.positive("months")

    def __attrs_post_init__(self) -> None:
        _check_lengths(self.rates, self.breaks)
        increasing("duration", (self.duration,), (0.0, *self.breaks)[-1])

    @property
    def description(self) -> str:
        """The pattern in words."""
        rates = ", ".join(f"{rate:g}" for rate in self.rates)
        changes = ", ".join(f"{time:g}" for time in self.breaks)
        when = f"changes at month{'s' if len(self.breaks) > 1 else ''} {changes}"
        return f"over {self.duration:.4g} months in proportions {rates} with {when}"

    @property
    def rate_changes(self) -> NDArray[np.float64]:
        """The change points and the end of accrual."""
        return np.array([*self.breaks, self.duration])

    def _cumulative(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        times = np.array((0.0, *self.breaks, self.duration))
        enrolled = np.concatenate(([0.0], np.cumsum(np.diff(times) * np.array(self.rates))))
        return times, enrolled / enrolled[-1]

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entry times, same shape as the uniform draws."""
        times, enrolled = self._cumulative()
        piece = np.minimum(np.searchsorted(enrolled, uniform, side="right"), enrolled.size - 1) - 1
        slope = np.diff(times) / np.where(np.diff(enrolled) > 0, np.diff(enrolled), 1.0)
        return np.asarray(times[piece] + (uniform - enrolled[piece]) * slope[piece])

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Fraction enrolled by each time."""
        return np.asarray(np.interp(np.asarray(time, float), *self._cumulative()))


@border
@value
class AccrualRate(Accrual):
    """Entry at known rates for as long as it takes: the length follows from the number of patients.

    Parameters
    ----------
    rates
        Patients per month in each interval; the last goes on. One number for a constant rate.
    breaks
        Change points in months, one fewer than `rates`, strictly increasing.

    Raises
    ------
    InvalidValueError
        If a rate is negative, the last is 0, or the change points do not increase.

    Examples
    --------
    >>> AccrualRate((2, 6), breaks=(6,)).for_patients(48).duration
    12.0
    """

    rates: Sequence[float] = fields.converted(_rates)
    breaks: Sequence[float] = fields.converted(increasing, default=())

    if TYPE_CHECKING:

        def __init__(
            self, rates: float | Sequence[float], breaks: Sequence[float] = ()
        ) -> None: ...  # what is accepted: one rate or several

    def __attrs_post_init__(self) -> None:
        _check_lengths(self.rates, self.breaks)
        if self.rates[-1] == 0:
            raise InvalidValueError("rates", self.rates, "a last rate above 0", "say at which rate accrual goes on")

    @property
    def duration(self) -> float:  # type: ignore[override]  # there is none before the patients are counted
        """Not known without the number of patients."""
        raise InvalidValueError("duration", self, "a number of patients", "ask accrual.for_patients(n).duration")

    @property
    def description(self) -> str:
        """The pattern in words."""
        first, *rest = (f"{rate:g} per month" for rate in self.rates)
        later = "".join(f", {rate} from month {start:g}" for rate, start in zip(rest, self.breaks, strict=True))
        return f"at {first}{later}"

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entry times of as many patients as there are draws a trial."""
        return self.for_patients(uniform.shape[-1]).entry_times(uniform)

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Not known without the number of patients."""
        raise InvalidValueError("accrual", self, "a number of patients", "ask accrual.for_patients(n)")

    def for_patients(self, n: float) -> Accrual:
        """Give the accrual of `n` patients, with its length."""
        starts = np.array([0.0, *self.breaks])
        entered = np.concatenate(([0.0], np.cumsum(np.array(self.rates[:-1]) * np.diff(starts))))
        last = int(np.searchsorted(entered, n, side="left")) - 1
        duration = float(starts[last] + (n - entered[last]) / self.rates[last])
        if last == 0:
            return UniformAccrual(duration)
        return PiecewiseAccrual(self.rates[: last + 1], self.breaks[:last], duration)


@border
@value
class RampAccrual(Accrual):
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

    duration: float = fields.positive("months")
    ramp: float = fields.positive("months")

    def __attrs_post_init__(self) -> None:
        if self.ramp > self.duration:
            expected = f"at most {self.duration:g} months"
            raise InvalidValueError("ramp", self.ramp, expected, "shorten it or lengthen accrual")

    @property
    def description(self) -> str:
        """The pattern in words."""
        return f"over {months(self.duration)} months, at a rate that grows over the first {months(self.ramp)}"

    @property
    def rate_changes(self) -> NDArray[np.float64]:
        """The end of the ramp and of accrual."""
        return np.array([self.ramp, self.duration])

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


def _entries(name: str, given: Any) -> tuple[float, ...]:
    times = tuple(sorted(not_negative(name, time) for time in given))
    if not times:
        raise InvalidValueError(name, times, "the entry times of all patients", "count months from the first entry")
    return times


@border
@value
class FixedAccrual(Accrual):
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

    times: Sequence[float] = fields.converted(_entries)
    is_drawn: ClassVar[bool] = False

    @property
    def duration(self) -> float:  # type: ignore[override]  # follows from the entries
        """Months until the last entry."""
        return self.times[-1]

    @property
    def description(self) -> str:
        """The pattern in words."""
        return f"at {len(self.times)} known times over {months(self.duration)} months"

    @property
    def rate_changes(self) -> NDArray[np.float64]:
        """The entries themselves."""
        return np.array(self.times)

    def entry_times(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the entry times in a random order per trial, same shape as the uniform draws."""
        if uniform.shape[-1] != len(self.times):
            expected = f"{uniform.shape[-1]} entry times"
            raise InvalidValueError("accrual.times", len(self.times), expected, "give one for every patient")
        return np.array(self.times)[np.argsort(uniform, axis=-1, kind="stable")]

    def enrolled_fraction(self, time: ArrayLike) -> NDArray[np.float64]:
        """Fraction enrolled by each time."""
        entered = np.searchsorted(np.array(self.times), np.asarray(time, float), side="right")
        return np.asarray(entered / len(self.times))
