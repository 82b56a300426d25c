"""How a number, an interval or a p-value is read from a file: what its table leaves out, its report supplies."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from analysis.errors import InvalidValueError
from analysis.reported.number import UNITS, Reported
from analysis.reported.summaries import ReportedHazardRatio, ReportedInterval, ReportedPValue, side_apart, with_limits

_NUMBER_KEYS = {"value", "unit", "sources", "status"}
_INTERVAL_KEYS = {"lower", "upper", "level", "scale", "unit", "sources", "status"}


def as_date(got: object, field: str) -> date:
    """Read a date; a text as ISO 8601 writes it."""
    if isinstance(got, date):
        return got.date() if isinstance(got, datetime) else got
    if isinstance(got, str):
        with suppress(ValueError):
            return date.fromisoformat(got)
    raise InvalidValueError(field, got, "a date", 'write date(2009, 6, 1) or "2009-06-01"')


@dataclass(frozen=True)
class Provenance:
    """What a report says once for all its numbers."""

    sources: tuple[str, ...]
    status: str
    time_unit: str | None

    def number(self, got: object, unit: str, field: str) -> Reported:
        """Read a number of the file: bare digits, or a table with its own unit, sources or status."""
        table: dict[str, Any] = got if isinstance(got, dict) else {"value": got}
        _known_keys(table, _NUMBER_KEYS, field)
        if "value" not in table:
            raise InvalidValueError(field, got, "a table with a value", "add `value = ...`")
        read = Reported.of(table["value"], table["unit"] if "unit" in table else self._unit(unit), field)
        if unit == "months" and self.time_unit is None and not read.unit_said and "unit" not in table and read.reached:
            remedy = 'add `time_unit = "months"` to the report, or write "11.0 months"'
            raise InvalidValueError(field, table["value"], "a number with its unit of time", remedy)
        Reported.of(read, unit, field)  # the unit has to measure the same thing
        sources = table.get("sources", list(self.sources))
        if not isinstance(sources, list) or not all(isinstance(key, str) for key in sources):
            raise InvalidValueError(f"{field}.sources", sources, "a list of source keys", 'write it as `["key"]`')
        return replace(read, sources=tuple(sources), status=table.get("status", self.status))

    def interval(self, got: object, unit: str, field: str) -> ReportedInterval:
        """Read an interval of the file: ``[lower, upper]``, or a table that adds its level or type."""
        table: dict[str, Any]
        if isinstance(got, dict):
            table = got
        elif isinstance(got, list) and len(got) == 2:
            table = {"lower": got[0], "upper": got[1]}
        else:
            raise InvalidValueError(field, got, "[lower, upper]", "give both limits; `not reached` is one")
        _known_keys(table, _INTERVAL_KEYS, field)
        shared: dict[str, Any] = {key: table[key] for key in ("unit", "sources", "status") if key in table}
        for side in ("lower", "upper"):
            if side not in table:
                raise InvalidValueError(field, got, "a lower and an upper limit", f"add `{side} = ...`")
        lower = self.number({**shared, "value": table["lower"]}, unit, f"{field}.lower")
        upper = self.number({**shared, "value": table["upper"]}, unit, f"{field}.upper")
        return ReportedInterval(lower, upper, level=float(table.get("level", 0.95)), scale=table.get("scale"))

    def _unit(self, unit: str) -> str:
        if unit == "months" and self.time_unit is not None:
            return self.time_unit
        return "percent" if unit == "proportion" else unit


def _known_keys(table: dict[str, Any], known: set[str], field: str) -> None:
    if unknown := sorted(set(table) - known):
        raise InvalidValueError(field, unknown[0], f"the keys {', '.join(sorted(known))}", "remove or rename the key")


def limits_apart(table: dict[str, Any]) -> dict[str, Any]:
    """Take estimates that a table has with their limits, ``"4.6 (3.5-5.6)"``, apart, in its arms and landmarks too."""
    apart = dict(table)
    for name, limits in (("median", "median_ci"), ("survival", "ci"), ("time", "ci"), ("estimate", "ci")):
        if name == "time" and "survival" in apart:
            continue  # the limits are the survival's
        if (printed := with_limits(apart.get(name))) is not None:
            if limits in apart:
                raise InvalidValueError(name, apart[name], f"limits once, here or in {limits}", "leave one of them out")
            level = {"lower": printed.lower, "upper": printed.upper, "level": printed.level}
            apart |= {name: printed.estimate, limits: level}
    if with_limits(apart.get("hazard_ratio")) is not None:
        apart["hazard_ratio"] = {"estimate": apart["hazard_ratio"]}
    if isinstance(apart.get("hazard_ratio"), dict):
        apart["hazard_ratio"] = limits_apart(apart["hazard_ratio"])
    for name in ("arms", "landmarks", "quartiles"):
        if isinstance(apart.get(name), list):
            apart[name] = [limits_apart(each) if isinstance(each, dict) else each for each in apart[name]]
    return apart


def _hazard_ratio(source: Provenance, got: object, unit: str, field: str) -> ReportedHazardRatio:
    table = got if isinstance(got, dict) and "value" not in got else {"estimate": got}
    _known_keys(table, {"estimate", "ci"}, field)
    if "estimate" not in table:
        raise InvalidValueError(f"{field}.estimate", None, "the estimate of the interval", "add `estimate = ...`")
    ci = source.interval(table["ci"], unit, f"{field}.ci") if "ci" in table else None
    return ReportedHazardRatio(source.number(table["estimate"], unit, f"{field}.estimate"), ci)


def _p_value(source: Provenance, got: object, unit: str, field: str) -> ReportedPValue:
    table: dict[str, Any] = dict(got) if isinstance(got, dict) else {"value": got}
    digits, said = side_apart(table.get("value"))
    table |= {"value": digits} if "value" in table else {}
    sided, test = table.pop("sided", said), table.pop("test", None)
    if said is not None and sided != said:
        raise InvalidValueError(f"{field}.sided", sided, f"{said}, as is printed with the p-value", "say it once")
    return ReportedPValue(source.number(table, unit, field), sided, test)


def _factor(_: Provenance, got: object, __: str, ___: str) -> object:
    """Read a factor of the file: its name alone, or a table."""
    return {"name": got} if isinstance(got, str) else got


def _quantity(source: Provenance, got: object, unit: str, field: str) -> Reported | date | str:
    if isinstance(got, (date, str)):
        return got
    if not isinstance(got, dict) or got.get("unit") not in list(UNITS):
        raise InvalidValueError(
            field, got, f"a text, a date, or {{ value, unit }} with a unit of {', '.join(UNITS)}", "name the unit"
        )
    return source.number(got, got["unit"], field)


def _reads(read: Callable[[Provenance, object, str, str], object], unit: str = "") -> BeforeValidator:
    def validate(got: object, info: ValidationInfo) -> object:
        if not isinstance(info.context, Provenance) or got is None:
            return got
        return read(info.context, got, unit, str(info.field_name))

    return BeforeValidator(validate)


Time = Annotated[Reported, _reads(Provenance.number, "months")]
Share = Annotated[Reported, _reads(Provenance.number, "proportion")]
Count = Annotated[Reported, _reads(Provenance.number, "count")]
Quantity = Annotated[Reported | date | str, _reads(_quantity)]
TimeInterval = Annotated[ReportedInterval, _reads(Provenance.interval, "months")]
ShareInterval = Annotated[ReportedInterval, _reads(Provenance.interval, "proportion")]
HazardRatio = Annotated[ReportedHazardRatio, _reads(_hazard_ratio, "ratio")]
PValue = Annotated[ReportedPValue, _reads(_p_value, "p-value")]
BY_NAME = _reads(_factor)
