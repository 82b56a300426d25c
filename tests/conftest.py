"""How one run of the tests shares its work: answers of the studies between processes, long tests first."""

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, for `--dist loadgroup`, but each notebook by itself, and first."""
    for item in items:
        file = item.nodeid.split("::")[0]
        item.add_marker(pytest.mark.xdist_group(item.nodeid if _runs_a_notebook(item) else file))
    items.sort(key=lambda item: not _runs_a_notebook(item))


def _runs_a_notebook(item: pytest.Item) -> bool:
    return "test_notebook_runs" in item.nodeid
