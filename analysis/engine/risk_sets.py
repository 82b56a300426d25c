"""Risk sets at the event times of a batch of trials: what every test is computed from.

Times and what happens at them are packed into 64-bit keys, spread over buckets in one pass and put right by insertion;
patients who tie fall into place without a comparison, since events and censorings are counted into buckets of their
own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.checks import SAME_TIME
from analysis.engine.visits import look_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.engine.patients import Batch
    from analysis.engine.visits import Observations

EVENT, CENSORED, ENTERED = np.uint64(0), np.uint64(1), np.uint64(2)
KIND_BITS = np.uint64(2)


class RiskSets(NamedTuple):
    """Risk sets of one comparison, one row per distinct event time, stratum after stratum and trial after trial.

    Stratum s of trial t holds rows ``first[t * strata + s]`` to ``first[t * strata + s + 1]``. `n_risk` and `n_event`
    count both arms, `..._experimental` the experimental one; `last_time` is the latest time observed and `patients` the
    number enrolled by (trial, stratum, arm), control first.
    """

    time: NDArray[np.float64]
    n_risk: NDArray[np.int32]
    n_risk_experimental: NDArray[np.int32]
    n_event: NDArray[np.int32]
    n_event_experimental: NDArray[np.int32]
    first: NDArray[np.int64]
    last_time: NDArray[np.float64]
    patients: NDArray[np.int32]
    strata: int

    @property
    def trials(self) -> int:
        """Number of trials."""
        return len(self.last_time)


class Snapshot(NamedTuple):
    """One endpoint as it is known at the cut of each trial, shape (trials, n): months since time zero, event status.

    `entry` is on the calendar: a patient is enrolled who entered before the `cut`, shape (trials,). `start` are the
    months from time zero to coming under observation, shape (0, 0) without delayed entry. `enrolled` and `events` count
    each trial's patients, shape (trials,).
    """

    entry: NDArray[np.float64]
    start: NDArray[np.float64]
    cut: NDArray[np.float64]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]
    enrolled: NDArray[np.int32]
    events: NDArray[np.int32]

    @property
    def began(self) -> NDArray[np.float64]:
        """Months from time zero to coming under observation; 0 without delayed entry."""
        return self.start if self.start.size else np.zeros((1, 1))


class Comparison(NamedTuple):
    """Which columns of a snapshot are compared: cells, ordered by stratum, then arm, begin at `bounds`."""

    bounds: NDArray[np.int64]
    arms: int
    control: int
    experimental: int


def one_arm_risk_sets(known: Snapshot) -> RiskSets:
    """Risk sets of all patients of a snapshot as one experimental arm without a control."""
    n = known.time.shape[1]
    return risk_sets(known, Comparison(np.array([0, n]), 1, control=1, experimental=0), stratified=False)


def snapshot(batch: Batch, seen: Observations, cut: NDArray[np.float64]) -> Snapshot:
    """Cut a batch at calendar times, shape (trials,)."""
    trials = len(batch.entry)
    known = Snapshot(
        batch.entry,
        batch.start,
        cut,
        time=np.empty(batch.entry.shape),
        event=np.empty(batch.entry.shape, np.bool_),
        enrolled=np.empty(trials, np.int32),
        events=np.empty(trials, np.int32),
    )
    _observe(batch.origin, seen, known)
    return known


def risk_sets(known: Snapshot, compared: Comparison, *, stratified: bool) -> RiskSets:
    """Risk sets of a snapshot; `stratified` keeps the strata apart, otherwise they are pooled."""
    trials, n = known.time.shape
    strata = (compared.bounds.size - 1) // compared.arms if stratified else 1
    rows = trials * n
    sets = RiskSets(
        time=np.empty(rows),
        n_risk=np.empty(rows, np.int32),
        n_risk_experimental=np.empty(rows, np.int32),
        n_event=np.empty(rows, np.int32),
        n_event_experimental=np.empty(rows, np.int32),
        first=np.zeros(trials * strata + 1, np.int64),
        last_time=np.zeros((trials, strata, 2)),
        patients=np.zeros((trials, strata, 2), np.int32),
        strata=strata,
    )
    _fill(known, compared, sets)
    return sets


@njit(nogil=True, cache=True, error_model="numpy")
def _observe(origin: NDArray[np.float64], seen: Observations, known: Snapshot) -> None:
    """Fill a snapshot."""
    for trial in range(origin.shape[0]):
        zero, recorded, learned, happens = origin[trial], seen.time[trial], seen.known[trial], seen.event[trial]
        begun, out, is_event, cut = known.entry[trial], known.time[trial], known.event[trial], known.cut[trial]
        entered, happened = 0, 0
        for i in range(out.size):
            entered += begun[i] < cut
            is_event[i] = happens[i] & (zero[i] + learned[i] <= cut * (1 + SAME_TIME))
            happened += is_event[i]
        known.enrolled[trial], known.events[trial] = entered, happened
        if seen.assessed:
            for i in range(out.size):
                until = cut - zero[i] if happens[i] else min(recorded[i], cut - zero[i])
                if is_event[i]:
                    out[i] = recorded[i]
                else:
                    out[i], _ = look_for(seen.visits, seen.seed[trial, i], np.inf, until)
        else:
            for i in range(out.size):
                out[i] = recorded[i] if is_event[i] else min(recorded[i], cut - zero[i])


@njit(inline="always")
def packed(time: float, kind: np.uint64, arm: int) -> np.uint64:
    """Pack a time of at least 0, what happens then and the arm into a key that sorts by (time, kind)."""
    bits = np.float64(time).view(np.uint64) << np.uint64(1)
    return ((bits >> np.uint64(3)) << np.uint64(3)) | (np.uint64(kind) << np.uint64(1)) | np.uint64(arm)


@njit(inline="always")
def time_of(key: np.uint64) -> float:
    """Unpack a key's time."""
    return np.uint64((key >> np.uint64(3)) << np.uint64(2)).view(np.float64)


@njit(nogil=True, cache=True, error_model="numpy")
def _fill(known: Snapshot, compared: Comparison, sets: RiskSets) -> None:
    entry, start, time, event, cut = known.entry, known.start, known.time, known.event, known.cut
    bounds, arms = compared.bounds, compared.arms
    trials, n = entry.shape
    cells = (bounds.size - 1) // sets.strata
    delayed = start.size > 0
    room = 2 * n if delayed else n
    times, keys, ordered = np.empty(room + 1), np.empty(room + 1, np.uint64), np.empty(room, np.uint64)
    count = np.empty(3 * (room + 2), np.int32)
    row = np.int64(0)
    for trial in range(trials):
        for stratum in range(sets.strata):
            m, at_risk, at_risk_experimental, latest = np.int64(0), np.int64(0), np.int64(0), 0.0
            for arm in range(2):
                last, patients = 0.0, 0
                of = compared.experimental if arm == 1 else compared.control
                for cell in range(stratum * cells + of, (stratum + 1) * cells, arms):
                    for i in range(bounds[cell], bounds[cell + 1]):
                        enrolled = entry[trial, i] < cut[trial]
                        times[m] = time[trial, i]
                        keys[m] = packed(time[trial, i], CENSORED - np.uint64(event[trial, i]), arm)
                        m += enrolled
                        patients += enrolled
                        last = max(last, time[trial, i] if enrolled else 0.0)
                        if delayed and enrolled:
                            times[m] = start[trial, i]
                            keys[m] = packed(start[trial, i], ENTERED, arm)
                            m += 1
                sets.last_time[trial, stratum, arm], sets.patients[trial, stratum, arm] = last, patients
                latest = max(latest, last)
                if not delayed:
                    at_risk_experimental = m - at_risk
                    at_risk = m
            _sort(times, keys, m, latest, 3 if delayed else 2, count, ordered)
            row = _sweep(ordered, m, at_risk, at_risk_experimental, sets, row)
            sets.first[trial * sets.strata + stratum + 1] = row


@njit(inline="always")
def _sort(
    times: NDArray[np.float64],
    keys: NDArray[np.uint64],
    m: np.int64,
    latest: float,
    kinds: int,
    count: NDArray[np.int32],
    ordered: NDArray[np.uint64],
) -> None:
    """Sort the first m keys into `ordered`, by time, then kind; the order of arms is left open."""
    buckets = m
    scale = buckets / latest if latest > 0.0 else 0.0
    for k in range(kinds * (buckets + 1) + 1):
        count[k] = 0
    for i in range(m):
        count[kinds * int(times[i] * scale) + np.int64((keys[i] >> np.uint64(1)) & np.uint64(3))] += 1
    before = np.int64(0)
    for k in range(kinds * (buckets + 1)):
        here = count[k]
        count[k] = before
        before += here
    for i in range(m):
        place = kinds * int(times[i] * scale) + np.int64((keys[i] >> np.uint64(1)) & np.uint64(3))
        ordered[count[place]] = keys[i]
        count[place] += 1
    for i in range(1, m):
        key = ordered[i]
        j = i
        while j > 0 and (ordered[j - 1] >> np.uint64(1)) > (key >> np.uint64(1)):
            ordered[j] = ordered[j - 1]
            j -= 1
        ordered[j] = key


@njit(inline="always")
def _sweep(
    ordered: NDArray[np.uint64],
    m: np.int64,
    at_risk: np.int64,
    at_risk_experimental: np.int64,
    sets: RiskSets,
    row: np.int64,
) -> np.int64:
    """Walk through time and write one row per distinct event time, without branches; gives the next free row."""
    previous = ~np.uint64(0)
    events, events_experimental, begin, row = np.int64(0), np.int64(0), row, row - 1
    for i in range(m):
        key = ordered[i]
        arm, kind = np.int64(key & np.uint64(1)), (key >> np.uint64(1)) & np.uint64(3)
        is_event = np.int64(kind == EVENT)
        is_new = is_event & np.int64((key >> np.uint64(1)) != previous)
        previous = key >> np.uint64(1) if is_event else previous
        row += is_new
        if is_new:
            sets.time[row] = time_of(key)
            sets.n_risk[row], sets.n_risk_experimental[row] = at_risk, at_risk_experimental
        events = events * (1 - is_new) + is_event
        events_experimental = events_experimental * (1 - is_new) + (is_event & arm)
        if row >= begin:
            sets.n_event[row], sets.n_event_experimental[row] = events, events_experimental
        step = 1 if kind == ENTERED else -1
        at_risk += step
        at_risk_experimental += step * arm
    return row + 1
