"""What one report says of one endpoint: its arms, their curves' summaries, and how they compare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from typing import Annotated, ClassVar

import pandas as pd
from pydantic import ConfigDict

from analysis.conventions.border import strict_border
from analysis.conventions.display import as_typed, html
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reported.arm import FORBID, ReportedArm, coerce, limits
from analysis.reported.number import UNITS, Reported
from analysis.reported.reading import BY_NAME, Count, HazardRatio, PValue, Time, as_date
from analysis.reported.summaries import ReportedHazardRatio, ReportedInterval, ReportedPValue

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


TOGETHER = "all arms"
ALIASES = {"iDFS": "IDFS", "rPFS": "RPFS"}


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

    def __repr__(self) -> str:
        return as_typed(self)

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

    def __repr__(self) -> str:
        return as_typed(self)

    def summary(self) -> pd.DataFrame:
        """Tabulate what is printed: ``quantity``, a column for each arm, and one for all arms together, as printed."""
        cells: dict[str, dict[str, str]] = {"patients": {}, "events": {}}  # these first, of whomever they are
        for column, printed in [*((arm.name, arm.printed()) for arm in self.arms), (TOGETHER, self._printed())]:
            for quantity, text in printed:
                cells.setdefault(quantity, {})[column] = text
        rows = [{"quantity": quantity, **by_arm} for quantity, by_arm in cells.items() if by_arm]
        return pd.DataFrame(rows, columns=["quantity", *(arm.name for arm in self.arms), TOGETHER]).fillna("")

    def _repr_html_(self) -> str:
        told = (ENDPOINTS[self.endpoint], self.assessor, self.population, self.analysis, ", ".join(self.sources))
        return f"<p>{escape('; '.join(part for part in told if part))}</p>{html(self.summary())}"

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
        if self.cutoff is not None:
            object.__setattr__(self, "cutoff", as_date(self.cutoff, "cutoff"))
        coerce(
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
                yield from limits("hazard_ratio.ci", self.hazard_ratio.ci)
        if self.p_value is not None:
            yield "p_value", self.p_value.value
        for name in ("n_total", "events_total", "median_follow_up", "longest_follow_up", "assessment_interval"):
            if (number := getattr(self, name)) is not None:
                yield name, number
        for factor in self.strata:
            for level, number in enumerate(factor.n, start=1):
                yield f"strata[{factor.name}].n, level {level}", number

    def _printed(self) -> Iterator[tuple[str, str]]:
        """Yield what is printed of all arms together, in words and as it is printed."""
        counted = {"patients": self.n_total, "events": self.events_total}
        compared = {"hazard ratio": self.hazard_ratio, "p-value": self.p_value}
        times = {
            "median follow-up": self.median_follow_up,
            "longest follow-up": self.longest_follow_up,
            "interval between assessments": self.assessment_interval,
        }
        yield from ((name, str(one)) for name, one in (counted | compared).items() if one is not None)
        yield from ((name, time.with_unit) for name, time in times.items() if time is not None)
        for factor in self.strata:
            yield f"stratified by {factor.name}", " / ".join(map(str, factor.n)) or "yes"
