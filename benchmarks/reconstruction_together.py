"""Two endpoints of the same patients, reconstructed together and one at a time, on real figures.

    python benchmarks/reconstruction_together.py --summaries summaries.csv --ipd ipd.csv.gz --tier summary

Taken are the papers that show two figures of the same arms with the same numbers of patients, of which one endpoint
cannot come after the other: progression-free, disease-free or event-free survival and overall survival. Each figure is
scored as by ``reconstruction.py``, with a prior that never saw its paper.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from fit_prior import fit_prior
from reconstruction_figures import TIERS, Figure, Tier, folds_by_paper, read_figures
from reconstruction_metrics import Score, score
from reconstruction_reports import ReconstructedCurves, report
from tqdm.auto import tqdm

import analysis
from analysis.errors import AnalysisError
from analysis.survival.estimators import reverse_kaplan_meier

if TYPE_CHECKING:
    from analysis.reconstruction import ShapePrior

LEVELS = (50, 90)  # per cent
TOGETHER = 0.15  # of the log of the last follow-up, by which two curves may differ that end together


EARLIER = ("PFS", "DFS", "EFS", "RFS", "DMFS", "TTP", "TTF")  # endpoints that death ends


def pairs_of(figures: list[Figure]) -> list[tuple[Figure, Figure]]:
    """Figures of the same patients, the earlier endpoint first."""
    return [
        (first, second)
        for first in figures
        for second in figures
        if first.pmid == second.pmid
        and first.endpoint in EARLIER
        and second.endpoint == "OS"
        and [arm.n for arm in first.arms] == [arm.n for arm in second.arms]
    ]


def longer_followed(pairs: list[tuple[Figure, Figure]]) -> list[float]:
    """How many times as long the later endpoint is followed, by median, where both curves end together, within 15%."""
    ratios = []
    for pair in pairs:
        last = [max(arm.follow_up for arm in figure.arms) for figure in pair]
        if abs(np.log(last[1] / last[0])) < TOGETHER:
            first, second = (
                reverse_kaplan_meier(*(np.concatenate(each) for each in zip(*_observed(figure), strict=True))).median()
                for figure in pair
            )
            if np.isfinite(first) and np.isfinite(second):
                ratios.append(second / first)
    return sorted(ratios)


def _observed(figure: Figure) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(arm.time, arm.event) for arm in figure.arms]


def evaluate(
    task: tuple[tuple[Figure, Figure], ShapePrior], *, tier: Tier, members: int, seed: int
) -> list[dict[str, Any]]:
    """Reconstruct two figures both ways; one row for each figure."""
    figures, prior = task
    reports = [replace(report(figure, tier), id=figure.id) for figure in figures]
    options: dict[str, Any] = {"members": members, "rng": seed, "prior": prior, "threads": 1}
    try:
        trial = analysis.reconstruct(reports, **options)
    except AnalysisError as error:
        return [{"id": figure.id, "failed": f"{type(error).__name__}: {error}"[:300]} for figure in figures]
    rows = []
    for figure, own in zip(figures, reports, strict=True):
        together = score(figure, ReconstructedCurves(trial.analysis(figure.id)))
        single = score(figure, ReconstructedCurves(analysis.reconstruct(own, **options)))
        row = {"id": figure.id, "endpoint": figure.endpoint, "n": sum(arm.n for arm in figure.arms), "failed": None}
        row |= {"distinct": trial.diagnostics["distinct members"] / members, "faithful": float(trial.faithful.mean())}
        rows.append(row | _named("together", together) | _named("single", single))
    return rows


def _named(how: str, found: Score) -> dict[str, Any]:
    return {f"{how}_iae": float(np.mean(found.iae))} | {f"{how}_{level}": found.coverage[level] for level in LEVELS}


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the figures that were solved, for the earlier endpoint, overall survival, and both."""
    solved = rows[rows["failed"].isna()]
    of_death = solved["endpoint"] == "OS"
    parts = {"earlier endpoint": solved[~of_death], "OS": solved[of_death], "both": solved}
    means = {
        name: {"figures": len(part)} | part.drop(columns=["id", "endpoint", "n", "failed"]).mean().to_dict()
        for name, part in parts.items()
    }
    return pd.DataFrame(means)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--summaries", required=True, metavar="CSV", help="statistics, one row per figure")
    parser.add_argument("--ipd", required=True, metavar="CSV.GZ", help="patients of the figures")
    parser.add_argument("--tier", choices=[tier for tier in TIERS if tier != "curve"], default="summary")
    parser.add_argument("--folds", type=int, default=5, help="folds of papers (default: %(default)s)")
    parser.add_argument("--members", type=int, default=100, help="members per ensemble (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of every reconstruction (default: %(default)s)")
    parser.add_argument("--largest", type=int, default=1500, help="leave out trials of more patients")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pairs, for a quick look")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON instead of a table")
    given = parser.parse_args(argv)
    figures = read_figures(given.summaries, given.ipd)
    tasks = []
    for training, held_out in folds_by_paper(figures, given.folds):
        pairs = [pair for pair in pairs_of(held_out) if sum(arm.n for arm in pair[0].arms) <= given.largest]
        prior = fit_prior(training) if pairs else None
        tasks += [(pair, prior) for pair in pairs]
    work = tasks[: given.limit]
    call = partial(evaluate, tier=given.tier, members=given.members, seed=given.seed)
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        found = tqdm(pool.map(call, work), total=len(work), unit="trial", desc=given.tier, file=sys.stderr)
        rows = pd.DataFrame([row for pair in found for row in pair])
    for row in rows[rows["failed"].notna()].itertuples():
        print(f"failed: {row.id}: {row.failed}", file=sys.stderr)
    if given.json:
        print(json.dumps(rows.to_dict("records")))
        return 0
    print(table(rows).to_string(float_format="{:.4f}".format))
    for kind in sorted({first.endpoint for first, _ in pairs_of(figures)}):
        ratios = longer_followed([pair for pair in pairs_of(figures) if pair[0].endpoint == kind])
        if ratios:
            more = sum(ratio > 1.5 for ratio in ratios)
            print(f"OS followed for {np.median(ratios):.2f} times as long as {kind} ({len(ratios)}; {more} above 1.5)")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
