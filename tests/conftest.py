"""How one run of the tests shares its work: answers of the studies between processes, notebooks first."""

import os
import shutil
import tempfile

import pytest

from analysis.studies.remembered import FOLDER

SHARING = ("bolero-2-reconstruction", "xenera-1-power", "xenera-1-result")
"""Notebooks that need one reconstruction: in one process after the other, none waits for the other's."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="answers-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notebooks take longest: they come first."""
    items.sort(key=lambda item: not _runs_a_notebook(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep the tests of a file on one worker, whose fixtures they share, but each notebook by itself."""
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


def scope_of(nodeid: str) -> str:
    """Tests of one scope run on one worker, one after the other."""
    if not _runs_a_notebook(nodeid):
        return nodeid.split("::")[0]
    return "sharing" if any(f"[{name}]" in nodeid for name in SHARING) else nodeid


def _runs_a_notebook(nodeid: str) -> bool:
    return "::test_notebook_runs[" in nodeid
