"""Every notebook runs from top to bottom, and its cells are short."""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.validator import iter_validate

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LINES_A_CELL = 6


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(path.parents[1]) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    executed = NotebookClient(notebook, timeout=600, startup_timeout=300, resources=place).execute()
    shown = [cell for cell in executed.cells if cell.cell_type == "code" and cell.outputs]
    assert shown
    errors = [output for cell in shown for output in cell.outputs if output.output_type in ("error",)]
    assert errors == []
    assert numbers_shown(executed) == pytest.approx(numbers_shown(nbformat.read(path, as_version=4)), rel=1e-3)


def numbers_shown(notebook):
    """Give the numbers of all texts and tables, in their order; a picture and a widget's state are not among them."""
    texts = [
        output.get("text") or output["data"].get("text/markdown") or output["data"].get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    return [float(number) for text in texts for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_cells_are_short(path):
    notebook = nbformat.read(path, as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert [source for source in sources if len(source.splitlines()) > LINES_A_CELL] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_keep_to_the_format(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert [error.message for error in iter_validate(notebook)] == []


WITHOUT_A_PICTURE = {"explorer"}  # a widget


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_have_pictures_with_alternative_text(path):
    """Two of them ended a cell with a figure of Matplotlib's, of which Jupyter shows its name."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    pictures = [output for output in outputs if "image/png" in output["data"]]
    assert pictures or path.stem in WITHOUT_A_PICTURE
    assert all(len(picture["metadata"].get("image/png", {}).get("alt", "")) > 20 for picture in pictures)
    assert not any(output["data"].get("text/plain", "").startswith("<Figure") for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_stray_output(path):
    """One was kept with 21 lines of a font that was not found, another showed months as 6.858142e+00."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
    assert not any(re.search(r"\de\+0\d", output.get("data", {}).get("text/plain", "")) for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_show_no_number_as_the_machine_has_it(path):
    """One showed a setting as level=1.0342432008999791, another two predictive values with 16 digits."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.get("data", {}).get("text/plain", "") + output.get("text", "") for output in outputs]
    assert [found for text in shown for found in re.findall(r"\d+\.\d{9,}", text)] == []
