"""Reports computed from random data sets: each is possible, because there are patients that gave it.

    python benchmarks/generated_reports.py [--reports 2000] [--members 500] [--seed 1] [--rows FILE] [--json]

Says how many were not solved, how long the slowest took, and how often the bands hold the data's own curve, by kind of
truth. Points count where at least half of the members are distinct and the data's own curve is neither 0 nor 1 nor
past its end.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rows import rows_of

from analysis import reconstruct
from analysis.errors import NotEstimableError
from analysis.reported import AtRisk, Landmark, ReportedArm, ReportedComparison, ReportedInterval
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.survival.estimators import KaplanMeier, kaplan_meier, reverse_kaplan_meier

KINDS = ("exponential", "Weibull", "log-normal", "mixture", "cured")
GRID = np.linspace(0.05, 0.95, 10)  # of the data's own follow-up, where the bands are looked at


@dataclass(frozen=True)
class DataSet:
    """Patients of a trial, arms in order, the control first."""

    kind: str
    timing: str
    times: tuple[np.ndarray, ...]
    events: tuple[np.ndarray, ...]

    @property
    def curves(self) -> list[KaplanMeier]:
        """Kaplan-Meier curve of each arm."""
        return [kaplan_meier(t, e) for t, e in zip(self.times, self.events, strict=True)]


def draw_data_set(rng: np.random.Generator) -> DataSet:
    """Draw the patients of a trial: one to three arms of 5 to 800, times exact, in days or at visits."""
    arms = int(rng.choice([1, 2, 2, 2, 3]))
    kind = str(rng.choice(KINDS))
    median = np.exp(rng.uniform(np.log(2), np.log(40)))
    shape, cured, mixed = rng.uniform(0.6, 2.0), rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.6)
    accrual, after = rng.uniform(4, 30), rng.uniform(0.2, 2.5) * median
    timing = str(rng.choice(["exact", "days", "visits"]))
    interval = rng.uniform(1.2, 3.0)
    times, events = [], []
    for arm in range(arms):
        n = int(np.exp(rng.uniform(np.log(5), np.log(800))))
        ratio = 1.0 if arm == 0 else float(np.exp(rng.normal(-0.2, 0.4)))
        hazard = rng.exponential(size=n) / ratio
        if kind == "exponential":
            failure = median * hazard / np.log(2)
        elif kind == "Weibull":
            failure = median * (hazard / np.log(2)) ** (1 / shape)
        elif kind == "log-normal":
            failure = median * ratio**-0.7 * np.exp(rng.normal(0, 0.5 + 0.6 * shape, n))
        elif kind == "mixture":
            slow = rng.random(n) < mixed
            failure = np.where(slow, 3.0, 0.6) * median * hazard / np.log(2)
        else:
            failure = np.where(rng.random(n) < cured, np.inf, 0.7 * median * hazard / np.log(2))
        followed = after + accrual * rng.random(n)
        lost = rng.exponential(1 / rng.choice([0.002, 0.01]), n)
        end = np.minimum(followed, lost)
        if timing == "visits" and interval < 0.8 * median:  # seen at the next visit, or last seen at the one before
            visit = np.ceil(failure / interval) * interval + rng.normal(0, 0.05 * interval, n)
            failure = np.where(rng.random(n) < 0.15, failure, np.maximum(visit, 0.1))
        t, e = np.minimum(failure, end), failure <= end
        if timing == "days":
            t = np.maximum(np.round(t * 30.4375), 1) / 30.4375
        times.append(np.maximum(t, 0.03))
        events.append(e)
    return DataSet(kind, timing, tuple(times), tuple(events))


def draw_report(data: DataSet, rng: np.random.Generator) -> ReportedComparison:
    """Print any part of what the data give, with any number of digits."""
    names = [f"arm {k}" for k in range(len(data.times))]
    digits = int(rng.choice([1, 2]))
    of_all = {name: bool(rng.random() < 0.5) for name in ("ci", "risk", "rates", "events", "quartiles", "follow-up")}
    scale = str(rng.choice(["log-log", "log", "plain"]))
    arms = []
    for name, t, e, curve in zip(names, data.times, data.events, data.curves, strict=True):
        limits = curve.quantile_ci(0.5, 0.95, scale=scale)
        ticks = np.arange(0.0, t.max(), max(1.0, np.ceil(t.max() / 8)))
        counts = tuple(int((t >= tick - 1e-9).sum()) for tick in ticks)
        marks = [m for m in (6.0, 12.0, 24.0) if m < t.max() and 0.02 < float(curve.survival_at(m)) < 0.98]
        followed = reverse_kaplan_meier(t, e).median()
        arms.append(
            ReportedArm(
                name,
                n=t.size,
                events=int(e.sum()) if of_all["events"] else None,
                median=_printed(curve.median(), digits) if rng.random() < 0.9 else None,
                median_ci=ReportedInterval.of(tuple(_printed(x, digits) for x in limits), "months", "ci")
                if of_all["ci"] and all(np.isfinite(x) or x == np.inf for x in limits)
                else None,
                landmarks=tuple(Landmark(f"{m:.0f}", f"{100 * float(curve.survival_at(m)):.1f}%") for m in marks)
                if of_all["rates"]
                else (),
                at_risk=AtRisk(tuple(ticks.tolist()), counts) if of_all["risk"] else None,
                median_follow_up=_printed(followed, 1)
                if of_all["follow-up"] and np.isfinite(followed) and followed > 0.1
                else None,
            )
        )
    more: dict[str, Any] = {}
    if len(arms) == 2:
        experimental = np.repeat([False, True], [t.size for t in data.times])
        time, event = np.concatenate(data.times), np.concatenate(data.events)
        try:
            cox = CoxHazardRatio().analyse(time, event, experimental)
            p = LogRank().analyse(time, event, experimental).p_two_sided
        except NotEstimableError:
            cox, p = None, None
        if cox is not None and 0.05 < cox.estimate < 10 and np.isfinite(cox.upper) and cox.upper < 50:
            ratio = [f"{x:.2f}" for x in (cox.estimate, cox.lower, cox.upper)]
            if rng.random() < 0.7 and float(ratio[1]) > 0:
                more["hazard_ratio"] = tuple(ratio) if rng.random() < 0.7 else ratio[0]
            if rng.random() < 0.5 and p is not None and np.isfinite(p):
                places = int(rng.choice([2, 3, 4]))
                more["p_value"] = f"{p:.{places}f}" if p >= 10.0**-places else f"< {10.0**-places:.{places}f}"
    if rng.random() < 0.5:
        more["events_total"] = int(sum(int(e.sum()) for e in data.events))
    return ReportedComparison("PFS", arms, control=names[0] if len(arms) > 1 else None, **more)


def _printed(months: float, digits: int) -> str:
    return f"{months:.{digits}f}" if np.isfinite(months) else "not reached"


def evaluate(seed: int, members: int, threads: int = 1) -> dict[str, Any]:
    """Draw one data set, print a report of it and reconstruct it."""
    rng = np.random.default_rng([2026, seed])
    data = draw_data_set(rng)
    report = draw_report(data, rng)
    row: dict[str, Any] = {"seed": seed, "kind": data.kind, "timing": data.timing, "error": ""}
    start = time.perf_counter()
    try:
        result = reconstruct(report, members, rng=seed, threads=threads)
    except Exception as error:  # counted, whatever it is
        row |= {"error": f"{type(error).__name__}: {error}"[:2000], "seconds": time.perf_counter() - start}
        return row
    row["seconds"] = time.perf_counter() - start
    row["drawn"], row["distinct"] = result.diagnostics["met"], result.diagnostics["distinct members"] / members
    held = {0.9: 0, 0.5: 0}
    points = 0
    for arm, t, curve in zip(result.arms, data.times, data.curves, strict=True):
        at = GRID * t.max()
        own = curve.survival_at(at)
        open_ = (own > 0) & (own < 1)
        points += int(open_.sum())
        for level in held:
            band = result.survival_at(arm, at, level)
            inside = (band["lower"].to_numpy() <= own + 1e-9) & (own - 1e-9 <= band["upper"].to_numpy())
            held[level] += int((inside & open_).sum())
    return row | {"points": points, "held90": held[0.9], "held50": held[0.5]}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Count what was not solved, and by kind of truth how often the bands hold."""
    solved = [row for row in rows if not row["error"]]
    by: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in solved:
        if row["distinct"] >= 0.5:
            by[row["kind"]].append(row)
            by[row["timing"]].append(row)
            by["all"].append(row)
    cover = {
        name: {
            level: round(sum(row[f"held{level}"] for row in group) / max(sum(row["points"] for row in group), 1), 3)
            for level in (90, 50)
        }
        for name, group in sorted(by.items())
    }
    return {
        "reports": len(rows),
        "refused": len(rows) - len(solved),
        "half distinct": sum(row["distinct"] >= 0.5 for row in solved) / max(len(solved), 1),
        "half drawn": sum(row["drawn"] >= 0.5 for row in solved) / max(len(solved), 1),
        "slowest, seconds": max(row["seconds"] for row in rows),
        "coverage": cover,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=2000)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=Path, metavar="FILE", help="keep the rows here, and go on from those it has")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.reports)
    rows = rows_of(evaluate, seeds, given.rows, "report", members=given.members)
    if given.json:
        print(json.dumps(rows))
        return
    for row in rows:
        if row["error"]:
            print(f"seed {row['seed']} ({row['kind']}, {row['timing']}): {row['error'][:300]}")
    print(json.dumps(summary(rows), indent=2))


if __name__ == "__main__":
    main()
