"""The page on simulation says what the code does."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "simulation.md"


def test_the_examples_of_the_page_run():
    outcome = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert outcome.attempted >= 12
    assert outcome.failed == 0
