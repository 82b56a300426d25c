"""``trial-analysis data check`` and ``trial-analysis data show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import ReportedDataError
from analysis.reported.files import available, data_directory, load
from analysis.reported.findings import Review, review

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``check`` and ``show`` to the parser of ``trial-analysis data``; each sets ``run(parsed) -> int``."""
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="validate the reported data; list what contradicts itself")
    check.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="folder of the TOML files")
    check.set_defaults(run=check_command)
    show = commands.add_parser("show", help="print a trial as it was reported, with sources")
    show.add_argument("trial", nargs="?", metavar="TRIAL", help="name of the trial; without it, list the names")
    show.add_argument("--directory", type=Path, metavar="DIR", help="folder of the TOML files")
    show.set_defaults(run=show_command)


def check_command(parsed: argparse.Namespace) -> int:
    """Validate every file of a folder; 1 if a file cannot be read or a new finding is an error, else 0."""
    failed = False
    names = available(parsed.directory)
    if not names:
        raise ReportedDataError(f"{parsed.directory or data_directory()}: no *.toml files; name the folder with them")
    known = 0
    for name in names:
        try:
            reviewed = review(load(name, parsed.directory))
        except ReportedDataError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        _print_review(name, reviewed)
        known += len(reviewed.known)
        failed |= not reviewed.passed
    print(f"{len(names)} trials, {known} known findings; " + ("NOT in order" if failed else "in order"))
    return int(failed)


def show_command(parsed: argparse.Namespace) -> int:
    """Print a trial, or the names of all trials."""
    if parsed.trial is None:
        for name in available(parsed.directory):
            print(f"{name:28} {load(name, parsed.directory).title}")
        return 0
    from analysis.reported.tables import as_text  # pandas only where a table is printed

    print(as_text(load(parsed.trial, parsed.directory)))
    return 0


def _print_review(name: str, reviewed: Review) -> None:
    for finding, known in reviewed.known:
        values = "; ".join(finding.values)
        print(f"known {finding.severity}: {name}, {finding.where}: {finding.check}: {finding.message} [{values}]")
        print(f"    {' '.join(known.explanation.split())}")
    for finding in reviewed.new:
        print(f"NEW {finding}")
    for gone in reviewed.gone:
        print(f"gone: {name}, {gone.where}: {gone.check} no longer occurs; remove it from known_findings")
