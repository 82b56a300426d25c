"""What the README shows runs, and what it names exists."""

import doctest
import re
from pathlib import Path

import pytest

import analysis
from analysis.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_examples_run():
    done = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted > 3
    assert done.failed == 0


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("command", re.findall(r"^make (\w+)", README, flags=re.MULTILINE))
def test_commands_are_targets_of_the_makefile(command):
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("command", re.findall(r"^\| `trial-analysis ([^`]+)`", README, flags=re.MULTILINE))
def test_commands_of_the_table_are_known(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    capsys.readouterr()


def test_every_room_is_listed():
    for room in sorted(path.parent.name for path in Path(analysis.__file__).parent.glob("*/__init__.py")):
        assert f"`{room}`" in README
