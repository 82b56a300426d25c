"""Fits the shape prior to the patients of earlier trials, by expectation-maximisation on Poisson counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from reconstruction_figures import Figure

from analysis.reconstruction.prior import (
    FOLLOW_UP_EDGES,
    SHAPE_EDGES,
    EndpointPrior,
    PairPrior,
    ShapePrior,
    family,
)

Array = NDArray[np.float64]
ROUNDS = 30
WEIGHT_OF_POOL = {"mean": 8.0, "covariance": 25.0}


def fit_prior(figures: Sequence[Figure], provenance: dict[str, str] | None = None) -> ShapePrior:
    """Prior by endpoint from the patients of published figures.

    Each figure's log hazards are Gaussian around their endpoint's mean; the counts of events in intervals of
    the trial's own median are Poisson given them. The means and covariances are fitted by
    expectation-maximisation with Laplace's approximation; endpoints shrink towards all figures together.
    """
    groups = np.array([family(f.endpoint) for f in figures])
    events = [[(arm.time, arm.event) for arm in f.arms] for f in figures]
    censored = [[(t, ~e) for t, e in arms] for arms in events]
    shape, scale = _fit(events, groups, SHAPE_EDGES)
    follow_up, length = _fit(censored, groups, FOLLOW_UP_EDGES)
    ratio = np.log(length / scale)
    endpoints = {}
    for name in shape:
        chosen = np.ones(len(groups), bool) if name == "default" else groups == name
        spread = (float(np.mean(ratio[chosen])), float(np.std(ratio[chosen])))
        endpoints[name] = EndpointPrior(shape[name], follow_up[name], spread, int(chosen.sum()))
    return ShapePrior(endpoints, provenance or {})


def _fit(arms: list[list[tuple[Array, NDArray[np.bool_]]]], groups: NDArray[np.str_], edges: Array):
    scale = np.array([_pooled_median(a) for a in arms])
    pool = _start(edges)
    posterior = None
    for _ in range(ROUNDS):
        counts, exposure = _counts(arms, scale, edges)
        posterior = _posterior(counts, exposure, pool, np.zeros(len(arms), int))
        pool = _update([posterior], edges, None)
        scale = scale * _median_of(posterior[0], edges)
    by_name = {"default": pool}
    for name in np.unique(groups[groups != "default"]):
        chosen = groups == name
        counts, exposure = _counts([a for a, c in zip(arms, chosen, strict=True) if c], scale[chosen], edges)
        own = pool
        for _ in range(ROUNDS):
            own = _update([_posterior(counts, exposure, own, None)], edges, pool)
        by_name[str(name)] = own
    return by_name, scale


def _start(edges: Array) -> PairPrior:
    middle = np.log(np.append((edges[:-1] + edges[1:]) / 2, edges[-1] * 1.3))
    distance = (middle[:, None] - middle[None, :]) ** 2
    smooth = np.exp(-distance / 2 / 0.8**2)
    ident = np.eye(len(edges))
    return PairPrior(
        edges, np.full(len(edges), np.log(np.log(2))), 0.2 * smooth + 0.01 * ident, 0.04 + 0.02 * smooth + 0.004 * ident
    )


def _pooled_median(arms) -> float:
    time = np.concatenate([t for t, _ in arms])
    event = np.concatenate([e for _, e in arms])
    order = np.lexsort((~event, time))
    at_risk = np.arange(len(time), 0, -1)
    hazard = np.cumsum(event[order] / at_risk)
    k = np.searchsorted(hazard, np.log(2))
    if k < len(time):
        return float(time[order][k])
    return float(np.log(2) * time.sum() / max(event.sum(), 0.5))


def _counts(arms, scale: Array, edges: Array) -> tuple[Array, Array]:
    counts = np.zeros((len(arms), 2, len(edges)))
    exposure = np.zeros_like(counts)
    upper = np.append(edges[1:], np.inf)
    for i, pair in enumerate(arms):
        for k, (time, event) in enumerate(pair):
            v = time / scale[i]
            exposure[i, k] = np.clip(np.minimum(v[:, None], upper) - edges, 0, None).sum(0)
            counts[i, k] = np.histogram(v[event], np.append(edges, np.inf))[0]
    return counts, exposure


def _posterior(counts: Array, exposure: Array, prior: PairPrior, _):
    """Mode and covariance of (half-sum, half-difference) of each figure's log hazards, by Newton's method."""
    n, _, size = counts.shape
    precision = np.zeros((2 * size, 2 * size))
    precision[:size, :size] = np.linalg.inv(prior.shared)
    precision[size:, size:] = np.linalg.inv(prior.difference)
    mean = np.concatenate([prior.mean, np.zeros(size)])
    turn = np.block([[np.eye(size), -np.eye(size)], [np.eye(size), np.eye(size)]])
    d = counts.reshape(n, -1)
    r = exposure.reshape(n, -1)
    z = np.tile(mean, (n, 1))
    for _step in range(12):
        rate = r * np.exp(z @ turn.T)
        gradient = (d - rate) @ turn - (z - mean) @ precision
        hessian = np.einsum("ji,nj,jk->nik", turn, rate, turn) + precision
        z = z + np.clip(np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0], -1, 1)
    return z, np.linalg.inv(hessian)


def _update(posteriors, edges: Array, pool: PairPrior | None) -> PairPrior:
    z, covariance = posteriors[0]
    n, size = len(z), len(edges)
    base = _start(edges) if pool is None else pool
    weight = 4.0 if pool is None else WEIGHT_OF_POOL["covariance"]
    weight_mean = 0.0 if pool is None else WEIGHT_OF_POOL["mean"]
    mean = (z[:, :size].sum(0) + weight_mean * base.mean) / (n + weight_mean)
    shared = z[:, :size] - mean
    shared_sum = shared.T @ shared + covariance[:, :size, :size].sum(0)
    difference = z[:, size:]
    difference_sum = difference.T @ difference + covariance[:, size:, size:].sum(0)
    return PairPrior(
        edges,
        mean,
        (shared_sum + weight * base.shared) / (n + weight),
        (difference_sum + weight * base.difference) / (n + weight),
    )


def _median_of(z: Array, edges: Array) -> Array:
    """Where the average of the two arms' cumulative hazards reaches log 2, in units of the present scale."""
    size = len(edges)
    hazard = (np.exp(z[:, :size] - z[:, size:]) + np.exp(z[:, :size] + z[:, size:])) / 2
    cumulative = np.concatenate([np.zeros((len(z), 1)), np.cumsum(hazard[:, :-1] * np.diff(edges), axis=1)], axis=1)
    out = np.empty(len(z))
    for i in range(len(z)):
        j = int(np.searchsorted(cumulative[i], np.log(2), side="right")) - 1
        out[i] = edges[j] + (np.log(2) - cumulative[i, j]) / hazard[i, j]
    return out
