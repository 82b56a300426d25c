"""What one report says of one endpoint: its arms, their curves' summaries, and how they compare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from numbers import Real
from typing import Annotated, ClassVar

from pydantic import ConfigDict

from analysis.conventions.border import border, strict_border
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reported.number import UNITS, Reported
from analysis.reported.reading import BY_NAME, Count, HazardRatio, PValue, Share, ShareInterval, Time, TimeInterval
from analysis.reported.summaries import ReportedHazardRatio, ReportedInterval, ReportedPValue

FORBID = ConfigDict(extra="forbid")

ENDPOINTS = {
    "OS": "overall survival",
    "PFS": "progression-free survival",
    "PFS2": "progression-free survival on next-line treatment",
    "RPFS": "radiographic progression-free survival",
    "DFS": "disease-free survival",
    "IDFS": "invasive disease-free survival",
    "EFS": "event-free survival",
    "RFS": "relapse-free survival",
    "DMFS": "distant-metastasis-free survival",
    "LRR": "time to locoregional recurrence",
    "TTF": "time to treatment failure",
    "TTP": "time to progression",
    "DOR": "duration of response",
    "DDC": "duration of disease control",
}


ALIASES = {"iDFS": "IDFS", "rPFS": "RPFS"}


def _coerce(record: object, units: dict[str, str]) -> None:
    """Read the numbers that a caller wrote as digits; the fields are frozen afterwards."""
    for name, unit in units.items():
        got = getattr(record, name)
        if got is not None:
            read = ReportedInterval.of if name.endswith("ci") else Reported.of
            object.__setattr__(record, name, read(got, unit, name))


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

    def __post_init__(self) -> None:
        _coerce(self, {"time": "months", "survival": "proportion", "ci": "proportion"})


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

    def __post_init__(self) -> None:
        if self.p not in (0.25, 0.75):
            raise InvalidValueError("p", self.p, "0.25 or 0.75", "the median has a field of its own")
        _coerce(self, {"time": "months", "ci": "months"})


def _patients(count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, Real) or not float(count).is_integer():
        remedy = "leave out the times whose numbers cannot be read"
        raise InvalidValueError("at_risk.counts", count, "whole numbers of patients", remedy)
    return int(float(count))


@border
@dataclass(frozen=True)
class AtRisk:
    """Numbers at risk just before each time, as printed under a curve.

    Times are in ``unit``, or if that is not given in the unit of their report; once they are read, in months.

    Examples
    --------
    >>> AtRisk((0, 6, 12), (120, 76, 38)).counts
    (120, 76, 38)
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    times: tuple[float, ...]
    counts: tuple[int, ...]
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.unit is not None and UNITS.get(self.unit, UNITS["count"]).dimension != "time":
            raise InvalidValueError(
                "at_risk.unit", self.unit, "months, weeks, days or years", "name the unit of the axis"
            )
        factor = UNITS[self.unit or "months"].factor
        object.__setattr__(self, "times", tuple(float(time) * factor for time in self.times))
        object.__setattr__(self, "unit", self.unit and "months")
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

    def __post_init__(self) -> None:
        _coerce(
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
            yield from _limits("median_ci", self.median_ci)
        for landmark in self.landmarks:
            at = f"survival at {landmark.time.with_unit}"
            yield at, landmark.survival
            if landmark.ci is not None:
                yield from _limits(f"{at}, ci", landmark.ci)
        for quartile in self.quartiles:
            yield f"time at {quartile.p:.0%} with event", quartile.time
            if quartile.ci is not None:
                yield from _limits(f"time at {quartile.p:.0%} with event, ci", quartile.ci)
        if self.at_risk is not None:
            for time, count in zip(self.at_risk.times, self.at_risk.counts, strict=True):
                yield f"at risk at {time:g} months", Reported(str(count), "count")
        if self.median_follow_up is not None:
            yield "median_follow_up", self.median_follow_up


@strict_border
@dataclass(frozen=True)
class StratificationFactor:
    """A factor by which randomisation, test and hazard ratio were stratified.

    Parameters
    ----------
    name
        What the report calls it.
    n
        Patients at each of its levels, all arms together, in any order; printed, or assumed by whoever writes them.
        Empty where they are not known: nothing can then be stratified by this factor.
    population
        Name of the reported subgroup that is the first level, where there is one (``population`` of its report).

    Raises
    ------
    InvalidValueError
        If there is one level only, or a level without patients.

    Examples
    --------
    >>> factor = StratificationFactor("visceral disease", n=(406, 318))
    >>> [int(level.value) for level in factor.n]
    [406, 318]
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    name: str
    n: tuple[Count, ...] = ()
    population: str | None = None

    def __post_init__(self) -> None:
        given: object = self.n
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise InvalidValueError(f"strata[{self.name}].n", given, "the patients at each level", "give a list")
        levels = tuple(Reported.of(level, "count", f"strata[{self.name}].n") for level in given)
        if len(levels) == 1 or any(level.value < 1 or level.lower != level.upper for level in levels):
            got = [level.text for level in levels]
            expected = "the patients at each of two or more levels"
            raise InvalidValueError(f"strata[{self.name}].n", got, expected, "leave it out where it is not known")
        object.__setattr__(self, "n", levels)


Factor = Annotated[StratificationFactor, BY_NAME]


@strict_border
@dataclass(frozen=True)
class ReportedComparison:
    """One endpoint, one assessor, one population, one analysis, as one report printed it.

    Parameters
    ----------
    endpoint
        One of `ENDPOINTS`, e.g. ``"PFS"``.
    arms
        The arms; a single-arm report has one.
    control
        Name of the control arm; needed as soon as there are two arms.
    hazard_ratio
        Experimental against control, below 1 favours the experimental arm: `ReportedHazardRatio`, digits, or
        ``(estimate, lower, upper)``.
    p_value
        `ReportedPValue`, digits, or a bound such as ``"< 0.001"``.
    n_total, events_total
        Patients and events of all arms together, where printed so.
    median_follow_up, longest_follow_up, assessment_interval
        Months; the longest follow-up is that of the patient who was followed for longest.
    strata
        Factors by which test and hazard ratio were stratified: `StratificationFactor`, or names where nothing else is
        known of them.
    assessor, population, analysis, cutoff
        Who judged progression, which patients, which data cut (``"interim"``, ``"final"``), and its date.
    time_unit
        Unit of the times that are given without one, ``"months"`` if nothing is said.
    id, sources, status, note
        For a report read from a file: its name, and what holds for all its numbers unless one says otherwise.

    Raises
    ------
    InvalidValueError
        If a number cannot be read, the endpoint is unknown, there is no arm, an arm's name occurs twice, the control
        is not among the arms, or a hazard ratio is given for other than two arms.

    Examples
    --------
    >>> final = ReportedComparison(
    ...     endpoint="PFS",
    ...     arms=[ReportedArm("everolimus", n=485, median="7.8"), ReportedArm("placebo", n=239, median="3.2")],
    ...     control="placebo",
    ...     hazard_ratio=("0.45", "0.38", "0.54"),
    ...     p_value="< 0.0001",
    ... )
    >>> final.experimental.name, final.hazard_ratio.estimate.value, final.p_value.value.upper
    ('everolimus', 0.45, 0.0001)
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    endpoint: str
    arms: tuple[ReportedArm, ...]
    control: str | None = None
    hazard_ratio: HazardRatio | None = None
    p_value: PValue | None = None
    n_total: Count | None = None
    events_total: Count | None = None
    median_follow_up: Time | None = None
    longest_follow_up: Time | None = None
    assessment_interval: Time | None = None
    strata: tuple[Factor, ...] = ()
    assessor: str | None = None
    population: str | None = None
    analysis: str | None = None
    cutoff: date | None = None
    id: str = ""
    sources: tuple[str, ...] = ()
    status: str | None = None
    time_unit: str = "months"
    note: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoint", ALIASES.get(self.endpoint, self.endpoint))
        if self.endpoint not in ENDPOINTS:
            raise InvalidValueError("endpoint", self.endpoint, f"one of {', '.join(ENDPOINTS)}", "use its abbreviation")
        object.__setattr__(self, "arms", tuple(self._in_own_unit(arm) for arm in self.arms))
        names = [arm.name for arm in self.arms]
        if not names or len(set(names)) != len(names):
            raise InvalidValueError("arms", names, "at least one arm, each name once", "name every arm of the report")
        if self.control not in names and (self.control is not None or len(names) > 1):
            raise InvalidValueError("control", self.control, f"one of {', '.join(names)}", "name the control arm")
        if self.hazard_ratio is not None:
            if len(names) != 2:
                raise InvalidValueError(
                    "hazard_ratio", names, "two arms", "give each pair of arms a comparison of its own"
                )
            object.__setattr__(self, "hazard_ratio", ReportedHazardRatio.of(self.hazard_ratio, "hazard_ratio"))
        if self.p_value is not None:
            object.__setattr__(self, "p_value", ReportedPValue.of(self.p_value, "p_value"))
        given: object = self.strata
        if isinstance(given, str) or not all(isinstance(one, str | StratificationFactor) for one in self.strata):
            raise InvalidValueError("strata", given, "a list of factors or of their names", 'write strata=["site"]')
        factors = tuple(StratificationFactor(one) if isinstance(one, str) else one for one in self.strata)
        named = [factor.name for factor in factors]
        if len(set(named)) < len(named):
            raise InvalidValueError("strata", named, "each factor once", "name the levels of one factor in its n")
        object.__setattr__(self, "strata", factors)
        _coerce(
            self,
            {
                "n_total": "count",
                "events_total": "count",
                "median_follow_up": self.time_unit,
                "longest_follow_up": self.time_unit,
                "assessment_interval": self.time_unit,
            },
        )

    def _in_own_unit(self, arm: ReportedArm) -> ReportedArm:
        """Read times that an arm was given without a unit in the unit of the report.

        A file has given every number its unit already; so has a caller who wrote one.
        """
        at_risk = arm.at_risk
        if (
            at_risk is not None
            and at_risk.unit is None
            and UNITS.get(self.time_unit, UNITS["count"]).dimension == "time"
        ):
            arm = replace(arm, at_risk=replace(at_risk, unit=self.time_unit))
        if self.time_unit == "months" or self.sources:
            return arm

        def number(got: Reported | None) -> Reported | None:
            return got if got is None or got.unit_said else got.in_unit(self.time_unit)

        def interval(got: ReportedInterval | None) -> ReportedInterval | None:
            if got is None:
                return None
            lower, upper = number(got.lower), number(got.upper)
            assert lower is not None, "an interval has both limits"
            assert upper is not None, "an interval has both limits"
            return replace(got, lower=lower, upper=upper)

        def time(got: Reported) -> Reported:
            read = number(got)
            assert read is not None, "a time that is there is read"
            return read

        return replace(
            arm,
            median=number(arm.median),
            median_ci=interval(arm.median_ci),
            median_follow_up=number(arm.median_follow_up),
            landmarks=tuple(replace(mark, time=time(mark.time)) for mark in arm.landmarks),
            quartiles=tuple(replace(one, time=time(one.time), ci=interval(one.ci)) for one in arm.quartiles),
        )

    def arm(self, name: str) -> ReportedArm:
        """Find the arm of that name; `UnknownNameError` if there is none."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise UnknownNameError("arm", name, [arm.name for arm in self.arms])

    @property
    def experimental(self) -> ReportedArm:
        """The arm that is not the control, of a comparison of two arms."""
        if len(self.arms) != 2:
            names = [arm.name for arm in self.arms]
            raise InvalidValueError("arms", names, "two arms", "ask for an arm by its name: `comparison.arm(name)`")
        return next(arm for arm in self.arms if arm.name != self.control)

    def numbers(self) -> Iterator[tuple[str, Reported]]:
        """Yield all numbers of the report, each with its place, such as ``"everolimus.median"``."""
        for arm in self.arms:
            for name, number in arm.numbers():
                yield f"{arm.name}.{name}", number
        yield from self.common_numbers()

    def common_numbers(self) -> Iterator[tuple[str, Reported]]:
        """Yield the numbers that belong to no single arm."""
        if self.hazard_ratio is not None:
            yield "hazard_ratio", self.hazard_ratio.estimate
            if self.hazard_ratio.ci is not None:
                yield from _limits("hazard_ratio.ci", self.hazard_ratio.ci)
        if self.p_value is not None:
            yield "p_value", self.p_value.value
        for name in ("n_total", "events_total", "median_follow_up", "longest_follow_up", "assessment_interval"):
            if (number := getattr(self, name)) is not None:
                yield name, number
        for factor in self.strata:
            for level, number in enumerate(factor.n, start=1):
                yield f"strata[{factor.name}].n, level {level}", number


def _limits(name: str, interval: ReportedInterval) -> Iterator[tuple[str, Reported]]:
    yield f"{name}.lower", interval.lower
    yield f"{name}.upper", interval.upper
