"""What a public call blames when it fails: what it was given, and never that for a fault of its own."""

import re
from datetime import date

import pytest

from analysis.conventions.border import border
from analysis.errors import InvalidValueError, WrongCallError
from analysis.power import sample_size
from analysis.survival import Exponential, Weibull


@border
def day_of(written: str, names: dict[str, str] | None = None) -> date:
    return date.fromisoformat(names[written] if names else written)


@border
def broken(written: str, counts: dict[str, int]) -> int:
    return [len(written), *counts.values()][9]


def test_a_text_that_an_error_refuses_or_quotes_is_named():
    with pytest.raises(InvalidValueError, match=r"day_of: written: got '2020-02-31'.*day is out of range"):
        day_of("2020-02-31")
    with pytest.raises(InvalidValueError, match="day_of: written: got 'yesterday'"):
        day_of("yesterday")
    with pytest.raises(InvalidValueError, match="day_of: written: got 'end'"):
        day_of("end", {"start": "2020-01-01"})
    with pytest.raises(InvalidValueError, match=r"day_of: names: got .*'start': 'tomorrow'"):
        day_of("start", {"start": "tomorrow"})


def test_a_text_in_a_list_is_named_and_a_letter_within_a_word_is_not():
    @border
    def first(arm: str, days: list[str]) -> date:
        return date.fromisoformat(days[0])

    with pytest.raises(InvalidValueError, match=r"first: days: got \['soon'\]"):
        first("o", ["soon"])


def test_a_dictionary_that_holds_what_has_no_such_attribute_is_named():
    @border
    def first_year(days: dict[str, object]) -> int:
        return days["start"].year

    with pytest.raises(InvalidValueError, match=r"first_year: days: got .*has no attribute 'year'"):
        first_year({"start": 4})


def test_a_fault_of_its_own_is_not_worded_as_what_it_was_given():
    with pytest.raises(IndexError):
        broken("a text", {"events": 4})


def test_nothing_and_what_is_empty_are_named_whatever_the_error_says():
    with pytest.raises(InvalidValueError, match="broken: written: got ''"):
        broken("", {"events": 4})
    with pytest.raises(InvalidValueError, match=r"broken: counts: got \{\}"):
        broken("a text", {})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sample_size(1, 2), "sample_size: got 2 arguments, without power; expected design, scenario, "),
        (lambda: sample_size(1, 2, test=3), "sample_size: got 2 arguments and test, without power; expected "),
        (lambda: Weibull(1.2), "Weibull: got 1 argument, without scale; expected shape, scale; "),
        (lambda: Weibull(1.2, 3.0, 4.0), "Weibull: got 3 arguments; expected shape, scale; "),
        (lambda: Exponential.from_median(), "from_median: got 0 arguments, without median; expected median; "),
    ],
)
def test_a_call_with_too_few_or_too_many_arguments_says_what_is_lacking(call, said):
    with pytest.raises(WrongCallError, match=f"^{re.escape(said)}"):
        call()
