"""Reconstructs a trial: several reports of the same patients, as members that are one list of patients each."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.checks import number
from analysis.conventions.display import listed
from analysis.conventions.seeds import Seed, seed_sequence
from analysis.errors import InfeasibleReportError, InvalidValueError, NotEstimableError, UnknownNameError
from analysis.reconstruction.algebra import log
from analysis.reconstruction.coupled import Drawn, put_together
from analysis.reconstruction.from_report import (
    ENOUGH_DISTINCT,
    ENOUGH_DRAWN,
    METHOD,
    NEAREST,
    SCALES_TRIED,
    SHORT,
    SUSPECTS,
    few_drawn,
    patients,
    populations,
    unnamed_types,
)
from analysis.reconstruction.precedence import check_read_until, comes_before, ends, in_order
from analysis.reconstruction.prior import EndpointPrior, ShapePrior
from analysis.reconstruction.readings import told_by_reading
from analysis.reconstruction.repair.engine import draw_ensemble
from analysis.reconstruction.report.block import Told
from analysis.reconstruction.report.feasibility import (
    left_out,
    missed_numbers,
    other_readings,
    refuse_contradictions,
    refuse_zeros,
    said_first,
    suspects,
    without,
)
from analysis.reconstruction.report.sorting import Sorted, sort_reports
from analysis.reconstruction.report.untold import untold_curves
from analysis.reconstruction.result import Reconstruction
from analysis.reconstruction.solve.problem import pose
from analysis.reconstruction.trial_result import TrialReconstruction
from analysis.reported import Finding, ReportedComparison, check_comparison
from analysis.statistical_tests import CoxHazardRatio
from analysis.survival.distributions import PiecewiseExponential
from analysis.survival.estimators import reverse_kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from analysis.conventions.scales import ScaleName
    from analysis.reported import TrialTimeline

    Indices = NDArray[np.intp]

AGREEMENT = 0.8
MORE = 25  # times as many members of an endpoint that comes after another: those that fit it are chosen
MORE_BESIDE = 10  # times as many of a reading that ends with another, each beside one member of that
POOL, LEAST = 1500, 4  # but no more than a pool of so many is worth drawing, and no fewer times than this
FOLLOWED = 50  # members whose median follow-up, and prognosis of subgroups, are handed on to the next endpoint
TOLD = 3  # number of the stream of random numbers for what another reading says
PROGNOSIS_ERROR = 0.1  # at least, on the log scale: endpoints differ a little in it
FOLLOW_UP_RELAXED = 0.2  # spread of the log of a printed median follow-up that was relaxed
FOLLOWED_ALIKE = 0.0, 0.05  # mean and spread of the log of one endpoint's median follow-up to another's, at one cut
FOLLOWED_LONGER = 0.1, 0.2  # of one that comes after it: censored at the cut, and not at the last scan


def reconstruct_trial(
    comparisons: Sequence[ReportedComparison],
    members: int,
    *,
    rng: Seed,
    prior: ShapePrior | None,
    relax: Mapping[str, Iterable[str]],
    scale: ScaleName | None,
    threads: int | None,
    timeline: TrialTimeline | None,
    complements: Mapping[str, str],
    agreement: float,
    read_until: Mapping[str, str],
) -> TrialReconstruction:
    """Draw members of several reports of one trial; see `reconstruct`."""
    number("agreement", agreement, at_least=0, below=1)
    check_read_until(read_until, comparisons)
    kept = _relaxed(comparisons, relax)
    sorted_, findings = sort_reports(kept, timeline, complements)
    sorted_ = in_order(sorted_, read_until)
    workers = threads or min(os.cpu_count() or 1, 8)
    sequence = seed_sequence(rng)
    streams = sequence.spawn(len(sorted_) + 1)
    prior = prior or ShapePrior.shipped()
    whole = {comparison.id: comparison for comparison in comparisons}
    endpoints: list[Drawn] = []
    draws = 0
    for one, stream in zip(sorted_, streams, strict=False):
        until = next((other for other in endpoints if ends(other.of, one, read_until)), None)
        more = _times_as_many(endpoints, one, members, until)
        known = prior.for_endpoint(one.comparisons[0].endpoint)
        beside = None
        if until is None:
            told = Told(_followed(endpoints, one, whole))
        else:
            beside = np.resize(until.met, more * members)
            of_told = np.random.default_rng([*stream.generate_state(4).tolist(), TOLD])
            told = told_by_reading(until, beside, one, agreement, of_told)
        told = replace(told, prognosis=_prognosis(endpoints))
        try:
            drawn = _draw(one, whole, more * members, stream, known, scale, workers, told)
        except InfeasibleReportError as error:
            if until is None:
                raise
            raise InfeasibleReportError(f"{error}; or take {one.name} out of read_until: it may go on") from None
        drawn.beside = beside
        endpoints.append(drawn)
        draws += drawn.ensemble.attempts
    used = put_together(endpoints, timeline, agreement, read_until, members, streams[-1], workers)
    analyses: dict[str | None, Reconstruction] = {}
    met: dict[str | None, float] = {}
    for k, (endpoint, rows) in enumerate(zip(endpoints, used.rows, strict=True)):
        taken = used.ensemble(k, endpoint)
        for v, reported in enumerate(endpoint.of.comparisons):
            drawn_along = populations(reported, endpoint.problem, v, endpoint.ensemble.states[rows])
            analysis = replace(endpoint.results[v], **patients(taken, v, np.arange(members)))
            analyses[reported.id] = replace(analysis, population=_through_medians(analysis, drawn_along))
            met[reported.id] = float(endpoint.ensemble.drawn.own[rows].mean())
    distinct = min(np.unique(rows).size for rows in used.rows)
    if distinct < ENOUGH_DISTINCT * members:
        findings += (_few_distinct(endpoints, used.rows),)
    for endpoint in endpoints:
        findings += untold_curves(endpoint.of.comparisons)
        own, of = endpoint.ensemble.drawn.own, endpoint.ensemble.drawn.miss.size
        drawn_itself = int(own[endpoint.met].sum())
        if drawn_itself < min(ENOUGH_DRAWN, ENOUGH_DISTINCT * of):
            findings += (few_drawn(endpoint.of.name, drawn_itself, of),)
    seed = int(rng) if isinstance(rng, int | np.integer) else None
    diagnostics = {"met": min(met.values()), "distinct members": float(distinct), "draws": float(draws)}
    ids = [comparison.id for comparison in comparisons]
    reading = "".join(f"; {one} assessment ends with progression by {other}" for one, other in read_until.items())
    for name, analysis in analyses.items():
        others = [other for other in ids if other != name]
        method = f"{METHOD}, together with {listed(others)} of the same patients" if others else METHOD
        method += reading
        found = analysis.findings + findings
        sampling = diagnostics | {"met": met[name]}
        analyses[name] = replace(analysis, method=method, seed=seed, findings=found, diagnostics=sampling)
    first = endpoints[0].of.comparisons[0]
    names = [arm.name for arm in first.arms]
    names.sort(key=lambda name: name != first.control)
    sizes = [arm.size for arm in endpoints[0].ensemble.block.first.arms]
    return TrialReconstruction(
        analyses={one.id: analyses[one.id] for one in comparisons},
        arms=tuple(names),
        arm_index=np.repeat(np.arange(len(names)), sizes),
        entry=used.entry,
        endpoints=used.endpoints,
        subgroups=used.subgroups,
        method=f"{METHOD}, all reports together{reading}",
        seed=seed,
        agreement=agreement,
        read_until=read_until,
        timeline=timeline,
        findings=findings,
        diagnostics=diagnostics,
    )


def _through_medians(
    analysis: Reconstruction, along: Mapping[str, tuple[PiecewiseExponential, ...]]
) -> dict[str, tuple[PiecewiseExponential, ...]]:
    """Give populations whose hazards are multiplied so that each has the median of its member's patients.

    The smooth hazards are a compromise between the numbers of several analyses; the patients give all of them back.
    """
    out = {}
    for name, curves in along.items():
        medians = analysis.median(name).members
        factors = [
            log(2) / float(curve.cumulative_hazard(median)) if np.isfinite(median) else 1.0
            for curve, median in zip(curves, medians, strict=True)
        ]
        out[name] = tuple(
            PiecewiseExponential(curve.rates * factor, curve.breaks)
            for curve, factor in zip(curves, factors, strict=True)
        )
    return out


def _relaxed(comparisons: Sequence[ReportedComparison], relax: Mapping[str, Iterable[str]]) -> list[ReportedComparison]:
    ids = [comparison.id for comparison in comparisons]
    for name in relax:
        if name not in ids:
            raise UnknownNameError("comparison to relax", name, ids)
    order = [arm.name for arm in comparisons[0].arms]
    kept = []
    for comparison in comparisons:
        names = relax.get(comparison.id, ())
        one = without(comparison, (names,) if isinstance(names, str) else tuple(names))
        refuse_zeros(one)
        refuse_contradictions(one)
        if {arm.name for arm in one.arms} == set(order):
            one = replace(one, arms=tuple(one.arm(name) for name in order))
        kept.append(one)
    return kept


def _times_as_many(endpoints: Sequence[Drawn], one: Sorted, members: int, until: Drawn | None) -> int:
    """How many times as many members to draw of an endpoint, to choose from those that fit the ones before it."""
    if until is not None:
        return max(min(MORE_BESIDE, POOL // members), LEAST)
    if not endpoints or len(one.comparisons) > 1:
        return 1
    ordered = any(comes_before(other.of, one) for other in endpoints)
    return max(min(MORE, POOL // members), LEAST) if ordered else LEAST


def _same_cut(endpoint: Drawn, one: Sorted) -> bool:
    return bool(endpoint.of.months[-1] == one.months[-1] or endpoint.of.last_label == one.last_label)


def _followed(
    endpoints: Sequence[Drawn], one: Sorted, whole: Mapping[str, ReportedComparison]
) -> dict[int, tuple[float, float]]:
    """Median follow-up at the last cut: as printed, if only relaxed, or that of an endpoint that was drawn before."""
    printed, last = whole[one.comparisons[0].id].median_follow_up, one.cut[0]
    if printed is not None and printed.reached:
        return {last: (float(log(printed.value)), FOLLOW_UP_RELAXED)}
    for endpoint in endpoints:
        if _same_cut(endpoint, one) and endpoint.met.size:
            times, events, _ = endpoint.ensemble.patients(0, endpoint.met[:FOLLOWED])
            medians = [
                reverse_kaplan_meier(np.concatenate(time), np.concatenate(event)).median()
                for time, event in zip(zip(*times, strict=True), zip(*events, strict=True), strict=True)
            ]
            logs = log([median for median in medians if np.isfinite(median)])
            if logs.size:
                later, spread = FOLLOWED_LONGER if comes_before(endpoint.of, one) else FOLLOWED_ALIKE
                return {last: (float(logs.mean()) + later, float(np.hypot(logs.std(), spread)))}
    return {}


def _prognosis(endpoints: Sequence[Drawn]) -> dict[str, tuple[float, float]]:
    """Log hazard ratio of each subgroup to the others in an endpoint that shows it, and how well it is known.

    The same patients do better or worse in the endpoints that do not show them, too.
    """
    out: dict[str, tuple[float, float]] = {}
    for endpoint in endpoints:
        drawn, rows = endpoint.ensemble.drawn, endpoint.met[:FOLLOWED]
        arm = np.repeat(np.arange(endpoint.ensemble.block.arms), [a.size for a in endpoint.ensemble.block.first.arms])
        for bit, name in enumerate(endpoint.of.groups):
            if name not in endpoint.of.group or name in out:
                continue
            logs = []
            for row in rows:
                inside = (drawn.group[row] >> bit) & 1 == 1
                try:
                    ratio = CoxHazardRatio().analyse(drawn.time[row], drawn.event[row], inside, strata=arm)
                except NotEstimableError:
                    continue
                logs.append(log(ratio.estimate))
            if logs:
                out[name] = float(np.mean(logs)), max(float(np.std(logs)), PROGNOSIS_ERROR)
    return out


def _draw(
    one: Sorted,
    whole: Mapping[str, ReportedComparison],
    members: int,
    stream: np.random.SeedSequence,
    prior: EndpointPrior,
    scale: ScaleName | None,
    workers: int,
    told: Told,
) -> Drawn:
    """Draw the members of one endpoint by one assessor, all its analyses together, with what others say of it."""
    unnamed = any(unnamed_types(comparison) for comparison in one.comparisons)
    types = (scale,) if scale else SCALES_TRIED if unnamed else SCALES_TRIED[:1]
    best: Drawn | None = None
    for name in types:
        problem = pose(one.block(name, told), prior)
        ensemble = draw_ensemble(problem, members, stream, workers)
        results = [
            Reconstruction(
                comparison=comparison,
                method=METHOD,
                scale=name,
                relaxed=left_out(whole[comparison.id], comparison),
                findings=tuple(check_comparison(whole[comparison.id])),
                **patients(ensemble, v, np.arange(members)),
            )
            for v, comparison in enumerate(one.comparisons)
        ]
        faithful = np.all([result.faithful for result in results], axis=0)
        met = np.flatnonzero((ensemble.drawn.miss == 0) & faithful)
        drawn = Drawn(one, problem, ensemble, results, met)
        if met.size:
            return drawn
        best = best or drawn
    assert best is not None, "at least one type of intervals is tried"
    nearest = np.argsort(best.ensemble.drawn.miss)[:NEAREST]
    lines, doubtful = [], list[tuple[float, int, str]]()
    for v, result in enumerate(best.results):
        near = replace(result, **patients(best.ensemble, v, nearest))
        lines += [f"{result.comparison.id}: {line}" for line in missed_numbers(near)]
        doubtful += [(share, v, name) for name, share in suspects(near).items()]
    possible = partial(_possible, one, prior=prior, scale=types[0], stream=stream, workers=workers, told=told)
    tried = sorted(doubtful)[:SUSPECTS]
    enough = [(v, name) for _, v, name in tried if possible(v, without(one.comparisons[v], (name,)))]
    read = [
        f"{one.comparisons[v].id}: {reading.said}"
        for v in dict.fromkeys(v for _, v, _ in tried)
        for reading in other_readings(one.comparisons[v], [name for of, name in enough if of == v])
        if possible(v, reading.report)
    ]
    relaxed = " or ".join(f"{{{one.comparisons[v].id!r}: {name!r}}}" for v, name in enough)
    remedy = f"it is enough to relax {relaxed}" if enough else "name what may differ in relax={id: numbers}"
    said = "; ".join(lines) or "no single number was found to be missed"
    ids = ", ".join(comparison.id for comparison in one.comparisons)
    raise InfeasibleReportError(
        f"{one.name}: no patients were found that give all printed numbers of {ids} back; {said}; if the reports are "
        f"right, {said_first(read, remedy)}, or leave one out"
    )


def _possible(
    one: Sorted,
    analysis: int,
    report: ReportedComparison,
    *,
    prior: EndpointPrior,
    scale: ScaleName,
    stream: np.random.SeedSequence,
    workers: int,
    told: Told,
) -> bool:
    """Whether patients are found for the reports of an endpoint with another in the place of one of them."""
    comparisons = list(one.comparisons)
    comparisons[analysis] = report
    problem = pose(replace(one, comparisons=tuple(comparisons)).block(scale, told), prior)
    return bool((draw_ensemble(problem, NEAREST, stream, workers, attempts=SHORT).drawn.miss == 0).any())


def _few_distinct(endpoints: Sequence[Drawn], rows: Sequence[Indices]) -> Finding:
    values = tuple(
        f"{endpoint.of.name}: {np.unique(own).size} of {own.size}"
        for endpoint, own in zip(endpoints, rows, strict=True)
    )
    return Finding(
        check="few-distinct-members",
        severity="warning",
        where=" / ".join(endpoint.of.name for endpoint in endpoints),
        message="few draws gave every printed number back, and could be one list of patients; the others repeat them",
        values=values,
        remedy="take the bands as too narrow, or relax the number that is hardest to meet",
    )


def check_list(comparisons: object) -> Sequence[ReportedComparison]:
    """Return a list of reports, or say what else is expected."""
    listed = comparisons if isinstance(comparisons, list | tuple) else ()
    if listed and all(isinstance(one, ReportedComparison) for one in listed):
        return listed
    remedy = "choose one of a trial's, as in load(name).comparison(id), or several"
    raise InvalidValueError("comparison", comparisons, "a ReportedComparison, or a list of them", remedy)
