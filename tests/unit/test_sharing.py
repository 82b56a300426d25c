"""The tests of a file run in one process, so that what they share is computed once."""

import os
from pathlib import Path

import pytest

from analysis.studies.remembered import FOLDER


@pytest.fixture(scope="module")
def shared():
    (Path(os.environ[FOLDER]) / "shared-by-the-tests-of-a-file").touch(exist_ok=False)


@pytest.mark.parametrize("number", range(4))
def test_what_the_tests_of_a_file_share_is_computed_once(shared, number):
    assert shared is None
