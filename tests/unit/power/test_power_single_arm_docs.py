"""The page on single-arm designs shows what its lines compute."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "single-arm.md"


def test_every_number_on_the_page_is_what_its_lines_give():
    outcome = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8"
    )
    assert outcome.attempted > 30
    assert outcome.failed == 0
