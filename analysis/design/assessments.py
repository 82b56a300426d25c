"""When a tumour is looked at: a visit schedule, how well it is kept, how a progression is then dated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from analysis.design.checks import finite, increasing, not_negative, positive
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WEEK = 7 / 30.4375
"""One week in months (a month is 30.4375 days)."""

Recording = Literal["right-endpoint", "midpoint", "interval-censored"]


@dataclass(frozen=True)
class Assessments:
    """Scheduled tumour assessments, counted from a patient's entry.

    A progression is seen at the first attended visit after it. A patient without one is censored at the last attended
    visit before the data cut or dropout (at 0 if there was none); a death is seen when it happens.

    Parameters
    ----------
    times
        Scheduled visits in months after entry, strictly increasing.
    interval
        Months between visits after the last of `times`; None if there are none after it.
    window
        Visits happen uniformly within this many months before or after the schedule.
    missed
        Probability that a visit is missed, for each visit independently.
    recording
        How a progression seen at one visit and not at the attended one before it is dated: at the visit
        (``"right-endpoint"``, the rule of RECIST trials), half-way (``"midpoint"``), or by both visits
        (``"interval-censored"``: data sets carry the interval; tests for right-censored data take its right end).

    Raises
    ------
    InvalidValueError
        If the schedule is empty or does not increase, the window lets visits change places, `missed` is not in [0, 1),
        or the recording is unknown.

    Examples
    --------
    >>> Assessments.every(2).scheduled(7).tolist()
    [2.0, 4.0, 6.0]
    >>> Assessments.changing([(2, 6), (3, None)]).scheduled(13).tolist()
    [2.0, 4.0, 6.0, 9.0, 12.0]
    """

    times: Sequence[float]
    interval: float | None = None
    window: float = 0.0
    missed: float = 0.0
    recording: Recording = "right-endpoint"

    def __post_init__(self) -> None:
        times = increasing("times", self.times)
        if not times:
            raise InvalidValueError("times", times, "at least one visit", "give the visits in months after entry")
        object.__setattr__(self, "times", times)
        if self.interval is not None:
            object.__setattr__(self, "interval", positive("interval", self.interval))
        object.__setattr__(self, "window", not_negative("window", self.window))
        gaps = [*np.diff((0.0, *times)), *([self.interval] if self.interval is not None else [])]
        if 2 * self.window >= min(gaps):
            raise InvalidValueError(
                "window",
                self.window,
                f"less than half the shortest interval ({min(gaps):g} months)",
                "narrow the window",
            )
        if not 0 <= finite("missed", self.missed) < 1:
            raise InvalidValueError("missed", self.missed, "a probability of at least 0 and below 1", "give a fraction")
        if self.recording not in get_args(Recording):
            raise InvalidValueError("recording", self.recording, f"one of {get_args(Recording)}", "choose one of them")

    @classmethod
    def every(
        cls, interval: float, *, window: float = 0.0, missed: float = 0.0, recording: Recording = "right-endpoint"
    ) -> Assessments:
        """Visits every `interval` months, without end."""
        return cls((positive("interval", interval),), interval, window, missed, recording)

    @classmethod
    def changing(
        cls,
        periods: Sequence[tuple[float, float | None]],
        *,
        window: float = 0.0,
        missed: float = 0.0,
        recording: Recording = "right-endpoint",
    ) -> Assessments:
        """Visits at intervals that change.

        Parameters
        ----------
        periods
            Pairs (interval, until) in months; `until` of the last pair is None if visits go on without end.
        window, missed, recording
            As in `Assessments`.
        """
        times: list[float] = []
        start, endless = 0.0, None
        for number, (interval, until) in enumerate(periods):
            positive("interval", interval)
            if until is None:
                if number != len(periods) - 1:
                    raise InvalidValueError("periods", periods, "an end for every period but the last", "give its end")
                endless = interval
                times.append(start + interval)
                break
            visits = math.floor((until - start) / interval + 1e-9)
            times.extend(start + interval * visit for visit in range(1, visits + 1))
            start = times[-1] if times else start
        return cls(tuple(times), endless, window, missed, recording)

    def scheduled(self, until: float) -> NDArray[np.float64]:
        """Scheduled visits up to and including `until` months after entry."""
        times = np.array(self.times)
        if self.interval is not None and until > times[-1]:
            further = math.floor((until - times[-1]) / self.interval + 1e-9)
            times = np.concatenate((times, times[-1] + self.interval * np.arange(1, further + 1)))
        return times[times <= until + 1e-9]
