"""Reconstructs an ensemble of pseudo-patients from what a report prints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.reconstruction.engine import Ensemble, Problem, draw_ensemble, pose
from analysis.reconstruction.prior import ShapePrior
from analysis.reconstruction.requirements import read_requirements
from analysis.reconstruction.result import Reconstruction
from analysis.survival.distributions import PiecewiseExponential

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.reported import ReportedComparison

METHOD = "ensemble conditioned on the report"


def reconstruct(
    comparison: ReportedComparison,
    members: int = 500,
    *,
    rng: int | np.random.SeedSequence | np.random.Generator = 1,
    prior: ShapePrior | None = None,
    relax: Iterable[str] = (),
    ci_type: str = "log-log",
    threads: int | None = None,
) -> Reconstruction:
    """Draw pseudo-patient data sets that give every printed number of a report back."""
    if members < 1:
        raise InvalidValueError("members", members, "at least 1", "ask for 500, the default")
    relaxed = frozenset(relax)
    chosen = (prior or ShapePrior.shipped()).for_endpoint(comparison.endpoint)
    required = read_requirements(comparison, ci_type, relaxed)
    problem = pose(required, chosen)
    seed, sequence = _seed(rng)
    ensemble = draw_ensemble(problem, members, sequence, threads or min(os.cpu_count() or 1, 8))
    kept = _resample(ensemble, sequence)
    order = np.argsort(required.order)
    return Reconstruction(
        comparison=comparison,
        arm_index=np.repeat(np.arange(len(order)), [required.arms[k].size for k in order]),
        time=np.concatenate([ensemble.times[k][kept] for k in order], axis=1),
        event=np.concatenate([ensemble.events[k][kept] for k in order], axis=1),
        method=METHOD,
        population={
            comparison.arms[i].name: _curves(problem, ensemble.states[kept], int(order[i])) for i in range(len(order))
        },
        seed=seed,
        ci_type=ci_type,
        relaxed=tuple(sorted(relaxed)),
        diagnostics={
            "met": float(np.mean(ensemble.miss == 0)),
            "distinct members": float(np.unique(kept).size),
            "draws": float(ensemble.attempts),
        },
    )


def _seed(rng: int | np.random.SeedSequence | np.random.Generator) -> tuple[int | None, np.random.SeedSequence]:
    if isinstance(rng, np.random.SeedSequence):
        return None, rng
    if isinstance(rng, np.random.Generator):
        return None, np.random.SeedSequence(int(rng.integers(2**63)))
    return int(rng), np.random.SeedSequence(int(rng))


def _resample(ensemble: Ensemble, seed: np.random.SeedSequence) -> np.ndarray:
    """Members to keep: those that missed a number give their place to others that met all."""
    met = np.flatnonzero(ensemble.miss == 0)
    kept = np.arange(ensemble.miss.size)
    if 0 < met.size < kept.size:
        missed = ensemble.miss > 0
        kept[missed] = np.random.default_rng(seed.spawn(1)[0]).choice(met, int(missed.sum()))
    return kept


def _curves(problem: Problem, states: np.ndarray, arm: int) -> tuple[PiecewiseExponential, ...]:
    width = problem.edges.size
    medians = np.exp(states[:, -2])
    rates = np.exp(states[:, arm * width : (arm + 1) * width]) / medians[:, None]
    return tuple(PiecewiseExponential(rate, m * problem.edges[1:]) for rate, m in zip(rates, medians, strict=True))
