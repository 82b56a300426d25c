"""Assumptions with a name: what no source prints and a calculation still needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

Value = TypeVar("Value")


@dataclass(frozen=True)
class Assumption(Generic[Value]):
    """A value that no source prints, with the reason for choosing it.

    Attributes
    ----------
    name
        What is assumed.
    value
        The value, in ``unit``.
    unit
        Unit of the value, e.g. ``"months"``.
    reason
        Why this value; what it is modelled on.

    Examples
    --------
    >>> Assumption("tumour assessments", 8, "weeks", "usual in the class").value
    8
    """

    name: str
    value: Value
    unit: str
    reason: str


def assumption_table(assumptions: Iterable[Assumption[Any]]) -> pd.DataFrame:
    """Show assumptions as a frame with the columns ``assumption``, ``value``, ``unit`` and ``reason``.

    A value of several parts is told in words: those that are not what they would be by default. A number is told by
    four digits at most, several one after the other.
    """
    rows = [(a.name, _in_words(a.value), a.unit, a.reason) for a in assumptions]
    return pd.DataFrame(rows, columns=["assumption", "value", "unit", "reason"])


def _in_words(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return ", ".join(str(_in_words(part)) for part in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_in_words(part)}" for name, part in value.items())
    if value is None:
        return "none"
    if not is_dataclass(value):
        return value
    told = []
    for field in fields(value):
        part = getattr(value, field.name)
        name = field.name.replace("_", " ")
        if is_dataclass(part):
            told.append(f"{name} ({_in_words(part)})")
        elif part != field.default:
            told.append(f"{name} {part:g}" if isinstance(part, int | float) else f"{name} {part}")
    return ", ".join(told)
