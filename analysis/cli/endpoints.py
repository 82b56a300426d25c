"""``trial-analysis endpoints``: the endpoints of a study's folder, as tables, findings and explanations by subject."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.shell import command
from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.endpoints import DerivedStudy

Toml = Annotated[
    Path | None,
    typer.Option(metavar="TOML", help="Criteria, confirmation, censoring, landmarks, doses of the protocol."),
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Write adrs, adtte, findings, summary, subjects here.")]


Control = Annotated[str | None, typer.Option(metavar="ARM", help="The control arm of the hazard ratio in the figures.")]
Plots = Annotated[Path | None, typer.Option(metavar="DIR", help="Draw PFS, OS, waterfall and swimmer plots here.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = ["endpoints delivery --protocol protocol.toml --out derived --plots figures --control placebo"]
    command(app, "endpoints", examples=examples)(endpoints)


def endpoints(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Has TR or RS, ADSL or DM: XPT, SAS7BDAT, CSV ..")],
    protocol: Toml = None,
    out: Out = None,
    plots: Plots = None,
    control: Control = None,
) -> int:
    """Derive the endpoints of a study's folder.

    Prints summary and findings, writes tables and explanations by subject. 1 if an error left somebody out.
    """
    from analysis.endpoints.protocol import Protocol
    from analysis.endpoints.study import read_study
    from analysis.records.findings import as_frame

    of_protocol = Protocol.read(protocol) if protocol else Protocol()
    derived = read_study(folder).derive(of_protocol)
    print(f"{derived.name}, {of_protocol.criteria}\n")
    if derived.measured is not None or derived.recorded:
        summary = derived.summary().fillna({"category": ""})
        print(summary.to_string(index=False, float_format=_number, na_rep=""))
    if derived.adverse_events is not None:
        worst = derived.adverse_events.worst_grades()
        print(f"\nTreatment-emergent adverse events, patients by worst grade\n{worst.head(20).to_string(index=False)}")
    if derived.exposure is not None:
        print(f"\nExposure\n{derived.exposure.summary().T.to_string(header=False)}")
    if derived.quality_of_life is not None:
        change = derived.quality_of_life.change().to_string(index=False, float_format="{:.1f}".format, na_rep="")
        print(f"\nGlobal health status (QLQ-C30), change from baseline\n{change}")
    findings = as_frame(derived.findings)
    if len(findings):
        by_rule = findings.groupby(["severity", "rule"]).agg(times=("rule", "size"), subjects=("subject", "nunique"))
        print(f"\n{by_rule.reset_index().to_string(index=False)}")
    if out is not None:
        for path in derived.write(out):
            print(f"wrote {path}")
    if plots is not None:
        for path in _draw(derived, plots, control):
            print(f"wrote {path}")
    return int(any(found.severity == "error" for found in derived.findings))


def _number(value: float) -> str:
    return "not reached" if math.isinf(value) else f"{value:.1f}"


def _draw(derived: "DerivedStudy", folder: Path, control: str | None) -> list[Path]:
    """Draw PFS and OS by arm, and the patients of each reader, into a folder that has none of these figures."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from analysis.plots import PAGE_WIDTH, STYLE, cohort, survival_plot, swimmer, waterfall

    times, criteria = derived.adtte(), derived.protocol.criteria
    figures: dict[str, Figure] = {}
    with mpl.rc_context(STYLE):
        for (endpoint, source, reader), rows in times.groupby(["PARAMCD", "SRCDOM", "RSEVAL"], sort=False):
            if endpoint not in ("PFS", "OS"):
                continue
            named = f"Progression-free ({reader or source}, {criteria})" if endpoint == "PFS" else "Overall survival"
            said = ("median",) if control is None else ("hazard ratio", "median")
            drawn = survival_plot(rows, ylabel=named, control=control, annotate=said)
            figures[f"{endpoint} {source} {reader}"] = drawn.figure
        measured = derived.measured
        readers = [] if measured is None else list(dict.fromkeys(who for _, who in measured.histories[criteria]))
        for reader in readers:
            assert measured is not None
            seen = cohort(measured, evaluator=reader, criteria=criteria)
            for name, draw in (("waterfall", waterfall), ("swimmer", swimmer)):
                figure = Figure(figsize=(PAGE_WIDTH, 0.6 * PAGE_WIDTH), layout="constrained")
                draw(figure.subplots(), *((seen.patients, seen.events) if name == "swimmer" else (seen.patients,)))
                figures[f"{name} {reader}"] = figure
        paths = {folder / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.png": f for name, f in figures.items()}
        if there := [path for path in paths if path.exists()]:
            raise InvalidValueError("plots", str(there[0]), "files that are not there yet", "name another folder")
        folder.mkdir(parents=True, exist_ok=True)
        for path, figure in paths.items():
            with written_whole(path) as draft:
                figure.savefig(draft, bbox_inches="tight", dpi=200)
    return list(paths)
