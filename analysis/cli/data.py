"""``trial-analysis data check`` and ``data show``: the reported data of a folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.shell import Json, command, print_json
from analysis.errors import ReportedDataError

if TYPE_CHECKING:
    from analysis.reported.findings import Review

Folder = Annotated[Path | None, typer.Option("--directory", metavar="DIR", help="Folder of the TOML files.")]


def register(app: typer.Typer) -> None:
    """Add the group ``data``."""
    group = typer.Typer(no_args_is_help=True, help="The reported data: check or show them.", rich_markup_mode=None)
    command(group, "check", examples=["data check"])(check_folder)
    command(group, "show", examples=["data show bolero-2"])(show)
    app.add_typer(group, name="data")


def check_folder(
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder of the TOML files.")] = None,
) -> int:
    """Validate all reported data; list what contradicts itself.

    1 if a file cannot be read or a new finding is an error.
    """
    from analysis.reported.files import available, data_directory, load
    from analysis.reported.findings import review

    failed = False
    names = available(directory)
    if not names:
        raise ReportedDataError(f"{directory or data_directory()}: no *.toml files; name the folder with them")
    known = 0
    for name in names:
        try:
            reviewed = review(load(name, directory))
        except ReportedDataError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        print_review(name, reviewed)
        known += len(reviewed.known)
        failed |= not reviewed.passed
    print(f"{len(names)} trials, {known} known findings; " + ("NOT in order" if failed else "in order"))
    return int(failed)


def print_review(name: str, reviewed: "Review") -> None:
    """Print the findings of a trial, known and new, and those that are gone."""
    for finding, known in reviewed.known:
        values = "; ".join(finding.values)
        print(f"known {finding.severity}: {name}, {finding.where}: {finding.check}: {finding.message} [{values}]")
        print(f"    {' '.join(known.explanation.split())}")
    for finding in reviewed.new:
        print(f"NEW {finding}")
    for gone in reviewed.gone:
        print(f"gone: {name}, {gone.where}: {gone.check} no longer occurs; remove it from known_findings")


def show(
    trial: Annotated[str | None, typer.Argument(help="Name of the trial; without it the names are listed.")] = None,
    directory: Folder = None,
    as_json: Json = False,
) -> int:
    """Print a trial as it was reported, number by number with its source."""
    from analysis.reported.files import available, load

    if trial is None:
        listed = {name: load(name, directory).title for name in available(directory)}
        if as_json:
            print_json(**listed)
        else:
            print("\n".join(f"{name:28} {title}" for name, title in listed.items()))
        return 0
    from analysis.reported.tables import as_text, tidy  # pandas only where a table is printed

    shown = load(trial, directory)
    if as_json:
        print_json(trial=trial, title=shown.title, numbers=tidy(shown))
    else:
        print(as_text(shown))
    return 0
