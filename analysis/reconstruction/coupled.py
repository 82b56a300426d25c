"""Puts the endpoints of a trial together: which patient of one is which of another, and when each came in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InfeasibleReportError
from analysis.reconstruction.from_report import fill_missed, patients
from analysis.reconstruction.precedence import comes_before, ends
from analysis.reconstruction.repair.coupling import Bounds, Patients, couple
from analysis.reconstruction.repair.walking import refit
from analysis.reconstruction.trial_result import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.ensemble import Ensemble
    from analysis.reconstruction.report.sorting import Sorted
    from analysis.reconstruction.result import Reconstruction
    from analysis.reconstruction.solve.problem import Problem
    from analysis.reported import TrialTimeline

    Indices = NDArray[np.intp]

TURNS = 10  # by which the patients of a reading are brought inside their bounds, and every number back again
TRIES = 24  # members of one endpoint that are tried beside one of another, until all pairs can be one patient


class Drawn:
    """Members of one endpoint, with the report of each of its analyses beside what they give."""

    def __init__(
        self, of: Sorted, problem: Problem, ensemble: Ensemble, results: list[Reconstruction], met: Indices
    ) -> None:
        self.of, self.problem, self.ensemble, self.results, self.met = of, problem, ensemble, results, met
        self.beside: Indices | None = None  # member of the reading that ends this one, beside which each was drawn

    @cached_property
    def ordered(self) -> FloatArray:
        """Times of every member in order, arm by arm."""
        ends = np.cumsum([arm.size for arm in self.ensemble.block.first.arms])[:-1]
        return np.concatenate(
            [np.sort(part, axis=1) for part in np.split(self.ensemble.drawn.time, ends, axis=1)], axis=1
        )

    @cached_property
    def strayed(self) -> FloatArray:
        """By how many patients each draw misses the numbers at risk that another reading told of it, shape (draws,)."""
        every = np.arange(self.ensemble.drawn.miss.size)
        off, at_risk = np.zeros(every.size), self.problem.block.told.at_risk
        times = {
            analysis: self.ensemble.patients(analysis, every)[0] for analysis in {told.analysis for told in at_risk}
        }
        for told in at_risk:
            off += np.abs((times[told.analysis][told.arm] > told.time).sum(axis=1) - told.patients)
        return off

    @property
    def can_be_refitted(self) -> bool:
        """Whether patients can be moved on until every number is met again: of two arms, at one data cut."""
        return len(self.of.months) == 1 and self.ensemble.block.arms == 2

    def with_patients(self, row: int, time: FloatArray, event: BoolArray) -> Ensemble:
        """Give one member with other times and events of its patients, shape ``(n,)``."""
        drawn = self.ensemble.drawn.rows(np.array([row]))._replace(time=time[None, :], event=event[None, :])
        return replace(self.ensemble, drawn=drawn)

    def refitted(
        self,
        row: int,
        patients_: tuple[FloatArray, BoolArray],
        order: Indices,
        bounds: Bounds,
        rng: np.random.Generator,
    ) -> tuple[FloatArray, BoolArray]:
        """Bring the patients of a member inside their bounds, and then every number back."""
        time = patients_[0].copy()
        time[order] = np.clip(time[order], bounds.floor, bounds.ceiling)
        drawn = refit(self.ensemble.block, self.with_patients(row, time, patients_[1]).drawn, rng)
        return drawn.time[0], drawn.event[0]


class Coupled:
    """Which member of each endpoint goes into each member of the trial, and its patients in the order of the first."""

    def __init__(self, endpoints: Sequence[Drawn], members: int) -> None:
        shape = (members, endpoints[0].ensemble.drawn.time.shape[1])
        self.rows: list[Indices] = [np.zeros(members, dtype=np.intp) for _ in endpoints]
        self.order: list[Indices] = [np.tile(np.arange(shape[1]), (members, 1)) for _ in endpoints]
        self.time: list[FloatArray] = [np.zeros(shape) for _ in endpoints]
        self.event: list[BoolArray] = [np.zeros(shape, dtype=np.bool_) for _ in endpoints]
        self.entry: FloatArray = np.full(shape, np.nan)
        self.endpoints: dict[str, Endpoint] = {}
        self.subgroups: dict[str, NDArray[np.bool_]] = {}

    def ensemble(self, k: int, endpoint: Drawn) -> Ensemble:
        """Give the members of an endpoint that went into those of the trial, with the patients that they have there."""
        rows, whole = self.rows[k], endpoint.ensemble
        drawn = whole.drawn.rows(rows)._replace(time=self.time[k], event=self.event[k])
        return replace(whole, drawn=drawn, states=whole.states[rows])


def put_together(
    endpoints: Sequence[Drawn],
    timeline: TrialTimeline | None,
    agreement: float,
    read_until: Mapping[str, str],
    members: int,
    stream: np.random.SeedSequence,
    workers: int,
) -> Coupled:
    """Put the endpoints' patients together, member by member, and give them their entries."""
    out = Coupled(endpoints, members)
    filled = fill_missed(endpoints[0].met, members, stream)
    seeds = stream.spawn(members)
    windows = [_windows(endpoint, timeline) for endpoint in endpoints]

    def one(member: int) -> int:
        rng = np.random.default_rng(seeds[member])
        clashes = 0
        first = filled[member]
        out.rows[0][member], drawn = first, endpoints[0].ensemble.drawn
        out.time[0][member], out.event[0][member] = drawn.time[first], drawn.event[first]
        earliest, latest = (side[first].copy() for side in windows[0])
        for k in range(1, len(endpoints)):
            best: tuple[int, int, Indices, tuple[FloatArray, BoolArray]] | None = None
            bounds = _bounds(endpoints, out, k, member, read_until)
            beside = next(
                (out.rows[j][member] for j in range(k) if ends(endpoints[j].of, endpoints[k].of, read_until)), -1
            )
            for row in _candidates(endpoints[k], bounds, member, beside, rng):
                drawn = endpoints[k].ensemble.drawn
                patients_ = drawn.time[row], drawn.event[row]
                turns = TURNS if endpoints[k].can_be_refitted and np.isfinite(bounds.ceiling).any() else 1
                for turn in range(turns):
                    order, wrong = _pairs(
                        endpoints, out, k, member, row, patients_, bounds, earliest, latest, windows[k], agreement, rng
                    )
                    if wrong or turn > 0:
                        moved = _within(endpoints[k], row, patients_, order, wrong, bounds)
                        patients_, wrong = (patients_, max(wrong, 1)) if moved is None else (moved, 0)
                    if best is None or wrong < best[1]:
                        best = row, wrong, order, patients_
                    if wrong == 0 or turn + 1 == turns:
                        break
                    patients_ = endpoints[k].refitted(row, patients_, order, bounds, rng)
                if wrong == 0:
                    break
            assert best is not None, "at least one member is tried"
            row, wrong, order, (out.time[k][member], out.event[k][member]) = best
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
        for arrays in (out.rows, out.order, out.time, out.event, [out.entry]):
            for each in arrays:
                each[clashing] = each[taken]
    elif clashes:
        names = " and ".join(endpoint.of.name for endpoint in endpoints)
        raise InfeasibleReportError(
            f"{names}: each can be reconstructed, but in all {members} members some of their times cannot be of one "
            "patient (death before progression, or an entry that the follow-up at one cut does not allow); compare the "
            "medians and numbers at risk of the endpoints, correct the timeline, or ask for more members"
            + ("; or let every reading go on, without read_until" if read_until else "")
        )
    for k, endpoint in enumerate(endpoints):
        rows, order = out.rows[k], out.order[k]
        drawn = endpoint.ensemble.drawn
        limit = np.take_along_axis(drawn.limit[rows], order[:, None, :], axis=2)
        out.endpoints[endpoint.of.name] = Endpoint(
            time=np.take_along_axis(out.time[k], order, axis=1),
            event=np.take_along_axis(out.event[k], order, axis=1),
            left_at={
                comparison.id: limit[:, cut]
                for comparison, cut in zip(endpoint.of.comparisons, endpoint.of.cut, strict=True)
                if cut < limit.shape[1]
            },
            shown_by=endpoint.of.comparisons[0].id,
        )
        bits = np.take_along_axis(drawn.group[rows], order, axis=1)
        for bit, name in enumerate(endpoint.of.groups):
            out.subgroups.setdefault(name, (bits >> bit) & 1 == 1)
    return out


def _bounds(endpoints: Sequence[Drawn], out: Coupled, k: int, member: int, read_until: Mapping[str, str]) -> Bounds:
    """Give the times between which the k-th endpoint is: not before progression, nor after the last reading."""
    floor, ceiling = np.zeros(out.entry.shape[1]), np.full(out.entry.shape[1], np.inf)
    for j, endpoint in enumerate(endpoints[:k]):
        own = out.time[j][member][out.order[j][member]]
        if comes_before(endpoint.of, endpoints[k].of):
            floor = np.maximum(floor, own)
        if ends(endpoint.of, endpoints[k].of, read_until):
            ceiling = np.minimum(ceiling, own)
    return Bounds(floor, ceiling)


def _candidates(other: Drawn, bounds: Bounds, member: int, beside: int, rng: np.random.Generator) -> Iterator[int]:
    """Members of another endpoint to put beside one of the first.

    Those that were drawn beside this member, nearest first to what it says of them; else any, then those whose times
    are nearest its bounds.
    """
    rows = rng.permutation(other.met)
    if other.beside is not None:
        mine = rows[(other.beside[rows] == beside) & other.ensemble.drawn.own[rows]]
        yield from mine[np.argsort(other.strayed[mine], kind="stable")].tolist()
        if mine.size:
            return
    if member in other.met:
        rows = np.concatenate([[member], rows[rows != member]])
    yield from rows[:TRIES].tolist()
    rows, start = rows[TRIES:], 0
    if bounds.open:
        return
    outside = np.zeros(rows.size)
    for size in (arm.size for arm in other.ensemble.block.first.arms):
        patients_ = slice(start, start + size)
        ordered = other.ordered[rows, patients_]
        outside += np.maximum(np.sort(bounds.floor[patients_]) - ordered, 0.0).sum(axis=1)
        outside += np.maximum(ordered - np.sort(bounds.ceiling[patients_]), 0.0).sum(axis=1)
        start += size
    yield from rows[np.argsort(outside, kind="stable")[:TRIES]].tolist()


def _within(
    other: Drawn, row: int, patients_: tuple[FloatArray, BoolArray], order: Indices, wrong: int, bounds: Bounds
) -> tuple[FloatArray, BoolArray] | None:
    """Give the patients of a member of another endpoint, none outside its bounds, if they still give every number back.

    Few patients come a little too soon or too late where two endpoints were drawn apart; they leave when they may.
    None if pairs are wrong for another reason, or a number is lost.
    """
    time, event = patients_[0].copy(), patients_[1]
    mine = time[order]
    time[order] = np.clip(mine, bounds.floor, bounds.ceiling)
    if np.count_nonzero(time[order] != mine) != wrong:
        return None
    moved = other.with_patients(row, time, event)
    for v, result in enumerate(other.results):
        if not replace(result, **patients(moved, v, np.zeros(1, dtype=np.intp))).faithful[0]:
            return None
    return time, event


def _pairs(
    endpoints: Sequence[Drawn],
    out: Coupled,
    k: int,
    member: int,
    row: int,
    patients_: tuple[FloatArray, BoolArray],
    bounds: Bounds,
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
    time, event = patients_
    events = np.sort(time[event])
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
            time[rows],
            event[rows],
            window[0][row, rows],
            window[1][row, rows],
            groups[1],
        )
        same = one.of.comparisons[0].endpoint == other.of.comparisons[0].endpoint
        chosen, wrong = couple(mine, its, agreement, bounds.of(rows), events, rng, same_scans=same)
        order[rows] = start + chosen
        clashes += wrong
        start += size
    return order, clashes


def _windows(endpoint: Drawn, timeline: TrialTimeline | None) -> tuple[FloatArray, FloatArray]:
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
