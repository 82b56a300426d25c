"""The command line: ``trial-analysis new|reconstruct|curve|endpoints|data|figures|warm``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import analysis
from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``trial-analysis``; returns the exit code: 0 done, 1 findings or an error of the input, 2 wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except AnalysisError as error:
        print(f"trial-analysis: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, `head` or a pager, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("trial-analysis: interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trial-analysis", description=analysis.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"%(prog)s {analysis.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_reports(commands)
    _add_curve(commands.add_parser("curve", help="reconstruct patients from the points of a figure"))
    _add_endpoints(commands.add_parser("endpoints", help="derive the endpoints of a study's folder"))
    _add_data(commands.add_parser("data", help="check or show the reported data", description="The reported data."))
    _add_figures(commands.add_parser("figures", help="make the figures", description="Make the registered figures."))
    _add_warm(commands.add_parser("warm", help="compile every kernel once, so that no first call waits"))
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    from analysis.cli.data import configure

    configure(parser)


def _add_reports(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from analysis.cli.reconstruct import configure_new, configure_reconstruct

    configure_new(commands.add_parser("new", help="write a report to be filled in"))
    configure_reconstruct(commands.add_parser("reconstruct", help="reconstruct curves and patients from a report"))


def _add_curve(parser: argparse.ArgumentParser) -> None:
    from analysis.cli.curve import configure

    configure(parser)


def _add_endpoints(parser: argparse.ArgumentParser) -> None:
    from analysis.cli.endpoints import configure

    configure(parser)


def _add_warm(parser: argparse.ArgumentParser) -> None:
    from analysis.cli.warm import configure

    configure(parser)


def _add_figures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="make only this figure (repeatable)"
    )
    parser.add_argument("--list", action="store_true", help="print the names and captions, make nothing")
    parser.add_argument(
        "--out", type=Path, default=Path("figures"), metavar="DIR", help="where to write (default: figures)"
    )
    parser.set_defaults(run=_make_figures)


def _make_figures(parsed: argparse.Namespace) -> int:
    from analysis.figures import pick, write_figures
    from analysis.studies.figures import FIGURES

    chosen = pick(FIGURES, parsed.only)
    if parsed.list:
        for figure in chosen:
            print(f"{figure.name:45} {figure.caption}")
        return 0
    for path in write_figures(chosen, parsed.out):
        print(path)
    return 0
