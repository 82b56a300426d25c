"""``trial-analysis notebooks`` and ``lab``: the notebooks as files of one's own, and JupyterLab on them."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.shell import command
from analysis.errors import InvalidValueError, UnavailableError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "notebooks", examples=["notebooks my-notebooks"])(notebooks)
    command(app, "lab", examples=["lab", "lab my-notebooks --port 9000", "lab --explorer"])(lab)


def notebooks(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made if it is not there.")],
) -> int:
    """Copy the notebooks into a folder.

    To read and to change; none that is there is overwritten.
    """
    source = notebook_folder()
    names = sorted(path.name for path in source.glob("*.ipynb"))
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise InvalidValueError("folder", str(folder / there[0]), "notebooks that are not there yet", "name another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(source / name, folder / name)
    except OSError as error:
        expected = "a folder that can be written to"
        raise InvalidValueError("folder", str(folder), expected, f"{error.strerror}; name another") from error
    print(*(f"wrote {folder / name}" for name in names), sep="\n")
    return 0


def lab(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Of notebooks; those of the package.")] = None,
    explorer: Annotated[bool, typer.Option("--explorer", help="The explorer as a page of its own, by Voila.")] = False,
    quiet: Annotated[bool, typer.Option("--no-browser", help="Serve, and open no browser.")] = False,
    port: Annotated[int | None, typer.Option(help="Where to serve; by default the first that is free.")] = None,
) -> int:
    """Open JupyterLab, or the explorer, in the browser."""
    program = "voila" if explorer else "jupyterlab"
    if find_spec(program) is None:
        raise UnavailableError(f"{program} is not installed: pip install 'trial-outcome-analysis[notebooks]'")
    where = notebook_folder() if folder is None else folder
    if not where.is_dir():
        raise InvalidValueError("folder", str(where), "a folder of notebooks", "trial-analysis notebooks DIR makes one")
    opened = where / "explorer.ipynb" if explorer else where
    options = (["--no-browser"] if quiet else []) + ([] if port is None else [f"--port={port}"])
    return subprocess.call([sys.executable, "-m", program, str(opened), *options], env=os.environ)


def notebook_folder() -> Path:
    """Find the notebooks: inside an installed package, beside the package in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parent / "notebooks"
