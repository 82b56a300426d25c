"""Reconstructs an ensemble of pseudo-patients from what a report prints."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.seeds import Seed, seed_sequence
from analysis.errors import InvalidValueError
from analysis.reconstruction.engine import Ensemble, draw_ensemble
from analysis.reconstruction.feasibility import left_out, refuse, refuse_impossible_counts, refuse_zeros, without
from analysis.reconstruction.prior import ShapePrior, family
from analysis.reconstruction.problem import Problem, pose
from analysis.reconstruction.requirements import SEEN_AT_VISITS, read_requirements
from analysis.reconstruction.result import Reconstruction
from analysis.reported import Finding, ReportedComparison, check_comparison
from analysis.survival.distributions import PiecewiseExponential

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analysis.conventions.scales import ScaleName

METHOD = "ensemble conditioned on the report"
SCALES_TRIED: tuple[ScaleName, ...] = ("log-log", "log", "plain")
NEAREST = 20  # members that show how far off an impossible report is
ENOUGH_DISTINCT = 0.5  # share of the members below which a finding warns of a band that is too narrow


def reconstruct(
    comparison: ReportedComparison,
    members: int = 500,
    *,
    rng: Seed = 1,
    prior: ShapePrior | None = None,
    relax: str | Iterable[str] = (),
    scale: ScaleName | None = None,
    threads: int | None = None,
) -> Reconstruction:
    """Draw pseudo-patient data sets that give every printed number of a report back.

    Parameters
    ----------
    comparison
        The report: one arm, two or several; each needs its number of patients, everything else may be absent.
    members
        Number of data sets.
    rng
        Seed, `SeedSequence` or `Generator`; a seed gives the same members, bit for bit, with any number of threads.
    prior
        Shapes of curves to expect; the prior that comes with the package if not given.
    relax
        Printed numbers that need not come back, because they contradict the others or mean something else than a
        statistic of these patients: ``"p_value"``, ``"hazard_ratio.ci"``, ``"placebo.median_ci"``, ...
    scale
        Type of the confidence intervals of medians and rates whose type the report does not name: ``"log-log"``,
        ``"log"`` or ``"plain"``. If not given, the first of these under which the report is possible.
    threads
        Threads to use; all processors, at most 8, if not given.

    Returns
    -------
    Reconstruction
        Each member gives all numbers back that were not relaxed; what they leave open differs between members.
        ``diagnostics`` holds the share of draws that met the report (``met``), how many members are distinct, and
        how many draws were made.

    Raises
    ------
    InvalidValueError
        If the number of patients of an arm is missing, or an argument is out of range.
    UnknownNameError
        If ``relax`` names a number that no report has.
    InfeasibleReportError
        If no data set was found that gives all numbers back; it names those that contradict each other.

    Notes
    -----
    The method, its assumptions and its measured accuracy are in ``docs/reconstruction.md``.

    Examples
    --------
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison(
    ...     endpoint="PFS",
    ...     arms=[ReportedArm("new", n=80, median="9.1"), ReportedArm("old", n=82, median="6.0")],
    ...     control="old",
    ...     hazard_ratio=("0.65", "0.46", "0.92"),
    ... )
    >>> result = reconstruct(report, members=20, rng=1)
    >>> bool(result.faithful.all())
    True
    """
    if members < 1:
        raise InvalidValueError("members", members, "at least 1", "ask for 500, the default")
    if not isinstance(comparison, ReportedComparison):
        raise InvalidValueError(
            "comparison", comparison, "a ReportedComparison", "choose one of a trial's, as in load(name).comparison(id)"
        )
    kept = without(comparison, (relax,) if isinstance(relax, str) else tuple(relax))
    refuse_zeros(kept)
    refuse_impossible_counts(kept)
    chosen = (prior or ShapePrior.shipped()).for_endpoint(comparison.endpoint)
    sequence = seed_sequence(rng)
    seed = int(rng) if isinstance(rng, int | np.integer) else None
    workers = threads or min(os.cpu_count() or 1, 8)
    types = (scale,) if scale else SCALES_TRIED if _unnamed_types(kept) else SCALES_TRIED[:1]
    for name in types:
        problem = pose(read_requirements(kept, name), chosen)
        ensemble = draw_ensemble(problem, members, sequence, workers)
        whole = Reconstruction(
            comparison=comparison,
            method=METHOD,
            seed=seed,
            scale=name,
            relaxed=left_out(comparison, kept),
            findings=tuple(check_comparison(comparison)),
            **_patients(problem, ensemble, np.arange(members)),
        )
        met = np.flatnonzero((ensemble.miss == 0) & whole.faithful)
        if met.size > 0:
            break
    else:
        nearest = np.argsort(ensemble.miss)[:NEAREST]
        refuse(replace(whole, **_patients(problem, ensemble, nearest)))
    filled = _fill(met, members, sequence)
    findings = whole.findings
    if kept.assessment_interval is not None and problem.required.interval == 0:
        findings += (_visits_unused(kept),)
    if met.size < ENOUGH_DISTINCT * members:
        findings += (_few_distinct(comparison, int(met.size), members),)
    return replace(
        whole,
        findings=findings,
        diagnostics={
            "met": met.size / members,
            "distinct members": float(met.size),
            "draws": float(ensemble.attempts),
        },
        **_patients(problem, ensemble, filled),
        population=_populations(comparison, problem, ensemble.states[filled]),
    )


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
        message=f"only {distinct} of {members} draws gave every printed number back; the others repeat them",
        values=(f"{distinct} distinct members",),
        remedy="take the bands as too narrow, or relax the number that is hardest to meet",
    )


def _unnamed_types(comparison: ReportedComparison) -> bool:
    intervals = [arm.median_ci for arm in comparison.arms]
    intervals += [landmark.ci for arm in comparison.arms for landmark in arm.landmarks]
    intervals += [quartile.ci for arm in comparison.arms for quartile in arm.quartiles]
    return any(interval is not None and interval.scale is None for interval in intervals)


def _fill(met: NDArray[np.intp], members: int, seed: np.random.SeedSequence) -> NDArray[np.intp]:
    """Members to keep: those that missed a number give their place to others that met all."""
    filled = np.arange(members)
    missed = np.setdiff1d(filled, met)
    filled[missed] = np.random.default_rng([*seed.generate_state(4), 1]).choice(met, missed.size)
    return filled


def _patients(problem: Problem, ensemble: Ensemble, members: NDArray[np.intp]) -> dict[str, Any]:
    """Patients of some members, arms in the order of the report."""
    place = np.argsort(problem.required.order)
    return {
        "arm_index": np.repeat(np.arange(place.size), [problem.required.arms[k].size for k in place]),
        "time": np.concatenate([ensemble.times[k][members] for k in place], axis=1),
        "event": np.concatenate([ensemble.events[k][members] for k in place], axis=1),
    }


def _populations(
    comparison: ReportedComparison, problem: Problem, states: NDArray[np.float64]
) -> dict[str, tuple[PiecewiseExponential, ...]]:
    """Each arm's smooth hazards, one distribution per member."""
    width, medians = problem.edges.size, np.exp(states[:, -2])
    out = {}
    for k, index in enumerate(problem.required.order):
        rates = np.exp(states[:, k * width : (k + 1) * width]) / medians[:, None]
        out[comparison.arms[index].name] = tuple(
            PiecewiseExponential(rate, m * problem.edges[1:]) for rate, m in zip(rates, medians, strict=True)
        )
    return out
