"""The table of outcomes names calls that exist, and notebooks that make them or draw what they give."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from analysis.studies import figures

ROOT = Path(__file__).parents[3]
TABLE = (ROOT / "docs" / "outcomes.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if line.startswith("| ")]
ANSWERS = [row for row in ROWS if row[0] not in ("outcome", "---")]


def code_of(notebook):
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row[0])
def test_the_answer_exists_and_its_notebook_gives_it(row):
    outcome, answer, notebook = row
    calls = re.findall(r"`(\w+\.\w+\.\w+)`", answer)
    for call in (one for one in calls if not one.startswith("analysis.")):
        study, module, name = call.split(".")
        assert callable(getattr(import_module(f"analysis.studies.{study}.{module}"), name)), call
    if not notebook:
        assert re.search(r"\bno\b", answer), f"{outcome}: neither a notebook nor a reason"
        return
    code = code_of(notebook)
    drawn = re.findall(r"drawn by `([\w-]+)`", answer)
    assert all(name in figures.FIGURES and name in code for name in drawn)
    assert drawn or any(
        f"{call.split('.')[1]}.{call.split('.')[2]}(" in code or call.split(".")[2] in SHOWN_BY for call in calls
    )


SHOWN_BY = {"together", "rates"}
"""Calls that a notebook makes through another: every figure of BOLERO-2 draws from its ensemble."""


def test_every_folder_of_a_trial_is_in_the_table():
    trials = {path.parent.name for path in (ROOT / "analysis" / "studies").glob("*/__init__.py")} - {"accuracy"}
    assert trials == {call.split(".")[0] for call in re.findall(r"`(\w+\.\w+\.\w+)`", TABLE)} - {"analysis"}
