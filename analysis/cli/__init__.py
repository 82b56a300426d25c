"""The command line, ``trial-analysis COMMAND``: reports, plans, data cuts, figures and notebooks."""

from collections.abc import Sequence
from typing import Annotated

import typer

import analysis
from analysis.cli import curve, data, endpoints, figures, notebooks, plans, reports, warm

app = typer.Typer(
    name="trial-analysis",
    help=analysis.__doc__.splitlines()[0],
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"trial-analysis {analysis.__version__}")
        raise typer.Exit


@app.callback()
def _shell(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


for _module in (reports, plans, curve, endpoints, figures, notebooks, warm, data):
    _module.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``trial-analysis``; returns the exit code: 0 done, 1 findings or an error of the input, 2 wrong usage."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="trial-analysis")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    return 0
