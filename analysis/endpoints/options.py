"""What an option of an endpoint may be: each check names the field, the value and what it should have been."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import ArrayLike

    from analysis.endpoints.codes import Floats


def check_days(of: object, *fields: str) -> None:
    """Check that fields are finite numbers of days (or of anything that is counted), at least 0.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_days(SimpleNamespace(before="2 weeks"), "before")
    Traceback (most recent call last):
        ...
    analysis.errors.InvalidValueError: before: got '2 weeks'; expected a number, at least 0; give days as a number
    """
    for field in fields:
        value = getattr(of, field)
        if not 0 <= as_number(value) < math.inf:
            raise InvalidValueError(field, value, "a number, at least 0", "give days as a number")


def as_number(value: object) -> float:
    """Take a number; NaN for anything else."""
    return float(value) if isinstance(value, int | float | np.number) else math.nan


def as_numbers(field: str, values: ArrayLike) -> Floats:
    """Take an array of numbers, NaN where one is missing."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(field, values, "numbers", "give NaN for what is missing") from error


def check_flags(of: object, *fields: str) -> None:
    """Check that fields are True or False."""
    for field in fields:
        value = getattr(of, field)
        if value not in (True, False):
            raise InvalidValueError(field, value, "True or False", "give one of them")


def check_kind(of: object, kind: type, *fields: str, optional: bool = False) -> None:
    """Check that fields are of a class of this package, or None where that is allowed."""
    for field in fields:
        value = getattr(of, field)
        if not (optional and value is None):
            of_kind(field, value, kind)


def of_kind(field: str, value: object, kind: type) -> None:
    """Check that a value is of a class of this package."""
    if not isinstance(value, kind):
        raise InvalidValueError(field, value, f"a {kind.__name__}", f"build it with {kind.__name__}(...)")


def check_name(of: object, field: str, known: Collection[str]) -> None:
    """Check that a field is one of the known names."""
    value = getattr(of, field)
    if value not in known:
        raise UnknownNameError(field, str(value), known)


def as_date(field: str, value: object) -> date:
    """Take a date, or the date of a time.

    Examples
    --------
    >>> as_date("death", datetime(2024, 1, 1, 12))
    datetime.date(2024, 1, 1)
    """
    if not isinstance(value, date) or value != value:
        raise InvalidValueError(field, value, "a date", "give datetime.date(2024, 1, 1) or pandas.Timestamp")
    return value.date() if isinstance(value, datetime) else value
