"""What every command of the shell has in common: exit codes, errors, JSON, files that are not overwritten."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from analysis.errors import AnalysisError, InvalidValueError

Given = ParamSpec("Given")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs, instead of text.")]


def command(
    group: typer.Typer, name: str | None = None, *, examples: Iterable[str] = ()
) -> Callable[[Callable[Given, int]], Callable[Given, int]]:
    """Make a function a command: what it returns is the exit code; 1 for an error of the input, 130 if interrupted."""

    def register(function: Callable[Given, int]) -> Callable[Given, int]:
        @wraps(function)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
            raise typer.Exit(told(lambda: function(*args, **kwargs)))

        shown = "\n\n".join(f"  trial-analysis {example}" for example in examples)
        group.command(name or function.__name__, epilog=f"Examples:\n\n{shown}" if shown else None)(run)
        return function

    return register


def told(work: Callable[[], int]) -> int:
    """Run, and tell of an error in one line; gives the exit code."""
    try:
        return int(work())
    except AnalysisError as error:
        print(f"trial-analysis: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, `head` or a pager, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"trial-analysis: {error.strerror or error}: what was to be printed could not be", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("trial-analysis: interrupted; what was finished is kept", file=sys.stderr)
        return 130


def not_there_yet(**paths: Path | None) -> None:
    """Refuse to overwrite: `InvalidValueError` with the option and the file."""
    for option, path in paths.items():
        if path is not None and path.exists():
            raise InvalidValueError(option, str(path), "a file that is not there yet", "name another, or delete it")


def print_json(**things: Any) -> None:
    """Print things as one JSON object; tables are lists of rows."""

    def plain(thing: Any) -> Any:
        if hasattr(thing, "to_dict") and hasattr(thing, "columns"):
            return [{name: plain(cell) for name, cell in row.items()} for row in thing.to_dict("records")]
        if isinstance(thing, float) and not -float("inf") < thing < float("inf"):
            return None if thing != thing else str(thing)
        return thing.item() if hasattr(thing, "item") else thing

    print(json.dumps({name: plain(thing) for name, thing in things.items()}, indent=2, ensure_ascii=False))
