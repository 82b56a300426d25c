"""Frozen values whose fields check themselves, print shortly and show as a table.

``@value`` makes an `attrs` class; the functions of `analysis.conventions.fields` say what each field may be.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

import attrs

from analysis.conventions import display, fields
from analysis.conventions.display import fields_of, is_value
from analysis.errors import InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = TypeVar("Kind")


@dataclass_transform(
    frozen_default=True,
    field_specifiers=(
        fields.number,
        fields.positive,
        fields.not_negative,
        fields.probability,
        fields.level,
        fields.count,
        fields.choice,
        fields.sides,
        fields.vector,
        fields.change_points,
        fields.converted,
        fields.plain,
        fields.derived,
    ),
)
def value(cls: type[Kind]) -> type[Kind]:
    """Make a class a frozen value: equal by its fields, checked, with a short repr and an HTML display.

    Examples
    --------
    >>> from analysis.conventions import fields
    >>> @value
    ... class Dose:
    ...     milligrams: float = fields.positive("mg")
    >>> Dose(10), Dose(10) == Dose(10.0)
    (Dose(milligrams=10.0), True)
    >>> Dose(-1)
    Traceback (most recent call last):
    analysis.errors.InvalidValueError: milligrams: got -1; expected a number of mg above 0; give it in mg
    """
    own_eq = "__eq__" in vars(cls)
    if "__repr__" not in vars(cls):
        cls.__repr__ = display.short_repr  # type: ignore[method-assign]  # before attrs makes the class
    if not hasattr(cls, "_repr_html_"):
        cls._repr_html_ = display.html_of  # type: ignore[attr-defined]  # added to the class here
    make: Callable[[type[Kind]], type[Kind]] = attrs.define(
        frozen=True, slots=False, repr=False, eq=not own_eq, unsafe_hash=None if own_eq else True
    )
    return make(cls)


def replace(thing: Kind, **changes: Any) -> Kind:
    """Return the same value with other fields; it is checked again.

    Raises
    ------
    InvalidValueError
        If the thing has no fields.
    UnknownNameError
        If a field is not one of its own; the nearest are offered.

    Examples
    --------
    >>> from analysis.survival import Weibull
    >>> replace(Weibull(1.2, 10), shape=1.0)
    Weibull(shape=1.0, scale=10.0)
    """
    if isinstance(thing, type) or not is_value(type(thing)):
        raise InvalidValueError("thing", thing, "a value with fields", "give a design, a report, a distribution ..")
    known = [field.name for field in fields_of(thing) if field.init]
    for name in changes:
        if name not in known:
            raise UnknownNameError("field", name, known)
    if attrs.has(type(thing)):
        changed: Kind = attrs.evolve(thing, **changes)  # type: ignore[misc]  # an attrs class
        return changed
    return dataclasses.replace(thing, **changes)  # type: ignore[type-var]  # a dataclass
