"""Answers of the studies are shared by the processes of one run of the tests, and by nothing else."""

import os
import shutil
import tempfile

import pytest

from analysis.studies.remembered import FOLDER


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="answers-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)
