"""Fits the shape prior to the patients behind published figures, and writes its parameter file.

    python benchmarks/fit_prior.py --summaries summaries.csv --ipd ipd.csv.gz --out analysis/reconstruction/prior.json

A figure's log hazards of event, in intervals of the trial's own median, are Gaussian around the mean of their
endpoint, which follows a trend with the log of that median; the counts of events in the intervals are Poisson given
them. Figures in which a median was not reached give a second prior, in intervals of their median follow-up. Means,
trends and covariances are fitted by
expectation-maximisation with Laplace's approximation. The two arms enter by their half-sum and half-difference, which
are independent when the arms are exchangeable. Follow-up is fitted the same way, with censorings as the events.
An endpoint's parameters shrink towards those of all figures together.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from reconstruction_figures import Figure, read_figures

from analysis.reconstruction.prior import (
    FOLLOW_UP_EDGES,
    SHAPE_EDGES,
    EndpointPrior,
    PairPrior,
    ShapePrior,
    family,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 30
NEWTON_STEPS = 25
HALVINGS = 20
CONVERGED = 1e-4
LARGEST_HAZARD = 8.0  # cumulative, of one interval: e^-8 of those at risk pass it
START_WEIGHT = 4.0  # figures that the smooth starting covariance counts for
LEAST_IMMATURE = 10  # figures with a median not reached; with fewer, all stand for them
TREND_WEIGHT = 4.0  # figures without a trend that are added, a factor of e from the centre
POOL_WEIGHT_MEAN = 8.0  # figures that the mean of all endpoints counts for in an endpoint's own
POOL_WEIGHT_COVARIANCE = 25.0

Arms = list[tuple[np.ndarray, np.ndarray]]  # months and event flags of the two arms of a figure


def fit_prior(figures: Sequence[Figure], provenance: dict[str, str] | None = None) -> ShapePrior:
    """Prior by endpoint, and of all endpoints together under ``default``."""
    groups = np.array([family(figure.endpoint) for figure in figures])
    events = [[(arm.time, arm.event) for arm in figure.arms] for figure in figures]
    censored = [[(time, ~event) for time, event in arms] for arms in events]
    shape, median = fit_pairs(events, groups, SHAPE_EDGES)
    follow_up, length = fit_pairs(censored, groups, FOLLOW_UP_EDGES)
    open_ = np.array([not figure.medians_reached for figure in figures])
    if open_.sum() < LEAST_IMMATURE:
        open_[:] = True
    immature, _ = fit_pairs([events[i] for i in np.flatnonzero(open_)], groups[open_], SHAPE_EDGES, length[open_])
    log_ratio = np.log(length / median)
    endpoints = {}
    for name in shape:
        chosen = groups == name if name != "default" else np.ones(len(groups), dtype=bool)
        spread = (float(log_ratio[chosen].mean()), float(log_ratio[chosen].std()))
        endpoints[name] = EndpointPrior(
            shape[name], immature.get(name, immature["default"]), follow_up[name], spread, int(chosen.sum())
        )
    return ShapePrior(endpoints, provenance or {})


def fit_pairs(
    arms: Sequence[Arms], groups: np.ndarray, edges: np.ndarray, unit: np.ndarray | None = None
) -> tuple[dict[str, PairPrior], np.ndarray]:
    """Priors by group, and the unit of time of each figure.

    The unit is the time at which the arms' mean cumulative hazard is log 2, unless another one is given.
    """
    scale = np.array([_pooled_median(pair) for pair in arms]) if unit is None else unit
    start = _start(edges, float(np.log(scale).mean()))
    pool = start
    mode = None
    for _ in range(ROUNDS):
        counts, exposure = _counts(arms, scale, edges)
        mode, covariance = _posterior(counts, exposure, np.log(scale), pool, mode)
        pool = _update(mode, covariance, np.log(scale), start, 0.0, START_WEIGHT)
        if unit is None:
            scale = scale * _time_of_log_2(mode, edges)
    priors = {"default": pool}
    for name in np.unique(groups[groups != "default"]):
        chosen = np.flatnonzero(groups == name)
        log_scale = np.log(scale[chosen])
        counts, exposure = _counts([arms[i] for i in chosen], scale[chosen], edges)
        own, mode = pool, None
        for _ in range(ROUNDS):
            mode, covariance = _posterior(counts, exposure, log_scale, own, mode)
            own = _update(mode, covariance, log_scale, pool, POOL_WEIGHT_MEAN, POOL_WEIGHT_COVARIANCE)
        priors[str(name)] = own
    return priors, scale


def _start(edges: np.ndarray, centre: float) -> PairPrior:
    """Smooth covariances around a constant hazard of log 2."""
    size = edges.size
    middle = np.log(np.append((edges[:-1] + edges[1:]) / 2, edges[-1] * 1.3))
    smooth = np.exp(-((middle[:, None] - middle[None, :]) ** 2) / 2 / 0.8**2)
    shared = 0.2 * smooth + 0.01 * np.eye(size)
    difference = 0.04 + 0.02 * smooth + 0.004 * np.eye(size)
    return PairPrior(edges, np.full(size, np.log(np.log(2))), np.zeros(size), centre, shared, difference)


def _pooled_median(arms: Arms) -> float:
    """Median of both arms together; an exponential's if it is not reached."""
    time, event = (np.concatenate(parts) for parts in zip(*arms, strict=True))
    order = np.lexsort((~event, time))
    hazard = np.cumsum(event[order] / np.arange(time.size, 0, -1))
    first = int(np.searchsorted(hazard, np.log(2)))
    if first < time.size:
        return float(time[order][first])
    return float(np.log(2) * time.sum() / max(event.sum(), 0.5))


def _counts(arms: Sequence[Arms], scale: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Events and exposure, in units of each figure's scale, shape (figures, 2, intervals)."""
    counts = np.zeros((len(arms), 2, edges.size))
    exposure = np.zeros_like(counts)
    ends = np.append(edges, np.inf)
    for i, pair in enumerate(arms):
        for k, (time, event) in enumerate(pair):
            scaled = time / scale[i]
            exposure[i, k] = np.clip(np.minimum(scaled[:, None], ends[1:]) - edges, 0, None).sum(axis=0)
            counts[i, k] = np.histogram(scaled[event], ends)[0]
    # all who are left may be censored on the day of the data cut, just behind an edge: their exposure there is nearly 0
    np.maximum(exposure, counts * np.append(np.diff(edges), 1.0) / LARGEST_HAZARD, out=exposure)
    return counts, exposure


def _posterior(
    counts: np.ndarray, exposure: np.ndarray, log_scale: np.ndarray, prior: PairPrior, start: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mode and covariance of each figure's (half-sum, half-difference) of log hazards, by Newton's method."""
    figures, _, size = counts.shape
    precision = np.zeros((2 * size, 2 * size))
    precision[:size, :size] = np.linalg.inv(prior.shared)
    precision[size:, size:] = np.linalg.inv(prior.difference)
    mean = np.hstack([_means(prior.mean, prior.trend, log_scale - prior.centre), np.zeros((figures, size))])
    eye = np.eye(size)
    to_arms = np.block([[eye, -eye], [eye, eye]])
    events, time = counts.reshape(figures, -1), exposure.reshape(figures, -1)

    def objective(x: np.ndarray) -> np.ndarray:
        log_rate = x @ to_arms.T
        with np.errstate(over="ignore"):  # of a step that is too long, and is shortened
            likelihood = (events * log_rate - time * np.exp(log_rate)).sum(axis=1)
        return np.asarray(likelihood - 0.5 * np.einsum("fi,ij,fj->f", x - mean, precision, x - mean))

    mode = mean.copy() if start is None else start
    reached = objective(mode)
    for _ in range(NEWTON_STEPS):
        rate = time * np.exp(mode @ to_arms.T)
        gradient = (events - rate) @ to_arms - (mode - mean) @ precision
        hessian = (to_arms.T * rate[:, None, :]) @ to_arms + precision
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        share = np.ones(figures)
        for _ in range(HALVINGS):  # the objective is concave, so that some share of a Newton step improves it
            worse = objective(mode + share[:, None] * step) < reached
            if not worse.any():
                break
            share[worse] /= 2
        mode = mode + np.where(worse, 0.0, share)[:, None] * step
        reached = objective(mode)
        if np.abs(share[:, None] * step).max() < CONVERGED:
            break
    rate = time * np.exp(mode @ to_arms.T)
    return mode, np.linalg.inv((to_arms.T * rate[:, None, :]) @ to_arms + precision)


def _update(
    mode: np.ndarray,
    covariance: np.ndarray,
    log_scale: np.ndarray,
    base: PairPrior,
    weight_of_mean: float,
    weight: float,
) -> PairPrior:
    """Mean, trend and covariances that the posteriors support, with ``base`` as so many figures more."""
    figures, size = len(mode), base.mean.size
    shared_mode, apart = mode[:, :size], mode[:, size:]
    along = log_scale - base.centre
    around_base = shared_mode - _means(base.mean, base.trend, along)
    penalty = np.diag([weight_of_mean, max(weight_of_mean, TREND_WEIGHT)])
    rows = np.column_stack([np.ones(figures), along])
    shift, turn = np.linalg.solve(rows.T @ rows + penalty, rows.T @ around_base)
    mean, trend = base.mean + shift, base.trend + turn
    around = shared_mode - _means(mean, trend, along)
    shared = around.T @ around + covariance[:, :size, :size].sum(axis=0) + weight * base.shared
    difference = apart.T @ apart + covariance[:, size:, size:].sum(axis=0) + weight * base.difference
    return PairPrior(base.edges, mean, trend, base.centre, shared / (figures + weight), difference / (figures + weight))


def _means(mean: np.ndarray, trend: np.ndarray, along: np.ndarray) -> np.ndarray:
    return np.asarray(mean + along[:, None] * trend)


def _time_of_log_2(mode: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Where the arms' mean cumulative hazard reaches log 2, in units of the present scale."""
    size = edges.size
    half_sum, half_difference = mode[:, :size], mode[:, size:]
    hazard = (np.exp(half_sum - half_difference) + np.exp(half_sum + half_difference)) / 2
    reached = np.cumsum(hazard[:, :-1] * np.diff(edges), axis=1)
    cumulative = np.concatenate([np.zeros((len(mode), 1)), reached], axis=1)
    interval = (cumulative <= np.log(2)).sum(axis=1) - 1
    rows = np.arange(len(mode))
    return np.asarray(edges[interval] + (np.log(2) - cumulative[rows, interval]) / hazard[rows, interval])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--summaries", required=True, metavar="CSV", help="statistics, one row per figure")
    parser.add_argument("--ipd", required=True, metavar="CSV.GZ", help="patients of the figures")
    parser.add_argument("--out", required=True, metavar="FILE", help="parameter file to write")
    parser.add_argument("--origin", default="", help="where the figures come from, with version and licence")
    args = parser.parse_args(argv)
    figures = read_figures(args.summaries, args.ipd)
    families = [family(figure.endpoint) for figure in figures]
    provenance = {
        "origin": args.origin,
        "script": "benchmarks/fit_prior.py",
        "date": date.today().isoformat(),
        "papers": str(len({figure.pmid for figure in figures})),
        "figures": str(len(figures)),
        "arms": ", ".join(f"{name} {2 * families.count(name)}" for name in sorted(set(families))),
        "content": "means and covariances of log hazards; no curve and no patient",
    }
    fit_prior(figures, provenance).save(Path(args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
