"""``trial-analysis figures``: the figures of the studies from the reported data."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.shell import command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "figures", examples=["figures --list", "figures --only bolero2-pfs --out pictures"])(figures)


def figures(
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Make only this figure (repeatable).")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Print the names and captions, make nothing.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write.")] = Path("figures"),
) -> int:
    """Make the figures of the studies.

    Each as SVG and PNG, its numbers as CSV, and a manifest of inputs, seeds and versions.
    """
    from analysis.figures import pick, write_figures
    from analysis.studies.figures import FIGURES

    chosen = pick(FIGURES, only or [])
    if listed:
        for figure in chosen:
            print(f"{figure.name:45} {figure.caption}")
        return 0
    for path in write_figures(chosen, out):
        print(path)
    return 0
