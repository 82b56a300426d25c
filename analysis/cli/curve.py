"""``trial-analysis curve``: from the points of a figure and its risk table to patients, with the check of both."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from analysis.cli.shell import command, not_there_yet
from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.reconstruction.result import Reconstruction

ByArm = list[str] | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    examples = ["curve points.csv --at-risk risk.csv --events drug=26 --plot check.png --out patients.csv"]
    command(app, "curve", examples=examples)(curve)


def curve(
    points: Annotated[Path, typer.Argument(metavar="POINTS", help="Digitised points: CSV, or WebPlotDigitizer's.")],
    at_risk: Annotated[Path | None, typer.Option(metavar="CSV", help="The risk table under the figure.")] = None,
    n: Annotated[ByArm, typer.Option(metavar="ARM=N", help="Patients of an arm (repeatable).")] = None,
    events: Annotated[ByArm, typer.Option(metavar="ARM=N", help="Its events (repeatable).")] = None,
    control: Annotated[str | None, typer.Option(metavar="ARM", help="The control arm; by default the last.")] = None,
    endpoint: Annotated[str, typer.Option(help="What the curve shows.")] = "OS",
    unit: Annotated[
        Literal["proportion", "percent"] | None, typer.Option(help="Of the survival; by default as it looks.")
    ] = None,
    time_unit: Annotated[
        str | None, typer.Option(help="Of points and risk table; by default as their headings say, else months.")
    ] = None,
    members: Annotated[int, typer.Option(help="Data sets.")] = 100,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    out: Annotated[Path | None, typer.Option(metavar="CSV", help="Write the patients of all members here.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw the check here (or PDF, SVG).")] = None,
) -> int:
    """Reconstruct patients from the points of a figure.

    Prints the check of what was read. 1 if a finding is an error.
    """
    from analysis.reconstruction import read_at_risk, read_curves, reconstruct_curve
    from analysis.reported import ReportedArm, ReportedComparison

    not_there_yet(out=out, plot=plot)
    read = read_curves(points, time_unit=time_unit)
    table = read_at_risk(at_risk, unit=read.time_unit) if at_risk else {}
    curves = _named_alike(read.curves, table)
    numbers: dict[str, dict[str, Any]] = {
        "n": _by_arm("n", n or [], curves),
        "events": _by_arm("events", events or [], curves),
    }
    arms = tuple(
        ReportedArm(arm, n=numbers["n"].get(arm), events=numbers["events"].get(arm), at_risk=table.get(arm))
        for arm in curves
    )
    of_control = control or (list(curves)[-1] if len(curves) > 1 else None)
    comparison = ReportedComparison(endpoint=endpoint, arms=arms, control=of_control)
    scale: Any = unit or read.unit
    counted = ", ".join(f"{arm}, {len(of_arm)} points" for arm, of_arm in curves.items())
    print(f"{points}: {counted}; {scale}, {read.time_unit}")
    result = reconstruct_curve(comparison, curves, unit=scale, members=members, rng=seed)
    _print(result)
    if out is not None:
        with written_whole(out) as draft:
            result.ipd().to_csv(draft, index=False)
        print(f"wrote {out}: {result.members} members of {result.arm_index.size} patients")
    if plot is not None:
        _draw(result, curves, scale, plot)
        print(f"wrote {plot}")
    return int(any(finding.severity == "error" for finding in result.findings))


def _print(result: "Reconstruction") -> None:
    given = result.fidelity()
    print(f"\n{result.summary().to_string(index=False, float_format='{:.2f}'.format)}\n")
    print(f"numbers given back by every member: {given['reproduced'].sum()} of {len(given)}")
    for finding in result.findings:
        print(finding)


def _named_alike(curves: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Call the curves by the names in the risk table: those that differ in case alone, or by place if none is named."""
    if not table:
        return dict(curves)
    by_name = {name.casefold().strip(): name for name in table}
    named = {by_name.get(name.casefold().strip(), name): points for name, points in curves.items()}
    if len(named) == len(table) and all(name.startswith("curve ") for name in curves):
        print(f"arms by their place: {', '.join(table)}", file=sys.stderr)
        return dict(zip(table, curves.values(), strict=True))
    if set(named) != set(table):
        raise InvalidValueError("at-risk", list(table), f"the arms of the points, {list(curves)}", "name them alike")
    return named


def _by_arm(option: str, given: Iterable[str], arms: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        arm, equals, number = text.rpartition("=")
        if not equals or arm not in arms:
            expected = " or ".join(f"{each}=N" for each in arms)
            raise InvalidValueError(option, text, expected, "name the arm as in the files")
        if arm in found:
            raise InvalidValueError(option, text, f"{arm} once", f"keep {found[arm]} or {number}")
        found[arm] = number
    return found


def _draw(result: "Reconstruction", curves: Mapping[str, Any], unit: Any, path: Path) -> None:
    import matplotlib as mpl

    from analysis.plots import STYLE, curve_check

    with mpl.rc_context(STYLE), written_whole(path) as draft:
        curve_check(result, curves, unit=unit).figure.savefig(draft, bbox_inches="tight")
