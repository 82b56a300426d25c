"""``trial-analysis curve``: from the points of a figure and its risk table to patients, with the check of both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from analysis.reconstruction.result import Reconstruction


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``trial-analysis curve``."""
    parser.add_argument("points", type=Path, metavar="POINTS", help="digitised points: CSV, or a WebPlotDigitizer file")
    parser.add_argument("--at-risk", type=Path, metavar="CSV", help="the risk table under the figure")
    parser.add_argument("--n", action="append", default=[], metavar="ARM=N", help="patients of an arm (repeatable)")
    parser.add_argument("--events", action="append", default=[], metavar="ARM=N", help="its events (repeatable)")
    parser.add_argument("--control", metavar="ARM", help="the control arm (default: the last)")
    parser.add_argument("--endpoint", default="OS", help="what the curve shows (default: %(default)s)")
    parser.add_argument("--unit", choices=("proportion", "percent"), help="of the survival (default: as it looks)")
    parser.add_argument("--time-unit", default="months", help="of points and risk table (default: %(default)s)")
    parser.add_argument("--members", type=int, default=100, help="data sets (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="CSV", help="write the patients of all members here")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the check here (or PDF, SVG)")
    parser.set_defaults(run=curve_command)


def curve_command(parsed: argparse.Namespace) -> int:
    """Reconstruct, print the check, write what was asked for; 1 if a finding is an error."""
    from analysis.reconstruction import read_at_risk, read_curves, reconstruct_curve
    from analysis.reported import ReportedArm, ReportedComparison
    from analysis.reported.number import UNITS

    for path in (parsed.out, parsed.plot):
        if path is not None and path.exists():
            raise InvalidValueError("out", str(path), "a file that is not there yet", "name another, or delete it")
    if UNITS.get(parsed.time_unit, UNITS["count"]).dimension != "time":
        known = "months, weeks, days or years"
        raise InvalidValueError("time-unit", parsed.time_unit, known, "name the unit of the figure's axis")
    read = read_curves(parsed.points)
    curves = {arm: points * (UNITS[parsed.time_unit].factor, 1.0) for arm, points in read.curves.items()}
    table = read_at_risk(parsed.at_risk, unit=parsed.time_unit) if parsed.at_risk else {}
    curves = _named_alike(curves, table)
    numbers: dict[str, dict[str, Any]] = {
        name: _by_arm(name, getattr(parsed, name), curves) for name in ("n", "events")
    }
    arms = tuple(
        ReportedArm(arm, n=numbers["n"].get(arm), events=numbers["events"].get(arm), at_risk=table.get(arm))
        for arm in curves
    )
    control = parsed.control or (list(curves)[-1] if len(curves) > 1 else None)
    comparison = ReportedComparison(endpoint=parsed.endpoint, arms=arms, control=control)
    unit: Any = parsed.unit or read.unit
    print(f"{parsed.points}: {', '.join(f'{arm}, {len(points)} points' for arm, points in curves.items())}; {unit}")
    result = reconstruct_curve(comparison, curves, unit=unit, members=parsed.members, rng=parsed.seed)
    _print(result)
    if parsed.out is not None:
        with written_whole(parsed.out) as draft:
            result.ipd().to_csv(draft, index=False)
        print(f"wrote {parsed.out}: {result.members} members of {result.arm_index.size} patients")
    if parsed.plot is not None:
        _draw(result, curves, unit, parsed.plot)
        print(f"wrote {parsed.plot}")
    return int(any(finding.severity == "error" for finding in result.findings))


def _print(result: Reconstruction) -> None:
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
    found = {}
    for text in given:
        arm, equals, number = text.rpartition("=")
        if not equals or arm not in arms:
            expected = " or ".join(f"{each}=N" for each in arms)
            raise InvalidValueError(option, text, expected, "name the arm as in the files")
        found[arm] = number
    return found


def _draw(result: Reconstruction, curves: Mapping[str, Any], unit: Any, path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from analysis.plots import PAGE_WIDTH, STYLE, curve_check

    with mpl.rc_context(STYLE), written_whole(path) as draft:
        figure = Figure(figsize=(PAGE_WIDTH, 0.85 * PAGE_WIDTH))
        curve_check(figure, result, curves, unit=unit)
        figure.savefig(draft, bbox_inches="tight")
