"""Reconstructs a trial: several reports of the same patients, as members that are one list of patients each."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.checks import number
from analysis.conventions.seeds import Seed, seed_sequence
from analysis.errors import InfeasibleReportError, InvalidValueError, UnknownNameError
from analysis.reconstruction.from_report import (
    ENOUGH_DISTINCT,
    METHOD,
    NEAREST,
    SCALES_TRIED,
    fill_missed,
    patients,
    populations,
    unnamed_types,
)
from analysis.reconstruction.prior import ShapePrior
from analysis.reconstruction.repair.coupling import Patients, couple
from analysis.reconstruction.repair.engine import Ensemble, draw_ensemble
from analysis.reconstruction.report.feasibility import (
    left_out,
    missed_numbers,
    refuse_impossible_counts,
    refuse_zeros,
    without,
)
from analysis.reconstruction.report.sorting import Sorted, sort_reports
from analysis.reconstruction.result import Reconstruction
from analysis.reconstruction.solve.problem import Problem, pose
from analysis.reconstruction.trial_result import Endpoint, TrialReconstruction
from analysis.reported import Finding, ReportedComparison, check_comparison
from analysis.survival.distributions import PiecewiseExponential
from analysis.survival.estimators import reverse_kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.conventions.scales import ScaleName
    from analysis.reported import TrialTimeline

    Indices = NDArray[np.intp]

AGREEMENT = 0.8
BEFORE = {"PFS": "OS", "DFS": "OS", "EFS": "OS", "RFS": "OS", "DMFS": "OS", "TTP": "OS", "TTF": "OS"}
"""Endpoints that cannot come after another."""
MORE = 8  # times as many members of an endpoint with one analysis: those that fit the others are chosen
FOLLOWED = 50  # members whose median follow-up is handed on to the next endpoint
FOLLOW_UP_RELAXED = 0.2  # spread of the log of a printed median follow-up that was relaxed
FOLLOW_UP_ERROR = 0.05  # at least, on the log scale: endpoints of one trial are not followed alike to the day
TRIES = 8  # members of one endpoint that are tried beside one of another, until all pairs can be one patient


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
) -> TrialReconstruction:
    """Draw members of several reports of one trial; see `reconstruct`."""
    number("agreement", agreement, at_least=0, below=1)
    kept = _relaxed(comparisons, relax)
    sorted_, findings = sort_reports(kept, timeline, complements)
    workers = threads or min(os.cpu_count() or 1, 8)
    sequence = seed_sequence(rng)
    streams = sequence.spawn(len(sorted_) + 1)
    prior = prior or ShapePrior.shipped()
    whole = {comparison.id: comparison for comparison in comparisons}
    endpoints: list[_Drawn] = []
    draws = 0
    for one, stream in zip(sorted_, streams, strict=False):
        more = MORE if endpoints and len(one.comparisons) == 1 else 1
        drawn = _draw(one, whole, more * members, stream, prior, scale, workers, _followed(endpoints, one, whole))
        endpoints.append(drawn)
        draws += drawn.ensemble.attempts
    used = _couple(endpoints, timeline, agreement, members, streams[-1], workers)
    analyses = {}
    for endpoint, rows in zip(endpoints, used.rows, strict=True):
        for v, reported in enumerate(endpoint.of.comparisons):
            drawn_along = populations(reported, endpoint.problem, v, endpoint.ensemble.states[rows])
            analysis = replace(endpoint.results[v], **patients(endpoint.ensemble, v, rows))
            analyses[reported.id] = replace(analysis, population=_through_medians(analysis, drawn_along))
    distinct = min(np.unique(rows).size for rows in used.rows)
    if distinct < ENOUGH_DISTINCT * members:
        findings += (_few_distinct(endpoints, used.rows),)
    first = endpoints[0].of.comparisons[0]
    names = [arm.name for arm in first.arms]
    names.sort(key=lambda name: name != first.control)
    sizes = [int(first.arm(name).n.value) for name in names]  # type: ignore[union-attr]  # filled in when sorted
    return TrialReconstruction(
        analyses={one.id: analyses[one.id] for one in comparisons},
        arms=tuple(names),
        arm_index=np.repeat(np.arange(len(names)), sizes),
        entry=used.entry,
        endpoints=used.endpoints,
        subgroups=used.subgroups,
        method=f"{METHOD}, all reports together",
        seed=int(rng) if isinstance(rng, int | np.integer) else None,
        agreement=agreement,
        timeline=timeline,
        findings=findings,
        diagnostics={
            "met": distinct / members,
            "distinct members": float(distinct),
            "draws": float(draws),
        },
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
            np.log(2) / float(curve.cumulative_hazard(median)) if np.isfinite(median) else 1.0
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
        refuse_impossible_counts(one)
        if {arm.name for arm in one.arms} == set(order):
            one = replace(one, arms=tuple(one.arm(name) for name in order))
        kept.append(one)
    return kept


def _followed(
    endpoints: Sequence[_Drawn], one: Sorted, whole: Mapping[str, ReportedComparison]
) -> tuple[float, float] | None:
    """Median follow-up at the last cut: as printed, if only relaxed, or that of an endpoint that was drawn before."""
    printed = whole[one.comparisons[0].id].median_follow_up
    if printed is not None and printed.reached:
        return float(np.log(printed.value)), FOLLOW_UP_RELAXED
    for endpoint in endpoints:
        same = endpoint.of.months[-1] == one.months[-1] or endpoint.of.last_label == one.last_label
        if same and endpoint.met.size:
            times, events = endpoint.ensemble.patients(0, endpoint.met[:FOLLOWED])
            medians = [
                reverse_kaplan_meier(np.concatenate(time), np.concatenate(event)).median()
                for time, event in zip(zip(*times, strict=True), zip(*events, strict=True), strict=True)
            ]
            logs = np.log([median for median in medians if np.isfinite(median)])
            if logs.size:
                return float(logs.mean()), float(max(logs.std(), FOLLOW_UP_ERROR))
    return None


class _Drawn:
    """Members of one endpoint, with the report of each of its analyses beside what they give."""

    def __init__(
        self, of: Sorted, problem: Problem, ensemble: Ensemble, results: list[Reconstruction], met: Indices
    ) -> None:
        self.of, self.problem, self.ensemble, self.results, self.met = of, problem, ensemble, results, met

    @cached_property
    def ordered(self) -> FloatArray:
        """Times of every member in order, arm by arm."""
        ends = np.cumsum([arm.size for arm in self.ensemble.block.first.arms])[:-1]
        return np.concatenate(
            [np.sort(part, axis=1) for part in np.split(self.ensemble.drawn.time, ends, axis=1)], axis=1
        )


def _draw(
    one: Sorted,
    whole: Mapping[str, ReportedComparison],
    members: int,
    stream: np.random.SeedSequence,
    prior: ShapePrior,
    scale: ScaleName | None,
    workers: int,
    followed: tuple[float, float] | None,
) -> _Drawn:
    """Draw the members of one endpoint by one assessor, all its analyses together.

    ``followed`` is the log of the median follow-up that another endpoint of these patients has at the same cut, and how
    well it is known.
    """
    unnamed = any(unnamed_types(comparison) for comparison in one.comparisons)
    types = (scale,) if scale else SCALES_TRIED if unnamed else SCALES_TRIED[:1]
    chosen = prior.for_endpoint(one.comparisons[0].endpoint)
    best: _Drawn | None = None
    for name in types:
        problem = pose(one.block(name, followed), chosen)
        ensemble = draw_ensemble(problem, members, stream, workers)
        results = [
            Reconstruction(
                comparison=comparison,
                method=f"{METHOD}, all reports together",
                scale=name,
                relaxed=left_out(whole[comparison.id], comparison),
                findings=tuple(check_comparison(whole[comparison.id])),
                **patients(ensemble, v, np.arange(members)),
            )
            for v, comparison in enumerate(one.comparisons)
        ]
        faithful = np.all([result.faithful for result in results], axis=0)
        met = np.flatnonzero((ensemble.drawn.miss == 0) & faithful)
        drawn = _Drawn(one, problem, ensemble, results, met)
        if met.size:
            return drawn
        best = best or drawn
    assert best is not None, "at least one type of intervals is tried"
    nearest = np.argsort(best.ensemble.drawn.miss)[:NEAREST]
    lines = []
    for v, result in enumerate(best.results):
        near = replace(result, **patients(best.ensemble, v, nearest))
        lines += [f"{result.comparison.id}: {line}" for line in missed_numbers(near)]
    said = "; ".join(lines) or "no single number was found to be missed"
    ids = ", ".join(comparison.id for comparison in one.comparisons)
    raise InfeasibleReportError(
        f"{one.name}: no patients were found that give all printed numbers of {ids} back; {said}; if the reports are "
        "right, name what may differ, relax={id: (number, ...)}, or leave one out"
    )


class _Coupled:
    """Which member of each endpoint goes into each member of the trial, and its patients in the order of the first."""

    def __init__(self, endpoints: Sequence[_Drawn], members: int) -> None:
        shape = (members, endpoints[0].ensemble.drawn.time.shape[1])
        self.rows: list[Indices] = [np.zeros(members, dtype=np.intp) for _ in endpoints]
        self.order: list[Indices] = [np.tile(np.arange(shape[1]), (members, 1)) for _ in endpoints]
        self.entry: FloatArray = np.full(shape, np.nan)
        self.endpoints: dict[str, Endpoint] = {}
        self.subgroups: dict[str, NDArray[np.bool_]] = {}


def _couple(
    endpoints: Sequence[_Drawn],
    timeline: TrialTimeline | None,
    agreement: float,
    members: int,
    stream: np.random.SeedSequence,
    workers: int,
) -> _Coupled:
    """Put the endpoints' patients together, member by member, and give them their entries."""
    out = _Coupled(endpoints, members)
    filled = fill_missed(endpoints[0].met, members, stream)
    seeds = stream.spawn(members)
    windows = [_windows(endpoint, timeline) for endpoint in endpoints]

    def one(member: int) -> int:
        rng = np.random.default_rng(seeds[member])
        clashes = 0
        first = filled[member]
        out.rows[0][member] = first
        earliest, latest = (side[first].copy() for side in windows[0])
        for k in range(1, len(endpoints)):
            best: tuple[int, int, Indices] | None = None
            floor = _floor(endpoints, out, k, member)
            for row in _candidates(endpoints[k], floor, member, rng):
                order, wrong = _pairs(
                    endpoints, out, k, member, row, floor, earliest, latest, windows[k], agreement, rng
                )
                if best is None or wrong < best[1]:
                    best = row, wrong, order
                if wrong == 0:
                    break
            assert best is not None, "at least one member is tried"
            row, wrong, order = best
            clashes += wrong > 0
            out.rows[k][member], out.order[k][member] = row, order
            earliest = np.maximum(earliest, windows[k][0][row][order])
            latest = np.minimum(latest, windows[k][1][row][order])
        if timeline is not None and np.isfinite(latest).all():
            out.entry[member] = earliest + rng.random(earliest.size) * np.maximum(latest - earliest, 0.0)
        return clashes

    with ThreadPoolExecutor(workers) as pool:
        clashing = np.array(list(pool.map(one, range(members)))) > 0
    clashes = int(clashing.sum())
    if 0 < clashes < members:  # another member takes the place of one that cannot be
        taken = np.random.default_rng(stream.spawn(1)[0]).choice(np.flatnonzero(~clashing), clashes)
        for arrays in (out.rows, out.order, [out.entry]):
            for each in arrays:
                each[clashing] = each[taken]
    elif clashes:
        names = " and ".join(endpoint.of.name for endpoint in endpoints)
        raise InfeasibleReportError(
            f"{names}: each can be reconstructed, but in all {members} members some of their times cannot be of one "
            "patient (death before progression, or an entry that the follow-up at one cut does not allow); compare the "
            "medians and numbers at risk of the endpoints, correct the timeline, or ask for more members"
        )
    for k, endpoint in enumerate(endpoints):
        rows, order = out.rows[k], out.order[k]
        drawn = endpoint.ensemble.drawn
        limit = np.take_along_axis(drawn.limit[rows], order[:, None, :], axis=2)
        out.endpoints[endpoint.of.name] = Endpoint(
            time=np.take_along_axis(drawn.time[rows], order, axis=1),
            event=np.take_along_axis(drawn.event[rows], order, axis=1),
            left_at={
                comparison.id: limit[:, cut]
                for comparison, cut in zip(endpoint.of.comparisons, endpoint.of.cut, strict=True)
                if cut < limit.shape[1]
            },
        )
        bits = np.take_along_axis(drawn.group[rows], order, axis=1)
        for bit, name in enumerate(endpoint.of.groups):
            out.subgroups.setdefault(name, (bits >> bit) & 1 == 1)
    return out


def _floor(endpoints: Sequence[_Drawn], out: _Coupled, k: int, member: int) -> FloatArray:
    """Time before which the k-th endpoint cannot come, patient by patient: when those before it were last seen."""
    floor = np.zeros(out.entry.shape[1])
    for j, endpoint in enumerate(endpoints[:k]):
        if _before(endpoint, endpoints[k]):
            time = endpoint.ensemble.drawn.time[out.rows[j][member]]
            floor = np.maximum(floor, time[out.order[j][member]])
    return floor


def _candidates(other: _Drawn, floor: FloatArray, member: int, rng: np.random.Generator) -> list[int]:
    """Members of another endpoint to put beside one of the first: first those in which few die too soon."""
    rows = rng.permutation(other.met)
    if member in other.met:
        rows = np.concatenate([[member], rows])
    if floor.any():
        start = 0
        too_soon = np.zeros(rows.size, dtype=np.int64)
        for size in (arm.size for arm in other.ensemble.block.first.arms):
            patients_ = slice(start, start + size)
            mine = np.sort(floor[patients_])
            too_soon += (other.ordered[rows, patients_] < mine).sum(axis=1)
            start += size
        rows = rows[np.argsort(too_soon, kind="stable")]
    return [int(row) for row in dict.fromkeys(rows[:TRIES].tolist())]


def _before(one: _Drawn, other: _Drawn) -> bool:
    """Whether the one endpoint cannot come after the other."""
    return BEFORE.get(one.of.comparisons[0].endpoint) == other.of.comparisons[0].endpoint


def _pairs(
    endpoints: Sequence[_Drawn],
    out: _Coupled,
    k: int,
    member: int,
    row: int,
    floor: FloatArray,
    earliest: FloatArray,
    latest: FloatArray,
    window: tuple[FloatArray, FloatArray],
    agreement: float,
    rng: np.random.Generator,
) -> tuple[Indices, int]:
    """Say which patient of the k-th endpoint each patient is, arm by arm, and how many pairs cannot be one."""
    one, other = endpoints[0], endpoints[k]
    first = out.rows[0][member]
    shared = [name for name in other.of.groups if name in one.of.groups]
    bits = [
        sum(((drawn.drawn.group[at] >> of.groups.index(name)) & 1) << place for place, name in enumerate(shared))
        for drawn, of, at in ((one.ensemble, one.of, first), (other.ensemble, other.of, row))
    ]
    order = np.arange(earliest.size)
    clashes, start = 0, 0
    for size in (arm.size for arm in one.ensemble.block.first.arms):
        rows = slice(start, start + size)
        groups = [np.broadcast_to(each, earliest.shape)[rows] for each in bits]
        mine = Patients(
            one.ensemble.drawn.time[first, rows],
            one.ensemble.drawn.event[first, rows],
            earliest[rows],
            latest[rows],
            groups[0],
        )
        its = Patients(
            other.ensemble.drawn.time[row, rows],
            other.ensemble.drawn.event[row, rows],
            window[0][row, rows],
            window[1][row, rows],
            groups[1],
        )
        chosen, wrong = couple(mine, its, agreement, floor[rows], rng)
        order[rows] = start + chosen
        clashes += wrong
        start += size
    return order, clashes


def _windows(endpoint: _Drawn, timeline: TrialTimeline | None) -> tuple[FloatArray, FloatArray]:
    """Months of entry that the follow-up of each patient allows, by member: after the first, before the last."""
    drawn = endpoint.ensemble.drawn
    earliest, latest = np.zeros(drawn.time.shape), np.full(drawn.time.shape, np.inf)
    if timeline is None:
        return earliest, latest
    if timeline.months_of_accrual is not None:
        latest[:] = timeline.months_of_accrual
    leaves, event = drawn.time, drawn.event
    for cut in range(len(endpoint.of.months) - 1, -1, -1):
        month = endpoint.of.months[cut]
        if cut < len(endpoint.of.months) - 1:
            limit = drawn.limit[:, cut]
            if np.isfinite(month):  # an event that an earlier analysis has not seen came after its cut
                unseen = drawn.event & np.isfinite(limit)
                earliest = np.where(unseen, np.maximum(earliest, month - drawn.time), earliest)
            event = event & ~(limit < leaves)
            leaves = np.minimum(leaves, limit)
        if np.isfinite(month):
            latest = np.minimum(latest, month - leaves)
    return earliest, latest


def _few_distinct(endpoints: Sequence[_Drawn], rows: Sequence[Indices]) -> Finding:
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
