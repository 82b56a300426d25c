"""Curves that are clicked badly: how far each kind of slip takes a reconstruction from the patients behind the figure.

    python benchmarks/bad_clicking.py --summaries summaries.csv --ipd ipd.csv.gz [--limit 40] [--json]

Every arm of the benchmark's figures is digitised anew with one kind of slip at a time. For each kind the table has the
IAE (see `reconstruction_metrics`), the error of the log hazard ratio against Cox on the figure's patients, the share of
figures that were refused, and of those with an error finding: none is right on a good curve, all are on a curve that
is upside down or in another unit.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
from reconstruction_figures import POINTS, Arm, Figure, digitise, read_figures
from reconstruction_reports import ROLES, report
from tqdm.auto import tqdm

import analysis
from analysis.errors import AnalysisError
from analysis.reported import AtRisk, ReportedArm, ReportedComparison
from analysis.statistical_tests import CoxHazardRatio

Points = np.ndarray
Slip = "Callable[[Arm, np.random.Generator], Points]"


def reading_error(share: float) -> Slip:
    """Add normal errors to both coordinates, with this share of their axes as standard deviation."""

    def click(arm: Arm, rng: np.random.Generator) -> Points:
        points = digitise(arm)
        return points + rng.normal(0.0, share, points.shape) * (arm.follow_up, 1.0)

    return click


def stray(count: int, share: float = 0.0) -> Slip:
    """Clicks anywhere on the figure among others with a reading error."""

    def click(arm: Arm, rng: np.random.Generator) -> Points:
        points = reading_error(share)(arm, rng)
        points[rng.choice(np.arange(1, POINTS), count, replace=False), 1] = rng.random(count)
        return points

    return click


def steps(ends: str) -> Slip:
    """Clicks on the steps: at the upper ends, at the lower ones, or at both."""

    def click(arm: Arm, rng: np.random.Generator) -> Points:
        del rng
        time = np.unique(arm.time[arm.event])
        upper = np.column_stack([time, np.append(1.0, arm.survival(time))[:-1]])
        lower = np.column_stack([time, arm.survival(time)])
        end = [[arm.follow_up, arm.survival(np.array(arm.follow_up))]]
        chosen = {"upper": [upper], "lower": [lower], "both": [upper, lower]}[ends]
        return np.concatenate([[[0.0, 1.0]], *chosen, end]).round(4)

    return click


def rising(arm: Arm, rng: np.random.Generator) -> Points:
    """Lift every tenth point by half a per cent."""
    points = digitise(arm)
    points[rng.integers(2, 10) :: 10, 1] += 0.005
    return np.clip(points, 0.0, (np.inf, 1.0))


def duplicated(arm: Arm, rng: np.random.Generator) -> Points:
    """Give a third of the points twice, and all in any order."""
    points = digitise(arm)
    return rng.permutation(np.concatenate([points, points[::3]]))


def few(count: int) -> Slip:
    """No more than this number of points."""
    return lambda arm, _: digitise(arm, count)


def percent(arm: Arm, _: np.random.Generator) -> Points:
    return digitise(arm) * (1.0, 100.0)


def upside_down(arm: Arm, _: np.random.Generator) -> Points:
    points = digitise(arm)
    return np.column_stack([points[:, 0], 1 - points[:, 1]])


def swapped_axes(arm: Arm, _: np.random.Generator) -> Points:
    return digitise(arm)[:, ::-1]


GOOD: dict[str, Any] = {
    "clean": few(POINTS),
    "50 points": few(50),
    "25 points": few(25),
    "both ends of steps": steps("both"),
    "upper ends alone": steps("upper"),
    "lower ends alone": steps("lower"),
    "duplicated": duplicated,
    "per cent": percent,
}
SLIPS: dict[str, Any] = {
    "reading error 0.5%": reading_error(0.005),
    "reading error 1%": reading_error(0.01),
    "reading error 2%": reading_error(0.02),
    "rises": rising,
    "3 stray clicks": stray(3),
    "3 stray clicks, reading error 1%": stray(3, 0.01),
}
WRONG: dict[str, Any] = {
    "per cent, not said": percent,
    "proportions said per cent": few(POINTS),
    "upside down": upside_down,
    "upside down, in per cent": lambda arm, rng: upside_down(arm, rng) * (1.0, 100.0),
    "axes swapped": swapped_axes,
    "times in days": lambda arm, _: digitise(arm) * (30.4375, 1.0),
    "times in weeks": lambda arm, _: digitise(arm) * (30.4375 / 7, 1.0),
    "times in years": lambda arm, _: digitise(arm) / (12.0, 1.0),
}
ROUNDED = "times rounded to months, ticks on steps"


def evaluate(figure: Figure, kind: str) -> dict[str, Any]:
    """Click one figure, reconstruct it, and hold it against its patients."""
    rng = np.random.default_rng([zlib.crc32(text.encode()) for text in (figure.id, kind)])
    comparison, arms = report(figure, "curve"), figure.arms
    if kind == ROUNDED:
        arms = tuple(Arm(arm.name, np.maximum(arm.time.round(), 1.0), arm.event) for arm in arms)
        comparison = _with_ticks_on_steps(arms, comparison)
    slip = {**GOOD, **SLIPS, **WRONG, ROUNDED: steps("both")}[kind]
    curves = {role: slip(arm, rng) for role, arm in zip(ROLES, arms, strict=True)}
    unit = "percent" if kind in ("per cent", "proportions said per cent", "upside down, in per cent") else "proportion"
    row: dict[str, Any] = {"figure": figure.id, "kind": kind, "refused": False, "error": False}
    try:
        result = analysis.reconstruct_curve(comparison, curves, unit=unit)
    except AnalysisError as error:
        return row | {"refused": True, "says": str(error)}
    errors = [finding for finding in result.findings if finding.severity == "error"]
    iae = []
    for role, arm in zip(ROLES, arms, strict=True):
        t = (np.arange(2000) + 0.5) * arm.follow_up / 2000
        iae.append(float(np.abs(result.survival_at(role, t)["mean"].to_numpy() - arm.survival(t)).mean()))
    time, event = (np.concatenate([getattr(arm, name) for arm in arms]) for name in ("time", "event"))
    experimental = np.repeat([0, 1], [arm.n for arm in arms])
    ratio = CoxHazardRatio().analyse(time, event, experimental).estimate
    return row | {
        "error": bool(errors),
        "says": "; ".join(str(finding) for finding in errors),
        "iae": float(np.mean(iae)),
        "log_hazard_ratio": float(abs(np.log(result.hazard_ratio().estimate) - np.log(ratio))),
    }


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a kind: medians of the two distances, shares refused and with an error finding."""
    of_kind = rows.groupby("kind", sort=False)
    return pd.DataFrame(
        {
            "figures": of_kind.size(),
            "iae_median": of_kind["iae"].median(),
            "iae_p90": of_kind["iae"].quantile(0.9),
            "log_hazard_ratio_median": of_kind["log_hazard_ratio"].median(),
            "refused": of_kind["refused"].mean(),
            "error_finding": of_kind["error"].mean(),
        }
    )


def _with_ticks_on_steps(arms: Any, comparison: ReportedComparison) -> ReportedComparison:
    ticks = [np.arange(0.0, arm.follow_up, 3.0) for arm in arms]
    reported = [
        ReportedArm(
            role,
            n=arm.n,
            events=int(arm.event.sum()),
            at_risk=AtRisk(tuple(at), tuple(int((arm.time >= tick).sum()) for tick in at)),
        )
        for role, arm, at in zip(ROLES, arms, ticks, strict=True)
    ]
    return ReportedComparison(endpoint=comparison.endpoint, arms=reported, control=ROLES[0])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--summaries", required=True, metavar="CSV", help="statistics, one row per figure")
    parser.add_argument("--ipd", required=True, metavar="CSV.GZ", help="patients of the figures")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N figures, for a quick look")
    parser.add_argument("--kind", action="append", help="only these kinds of slip")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--by-figure", metavar="CSV", help="also write a row for each figure and kind")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = parser.parse_args(argv)
    figures = read_figures(args.summaries, args.ipd)[: args.limit]
    rows = []
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        for kind in args.kind or [*GOOD, *SLIPS, ROUNDED, *WRONG]:
            each = pool.map(partial(evaluate, kind=kind), figures)
            rows += tqdm(each, total=len(figures), desc=kind, unit="figure", file=sys.stderr)
    frame = pd.DataFrame(rows)
    if args.by_figure:
        frame.to_csv(args.by_figure, index=False)
    table = summarise(frame)
    print(
        table.to_json(orient="index", indent=1, double_precision=15)
        if args.json
        else table.to_string(float_format="{:.4f}".format)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
