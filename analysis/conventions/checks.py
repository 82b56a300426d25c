"""One vocabulary of checks: each returns the value that was meant, or names field, value, expectation and remedy."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.conventions.finite import is_finite
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnknownNameError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


# numbers --------------------------------------------------------------------------------------------------------------


def number(
    field: str,
    value: object,
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
    at_most: float = math.inf,
    unit: str = "",
) -> float:
    """Return `value` as a float within bounds; words, booleans, NaN and infinities are no numbers.

    Examples
    --------
    >>> number("rate", 2, above=0)
    2.0
    >>> number("rate", "2", above=0)
    Traceback (most recent call last):
    analysis.errors.InvalidValueError: rate: got '2'; expected a number above 0; give a number, not str
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if is_number and is_finite(value):
        given = float(value)  # type: ignore[arg-type]  # a number
        if above < given < below and at_least <= given <= at_most:
            return given
    limits = [(f"above {above:g}", above), (f"of at least {at_least:g}", at_least)]
    limits += [(f"below {below:g}", below), (f"of at most {at_most:g}", at_most)]
    told = " and ".join(text for text, limit in limits if math.isfinite(limit))
    expected = " ".join(part for part in ("a number", f"of {unit}" if unit else "", told) if part)
    expected = expected if told or unit else "a finite number"
    raise InvalidValueError(field, value, expected, _remedy(value, is_number, unit))


def _remedy(value: object, is_number: bool, unit: str) -> str:
    if not is_number:
        return f"give a number, not {type(value).__name__}"
    return f"give it in {unit}" if unit else "correct it"


def positive(field: str, value: object, unit: str = "months", *, at_most: float = math.inf) -> float:
    """Return `value` as a float above 0."""
    return number(field, value, above=0, at_most=at_most, unit=unit)


def not_negative(field: str, value: object, unit: str = "months", *, at_most: float = math.inf) -> float:
    """Return `value` as a float of at least 0."""
    return number(field, value, at_least=0, at_most=at_most, unit=unit)


def probability(field: str, value: object) -> float:
    """Return `value` as a float in (0, 1)."""
    try:
        return number(field, value, above=0, below=1)
    except InvalidValueError:
        expected, remedy = "a probability above 0 and below 1", "give a fraction, not a percentage"
        raise InvalidValueError(field, value, expected, remedy) from None


def count(field: str, value: object, what: str, *, at_least: int = 1, at_most: int = 2**62) -> int:
    """Return `value` as an int within bounds."""
    whole = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not whole or not is_finite(value) or value != int(value) or not at_least <= value <= at_most:  # type: ignore[call-overload, operator]  # a number
        expected = f"a whole number of {what}, at least {at_least}"
        expected += "" if at_most == 2**62 else f" and at most {at_most:,}"
        raise InvalidValueError(field, value, expected, f"give a number of {what}")
    return int(value)  # type: ignore[call-overload, no-any-return]  # a number


def counts(field: str, values: ArrayLike, what: str, *, at_most: int) -> NDArray[np.int64]:
    """Return `values`, of any shape, as whole numbers from 1 to `at_most`; the first that is none is named."""
    given = numeric(field, values)
    for wrong in given[~((given >= 1) & (given <= at_most) & (given == np.floor(given)))][:1].tolist():
        count(field, wrong, what, at_most=at_most)
    return given.astype(np.int64)


def choice(field: str, value: object, known: Collection[str]) -> str:
    """Return `value` if it is one of the known words; else say which is nearest."""
    if not isinstance(value, str) or value not in known:
        raise UnknownNameError(field, value, known)
    return value


def one_of(field: str, value: object, kind: type | tuple[type, ...], example: str) -> Any:
    """Return `value` if it is of a kind; else show how one is written."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        expected = " or ".join(k.__name__ for k in kinds)
        raise InvalidValueError(field, value, expected, f"write e.g. {example}")
    return value


def sides(field: str, value: object) -> int:
    """Return 1 or 2, the number of sides that an alpha is for."""
    if isinstance(value, bool) or value not in (1, 2):
        raise InvalidValueError(field, value, "1 or 2", "give the number of sides that alpha is for")
    return 2 if value == 2 else 1


def rates(null_rate: object, alternative_rate: object) -> tuple[float, float]:
    """Return two response rates in (0, 1) with the alternative above the null."""
    null, alternative = probability("null_rate", null_rate), probability("alternative_rate", alternative_rate)
    if alternative <= null:
        expected = f"a rate above the null rate {null:g}"
        raise InvalidValueError("alternative_rate", alternative, expected, "raise it, or count the failures")
    return null, alternative


SMALLEST_ALPHA = 1e-15
"""Below it the tails of a test are not told from rounding."""


def error_rates(alpha: object, power: object) -> tuple[float, float]:
    """Return alpha and a power above it."""
    size = number("alpha", alpha, at_least=SMALLEST_ALPHA, below=1)
    wanted = probability("power", power)
    if wanted <= size:
        raise InfeasibleDesignError(
            f"power: got {wanted:g}; expected more than the type I error {size:g}, which a test has without data; "
            "ask for 0.8 or 0.9"
        )
    return size, wanted


# lists of numbers -----------------------------------------------------------------------------------------------------


def increasing(field: str, values: object, above: float = 0.0) -> tuple[float, ...]:
    """Return `values` as a strictly increasing tuple whose first exceeds `above`; it may be empty."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidValueError(field, values, "a list of numbers", f"write {field}=[...]")
    numbers = tuple(number(field, value) for value in values)
    for before, after in zip((above, *numbers), numbers, strict=False):
        if after <= before:
            expected = f"strictly increasing numbers above {above:g}"
            raise InvalidValueError(field, numbers, expected, f"{after:g} does not exceed {before:g}")
    return numbers


def fractions(field: str, values: object) -> tuple[float, ...]:
    """Return information fractions: strictly increasing from above 0, the last one 1."""
    numbers = increasing(field, values)
    far_apart(field, numbers)
    if not numbers or numbers[-1] != 1:
        expected = "information fractions that increase to 1"
        raise InvalidValueError(field, numbers, expected, "divide the information of the looks by the last")
    return numbers


CLOSEST = 1e-6
"""Share of the last look's information by which looks have to be apart: closer ones are one look."""


def far_apart(field: str, levels: Sequence[float]) -> None:
    """Refuse levels of information, increasing, that are so close that they are one look."""
    for before, level in pairwise(levels):
        if level - before < CLOSEST * levels[-1]:
            expected = f"looks at least {CLOSEST:g} of the information apart"
            raise InvalidValueError(field, f"{before:.9g} and {level:.9g}", expected, "make them one look")


def numeric(field: str, values: ArrayLike) -> FloatArray:
    """Return `values`, of any shape, as floats; NaN may be among them, text, durations and masked values not."""
    if isinstance(values, np.ma.MaskedArray) and values.mask.any():
        got = f"{values.mask.sum()} masked values"
        raise InvalidValueError(field, got, "no missing value", "drop those patients or impute them first")
    try:
        given = np.asarray(values)
        if given.dtype.kind in "mMUS" or (given.dtype.kind == "O" and any(isinstance(one, str) for one in given.flat)):
            remedy = "divide durations by one month" if given.dtype.kind in "mM" else "convert text to numbers first"
            raise InvalidValueError(field, values, "numbers", remedy)
        return np.array(values, dtype=np.float64, ndmin=1)
    except InvalidValueError:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidValueError(field, values, "numbers", f"give {field} as a sequence of numbers") from error


def times(field: str, values: ArrayLike) -> FloatArray:
    """Return `values`, of any shape, as months from 0 on; infinite is what never comes."""
    checked = numeric(field, values)
    if np.isnan(checked).any() or (checked < 0).any():
        got = "NaN among them" if np.isnan(checked).any() else float(checked.min())
        raise InvalidValueError(field, got, "months of at least 0, inf for what never comes", f"check {field}")
    return checked


def flags(field: str, values: ArrayLike) -> BoolArray:
    """Return `values`, of any shape, as flags: True and False, or 1 and 0."""
    given = np.asarray(values)
    if given.dtype.kind not in "biuf" or not np.isin(given, (0, 1)).all():
        raise InvalidValueError(field, values, "True and False, or 1 and 0", f"check {field}")
    return np.atleast_1d(given).astype(bool)


def vector(field: str, values: ArrayLike) -> FloatArray:
    """Return `values` as a read-only float vector without NaN; infinities are left to the caller."""
    checked = numeric(field, values)
    if checked.ndim != 1:
        raise InvalidValueError(field, values, "one dimension", f"flatten {field}")
    missing = np.flatnonzero(np.isnan(checked))
    if missing.size:
        where = f"NaN at position {missing[0]}"
        raise InvalidValueError(field, where, "no missing value", "drop those patients or impute them first")
    checked.flags.writeable = False
    return checked


def nonnegative(field: str, values: ArrayLike) -> FloatArray:
    """Return `values` as a read-only vector of finite numbers, none below 0."""
    checked = vector(field, values)
    bad = checked[(checked < 0) | np.isinf(checked)]
    if bad.size:
        raise InvalidValueError(field, float(bad[0]), "finite numbers of at least 0", f"check {field}")
    return checked


def change_points(field: str, values: ArrayLike) -> FloatArray:
    """Return `values` as a read-only vector of finite times, strictly increasing and above 0; it may be empty."""
    checked = vector(field, values)
    if not checked.size:
        return checked
    rising = bool(np.all(np.diff(checked) > 0))
    if not (rising and checked[0] > 0 and np.isfinite(checked[-1])):
        expected = "finite times above 0, strictly increasing"
        raise InvalidValueError(field, checked.tolist(), expected, "sort them, drop duplicates and leave out time 0")
    return checked


def same_length(field: str, values: NDArray[Any], other: str, length: int) -> None:
    """Refuse `values` whose length is not `length`, the one that `other` asks for."""
    if values.size != length:
        raise InvalidValueError(field, f"{values.size} values", f"{length}, to match {other}", f"check {field}")


def probabilities(field: str, values: ArrayLike) -> FloatArray:
    """Return `values`, of any shape, as floats between 0 and 1."""
    checked = np.asarray(values, dtype=np.float64)
    bad = checked[~((checked >= 0) & (checked <= 1))]
    if bad.size:
        raise InvalidValueError(field, float(bad.flat[0]), "probabilities from 0 to 1", "give 0.5, not 50, for 50%")
    return checked


# patients -------------------------------------------------------------------------------------------------------------


def observations(time: ArrayLike, event: ArrayLike, *, timefix: bool = True) -> tuple[FloatArray, BoolArray]:
    """Return follow-up times, finite and at least 0, with their indicators of an event, for at least one patient.

    With `timefix`, times that are equal but for floating point are tied, as R's survival does (`aeqSurv`).
    """
    times = nonnegative("time", time)
    if not times.size:
        raise InvalidValueError("time", [], "at least one patient", "check the selection of patients")
    if np.asarray(time).dtype == np.bool_:
        raise InvalidValueError("time", "True and False", "follow-up in months", "give time first, then event")
    return tied(times) if timefix else times, indicator("event", event, times.size)


SAME_TIME = 1e-9
"""Share by which two times differ that are the same: day 119 in months and ``17 * WEEK`` are not equal to the bit."""


def tied(times: FloatArray) -> FloatArray:
    """Give one value, of twelve digits, to times that differ by less than a part in 10^8 of their mean.

    Examples
    --------
    >>> tied(np.array([4.3 - 1.1, 5.3 - 2.1, 3.6 - 0.4, 7.5])).tolist()
    [3.2, 3.2, 3.2, 7.5]
    """
    distinct = np.unique(times)
    apart = np.diff(distinct) > np.sqrt(np.finfo(float).eps) * distinct.mean()
    if apart.all():
        return times
    group = np.cumsum(np.concatenate([[0], apart]))
    several = np.bincount(group)[group] > 1
    earliest = distinct[np.concatenate([[True], apart])][group]
    common = distinct.copy()
    common[several] = [float(f"{time:.12g}") for time in earliest[several]]
    return np.asarray(common[np.searchsorted(distinct, times)])


def indicator(field: str, values: ArrayLike, length: int) -> BoolArray:
    """Return `values` as booleans; True/False and 1/0 are taken, one for each time."""
    checked = vector(field, values)
    bad = checked[(checked != 0) & (checked != 1)]
    if bad.size:
        raise InvalidValueError(field, float(bad[0]), "True or False (1 or 0)", f"recode {field}")
    same_length(field, checked, "time", length)
    flags: BoolArray = checked == 1
    return flags


def is_missing(labels: Iterable[Any]) -> BoolArray:
    """Say of each label whether it is none: None, NaN, NA, NaT or blank text.

    Examples
    --------
    >>> is_missing(["new", None, float("nan"), "", " ", 0]).tolist()
    [False, True, True, True, True, False]
    """
    given = list(labels)
    none = pd.isna(pd.Series(given, dtype=object)).to_numpy(bool)
    blank = [isinstance(label, str) and not label.strip() for label in given]
    missing: BoolArray = none | np.array(blank, bool)
    return missing


def labels(field: str, values: Iterable[Any], length: int) -> list[Any]:
    """Return `values` as labels, none of them missing, one for each of `length` patients."""
    given = list(values)
    if len(given) != length:
        raise InvalidValueError(field, f"{len(given)} values", f"{length}, to match time", f"check {field}")
    missing = np.flatnonzero(is_missing(given))
    if missing.size:
        got = f"no label at position {missing[0]}" + (f" and {missing.size - 1} more" if missing.size > 1 else "")
        raise InvalidValueError(field, got, "a label for each patient", "name it or drop those patients")
    return given


def stratum_numbers(strata: ArrayLike, n: int) -> NDArray[np.int64]:
    """Return the number of each patient's stratum, strata in the order of their labels."""
    given = np.asarray(strata)
    if given.ndim != 1:
        raise InvalidValueError("strata", f"shape {given.shape}", "one label a patient", "cross the factors first")
    if given.dtype.kind in "biu":  # numbers of strata, which cannot be missing
        same_length("strata", given, "time", n)
    else:
        labels("strata", given, n)
        given = given.astype(str)
    return np.asarray(np.unique(given, return_inverse=True)[1], np.int64)
