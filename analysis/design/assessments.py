"""When a tumour is looked at: a visit schedule, how well it is kept, how a progression is then dated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import increasing, positive
from analysis.conventions.units import DAYS_PER_MONTH, WEEK
from analysis.conventions.values import value
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_VISITS = 100_000
Recording = Literal["right-endpoint", "midpoint", "interval-censored"]


@border
@value
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

    times: Sequence[float] = fields.converted(increasing)
    interval: float | None = fields.positive("months", default=None, optional=True)
    window: float = fields.not_negative("months", default=0.0)
    missed: float = fields.number(at_least=0, below=1, default=0.0)
    recording: Recording = fields.choice(get_args(Recording), default="right-endpoint")

    def __attrs_post_init__(self) -> None:
        if not self.times:
            expected = "at least one visit"
            raise InvalidValueError("times", self.times, expected, "give the visits in months after entry")
        gaps = [*np.diff((0.0, *self.times)), *([self.interval] if self.interval is not None else [])]
        if min(gaps) < 0.99 / DAYS_PER_MONTH:
            expected = "visits at least a day apart (0.033 months)"
            raise InvalidValueError(
                "interval", float(min(gaps)), expected, "give intervals in months, weeks as n * WEEK"
            )
        if 2 * self.window >= min(gaps):
            expected = f"less than half the shortest interval ({min(gaps):g} months)"
            raise InvalidValueError("window", self.window, expected, "narrow the window")

    @property
    def description(self) -> str:
        """The schedule in words, to follow "progression is looked for"."""
        if self.interval is not None and self.times == (self.interval,):
            words = f"every {self.interval / WEEK:.3g} weeks"
        else:
            words = f"at weeks {', '.join(f'{time / WEEK:.3g}' for time in self.times)}"
            words += "" if self.interval is None else f" and every {self.interval / WEEK:.3g} weeks after"
        words += f" (within {self.window / WEEK:.2g} weeks)" if self.window else ""
        words += f", {100 * self.missed:.3g}% of visits missed" if self.missed else ""
        dated = {"midpoint": ", dated half-way between visits", "interval-censored": ", recorded as an interval"}
        return words + dated.get(self.recording, "")

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

        Raises
        ------
        InvalidValueError
            If a period but the last has no end, or one has no visit before its end.
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
            visits = math.floor((positive("periods", until) - start) / interval + 1e-9)
            if visits < 1:
                expected = f"an end at least an interval after {start:g} months, when the period begins"
                raise InvalidValueError("periods", (interval, until), expected, "give periods in their order")
            times.extend(start + interval * visit for visit in range(1, visits + 1))
            start = times[-1] if times else start
        return cls(tuple(times), endless, window, missed, recording)

    def scheduled(self, until: float) -> NDArray[np.float64]:
        """Scheduled visits up to and including `until` months after entry."""
        times = np.array(self.times)
        if self.interval is not None and until > times[-1]:
            further = math.floor((until - times[-1]) / self.interval + 1e-9)
            if further > MOST_VISITS:
                expected = f"months with at most {MOST_VISITS:,} visits, one every {self.interval:g}"
                raise InvalidValueError("until", until, expected, "check the unit of the months")
            times = np.concatenate((times, times[-1] + self.interval * np.arange(1, further + 1)))
        return times[times <= until + 1e-9]
