"""Reconstructs an ensemble of pseudo-patients from what a report prints."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.seeds import Seed, seed_sequence
from analysis.reconstruction.algebra import exp
from analysis.reconstruction.prior import EndpointPrior, ShapePrior, family
from analysis.reconstruction.repair.engine import WALL, draw_ensemble
from analysis.reconstruction.report.block import Block
from analysis.reconstruction.report.feasibility import (
    left_out,
    one_sided,
    other_readings,
    refuse,
    refuse_contradictions,
    refuse_zeros,
    suspects,
    without,
)
from analysis.reconstruction.report.partition import unknown_strata
from analysis.reconstruction.report.requirements import SEEN_AT_VISITS, read_requirements
from analysis.reconstruction.report.untold import untold_curves
from analysis.reconstruction.result import Reconstruction
from analysis.reconstruction.solve.problem import Problem, pose
from analysis.reported import Finding, ReportedComparison, check_comparison
from analysis.survival.distributions import PiecewiseExponential

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from analysis.conventions.scales import ScaleName
    from analysis.reconstruction.repair.ensemble import Ensemble

METHOD = "ensemble conditioned on the report"
SCALES_TRIED: tuple[ScaleName, ...] = ("log-log", "log", "plain")
NEAREST = 20  # members that show how far off an impossible report is
OF_COMPARISON = ("hazard_ratio", "p_value")  # numbers that the type of intervals of the arms says nothing of
SUSPECTS = 5  # numbers of an impossible report that are relaxed one at a time, to see whether that is enough
SHORT = 3  # attempts at that
TRIED = (100, 1), (40, SHORT)  # members and attempts that tell which type of intervals is likely
TELLING = 0.03  # share of them that give the report back, below which a type may be first by chance
FAR_MORE = 3.0  # times as many draws have to give a report back under another type than the usual one, or to miss more
LITTLE = 0.01  # that draws made once may miss under the report's own type
ALMOST = 0.1  # of what draws made once miss; where longer attempts leave less, ties may still make up for it
ENOUGH_DISTINCT = 0.5  # share of the members below which a finding warns of a band that is too narrow
EASIER = 0.2  # share of draws that give all but one number back, from which on that one is named as the hardest
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
    possible = partial(_possible, prior=chosen, seed=sequence)
    nearest: tuple[float, Reconstruction] | None = None
    least, wall = _likely_first(types, kept, chosen, members, sequence, workers), math.nan
    for name, missed in least.items():
        if (missed > _far(least) or wall / WALL < missed < wall * WALL) and not possible(kept, types=(name,)):
            continue
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
        closest = np.argsort(ensemble.drawn.miss)[:NEAREST]
        left = float(ensemble.drawn.miss[closest[0]])
        if nearest is None or left < nearest[0]:
            nearest = left, replace(whole, **patients(ensemble, 0, closest))
        if left > ALMOST * missed and all(number.split(".")[0] in OF_COMPARISON for number in suspects(nearest[1])):
            wall = missed  # which draws under other types are expected to end at too, if they miss as much once
    else:
        assert nearest is not None, "the likeliest type is tried"
        enough = [name for name in _tried(nearest[1]) if possible(without(kept, (name,)), types=types)]
        read = [reading for reading in other_readings(kept, enough) if possible(reading.report, types=types)]
        refuse(nearest[1], [*enough, *(r.number for r in read if r.number not in enough)], [r.said for r in read])
    filled = fill_missed(met, members, sequence)
    drawn = int(ensemble.drawn.own[met].sum())
    findings = whole.findings + unknown_strata(kept, block.division) + untold_curves([kept])
    if kept.assessment_interval is not None and required.interval == 0:
        findings += (_visits_unused(kept),)
    few = met.size < ENOUGH_DISTINCT * members
    if few or drawn < min(ENOUGH_DRAWN, ENOUGH_DISTINCT * members):
        where, hardest = comparison.id or comparison.endpoint, _hardest(whole, kept, name, chosen, sequence)
        finding = (
            _few_distinct(where, int(met.size), members, hardest) if few else few_drawn(where, drawn, members, hardest)
        )
        findings += (finding,)
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
) -> dict[ScaleName, float]:
    """Put a type of intervals first under which far more draws give the report back than under those before it.

    Where hardly any draw made once does, fewer are made in several attempts. Says of each type what members drawn once
    miss at least, 0 if that is not known; those that are far off come last.
    """
    first, least, far = types[0], dict.fromkeys(types, 0.0), 0.0
    for drawn, attempts in TRIED if len(types) > 1 else ():
        most = 0.0
        for name in types:
            if least[name] > far > 0:
                continue
            problem = pose(Block.single(kept, read_requirements(kept, name)), prior)
            miss = draw_ensemble(problem, min(members, drawn), seed, workers, attempts=attempts).drawn.miss
            if attempts == 1:
                least[name] = float(np.min(miss))
            if (share := float(np.mean(miss == 0))) > FAR_MORE * most:
                first, most = name, share
            if most >= ENOUGH_DISTINCT:
                break
        far = _far(least)
        if most >= TELLING:
            break
    return {name: least[name] for name in sorted(types, key=lambda one: (least[one] > far, one != first))}


def _far(least: Mapping[ScaleName, float]) -> float:
    """How much draws made once miss at least under a type that is not the report's."""
    return FAR_MORE * max(min(least.values()), LITTLE)


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


def _hardest(
    whole: Reconstruction,
    kept: ReportedComparison,
    scale: ScaleName,
    prior: EndpointPrior,
    seed: np.random.SeedSequence,
) -> str:
    """Say without which number draws give the others back, or with what reading of the p-value."""

    def drawn(report: ReportedComparison) -> Ensemble:
        problem = pose(Block.single(report, read_requirements(report, scale)), prior)
        return draw_ensemble(problem, NEAREST, seed, 1, attempts=SHORT)

    def share(report: ReportedComparison) -> float:
        return float(np.mean(drawn(report).drawn.miss == 0))

    attempt = replace(whole, **patients(drawn(kept), 0, np.arange(NEAREST)))
    shares = {name: share(without(kept, (name,))) for name in _tried(attempt)}
    best = max(shares, key=lambda name: shares[name], default="")
    said = "relax the number that is hardest to meet"
    if best and shares[best] >= EASIER:
        said = f"relax {best!r}, without which {shares[best]:.0%} of draws give the others back"
    for reading in one_sided(kept):
        if (met := share(reading.report)) >= EASIER:
            said += f"; {reading.said}: read so, {met:.0%} of draws give all back; say so if it is"
    return said


def _tried(attempt: Reconstruction) -> list[str]:
    """Names of the numbers that are left out one at a time: the p-value, which is but one, and the most missed."""
    named = list(suspects(attempt))
    return [name for name in named if name == "p_value"] + [name for name in named[:SUSPECTS] if name != "p_value"]


def _few_distinct(where: str, distinct: int, members: int, hardest: str) -> Finding:
    return Finding(
        check="few-distinct-members",
        severity="warning",
        where=where,
        message=f"only {distinct} of {members} draws gave every printed number back, those walked on from others "
        "counted; the remaining members repeat them",
        values=(f"{distinct} distinct members",),
        remedy=f"take the bands as too narrow, or {hardest}",
    )


def few_drawn(
    where: str, drawn: int, members: int, hardest: str = "relax the number that is hardest to meet"
) -> Finding:
    """Say that most members were walked on from few draws, and which number is the hardest to meet."""
    return Finding(
        check="few-members-drawn",
        severity="warning",
        where=where,
        message=f"only {drawn} of {members} draws gave every printed number back; the other members were walked on "
        "from them, by moves that keep every number, and stay more alike than draws",
        values=(f"{drawn} draws",),
        remedy=f"take the bands as approximate, or {hardest}",
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
