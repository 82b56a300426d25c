"""Reconstructs an ensemble of pseudo-patients from what a report prints."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.seeds import Seed, seed_sequence
from analysis.reconstruction.algebra import exp
from analysis.reconstruction.prior import EndpointPrior, ShapePrior, family
from analysis.reconstruction.repair.engine import draw_ensemble
from analysis.reconstruction.report.block import Block
from analysis.reconstruction.report.feasibility import (
    left_out,
    refuse,
    refuse_contradictions,
    refuse_zeros,
    suspects,
    without,
)
from analysis.reconstruction.report.partition import unknown_strata
from analysis.reconstruction.report.requirements import SEEN_AT_VISITS, read_requirements
from analysis.reconstruction.result import Reconstruction
from analysis.reconstruction.solve.problem import Problem, pose
from analysis.reported import Finding, ReportedComparison, check_comparison
from analysis.survival.distributions import PiecewiseExponential

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from analysis.conventions.scales import ScaleName
    from analysis.reconstruction.repair.ensemble import Ensemble

METHOD = "ensemble conditioned on the report"
SCALES_TRIED: tuple[ScaleName, ...] = ("log-log", "log", "plain")
NEAREST = 20  # members that show how far off an impossible report is
SUSPECTS = 5  # numbers of an impossible report that are relaxed one at a time, to see whether that is enough
SHORT = 3  # attempts at that
TRIED, EASY = 100, 2  # members, and attempts at each, that tell which type of intervals is likely
FAR_MORE = 3.0  # times as many draws have to give a report back under another type than the usual one
ENOUGH_DISTINCT = 0.5  # share of the members below which a finding warns of a band that is too narrow
ENOUGH_DRAWN = 10  # members that were not walked on from others, below which a finding warns


def reconstruct_report(
    comparison: ReportedComparison,
    members: int,
    *,
    rng: Seed,
    prior: ShapePrior | None,
    relax: str | Iterable[str],
    scale: ScaleName | None,
    threads: int | None,
) -> Reconstruction:
    """Draw members of one report; see `reconstruct`."""
    kept = without(comparison, (relax,) if isinstance(relax, str) else tuple(relax))
    refuse_zeros(kept)
    refuse_contradictions(kept)
    chosen = (prior or ShapePrior.shipped()).for_endpoint(comparison.endpoint)
    sequence = seed_sequence(rng)
    seed = int(rng) if isinstance(rng, int | np.integer) else None
    workers = threads or min(os.cpu_count() or 1, 8)
    types = (scale,) if scale else SCALES_TRIED if unnamed_types(kept) else SCALES_TRIED[:1]
    for name in _likely_first(types, kept, chosen, members, sequence, workers):
        required = read_requirements(kept, name)
        block = Block.single(kept, required)
        problem = pose(block, chosen)
        ensemble = draw_ensemble(problem, members, sequence, workers)
        whole = Reconstruction(
            comparison=comparison,
            method=METHOD,
            seed=seed,
            scale=name,
            relaxed=left_out(comparison, kept),
            findings=tuple(check_comparison(comparison)),
            **patients(ensemble, 0, np.arange(members)),
        )
        met = np.flatnonzero((ensemble.drawn.miss == 0) & whole.faithful)
        if met.size > 0:
            break
    else:
        nearest = np.argsort(ensemble.drawn.miss)[:NEAREST]
        attempt = replace(whole, **patients(ensemble, 0, nearest))
        named = list(suspects(attempt))
        tried = named[:SUSPECTS] + [name for name in named[SUSPECTS:] if name == "p_value"]
        possible = partial(_possible, prior=chosen, types=types, seed=sequence)
        enough = [name for name in tried if possible(without(kept, (name,)))]
        one_sided = kept.p_value is not None and kept.p_value.sided is None and possible(_one_sided(kept))
        refuse(attempt, [*enough, *(["p_value"] if one_sided and "p_value" not in enough else [])], one_sided=one_sided)
    filled = fill_missed(met, members, sequence)
    drawn = int(ensemble.drawn.own[met].sum())
    findings = whole.findings + unknown_strata(kept, block.division)
    if kept.assessment_interval is not None and required.interval == 0:
        findings += (_visits_unused(kept),)
    if met.size < ENOUGH_DISTINCT * members:
        findings += (_few_distinct(comparison, int(met.size), members),)
    elif drawn < min(ENOUGH_DRAWN, ENOUGH_DISTINCT * members):
        findings += (few_drawn(comparison.id or comparison.endpoint, drawn, members),)
    return replace(
        whole,
        findings=findings,
        diagnostics={
            "met": drawn / members,
            "distinct members": float(met.size),
            "draws": float(ensemble.attempts),
        },
        **patients(ensemble, 0, filled),
        population=populations(comparison, problem, 0, ensemble.states[filled]),
    )


def _likely_first(
    types: Sequence[ScaleName],
    kept: ReportedComparison,
    prior: EndpointPrior,
    members: int,
    seed: np.random.SeedSequence,
    workers: int,
) -> list[ScaleName]:
    """Put a type of intervals first under which far more draws give the report back than under those before it."""
    first, most = types[0], 0.0
    for name in types if len(types) > 1 else ():
        problem = pose(Block.single(kept, read_requirements(kept, name)), prior)
        share = float(
            np.mean(draw_ensemble(problem, min(members, TRIED), seed, workers, attempts=EASY).drawn.miss == 0)
        )
        if share > FAR_MORE * most:
            first, most = name, share
        if most >= ENOUGH_DISTINCT:
            break
    return [first, *(name for name in types if name != first)]


def _one_sided(comparison: ReportedComparison) -> ReportedComparison:
    """Give the report with its p-value read as one-sided."""
    assert comparison.p_value is not None, "asked where there is one"
    return replace(comparison, p_value=replace(comparison.p_value, sided=1))


def _possible(
    report: ReportedComparison, *, prior: EndpointPrior, types: Iterable[ScaleName], seed: np.random.SeedSequence
) -> bool:
    """Whether a data set is found for a report, in few attempts."""
    for name in types:
        required = read_requirements(report, name)
        problem = pose(Block.single(report, required), prior)
        if (draw_ensemble(problem, NEAREST, seed, 1, attempts=SHORT).drawn.miss == 0).any():
            return True
    return False


def _visits_unused(comparison: ReportedComparison) -> Finding:
    if family(comparison.endpoint) in SEEN_AT_VISITS:
        reason = "a median comes before the first of them"
    else:
        reason = f"events of {comparison.endpoint} are not found at assessments"
    return Finding(
        check="assessment-interval-unused",
        severity="warning",
        where=comparison.id or comparison.endpoint,
        message=f"patients were not moved to visits: {reason}",
        values=(f"every {comparison.assessment_interval}",),
        remedy="check endpoint and unit, or leave the interval out: relax=['assessment_interval']",
    )


def _few_distinct(comparison: ReportedComparison, distinct: int, members: int) -> Finding:
    return Finding(
        check="few-distinct-members",
        severity="warning",
        where=comparison.id or comparison.endpoint,
        message=f"only {distinct} of {members} draws gave every printed number back, those walked on from others "
        "counted; the remaining members repeat them",
        values=(f"{distinct} distinct members",),
        remedy="take the bands as too narrow, or relax the number that is hardest to meet",
    )


def few_drawn(where: str, drawn: int, members: int) -> Finding:
    """Say that most members were walked on from few draws."""
    return Finding(
        check="few-members-drawn",
        severity="warning",
        where=where,
        message=f"only {drawn} of {members} draws gave every printed number back; the other members were walked on "
        "from them, by moves that keep every number, and stay more alike than draws",
        values=(f"{drawn} draws",),
        remedy="take the bands as approximate, or relax the number that is hardest to meet",
    )


def unnamed_types(comparison: ReportedComparison) -> bool:
    """Whether an interval of a median or a rate is printed without its type."""
    intervals = [arm.median_ci for arm in comparison.arms]
    intervals += [landmark.ci for arm in comparison.arms for landmark in arm.landmarks]
    intervals += [quartile.ci for arm in comparison.arms for quartile in arm.quartiles]
    return any(interval is not None and interval.scale is None for interval in intervals)


def fill_missed(met: NDArray[np.intp], members: int, seed: np.random.SeedSequence) -> NDArray[np.intp]:
    """Members to keep: those that missed a number give their place to others that met all."""
    filled = np.arange(members)
    missed = np.setdiff1d(filled, met)
    filled[missed] = np.random.default_rng([*seed.generate_state(4), 1]).choice(met, missed.size)
    return filled


def patients(ensemble: Ensemble, analysis: int, members: NDArray[np.intp]) -> dict[str, Any]:
    """Patients of an analysis in some members, arms in the order of its report."""
    required = ensemble.block.analyses[analysis].required
    place = np.argsort(required.order)
    times, events, strata = ensemble.patients(analysis, members)
    stratified = ensemble.block.analyses[analysis].strata > 0
    return {
        "arm_index": np.repeat(np.arange(place.size), [required.arms[k].size for k in place]),
        "time": np.concatenate([times[k] for k in place], axis=1),
        "event": np.concatenate([events[k] for k in place], axis=1),
        "stratum": np.concatenate([strata[k] for k in place], axis=1) if stratified else None,
    }


def populations(
    comparison: ReportedComparison, problem: Problem, analysis: int, states: NDArray[np.float64]
) -> dict[str, tuple[PiecewiseExponential, ...]]:
    """Each arm's smooth hazards, one distribution per member."""
    width, medians = problem.frame.edges.size, exp(states[:, -2])
    out = {}
    for k, index in enumerate(problem.block.analyses[analysis].required.order):
        start = (analysis * problem.block.arms + k) * width
        rates = exp(states[:, start : start + width]) / medians[:, None]
        out[comparison.arms[index].name] = tuple(
            PiecewiseExponential(rate, m * problem.frame.edges[1:]) for rate, m in zip(rates, medians, strict=True)
        )
    return out
