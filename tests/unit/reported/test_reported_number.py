"""A printed number keeps its digits, its unit and its rounding box."""

import math

import numpy as np
import pytest

from analysis.errors import InvalidValueError
from analysis.reported import Reported


@pytest.mark.parametrize(
    ("text", "unit", "value", "half_width"),
    [
        ("11.0", "months", 11.0, 0.05),
        ("11", "months", 11.0, 0.5),
        ("83.6", "percent", 0.836, 0.0005),
        ("0.45", "ratio", 0.45, 0.005),
        ("485", "count", 485.0, 0.0),
        ("2", "years", 24.0, 6.0),
        ("48.1", "weeks", 48.1 * 7 / 30.4375, 0.05 * 7 / 30.4375),
        ("120", "days", 120 / 30.4375, 0.5 / 30.4375),
    ],
)
def test_value_and_half_width_in_the_units_of_the_library(text, unit, value, half_width):
    number = Reported(text, unit)
    assert number.value == pytest.approx(value, rel=1e-12)
    assert number.half_width == pytest.approx(half_width, rel=1e-9)
    assert (number.lower, number.upper) == pytest.approx((value - half_width, value + half_width), rel=1e-12)
    assert (number.text, number.relation, number.reached) == (text, "=", True)


def test_eleven_is_another_report_than_eleven_point_nought():
    assert Reported("11", "months") != Reported("11.0", "months")


def test_a_bound_leaves_one_side_open():
    below, above = Reported("< 0.0001", "p-value"), Reported("> 24", "months")
    assert (below.lower, below.upper, below.relation) == (0.0, 0.0001, "<")
    assert (above.lower, above.upper, above.relation) == (24.0, math.inf, ">")


def test_words_stand_where_a_number_could_not():
    for word, value in (("not reached", math.inf), ("not calculable", math.inf)):
        number = Reported(word, "months")
        assert (number.value, number.lower, number.upper, number.reached) == (value, value, value, False)
        assert number.half_width == 0.0
        assert str(number) == word
    assert math.isnan(Reported("not estimable", "percent").value)


@pytest.mark.parametrize(
    ("got", "unit", "text", "read_unit"),
    [
        (7.8, "months", "7.8", "months"),
        ("7.80", "months", "7.80", "months"),
        (485, "count", "485", "count"),
        (np.float64(0.45), "ratio", "0.45", "ratio"),
        ("83.6%", "proportion", "83.6", "percent"),
        (1e-5, "p-value", "0.00001", "p-value"),
        (" < 0.001", "p-value", "< 0.001", "p-value"),
    ],
)
def test_what_a_caller_writes_is_read(got, unit, text, read_unit):
    assert Reported.of(got, unit, "field") == Reported(text, read_unit)


@pytest.mark.parametrize(
    ("got", "unit", "says"),
    [
        ("7,8", "months", "field: got '7,8'; expected digits"),
        (-1, "months", "not negative"),
        ("101", "percent", "at most 100"),
        (1.2, "p-value", "at most 1"),
        (3.5, "count", "a whole number"),
        (True, "count", "a number or its digits"),
        (None, "months", "a number or its digits"),
        (math.nan, "months", "expected digits"),
        (3, "fortnights", "field.unit: got 'fortnights'; expected one of months"),
        (Reported("3", "percent"), "months", "a unit of time"),
    ],
)
def test_what_is_no_number_is_refused_by_name(got, unit, says):
    with pytest.raises(InvalidValueError, match=says):
        Reported.of(got, unit, "field")


def test_an_unknown_status_is_refused():
    with pytest.raises(InvalidValueError, match="status: got 'rumour'; expected one of published, secondary, conflict"):
        Reported("3", "months", (), "rumour")


def test_counts_of_numpy_are_read():
    assert Reported.of(np.int64(485), "count", "n").text == "485"
    assert Reported.of(np.float64(7.8), "months", "median").half_width == 0.05
