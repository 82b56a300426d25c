"""The pages on reconstruction and on survival figures say what the code does."""

import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("page", "examples"), [("reconstruction.md", 10), ("digitised-curves.md", 8), ("survival-figures.md", 6)]
)
def test_the_examples_of_the_page_run(page, examples):
    outcome = doctest.testfile(str(DOCS / page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.attempted >= examples
    assert outcome.failed == 0
