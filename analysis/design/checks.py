"""Checks of the numbers that a protocol is made of; each failure names field, value and remedy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from analysis.errors import InvalidValueError

Value = TypeVar("Value")


class ByName(Mapping[str, Value]):
    """A read-only, hashable mapping from names (of arms, strata, ...) to values, in the order given."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, name: str) -> Value:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


def finite(field: str, value: object) -> float:
    """Return `value` as a float, or say that it is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise InvalidValueError(field, value, "a finite number", "give a number")
    return float(value)


def positive(field: str, value: float, unit: str = "months") -> float:
    """Return `value` as a float above 0, or say that it is not."""
    if finite(field, value) <= 0:
        raise InvalidValueError(field, value, f"a number of {unit} above 0", f"give a positive number of {unit}")
    return float(value)


def not_negative(field: str, value: float, unit: str = "months") -> float:
    """Return `value` as a float of at least 0, or say that it is not."""
    if finite(field, value) < 0:
        raise InvalidValueError(field, value, f"a number of {unit} of at least 0", "give 0 or a positive number")
    return float(value)


def probability(field: str, value: float) -> float:
    """Return `value` as a float in (0, 1), or say that it is not."""
    if not 0 < finite(field, value) < 1:
        raise InvalidValueError(field, value, "a probability above 0 and below 1", "give a fraction, not a percentage")
    return float(value)


def count(field: str, value: int, what: str) -> int:
    """Return `value` as an int of at least 1, or say that it is not."""
    if isinstance(value, bool) or value != int(finite(field, value)) or value < 1:
        raise InvalidValueError(field, value, f"a whole number of {what}, at least 1", f"give a number of {what}")
    return int(value)


def increasing(field: str, values: Iterable[float], above: float = 0.0) -> tuple[float, ...]:
    """Return `values` as a strictly increasing tuple whose first exceeds `above`, or say that it is not one."""
    numbers = tuple(finite(field, value) for value in values)
    for before, after in zip((above, *numbers), numbers, strict=False):
        if after <= before:
            raise InvalidValueError(
                field, numbers, f"strictly increasing numbers above {above:g}", f"{after:g} does not exceed {before:g}"
            )
    return numbers
