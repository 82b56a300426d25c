"""Writes figures as SVG, PNG and CSV with a manifest of inputs, seeds and versions."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

import matplotlib as mpl
from tqdm.auto import tqdm

import analysis
from analysis.conventions.whole import alone, written_whole
from analysis.plots.fonts import fonts_of_matplotlib
from analysis.plots.style import STYLE
from analysis.reported import trial_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from analysis.figures.registry import Drawing, RegisteredFigure

MANIFEST = "manifest.json"
LIBRARIES = ("matplotlib", "numba", "numpy", "pandas", "scipy")


def write_figures(
    figures: Iterable[RegisteredFigure], folder: Path, *, reported_data: Path | None = None
) -> list[Path]:
    """Draw figures and write each as SVG, PNG and CSV; then bring the manifest up to date.

    Files are written under a temporary name and moved into place, so an interruption leaves the old ones whole; figures
    that were finished before it stay, with their entries in the manifest. Same inputs and versions, same bytes.

    Parameters
    ----------
    figures
        What to draw.
    folder
        Where to write; made if it is not there.
    reported_data
        Folder of the reported numbers, by default the project's own.

    Returns
    -------
    list of Path
        The files written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from analysis.figures import Drawing, RegisteredFigure
    >>> draw = lambda seed: Drawing(Figure(), pd.DataFrame({"x": [seed]}))
    >>> draw.__doc__ = "One number."
    >>> written = write_figures([RegisteredFigure("mine", ("bolero-2",), 7, draw)], Path(mkdtemp()))
    >>> [path.name for path in written]
    ['mine.svg', 'mine.png', 'mine.csv']
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with fonts_of_matplotlib():
        for figure in tqdm(list(figures), unit="figure", disable=None):
            files = _write_drawing(figure(), figure.name, folder)
            _record(figure, files, folder, reported_data)
            written += files
    return written


def _write_drawing(drawing: Drawing, name: str, folder: Path) -> list[Path]:
    svg, png, csv = (folder / f"{name}.{suffix}" for suffix in ("svg", "png", "csv"))
    with mpl.rc_context(STYLE), written_whole(svg) as one, written_whole(png) as two, written_whole(csv) as three:
        drawing.figure.savefig(one, format="svg", metadata={"Date": None, "Creator": None})
        drawing.figure.savefig(two, format="png", metadata={"Software": None})
        drawing.numbers.to_csv(three, index=False, float_format="%.6g", lineterminator="\n")
    return [svg, png, csv]


def _record(figure: RegisteredFigure, files: list[Path], folder: Path, reported_data: Path | None) -> None:
    path = folder / MANIFEST
    with alone(path):
        _enter(figure, files, path, reported_data)


def _enter(figure: RegisteredFigure, files: list[Path], path: Path, reported_data: Path | None) -> None:
    folder = path.parent
    recorded = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    entries = {
        name: entry for name, entry in recorded.items() if all((folder / file).exists() for file in entry["outputs"])
    }
    entries[figure.name] = {
        "caption": figure.caption,
        "seed": figure.seed,
        "inputs": {file.name: _sha256(file) for file in (trial_file(trial, reported_data) for trial in figure.trials)},
        "outputs": {file.name: _sha256(file) for file in files},
        "versions": _versions(),
    }
    text = json.dumps({"figures": dict(sorted(entries.items()))}, indent=2) + "\n"
    with written_whole(path) as draft:
        draft.write_text(text, encoding="utf-8")


def _versions() -> dict[str, str]:
    libraries = {library: version(library) for library in LIBRARIES}
    return {"trial-outcome-analysis": analysis.__version__, "python": platform.python_version()} | libraries


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
