"""``trial-analysis power`` and ``report``: a planned trial from its file to its power and to a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.shell import Json, command, not_there_yet, print_json
from analysis.conventions.whole import written_whole

if TYPE_CHECKING:
    import pandas as pd

File = Annotated[Path, typer.Argument(metavar="FILE", help="A planned trial, as `new NAME --design` writes it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "power", examples=["power my-design.toml", "power my-design.toml --plot power.png --json"])(power)
    command(app, "report", examples=["report my-design.toml report.docx"])(report)


def power(
    file: File,
    plot: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw power by patients (or PDF, SVG).")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="CSV", help="Write the numbers of that figure.")] = None,
    as_json: Json = False,
) -> int:
    """Say what power a planned trial has.

    Prints the paragraph for its protocol, and the power by every method beside the simulation.
    """
    from analysis.errors import UnavailableError
    from analysis.planning import read_plan

    not_there_yet(plot=plot, csv=csv)
    plan = read_plan(file)
    figures = list(plan.figures().values()) if plot or csv else []
    if (plot or csv) and not figures:
        raise UnavailableError(f"{file}: no figure: the test has no formula, or there is no alternative to draw")
    if plot is not None:
        with written_whole(plot) as draft:
            figures[0].figure.savefig(draft, dpi=200)
    if csv is not None:
        with written_whole(csv) as draft:
            figures[0].numbers.to_csv(draft, index=False)
    wrote = [str(path) for path in (plot, csv) if path is not None]
    if as_json:
        found = plan.power()
        value = found if isinstance(found, float) else found.power
        print_json(title=plan.title, power=value, text=plan.protocol_text(), methods=plan.methods(), wrote=wrote)
        return 0
    print(plan.protocol_text(), *_told(plan.methods()), sep="\n\n")
    print(*(f"wrote {path}" for path in wrote), sep="\n")
    return 0


def report(
    file: File,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Its ending says what: .html, .docx, .rtf or .pdf.")],
) -> int:
    """Write a planned trial as HTML, DOCX, RTF or PDF.

    The report has the paragraph, assumptions, power, figures, methods and versions.
    """
    from analysis.planning import read_plan, write_report

    print(f"wrote {write_report(read_plan(file), out)}")
    return 0


def _told(methods: "pd.DataFrame") -> list[str]:
    """Write the methods as a table, and below it what some of them remark."""
    remarks: list[str] = methods.pop("remark").tolist() if "remark" in methods.columns else []
    said = [f"{name}: {remark}." for name, remark in zip(methods.iloc[:, 0], remarks, strict=False) if remark]
    table = methods.dropna(axis="columns", how="all").round(4).to_string(index=False, na_rep="")
    return [table, "\n".join(said)] if said else [table]
