"""The examples in the documentation of group-sequential designs give what they print."""

import doctest
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "group-sequential.md"


def test_examples_of_the_guide():
    result = doctest.testfile(str(GUIDE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 10
    assert result.failed == 0
