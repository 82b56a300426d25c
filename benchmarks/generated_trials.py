"""Trials drawn at random with several reports each: reconstructed together and one at a time, against their truth.

    python benchmarks/generated_trials.py [--trials 200] [--members 200] [--seed 1] [--ends] [--rows FILE] [--json]

Each trial has two arms of 60 to 800 patients in all, two data cuts, two readers, a subgroup and deaths; every report is
computed from its patients. Says how many trials were solved, whether every member gives all printed numbers back and
is nested, how often the 90% bands hold the data's own curves, and how far the mean curve is from them, jointly and
singly. With ``--ends`` the second reader's reading ends at the first's progression, and is reconstructed so.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rows import rows_of

from analysis import reconstruct
from analysis.errors import NotEstimableError
from analysis.reported import ReportedArm, ReportedComparison, TrialTimeline
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.survival.estimators import kaplan_meier, reverse_kaplan_meier

FIRST = date(2015, 1, 1)
GRID = np.linspace(0.05, 0.9, 18)


@dataclass(frozen=True)
class Trial:
    """The patients of a trial, and what each analysis sees of them, by its id."""

    experimental: np.ndarray
    timeline: TrialTimeline
    seen: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    reports: list[ReportedComparison]


def draw_trial(rng: np.random.Generator, *, ends: bool = False) -> Trial:
    """Draw patients, follow them, and print what their trial would.

    If it ``ends``, central review reads no scans after the local progression, and there are no interim reports.
    """
    n = int(np.exp(rng.uniform(np.log(60), np.log(800))))
    experimental = np.arange(n) < round(n * rng.choice([0.5, 0.5, 2 / 3]))
    median, ratio = np.exp(rng.uniform(np.log(3), np.log(14))), np.exp(rng.normal(-0.4, 0.25))
    shape = rng.uniform(0.8, 1.5)
    accrual = rng.uniform(8, 24)
    entry = accrual * rng.random(n)
    cuts = accrual * rng.uniform(0.7, 1.0) + 0.4 * median, accrual + rng.uniform(0.8, 1.8) * median
    in_group = rng.random(n) < rng.uniform(0.2, 0.5)
    frailty = rng.normal(0, 1, n)
    hazard = np.where(experimental, ratio, 1.0) * np.where(in_group, np.exp(rng.normal(0, 0.25)), 1.0)
    hazard = hazard * np.where(in_group & experimental, np.exp(rng.normal(0, 0.2)), 1.0)

    def failing(scale: float, alike: float) -> np.ndarray:
        score = alike * frailty + np.sqrt(1 - alike**2) * rng.normal(0, 1, n)
        uniform = np.argsort(np.argsort(score)) + 0.5
        return scale * (-np.log(1 - uniform / n) / np.log(2) / hazard) ** (1 / shape)

    lost = rng.exponential(200, n)
    death = np.maximum(failing(3.0 * median, 0.6), 0.05)
    local = np.minimum(failing(median, 0.9), death)
    central = np.minimum(failing(1.15 * median, 0.9), death)
    seen, reports = {}, []
    kinds = [("final", 1, None), ("interim", 0, None), ("final", 1, in_group)]
    for assessor, failure in (("local", local), ("central", central)):
        for analysis, cut, group in kinds:
            if (group is not None and assessor == "central") or (ends and analysis == "interim"):
                continue
            id = f"pfs-{assessor}-{analysis}" + ("-group" if group is not None else "")
            inside = np.ones(n, dtype=bool) if group is None else group
            end = np.minimum(lost, cuts[cut] - entry)
            seen[id] = _cut(failure, np.minimum(end, local) if ends and assessor == "central" else end, inside)
            reports.append(_report(id, "PFS", assessor, analysis, seen[id], experimental[inside], rng))
    seen["os-final"] = _cut(death, np.minimum(lost, cuts[1] - entry), np.ones(n, dtype=bool))
    reports.append(_report("os-final", "OS", None, "final", seen["os-final"], experimental, rng))
    timeline = TrialTimeline(FIRST, cutoffs={"interim": cuts[0], "final": cuts[1]})
    return Trial(experimental, timeline, seen, reports)


def _cut(failure: np.ndarray, end: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    end = np.maximum(end, 0.01)  # who comes after the cut is seen for a moment
    return np.minimum(failure, end)[inside], (failure <= end)[inside], inside


def _report(
    id: str,
    endpoint: str,
    assessor: str | None,
    analysis: str,
    seen: tuple[np.ndarray, np.ndarray, np.ndarray],
    experimental: np.ndarray,
    rng: np.random.Generator,
) -> ReportedComparison:
    time, event, inside = seen
    arms = []
    for name, chosen in (("control", ~experimental), ("new", experimental)):
        curve = kaplan_meier(time[chosen], event[chosen])
        followed = reverse_kaplan_meier(time[chosen], event[chosen]).median()
        arms.append(
            ReportedArm(
                name,
                n=int(chosen.sum()),
                median=f"{curve.median():.1f}" if np.isfinite(curve.median()) else "not reached",
                median_follow_up=f"{followed:.1f}" if rng.random() < 0.3 and 0.1 < followed < np.inf else None,
            )
        )
    more: dict[str, Any] = {}
    try:
        cox = CoxHazardRatio().analyse(time, event, experimental)
        limits = [f"{x:.2f}" for x in (cox.estimate, cox.lower, cox.upper)]
        if float(limits[1]) > 0 and cox.upper < 30:
            more["hazard_ratio"] = tuple(limits)
        if rng.random() < 0.4:
            p = LogRank().analyse(time, event, experimental).p_two_sided
            more["p_value"] = f"{p:.3f}" if p >= 0.001 else "< 0.001"
    except NotEstimableError:
        pass
    if rng.random() < 0.8:
        more["events_total"] = int(event.sum())
    population = "all" if inside.all() else "group"
    return ReportedComparison(
        endpoint, arms, control="control", id=id, assessor=assessor, analysis=analysis, population=population, **more
    )


def evaluate(seed: int, members: int, *, ends: bool = False) -> dict[str, Any]:
    """Draw a trial, reconstruct it jointly and singly, and compare both with its patients."""
    rng = np.random.default_rng([12, seed])
    trial = draw_trial(rng, ends=ends)
    until = {"central": "local"} if ends else None
    row: dict[str, Any] = {"seed": seed, "n": trial.experimental.size, "error": ""}
    start = time.perf_counter()
    try:
        joint = reconstruct(trial.reports, members, rng=seed, timeline=trial.timeline, read_until=until, threads=1)
    except Exception as error:  # counted, whatever it is
        return row | {"error": f"{type(error).__name__}: {error}"[:600], "seconds": time.perf_counter() - start}
    row["seconds"] = time.perf_counter() - start
    row["faithful"] = float(joint.faithful.mean())
    row["drawn"], row["distinct"] = joint.diagnostics["met"], joint.diagnostics["distinct members"] / members
    if ends:
        read = [joint.endpoints[f"PFS {reader}"].time for reader in ("central", "local")]
        row["nested"] = bool((read[0] <= read[1]).all())
    else:
        early, late = (joint.analysis(f"pfs-local-{name}") for name in ("interim", "final"))
        row["nested"] = bool((early.event.sum(axis=1) <= late.event.sum(axis=1)).all())
    row["clashes"] = sum("cannot all be right" in str(finding) for finding in joint.findings)
    held = {90: 0, 50: 0}
    points = 0
    errors: dict[str, list[float]] = {"joint": [], "single": []}
    for report in trial.reports:
        try:
            single = reconstruct(report, members, rng=seed, threads=1)
        except Exception:  # the joint one is compared where both are there
            continue
        times, events, inside = trial.seen[report.id]
        for arm, chosen in (("control", ~trial.experimental[inside]), ("new", trial.experimental[inside])):
            curve = kaplan_meier(times[chosen], events[chosen])
            at = GRID * times[chosen].max()
            own = curve.survival_at(at)
            of_joint = joint.analysis(report.id)
            for level in held:
                band = of_joint.survival_at(arm, at, level / 100)
                held[level] += int(((band["lower"] <= own + 1e-9) & (own - 1e-9 <= band["upper"])).sum())
            points += at.size
            errors["joint"].append(float(np.abs(of_joint.survival_at(arm, at)["mean"] - own).mean()))
            errors["single"].append(float(np.abs(single.survival_at(arm, at)["mean"] - own).mean()))
    return row | {
        "points": points,
        "held90": held[90],
        "held50": held[50],
        "joint": float(np.mean(errors["joint"])),
        "single": float(np.mean(errors["single"])),
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum up what `evaluate` found."""
    solved = [row for row in rows if not row["error"]]
    points = sum(row["points"] for row in solved)
    return {
        "trials": len(rows),
        "refused": len(rows) - len(solved),
        "faithful": min(row["faithful"] for row in solved),
        "nested": all(row["nested"] for row in solved),
        "trials with clashes": sum(row["clashes"] for row in solved),
        "half distinct": sum(row["distinct"] >= 0.5 for row in solved) / len(solved),
        "cover 90": round(sum(row["held90"] for row in solved) / points, 3),
        "cover 50": round(sum(row["held50"] for row in solved) / points, 3),
        "mean IAE, joint": round(float(np.mean([row["joint"] for row in solved])), 4),
        "mean IAE, single": round(float(np.mean([row["single"] for row in solved])), 4),
        "slowest, seconds": max(row["seconds"] for row in rows),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ends", action="store_true", help="central review ends at the local progression")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="keep the rows here, and go on from those it has")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.trials)
    rows = rows_of(evaluate, seeds, given.rows, "trial", members=given.members, ends=given.ends)
    if given.json:
        print(json.dumps(rows))
        return
    for row in rows:
        if row["error"] or row["distinct"] < 0.5 or row["faithful"] < 1:
            print({name: row.get(name) for name in ("seed", "n", "error", "distinct", "faithful", "seconds")})
    print(json.dumps(summary(rows), indent=2))


if __name__ == "__main__":
    main()
