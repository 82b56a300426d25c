"""What one report says of one arm: its numbers of patients, and the summaries of its curve."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from numbers import Real
from typing import ClassVar

from pydantic import ConfigDict

from analysis.conventions.border import border, strict_border
from analysis.conventions.display import as_typed
from analysis.errors import InvalidValueError
from analysis.reported.number import UNITS, Reported
from analysis.reported.reading import Count, Share, ShareInterval, Time, TimeInterval
from analysis.reported.summaries import ReportedInterval, with_limits

FORBID = ConfigDict(extra="forbid")


def coerce(record: object, units: dict[str, str], estimate: str = "") -> None:
    """Read the numbers that a caller wrote as digits, with limits in brackets too; the fields are frozen later."""
    for name, unit in units.items():
        got = getattr(record, name)
        limits_in = {"median": "median_ci", estimate: "ci"}.get(name)
        if limits_in is not None and (printed := with_limits(got)) is not None:
            if getattr(record, limits_in) is not None:
                raise InvalidValueError(name, got, f"limits once, here or in {limits_in}", "leave one of them out")
            pair = ReportedInterval.of((printed.lower, printed.upper), unit, limits_in)
            object.__setattr__(record, limits_in, replace(pair, level=printed.level))
            got = printed.estimate
        if got is not None:
            read = ReportedInterval.of if name.endswith("ci") else Reported.of
            object.__setattr__(record, name, read(got, unit, name))


def limits(name: str, interval: ReportedInterval) -> Iterator[tuple[str, Reported]]:
    """Yield the limits of an interval, each with its place."""
    yield f"{name}.lower", interval.lower
    yield f"{name}.upper", interval.upper


@strict_border
@dataclass(frozen=True)
class Landmark:
    """The survival probability reported at a time.

    Examples
    --------
    >>> Landmark("6", "83.6%", ci=("77.3%", "88.2%")).survival.value
    0.836
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    time: Time
    survival: Share
    ci: ShareInterval | None = None

    def __repr__(self) -> str:
        return as_typed(self)

    def __post_init__(self) -> None:
        coerce(self, {"time": "months", "survival": "proportion", "ci": "proportion"}, estimate="survival")


@strict_border
@dataclass(frozen=True)
class Quartile:
    """The time by which a quarter (``p=0.25``) or three quarters (``p=0.75``) of the patients had the event.

    Examples
    --------
    >>> Quartile(0.25, "3.1").time.text
    '3.1'
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    p: float
    time: Time
    ci: TimeInterval | None = None

    def __repr__(self) -> str:
        return as_typed(self)

    def __post_init__(self) -> None:
        if self.p not in (0.25, 0.75):
            raise InvalidValueError("p", self.p, "0.25 or 0.75", "the median has a field of its own")
        coerce(self, {"time": "months", "ci": "months"}, estimate="time")


def _patients(count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, Real) or not float(count).is_integer():
        remedy = "leave out the times whose numbers cannot be read"
        raise InvalidValueError("at_risk.counts", count, "whole numbers of patients", remedy)
    return int(float(count))


@border
@dataclass(frozen=True)
class AtRisk:
    """Numbers at risk just before each time, as printed under a curve.

    Times are in ``unit``, or if that is not given in the unit of their report; once they are read, in months. A time
    may have its unit beside it, as printed.

    Examples
    --------
    >>> AtRisk((0, 6, 12), (120, 76, 38)).counts
    (120, 76, 38)
    >>> AtRisk((0, "24 weeks"), (120, 76)).times == AtRisk((0, 24), (120, 76), unit="weeks").times
    True
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    times: tuple[float, ...]
    counts: tuple[int, ...]
    unit: str | None = None

    def __repr__(self) -> str:
        return as_typed(self)

    def __post_init__(self) -> None:
        if self.unit is not None and UNITS.get(self.unit, UNITS["count"]).dimension != "time":
            raise InvalidValueError(
                "at_risk.unit", self.unit, "months, weeks, days or years", "name the unit of the axis"
            )
        given: tuple[object, ...] = self.times
        read = [Reported.plain(time, self.unit or "months", "at_risk.times") for time in given]
        with_unit = [isinstance(time, str) and one.unit_said for time, one in zip(given, read, strict=True)]
        bare = [one for one, said in zip(read, with_unit, strict=True) if not said and one.value > 0]
        if any(with_unit) and bare and self.unit is None:
            remedy = 'write it at each, or once: unit="weeks"'
            raise InvalidValueError("at_risk.times", self.times, "a unit at every time or at none", remedy)
        object.__setattr__(self, "times", tuple(one.value for one in read))
        object.__setattr__(self, "unit", "months" if self.unit or any(with_unit) else None)
        object.__setattr__(self, "counts", tuple(_patients(count) for count in self.counts))
        times, counts = self.times, self.counts
        if not times or len(times) != len(counts):
            got = f"{len(times)} times, {len(counts)} counts"
            raise InvalidValueError("at_risk", got, "a count for each time, at least one", "copy the row again")
        if times[0] < 0 or any(later <= earlier for earlier, later in pairwise(times)):
            raise InvalidValueError("at_risk.times", times, "increasing times, not negative", "sort them")
        if counts[-1] < 0 or any(later > earlier for earlier, later in pairwise(counts)):
            raise InvalidValueError("at_risk.counts", counts, "counts that never grow", "check the digits of the row")


@strict_border
@dataclass(frozen=True)
class ReportedArm:
    """One arm of a report; everything but its name may be absent.

    Numbers are `Reported`; digits are accepted and read, in months or as proportions (``"83.6%"`` is a percentage).

    Parameters
    ----------
    name
        Name of the arm.
    n, events
        Patients, and patients with the event.
    median, median_ci
        Median time to the event and its confidence limits, months.
    landmarks, quartiles, at_risk
        Further points of the curve.
    median_follow_up
        Months.

    Raises
    ------
    InvalidValueError
        If a number cannot be read, or the arm is empty (``n=0``).

    Examples
    --------
    >>> ReportedArm("everolimus", n=485, median="7.8").median.half_width
    0.05
    >>> ReportedArm("placebo", n=0)
    Traceback (most recent call last):
    analysis.errors.InvalidValueError: n: got '0'; expected at least one patient in arm 'placebo'; ...
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    name: str
    n: Count | None = None
    events: Count | None = None
    median: Time | None = None
    median_ci: TimeInterval | None = None
    landmarks: tuple[Landmark, ...] = ()
    quartiles: tuple[Quartile, ...] = ()
    at_risk: AtRisk | None = None
    median_follow_up: Time | None = None

    def __repr__(self) -> str:
        return as_typed(self)

    def __post_init__(self) -> None:
        coerce(
            self,
            {"n": "count", "events": "count", "median": "months", "median_ci": "months", "median_follow_up": "months"},
        )
        object.__setattr__(self, "landmarks", tuple(sorted(self.landmarks, key=lambda landmark: landmark.time.value)))
        object.__setattr__(self, "quartiles", tuple(sorted(self.quartiles, key=lambda quartile: quartile.p)))
        if self.n is not None and self.n.value == 0:
            raise InvalidValueError(
                "n", self.n.text, f"at least one patient in arm {self.name!r}", "leave n out if it was not reported"
            )

    def numbers(self) -> Iterator[tuple[str, Reported]]:
        """Yield all numbers of the arm, each with the name of its field."""
        for name in ("n", "events", "median"):
            if (number := getattr(self, name)) is not None:
                yield name, number
        if self.median_ci is not None:
            yield from limits("median_ci", self.median_ci)
        for landmark in self.landmarks:
            at = f"survival at {landmark.time.with_unit}"
            yield at, landmark.survival
            if landmark.ci is not None:
                yield from limits(f"{at}, ci", landmark.ci)
        for quartile in self.quartiles:
            yield f"time at {quartile.p:.0%} with event", quartile.time
            if quartile.ci is not None:
                yield from limits(f"time at {quartile.p:.0%} with event, ci", quartile.ci)
        if self.at_risk is not None:
            for time, count in zip(self.at_risk.times, self.at_risk.counts, strict=True):
                yield f"at risk at {time:g} months", Reported(str(count), "count")
        if self.median_follow_up is not None:
            yield "median_follow_up", self.median_follow_up

    def printed(self) -> Iterator[tuple[str, str]]:
        """Yield what is printed of the arm, in words and as it is printed, limits beside their estimate."""
        counted = {"patients": self.n, "events": self.events}
        yield from ((name, str(count)) for name, count in counted.items() if count is not None)
        if self.median is not None or self.median_ci is not None:
            yield "median", _with_limits(self.median, self.median_ci)
        for quartile in self.quartiles:
            yield f"time by which {quartile.p:.0%} had the event", _with_limits(quartile.time, quartile.ci)
        for landmark in self.landmarks:
            yield f"survival at {landmark.time.with_unit}", _with_limits(landmark.survival, landmark.ci)
        if self.at_risk is not None:
            for time, count in zip(self.at_risk.times, self.at_risk.counts, strict=True):
                yield f"at risk at {time:g} {self.at_risk.unit or 'months'}", str(count)
        if self.median_follow_up is not None:
            yield "median follow-up", self.median_follow_up.with_unit


def _with_limits(number: Reported | None, ci: ReportedInterval | None) -> str:
    printed = "" if number is None else number.with_unit
    return printed if ci is None else ci.beside(printed)
