"""What a field of a value may be: each function declares one, and the check names it.

Every function takes `default`; without one the field has to be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from analysis.conventions import checks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

REQUIRED: Any = attrs.NOTHING


def converted(
    convert: Callable[[str, Any], Any], *, default: Any = REQUIRED, optional: bool = False, repr: bool = True
) -> Any:
    """Declare a field that ``convert(name, value)`` checks; `optional` lets None through."""

    def check(given: Any, field: Any) -> Any:
        return None if optional and given is None else convert(field.name, given)

    return attrs.field(default=default, converter=attrs.Converter(check, takes_field=True), repr=repr)


def number(
    *,
    above: float = -np.inf,
    at_least: float = -np.inf,
    below: float = np.inf,
    at_most: float = np.inf,
    unit: str = "",
    default: Any = REQUIRED,
    optional: bool = False,
) -> Any:
    """Declare a finite number within bounds."""

    def check(name: str, given: Any) -> float:
        return checks.number(name, given, above=above, at_least=at_least, below=below, at_most=at_most, unit=unit)

    return converted(check, default=default, optional=optional)


def positive(unit: str = "", *, default: Any = REQUIRED, optional: bool = False) -> Any:
    """Declare a number above 0."""
    return number(above=0, unit=unit, default=default, optional=optional)


def not_negative(unit: str = "", *, default: Any = REQUIRED, optional: bool = False) -> Any:
    """Declare a number of at least 0."""
    return number(at_least=0, unit=unit, default=default, optional=optional)


def probability(*, default: Any = REQUIRED, optional: bool = False) -> Any:
    """Declare a probability above 0 and below 1."""
    return converted(checks.probability, default=default, optional=optional)


def level(*, default: Any = 0.95) -> Any:
    """Declare a two-sided confidence level, 0.95 by default."""
    return converted(checks.probability, default=default)


def count(what: str, *, at_least: int = 1, default: Any = REQUIRED, optional: bool = False) -> Any:
    """Declare a whole number."""
    return converted(
        lambda name, given: checks.count(name, given, what, at_least=at_least), default=default, optional=optional
    )


def choice(known: Collection[str], *, default: Any = REQUIRED) -> Any:
    """Declare one of several words."""
    return converted(lambda name, given: checks.choice(name, given, known), default=default)


def sides(*, default: Any = 1) -> Any:
    """Declare the number of sides of a test."""
    return converted(checks.sides, default=default)


def _vector(check: Callable[[str, Any], checks.FloatArray], default: Any, repr: bool) -> Any:
    def convert(given: Any, field: Any) -> checks.FloatArray:
        return check(field.name, given)

    converter = attrs.Converter(convert, takes_field=True)
    return attrs.field(default=default, converter=converter, eq=np.ndarray.tobytes, repr=repr)


def vector(*, default: Any = REQUIRED, repr: bool = True) -> Any:
    """Declare a vector of finite numbers, none below 0; it is kept as a read-only array."""
    return _vector(checks.nonnegative, default, repr)


def change_points(*, default: Any = REQUIRED, repr: bool = True) -> Any:
    """Declare strictly increasing times above 0, possibly none; they are kept as a read-only array."""
    return _vector(checks.change_points, default, repr)


def plain(*, default: Any = REQUIRED, factory: Callable[[], Any] | None = None, repr: bool = True) -> Any:
    """Declare a field without a check of its own."""
    if factory is not None:
        return attrs.field(factory=factory, repr=repr)
    return attrs.field(default=default, repr=repr)


def derived() -> Any:
    """Declare a field that follows from the others: neither given, compared nor printed."""
    return attrs.field(init=False, eq=False, repr=False)
