"""Pages that are made from the package: reference, gallery, agreement with other software, notebooks, changes."""

from __future__ import annotations

import gzip
import inspect
import io
import re
import shutil
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

import gallery
import matplotlib as mpl
import pandas as pd

ROOT = Path(__file__).parents[1]
MADE = "made"
ROOMS = {
    "reported": "Numbers as they were printed",
    "reconstruction": "From a report or a figure to patients",
    "survival": "Distributions and estimators",
    "design": "A trial, and what is assumed of it",
    "statistical_tests": "Tests",
    "power": "Power of any trial",
    "planning": "A planned trial, its report",
    "sequential": "Several looks",
    "single_arm": "One arm, exact",
    "simulation": "Simulated trials",
    "endpoints": "RECIST, iRECIST and the endpoints",
    "safety": "Adverse events, doses, competing risks",
    "quality_of_life": "Questionnaires",
    "proportions": "Two proportions, borrowing",
    "plots": "Figures",
    "tables": "Tables",
    "explorer": "The explorer",
    "conventions": "Files, JSON, seeds, units",
    "figures": "Registered figures",
    "records": "Findings in delivered tables",
}


def make(source: Path) -> None:
    """Make all of them anew in ``made/``."""
    made = source / MADE
    shutil.rmtree(made, ignore_errors=True)
    (made / "reference").mkdir(parents=True)
    _reference(made / "reference")
    _gallery(made)
    _agreement(made)
    _notebooks(made)
    _changes(made)


def _reference(folder: Path) -> None:
    names = []
    for room, title in ROOMS.items():
        module = import_module(f"analysis.{room}")
        public = [name for name in module.__all__ if callable(getattr(module, name))]
        values = [name for name in module.__all__ if name not in public]
        head = (
            f"{title}\n{'=' * len(title)}\n\n.. currentmodule:: analysis.{room}\n\n{(module.__doc__ or '').strip()}\n\n"
        )
        parts = [head]
        for name in sorted(public, key=lambda name: (inspect.isclass(getattr(module, name)), name.casefold())):
            kind = "class" if inspect.isclass(getattr(module, name)) else "function"
            members = "   :members:\n" if kind == "class" else ""
            parts.append(f"``{name}``\n{'-' * (len(name) + 4)}\n\n.. auto{kind}:: {name}\n{members}\n")
        if values:
            parts.append(
                "Constants and types\n-------------------\n\n" + ", ".join(f"``{name}``" for name in values) + "\n"
            )
        (folder / f"{room}.rst").write_text("\n".join(parts), encoding="utf-8")
        names.append(room)
    listed = "\n".join(f"   {name}" for name in names)
    title = "Reference"
    (folder / "index.rst").write_text(
        f"{title}\n{'=' * len(title)}\n\nEvery public name, by room.\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}\n",
        encoding="utf-8",
    )


def anchor(title: str) -> str:
    """Where a heading is found on its page."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _gallery(made: Path) -> None:
    pictures = made / "gallery"
    pictures.mkdir()
    parts = ["# Gallery\n\nEach picture is made by the lines beside it when this site is built.\n"]
    shared: dict[str, Any] = {}
    exec(compile(gallery.PREPARED, "gallery", "exec"), shared)
    parts.append(f"What they share:\n\n```python\n{gallery.PREPARED.strip()}\n```\n")
    for title, code in gallery.PICTURES.items():
        place = dict(shared)
        with redirect_stdout(io.StringIO()), mpl.rc_context({"font.family": "DejaVu Sans"}):
            exec(compile(code, title, "exec"), place)
        name = f"{anchor(title)}.png"
        place["shown"].figure.savefig(pictures / name, dpi=110)
        alt = getattr(place["shown"], "alt", title)
        parts.append(f"## {title}\n\n```python\n{code.strip()}\n```\n\n![{alt}](gallery/{name})\n")
    (made / "gallery.md").write_text("\n".join(parts), encoding="utf-8")


def _agreement(made: Path) -> None:
    """Count the values of other software that the tests hold this package against, by function."""
    with gzip.open(ROOT / "tests" / "reference" / "data" / "reference_values.csv.gz", "rt", encoding="utf-8") as file:
        values = pd.read_csv(file)
    counted = values.groupby(["tool", "version", "function"]).size().rename("values").reset_index()
    rows = "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in counted.itertuples(index=False))
    total = f"{int(counted['values'].sum()):,} values of {counted['tool'].nunique()} tools"
    held = (
        f"{total}, made by independent software. `tests/reference` holds this package against each, to a relative\n"
        "error of 1e-6 unless the adapter of a function says why another one is right, and names what is out of\n"
        "scope with its reason."
    )
    head = "| tool | version | function | values |\n| --- | --- | --- | --- |"
    text = f"# Agreement with other software\n\n{held}\n\n{head}\n{rows}\n"
    (made / "agreement.md").write_text(text, encoding="utf-8")


def _notebooks(made: Path) -> None:
    folder = made / "notebooks"
    folder.mkdir()
    names = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copyfile(path, folder / path.name)
        names.append(path.stem)
    listed = "\n".join(names)
    text = f"# Notebooks\n\nEach opens with its conclusion.\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    (folder / "index.md").write_text(text, encoding="utf-8")


def _changes(made: Path) -> None:
    shutil.copyfile(ROOT / "CHANGELOG.md", made / "changes.md")
