"""One number as it was printed: its digits, its unit, where it stands."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from numbers import Real
from typing import NamedTuple, Self

from analysis.conventions.border import border
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.errors import InvalidValueError

WEEKS_PER_MONTH = DAYS_PER_MONTH / 7
STATUSES = ("published", "secondary", "conflict")


class Unit(NamedTuple):
    """What a unit measures, and how many of the library's units it is."""

    dimension: str
    factor: float
    most: float = math.inf
    exact: bool = False


UNITS = {
    "months": Unit("time", 1.0),
    "weeks": Unit("time", 1 / WEEKS_PER_MONTH),
    "days": Unit("time", 1 / DAYS_PER_MONTH),
    "years": Unit("time", 12.0),
    "percent": Unit("share", 0.01, most=100.0),
    "proportion": Unit("share", 1.0, most=1.0),
    "count": Unit("count", 1.0, exact=True),
    "ratio": Unit("ratio", 1.0),
    "p-value": Unit("p-value", 1.0, most=1.0),
}

# What is printed where a number could have stood, and the value it has in a calculation.
WORDS = {"not reached": math.inf, "not calculable": math.inf, "not estimable": math.nan}

ABBREVIATIONS = {"NR": "not reached", "NC": "not calculable", "NE": "not estimable"}
_UNITS_OF_TIME = re.compile(
    r"(?P<number>.*?\d) ?(?P<unit>months?|mos?|weeks?|wks?|days?|d|years?|yrs?)\.?", re.IGNORECASE
)
_LEADS = {
    "p-value": re.compile(r"p(-?\s?value)?\s*(=\s*|(?=[<>\N{LESS-THAN OR EQUAL TO}]))", re.IGNORECASE),
    "ratio": re.compile(r"(HR|hazard ratio)\s*[=:,]?\s*", re.IGNORECASE),
    "count": re.compile(r"n\s*=\s*", re.IGNORECASE),
}
"""What may stand before the digits, by dimension."""
_SPACES = re.compile("[\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}]")
_FOOTNOTES = "*\N{DAGGER}\N{DOUBLE DAGGER}\N{SECTION SIGN}\N{PILCROW SIGN}"
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
_POWER_OF_TEN = re.compile(
    r"(?P<digits>\d+(\.\d+)?) ?([eE]|[x\N{MULTIPLICATION SIGN}] ?10\^?)[({]?(?P<power>-\d\d?)(?!\d)[)}]?"
    r"|\b10\^[({]?(?P<alone>-\d\d?)(?!\d)[)}]?"
)
_RAISED = str.maketrans(
    {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{SUPERSCRIPT MINUS}": "^-"}
    | {digit: str(value) for value, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
_PRINTED = re.compile(r"(?P<relation>[<>]=?)? ?(?P<digits>-?\d+(\.\d+)?)")


@border
@dataclass(frozen=True)
class Reported:
    """A number with the digits that were printed.

    Parameters
    ----------
    text
        What was printed: digits (``"11.0"``), a bound (``"< 0.0001"``), or one of the words ``"not reached"``,
        ``"not calculable"``, ``"not estimable"``.
    unit
        One of `UNITS`.
    sources
        Keys of the sources in which it was read.
    status
        ``"published"``, ``"secondary"`` or ``"conflict"``; None outside a file.
    unit_said
        Whether the unit stands beside the digits; if not, that of the report holds.

    Raises
    ------
    InvalidValueError
        If the text is no number, the unit is unknown, or the number is impossible in its unit.

    Examples
    --------
    >>> median = Reported("11.0", "months")
    >>> median.value, median.half_width
    (11.0, 0.05)
    >>> weeks = Reported("48.1", "weeks")
    >>> round(weeks.lower, 2), round(weeks.upper, 2)
    (11.05, 11.07)
    >>> Reported("< 0.0001", "p-value").upper
    0.0001
    """

    text: str
    unit: str
    sources: tuple[str, ...] = ()
    status: str | None = None
    unit_said: bool = field(default=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise InvalidValueError("unit", self.unit, f"one of {', '.join(UNITS)}", "write the unit as printed")
        if self.status is not None and self.status not in STATUSES:
            raise InvalidValueError("status", self.status, f"one of {', '.join(STATUSES)}", "name how it is known")
        if self.text in WORDS:
            return
        if _PRINTED.fullmatch(self.text) is None:
            raise InvalidValueError(
                "number",
                self.text,
                "digits such as '11.0', a bound such as '< 0.001', or one of " + ", ".join(WORDS),
                "write what was printed, without its unit",
            )
        unit = UNITS[self.unit]
        if not 0 <= float(self.digits) <= unit.most:
            raise InvalidValueError(
                "number",
                self.text,
                "a number that is not negative" + (f", at most {unit.most:g}" if unit.most < math.inf else ""),
                "check the digits and the unit against the source",
            )
        if unit.exact and self.digits != int(self.digits):
            raise InvalidValueError("number", self.text, "a whole number", "a count has no decimals")

    @classmethod
    def of(cls, got: object, unit: str, field: str) -> Self:
        """Read what a caller wrote: a `Reported`, a number, or digits in a string (``"83.6%"`` is a percentage).

        A float keeps its shortest digits, so that ``7.8`` is 7.8; write ``"7.80"`` to keep a trailing zero. Digits are
        read as journals print them (``".39"``, ``"0·39"``, ``"P <.001"``, ``"3.29×10−6"``, ``"HR 0.63"``, ``"1,234"``,
        ``"NR"``), times with their unit (``"8 weeks"``), a mark of a footnote behind them left aside. `field` is the
        name by which an error speaks of it.
        """
        if unit not in UNITS:
            raise InvalidValueError(f"{field}.unit", unit, f"one of {', '.join(UNITS)}", "write the unit as printed")
        if isinstance(got, cls):
            if UNITS[got.unit].dimension != UNITS[unit].dimension:
                raise InvalidValueError(field, got.unit, f"a unit of {UNITS[unit].dimension}", "give it another unit")
            return got
        if isinstance(got, bool) or not isinstance(got, (Real, Decimal, str)):
            raise InvalidValueError(field, got, "a number or its digits", "give a number or a string")
        said = False
        text = format(Decimal(str(got)), "f") if not isinstance(got, str) else _as_digits(got, UNITS[unit].dimension)
        if UNITS[unit].dimension == "share" and text.endswith("%"):
            text, unit = text.removesuffix("%").rstrip(), "percent"
        elif UNITS[unit].dimension == "time" and (found := _UNITS_OF_TIME.fullmatch(text)):
            text, unit, said = found["number"], _unit_of_time(found["unit"]), True
        try:
            return cls(text, unit, unit_said=said)
        except InvalidValueError as error:
            raise InvalidValueError(field, got, error.expected, error.remedy) from None

    @classmethod
    def plain(cls, got: object, unit: str, field: str) -> Self:
        """Read a number as `of` does where no bound and no word can stand."""
        read = cls.of(got, unit, field)
        if read.relation != "=":
            raise InvalidValueError(field, got, "a number", "leave out what has none")
        return read

    def in_unit(self, unit: str) -> Self:
        """Give the same digits in another unit of the same dimension."""
        return replace(self, unit=unit)

    @property
    def relation(self) -> str:
        """``"="``, a sign of inequality, or the word that was printed."""
        if self.text in WORDS:
            return self.text
        return self._parts["relation"] or "="

    @property
    def reached(self) -> bool:
        """Whether digits were printed."""
        return self.text not in WORDS

    @property
    def digits(self) -> Decimal:
        """The printed digits in the printed unit; for a word, the value that it stands for."""
        return Decimal(self._parts["digits"]) if self.reached else Decimal(WORDS[self.text])

    @property
    def value(self) -> float:
        """In the library's unit: months, proportions; infinite for a time not reached."""
        return float(self.digits) * self._factor if self.reached else WORDS[self.text]

    @property
    def half_width(self) -> float:
        """Half of one unit in the last printed digit, in the library's unit; 0 for a count."""
        if UNITS[self.unit].exact or not self.reached:
            return 0.0
        exponent = self.digits.as_tuple().exponent
        assert isinstance(exponent, int)  # digits are finite here
        return 0.5 * 10.0**exponent * self._factor

    @property
    def lower(self) -> float:
        """Lower edge of the box that rounds to what was printed (or that the bound allows)."""
        if self.relation.startswith("<"):
            return 0.0
        return self.value - self.half_width if self.relation == "=" else self.value

    @property
    def upper(self) -> float:
        """Upper edge of that box."""
        if self.relation.startswith(">"):
            return math.inf
        return self.value + self.half_width if self.relation == "=" else self.value

    @property
    def _parts(self) -> dict[str, str]:
        match = _PRINTED.fullmatch(self.text)
        assert match is not None  # __post_init__ has seen to it
        return match.groupdict()

    @property
    def _factor(self) -> float:
        return UNITS[self.unit].factor

    @property
    def with_unit(self) -> str:
        """What was printed, with its unit of time if it has one."""
        return f"{self} {self.unit}" if UNITS[self.unit].dimension == "time" and self.reached else str(self)

    def __str__(self) -> str:
        return f"{self.text}%" if self.unit == "percent" and self.reached else self.text


def with_plain_spaces(printed: str) -> str:
    """Give a text whose spaces are all of one kind, without any around it."""
    return _SPACES.sub(" ", printed).strip()


def _as_digits(printed: str, dimension: str) -> str:
    """Write digits as this package does: a point, a zero before it, no thousands, no "P =", words in full."""
    text = with_plain_spaces(printed).rstrip(_FOOTNOTES).rstrip()
    if dimension in _LEADS and (lead := _LEADS[dimension].match(text)):
        text = text[lead.end() :]
    text = text.replace("·", ".").replace("\N{LESS-THAN OR EQUAL TO}", "<=")
    text = text.replace("\N{GREATER-THAN OR EQUAL TO}", ">=")
    if dimension == "p-value":
        text = _POWER_OF_TEN.sub(_written_out, text.translate(_RAISED))
    text = ABBREVIATIONS.get(text.upper(), text)
    if text.lower() in WORDS:
        return text.lower()
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    return re.sub(r"(^|[<>=] ?)\.(?=\d)", r"\g<1>0.", text)


def _written_out(found: re.Match[str]) -> str:
    """Write digits times a power of ten with all their zeros."""
    return format(Decimal(f"{found['digits'] or 1}e{found['power'] or found['alone']}"), "f")


def _unit_of_time(word: str) -> str:
    return {"m": "months", "w": "weeks", "d": "days", "y": "years"}[word[0].lower()]
