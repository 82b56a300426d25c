"""The statistics that a report prints beside an estimate: hazard ratio, p-value, confidence interval."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from analysis.conventions.border import border
from analysis.errors import InvalidValueError, LostZeroWarning
from analysis.reported.number import Reported, with_plain_spaces

TWO_DECIMALS = 2  # in which ratios and p-values are printed
_INTERVAL = r"(?:confidence interval(?: ?[\[(]CI[\])])?|C\.?[IL]\b\.?|IC)"
_LEVEL = re.compile(
    rf"(\b{_INTERVAL} ?(?P<behind>\d+(\.\d+)?) ?%|(?P<before>\d+(\.\d+)?) ?%[ -]?{_INTERVAL})(?![A-Za-z])[,:;=]? *",
    re.IGNORECASE,
)
"""``95 % CI:``, ``95% confidence interval [CI],`` and ``CI95%`` are ``95% CI``."""
_WITH_LIMITS = re.compile(
    r"(?P<estimate>[^(\[]*[^\s(\[,;:])[,;:]?\s*[(\[]((?P<level>\d+(\.\d+)?)% CI )?(?P<limits>[^)\]]+)[)\]]"
)
_UNBRACKETED = re.compile(r"(?<![(\[\d.])[,;]?\s*\b(\d+(?:\.\d+)?% CI )[(\[]?([^()\[\]]*)[)\]]?$")
_P_VALUE = re.compile(r"\bp(-?\s?value)?\s*[=<>\N{LESS-THAN OR EQUAL TO}]", re.IGNORECASE)
_UNIT_BEHIND = re.compile(r"\d(?P<unit> ?%| ?[A-Za-z]+)$")
_UNIT_AT_END = re.compile(r"(?P<estimate>[^(\[]*\d)\s*(?P<limits>[(\[].*[)\]])\s*(?P<unit>[A-Za-z]+\.?)")
_BETWEEN = re.compile(r"\s*(?:\N{EN DASH}|\N{EM DASH}|\N{MINUS SIGN}|-| to |, |;)\s*")
_SIDE = re.compile(r"[(,;]?\s*\b(?P<side>one|two|1|2)[- ](sided|tailed)\b\s*[),:;]?", re.IGNORECASE)
SCALES_TRIED = ("log", "log-log", "plain", "logit", "arcsine")


@border
@dataclass(frozen=True)
class ReportedInterval:
    """A confidence interval with printed limits.

    Parameters
    ----------
    lower, upper
        The limits; `Reported("not reached", ...)` is one.
    level
        Coverage, 0.95 unless printed otherwise.
    scale
        ``"log"``, ``"log-log"``, ``"plain"``, ``"logit"`` or ``"arcsine"``; None where the report does not say.

    Examples
    --------
    >>> interval = ReportedInterval(Reported("7.4", "months"), Reported("11.9", "months"))
    >>> interval.level, interval.lower.text
    (0.95, '7.4')
    """

    lower: Reported
    upper: Reported
    level: float = 0.95
    scale: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InvalidValueError("level", self.level, "a number between 0 and 1", "write 95% as 0.95")
        if self.scale is not None and self.scale not in SCALES_TRIED:
            raise InvalidValueError("scale", self.scale, f"one of {', '.join(SCALES_TRIED)}", "leave it out if unknown")
        if self.lower.value > self.upper.value:
            raise InvalidValueError(
                "ci", f"{self.lower}-{self.upper}", "a lower limit below the upper one", "check the order of the limits"
            )

    @classmethod
    def of(cls, got: object, unit: str, field: str) -> Self:
        """Read an interval, or a pair of limits as `Reported.of` reads them."""
        if isinstance(got, cls):
            return got
        if isinstance(got, str):
            got = _limits_in(got) or got
        if isinstance(got, str) or not isinstance(got, Sequence) or len(got) != 2:
            raise InvalidValueError(field, got, "a pair (lower, upper)", "give both limits")
        return cls(Reported.of(got[0], unit, f"{field}.lower"), Reported.of(got[1], unit, f"{field}.upper"))

    def __str__(self) -> str:
        return f"{self.lower}-{self.upper}"

    def beside(self, estimate: str) -> str:
        """Write the limits beside what they belong to: ``0.66 (95% CI 0.50-0.87)``."""
        return f"{estimate} ({100 * self.level:g}% CI {self})".strip()


@border
@dataclass(frozen=True)
class ReportedHazardRatio:
    """A hazard ratio, experimental against control: below 1 favours the experimental arm.

    Examples
    --------
    >>> ratio = ReportedHazardRatio.of(("0.45", "0.38", "0.54"), "hazard_ratio")
    >>> print(ratio)
    0.45 (95% CI 0.38-0.54)
    """

    estimate: Reported
    ci: ReportedInterval | None = None

    def __post_init__(self) -> None:
        if not 0 < self.estimate.value < math.inf:
            raise InvalidValueError(
                "hazard_ratio", self.estimate.text, "a ratio above 0", "leave it out if it was not estimable"
            )

    @classmethod
    def of(cls, got: object, field: str) -> Self:
        """Read a hazard ratio: the estimate alone, or (estimate, lower, upper)."""
        if isinstance(got, cls):
            return got
        if isinstance(got, str) and _P_VALUE.search(got):
            remedy = 'give the p-value by itself: p_value="<0.001"'
            raise InvalidValueError(field, got, "a ratio and its limits", remedy)
        if (printed := with_limits(got)) is not None:
            _warn_of_lost_zero([printed.estimate], field)
            ci = ReportedInterval.of((printed.lower, printed.upper), "ratio", f"{field}.ci")
            return cls(Reported.of(printed.estimate, "ratio", field), replace(ci, level=printed.level))
        if isinstance(got, str) or not isinstance(got, Sequence):
            _warn_of_lost_zero([got], field)
            return cls(Reported.of(got, "ratio", field))
        if len(got) != 3:
            raise InvalidValueError(field, got, "(estimate, lower, upper)", "give the estimate alone, or both limits")
        _warn_of_lost_zero(got, field)
        return cls(Reported.of(got[0], "ratio", field), ReportedInterval.of(tuple(got[1:]), "ratio", f"{field}.ci"))

    def __str__(self) -> str:
        return self.ci.beside(str(self.estimate)) if self.ci else str(self.estimate)


@border
@dataclass(frozen=True)
class ReportedPValue:
    """A p-value as printed; `sided` is None where the report does not say.

    Examples
    --------
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> arms = [ReportedArm("new"), ReportedArm("old")]
    >>> report = ReportedComparison("PFS", arms, control="old", p_value="<0.001")
    >>> report.p_value.value.text
    '<0.001'
    """

    value: Reported
    sided: int | None = None
    test: str | None = None

    def __post_init__(self) -> None:
        if self.sided not in (None, 1, 2) or isinstance(self.sided, bool):
            raise InvalidValueError("sided", self.sided, "1 or 2", "leave it out if the report does not say")
        if self.test is not None and not isinstance(self.test, str):
            raise InvalidValueError("test", self.test, "the name of a test", 'write e.g. test = "log-rank"')

    @classmethod
    def of(cls, got: object, field: str) -> Self:
        """Read a p-value from its digits or its bound, ``"< 0.001"``, with its side: ``"one-sided P = .002"``."""
        if isinstance(got, cls):
            return got
        _warn_of_lost_zero([got], field)
        digits, sided = side_apart(got)
        return cls(Reported.of(digits, "p-value", field), sided)

    def __str__(self) -> str:
        return str(self.value) + (f", {self.sided}-sided" if self.sided else "")


def side_apart(got: object) -> tuple[object, int | None]:
    """Take a p-value that is printed with its side apart: ``"P = .002 (one-sided)"``; None where no side is said."""
    found = _SIDE.search(got) if isinstance(got, str) else None
    if found is None or not isinstance(got, str):
        return got, None
    digits = (got[: found.start()] + " " + got[found.end() :]).strip()
    return digits, 1 if found["side"].lower() in ("1", "one") else 2


class Printed(NamedTuple):
    """An estimate and its limits, as they stand in a text."""

    estimate: str
    lower: str
    upper: str
    level: float


def with_limits(got: object) -> Printed | None:
    """Take an estimate that is printed with its limits apart: ``"4.6 (3.5-5.6)"``; None if it is none."""
    text = " ".join(with_plain_spaces(got).split()) if isinstance(got, str) else ""
    text = _LEVEL.sub(lambda one: f"{one['before'] or one['behind']}% CI ", text)
    text = _UNBRACKETED.sub(r" (\1\2)", text)
    if at_end := _UNIT_AT_END.fullmatch(text):
        text = f"{at_end['estimate']} {at_end['unit']} {at_end['limits']}"
    found = _WITH_LIMITS.fullmatch(text)
    limits = _limits_in(found["limits"]) if found else None
    if found is None or limits is None:
        return None
    unit = _UNIT_BEHIND.search(found["estimate"])
    lower, upper = (
        f"{limit}{unit['unit']}" if unit and limit[-1].isdigit() else limit for limit in limits
    )  # said once, of all three
    return Printed(found["estimate"], lower, upper, float(found["level"] or 95) / 100)


def _warn_of_lost_zero(numbers: Sequence[object], field: str) -> None:
    """Warn of bare floats with one decimal, ``0.5``: a printed 0.50 is known ten times as well."""
    for number in numbers:
        if isinstance(number, float) and math.isfinite(number) and round(number, TWO_DECIMALS - 1) == number:
            message = (
                f"{field}: {number} is read as printed so, to the first decimal; if a zero stood behind it, write "
            )
            warnings.warn(f"{message}{f'{number:.{TWO_DECIMALS}f}'!r}", LostZeroWarning, stacklevel=3)


def _limits_in(printed: str) -> tuple[str, str] | None:
    """Read two limits as journals print them, ``"0.47-0.86"`` or ``"(0.47 to 0.86)"``; None if there are not two."""
    parts = _BETWEEN.split(printed.strip().strip("()[]"))
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None
