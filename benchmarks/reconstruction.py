"""How well curves are reconstructed from what papers print: accuracy, fidelity and calibration on real figures.

    python benchmarks/reconstruction.py --summaries summaries.csv --ipd ipd.csv.gz --tier summary

The shape prior is fitted anew for each fold of papers, so that it never sees the paper that it predicts; ``--prior``
evaluates a given prior, or the shipped one, as it is. The main figures are those with both medians reached; the others
stand apart. A figure that fails is scored with the largest error that a curve can have.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pandas as pd
from fit_prior import fit_prior
from reconstruction_baselines import BASELINES
from reconstruction_figures import TIERS, Figure, Tier, folds_by_paper, read_figures
from reconstruction_metrics import Score, score, summarise
from reconstruction_reports import evaluate
from tqdm.auto import tqdm

from analysis.reconstruction import ShapePrior

if TYPE_CHECKING:
    from collections.abc import Iterator


def tasks(figures: list[Figure], tier: Tier, prior: str | None, folds: int) -> Iterator[tuple[Figure, Any]]:
    """Each figure with the prior that may predict it; None means the shipped one."""
    if tier == "curve" or prior == "shipped":
        yield from ((figure, None) for figure in figures)
    elif prior is not None:
        yield from ((figure, ShapePrior.load(prior)) for figure in figures)
    else:
        for training, held_out in folds_by_paper(figures, folds):
            fitted = fit_prior(training)
            yield from ((figure, fitted) for figure in held_out)


def run(
    figures: list[Figure],
    tier: Tier,
    *,
    prior: str | None = None,
    folds: int = 5,
    members: int = 500,
    seed: int = 1,
    limit: int | None = None,
    jobs: int = 2,
) -> dict[str, Score]:
    """Scores by figure, in the order of the figures; the same for any number of jobs, times apart."""
    chosen = {figure.id for figure in figures[:limit]}
    work = [task for task in tasks(figures, tier, prior, folds) if task[0].id in chosen]
    call = partial(_evaluate_task, tier=tier, members=members, seed=seed)
    progress = partial(tqdm, total=len(work), desc=tier, unit="figure", file=sys.stderr)
    if jobs == 1:
        scores = list(progress(map(call, work)))
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            scores = list(progress(pool.map(call, work)))
    by_figure = {figure.id: result for (figure, _), result in zip(work, scores, strict=True)}
    return {figure.id: by_figure[figure.id] for figure in figures[:limit]}


def figures_of_merit(figures: list[Figure], scores: dict[str, Score]) -> dict[str, Any]:
    """Return the object that ``--json`` prints: the method and its baselines, medians reached and not reached."""

    def of(reached: bool) -> dict[str, Any]:
        chosen = [figure for figure in figures if figure.id in scores and figure.medians_reached == reached]
        baselines = {name: [score(figure, fit(figure)) for figure in chosen] for name, fit in BASELINES.items()}
        return {
            **summarise([scores[figure.id] for figure in chosen]),
            "baselines": {name: summarise(baseline) for name, baseline in baselines.items()},
        }

    return {**of(True), "not_reached": of(False)}


def table(merit: dict[str, Any]) -> pd.DataFrame:
    """One row per method, the reconstruction first, with dRMST also as a ratio to the exponential's."""
    frame = pd.DataFrame({"reconstruction": merit, **merit["baselines"]}).T.drop(
        columns=["baselines", "not_reached"], errors="ignore"
    )
    frame["drmst_ratio"] = frame["drmst_median"] / frame.loc["exponential", "drmst_median"]
    return frame


def _evaluate_task(task: tuple[Figure, Any], *, tier: Tier, members: int, seed: int) -> Score:
    figure, prior = task
    return evaluate(figure, tier, members=members, rng=seed, prior=prior)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--summaries", required=True, metavar="CSV", help="statistics, one row per figure")
    parser.add_argument("--ipd", required=True, metavar="CSV.GZ", help="patients of the figures")
    parser.add_argument("--tier", choices=TIERS, default="summary", help="what the paper prints (default: %(default)s)")
    parser.add_argument("--folds", type=int, default=5, help="folds of papers (default: %(default)s)")
    parser.add_argument("--prior", metavar="FILE|shipped", help="evaluate this prior instead of fitting one per fold")
    parser.add_argument("--members", type=int, default=500, help="members per ensemble (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of every reconstruction (default: %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N figures, for a quick look")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--by-figure", metavar="CSV", help="also write the distances of each figure")
    args = parser.parse_args(argv)

    figures = read_figures(args.summaries, args.ipd)
    scores = run(
        figures,
        args.tier,
        prior=args.prior,
        folds=args.folds,
        members=args.members,
        seed=args.seed,
        limit=args.limit,
        jobs=args.jobs,
    )
    for name, result in scores.items():
        if result.failed is not None:
            print(f"failed: {name}: {result.failed}", file=sys.stderr)
    if args.by_figure:
        by_figure(figures, scores).to_csv(args.by_figure, index=False)
    merit = figures_of_merit(figures, scores)
    if args.json:
        print(json.dumps(merit))
        return 0
    for title, part in (("both medians reached", merit), ("a median not reached", merit["not_reached"])):
        if part["figures"]:
            print(f"\n{args.tier}, {title}\n{table(part).T.to_string(float_format='{:.4f}'.format, na_rep='')}")
    return 0


def by_figure(figures: list[Figure], scores: dict[str, Score]) -> pd.DataFrame:
    """One row per figure, the means of its arms."""
    rows = [
        {
            "id": figure.id,
            "endpoint": figure.endpoint,
            "medians_reached": figure.medians_reached,
            "iae": sum(result.iae) / 2,
            "drmst": result.drmst,
            "s12": sum(result.s12) / len(result.s12) if result.s12 else None,
            "fidelity": result.fidelity,
            "coverage_90": result.coverage[90],
            "seconds": result.seconds,
            "failed": result.failed,
        }
        for figure in figures
        if (result := scores.get(figure.id)) is not None
    ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
