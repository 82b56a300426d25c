"""One chunk of simulated trials: the unit of work that any executor can run, always with the same bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.seeds import Seed, seed_sequence
from analysis.engine.clock import BatchClock
from analysis.engine.patients import Population, draw, population
from analysis.engine.reach import check_reach
from analysis.engine.risk_sets import Comparison, RiskSets, Snapshot, risk_sets, snapshot
from analysis.engine.streams import chunk_state
from analysis.errors import InvalidValueError
from analysis.statistical_tests import OneArmTest, TwoArmTest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analysis.design import Scenario, TrialDesign

    Test = OneArmTest | TwoArmTest

PATIENTS_PER_BATCH = 2**15
PATIENTS_PER_CHUNK = 2**19
LARGEST_BLOCK = 2**24

Columns = dict[str, "NDArray[np.generic]"]


@dataclass(frozen=True)
class Plan:
    """All that a chunk needs to be computed anywhere; picklable."""

    design: TrialDesign
    who: Population
    tests: tuple[Test, ...]
    seed: np.random.SeedSequence

    @property
    def batch_trials(self) -> int:
        """Trials that are drawn together."""
        return max(1, PATIENTS_PER_BATCH // self.who.n)

    @property
    def chunk_trials(self) -> int:
        """Trials of a full chunk, whole batches."""
        return self.batch_trials * max(1, PATIENTS_PER_CHUNK // (self.batch_trials * self.who.n))

    def shapes(self) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
        """Shape (without trials) and type of every result column.

        Looks, endpoints and comparisons are axes in this order; a test's own columns come last.
        """
        looks, endpoints = len(self.design.looks), len(self.who.endpoints)
        comparisons = len(self.design.experimental_arms)
        shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
            "calendar_time": ((looks,), np.float64),
            "reached": ((looks,), np.bool_),
            "enrolled": ((looks,), np.int32),
            "events": ((looks, endpoints), np.int32),
        }
        for test in self.tests:
            shapes[test.name] = ((looks, endpoints, comparisons, len(test.columns)), np.float64)
        return shapes


def plan_for(design: TrialDesign, scenario: Scenario, tests: Sequence[Test], rng: Seed) -> Plan:
    """Make the plan of a design under a scenario, once its tests fit its arms and its cuts are within reach."""
    _check_tests(design, tests)
    plan = Plan(design, population(design, scenario), tuple(tests), seed_sequence(rng))
    check_reach(design, plan.who)
    return plan


def _check_tests(design: TrialDesign, tests: Sequence[Test]) -> None:
    for test in tests:
        if not isinstance(test, OneArmTest | TwoArmTest):
            raise InvalidValueError("tests", test, "statistical tests", "write tests=[LogRank()]")
        if isinstance(test, OneArmTest) != (design.control is None):
            expected = f"{'a comparison of two arms' if design.control else 'a test of one arm against a null value'}"
            remedy = "use LogRank() or another two-arm test" if design.control else "use LandmarkRate(...) or the like"
            raise InvalidValueError("tests", test.name, f"{expected}, for arms {list(design.arms)}", remedy)
        if design.sided == 2 and test.one_sided:
            raise InvalidValueError("tests", test.name, "tests of both directions, sided=2", "design it with sided=1")


def run_chunk(plan: Plan, number: int, trials: int) -> Columns:
    """Simulate the first `trials` trials of a chunk.

    Parameters
    ----------
    plan
        What to simulate.
    number
        Number of the chunk: it selects the stream of random numbers.
    trials
        How many of the chunk's trials are wanted, at most ``plan.chunk_trials``.

    Returns
    -------
    dict
        Columns by name, shapes as in ``plan.shapes()`` behind an axis of trials.
    """
    columns: Columns = {name: np.empty((trials, *shape), kind) for name, (shape, kind) in plan.shapes().items()}
    state = chunk_state(plan.seed, number)
    keep_freed_memory()
    for first in range(0, trials, plan.batch_trials):
        size = min(plan.batch_trials, trials - first)
        _run_batch(plan, state, {name: column[first : first + size] for name, column in columns.items()})
    return columns


def keep_freed_memory() -> None:
    """Have the C library reuse what a batch frees, by giving it back one large block, never touched.

    glibc keeps freed memory up to the size of the largest block it was given back; without one, the arrays of
    each batch go back to the system and are faulted in again. Where another C library does otherwise, nothing changes.
    """
    np.empty(LARGEST_BLOCK, np.uint8)


def _run_batch(plan: Plan, state: NDArray[np.uint64], columns: Columns) -> None:
    batch = draw(plan.who, state, len(columns["reached"]))
    columns["calendar_time"][:], columns["reached"][:] = cut_times(
        plan.design, BatchClock(plan.who, batch, plan.design.endpoint)
    )
    for look, cut in enumerate(columns["calendar_time"].T):
        for number, endpoint in enumerate(plan.who.endpoints):
            known = snapshot(batch, batch.endpoints[endpoint], cut)
            columns["enrolled"][:, look], columns["events"][:, look, number] = known.enrolled, known.events
            _run_tests(plan, known, {test.name: columns[test.name][:, look, number] for test in plan.tests})


def cut_times(design: TrialDesign, clock: BatchClock) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Calendar months of all looks, shape (trials, looks), and whether each was reached.

    A look never comes before the one ahead of it; one that never comes is put where nothing more is to be learned.
    """
    planned = np.stack([look.cut.calendar_time(clock) for look in design.looks], axis=1)
    reached = np.isfinite(planned)
    if not reached.all():
        planned = np.where(reached, planned, clock.end()[:, None])
    return np.maximum.accumulate(planned, axis=1), reached


def _run_tests(plan: Plan, known: Snapshot, columns: Mapping[str, NDArray[np.generic]]) -> None:
    for test in plan.tests:
        if isinstance(test, OneArmTest):
            columns[test.name][:, 0] = test.evaluate(known)
    if plan.design.control is None:
        return
    arms = plan.design.arms
    for number, experimental in enumerate(plan.design.experimental_arms):
        compared = Comparison(plan.who.bounds, len(arms), arms.index(plan.design.control), arms.index(experimental))
        sets: dict[bool, RiskSets] = {}
        for test in plan.tests:
            if isinstance(test, TwoArmTest):
                if test.stratified not in sets:
                    sets[test.stratified] = risk_sets(known, compared, stratified=test.stratified)
                columns[test.name][:, number] = test.evaluate(sets[test.stratified])
