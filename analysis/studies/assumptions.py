"""Assumptions with a name: what no source prints and a calculation still needs."""

from __future__ import annotations

from dataclasses import dataclass
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
    """Show assumptions as a frame with the columns ``assumption``, ``value``, ``unit`` and ``reason``."""
    rows = [(a.name, a.value, a.unit, a.reason) for a in assumptions]
    return pd.DataFrame(rows, columns=["assumption", "value", "unit", "reason"])
