"""Trials simulated down to the scan: disease, visits, readers, then every endpoint as it would be observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.seeds import Seed, child, seed_sequence
from analysis.endpoints.adjudication import adjudicated
from analysis.endpoints.attendance import Attendance
from analysis.endpoints.batch import Endpoints, derive_patients, empty
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.endpoints.options import as_number, of_kind
from analysis.endpoints.readers import Readers, read_disease
from analysis.endpoints.simulation_results import SimulatedEndpoints
from analysis.endpoints.trial_values import Survival
from analysis.endpoints.tumours import Tumours, draw_disease
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from analysis.endpoints.codes import Floats
    from analysis.endpoints.readers import Scans
    from analysis.endpoints.tumours import Disease

PATIENTS_PER_CHUNK = 2**13
SAME_SCAN = 1e-6
"""Months within which two times are one scan: times are kept to a millionth of a day."""


@dataclass(frozen=True)
class Plan:
    """All that a chunk needs to be computed anywhere; picklable."""

    tumours: Tumours
    attendance: Attendance
    readers: Readers
    definitions: EndpointDefinitions
    patients: int
    seed: np.random.SeedSequence

    def scanned(self, count: int, number: int) -> tuple[Floats, Disease, list[Scans]]:
        """Draw and read the patients of chunk `number`, of so many trials: months of the scans, disease, readings."""
        spawned = child(self.seed, number)
        rng = np.random.Generator(np.random.PCG64DXSM(spawned))
        month = self.attendance.draw(count * self.patients, rng)
        at = np.where(np.isfinite(month), month, 0.0)
        disease = draw_disease(self.tumours, at, self.readers.lesions(self.tumours.targets), rng)
        return month, disease, read_disease(disease, self.readers, at, self.tumours.targets, rng)

    def run(self, count: int, number: int) -> tuple[list[Endpoints], Survival]:
        """Simulate chunk `number`, of so many trials: endpoints by each reader, and survival."""
        month, disease, readings = self.scanned(count, number)
        last = np.full(len(month), self.attendance.until + self.attendance.assessments.window + 1e-9)
        found = []
        for scans in readings:
            out = empty(len(month), len(self.definitions.landmarks))
            settings = self.definitions.compiled
            derive_patients(
                np.ascontiguousarray(scans.diameter),
                scans.node,
                scans.non_target,
                scans.new,
                month,
                disease.death,
                last,
                settings,
                out,
            )
            found.append(out)
            if self.readers.stops_at_investigator:
                last = np.minimum(last, found[0].progression[0] + SAME_SCAN)
        if self.readers.adjudication:
            found[2] = adjudicated(*found)
        followed = self.attendance.follow_up
        return found, Survival(np.minimum(disease.death, followed), disease.death <= followed)


def trials_per_chunk(patients: int) -> int:
    """Trials of so many patients that one chunk holds."""
    return max(PATIENTS_PER_CHUNK // patients, 1)


def simulate_endpoints(
    tumours: Tumours,
    attendance: Attendance,
    *,
    patients: int,
    trials: int,
    rng: Seed,
    readers: Readers | None = None,
    definitions: EndpointDefinitions | None = None,
    executor: Executor | None = None,
) -> SimulatedEndpoints:
    """Simulate single-arm trials and derive every endpoint by RECIST 1.1 and iRECIST.

    Parameters
    ----------
    tumours, attendance, readers
        The disease, the scans, and who reads them (one reader without error if None).
    patients, trials
        Patients in each trial, and number of trials.
    rng
        Seed. The same seed gives the same bits whatever the executor: trials are cut into chunks of fixed size, each
        with a stream of its own.
    definitions
        How endpoints are derived.
    executor
        Any `concurrent.futures.Executor`; None computes here.

    Returns
    -------
    SimulatedEndpoints

    Raises
    ------
    InvalidValueError
        If there is no patient or no trial.

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein
    >>> growth = Stein(Rate(0.1, 0.5), Rate(0.1, 1.0))
    >>> scans = Attendance(Assessments([8 * WEEK, 16 * WEEK, 24 * WEEK, 48 * WEEK]), until=48 * WEEK)
    >>> result = simulate_endpoints(Tumours(growth, new_lesions=0.1), scans, patients=30, trials=100, rng=1)
    >>> result.endpoints[0].time.shape
    (2, 100, 30)
    """
    for name, value in (("patients", patients), ("trials", trials)):
        if not as_number(value) >= 1 or as_number(value) != int(value):
            raise InvalidValueError(name, value, "a whole number, at least 1", "give how many to simulate")
    readers, definitions = readers or Readers(), definitions or EndpointDefinitions()
    for name, given, kind in (
        ("tumours", tumours, Tumours),
        ("attendance", attendance, Attendance),
        ("readers", readers, Readers),
        ("definitions", definitions, EndpointDefinitions),
    ):
        of_kind(name, given, kind)
    plan = Plan(tumours, attendance, readers, definitions, patients, seed_sequence(rng))
    size = trials_per_chunk(patients)
    work = [(min(size, trials - first), number) for number, first in enumerate(range(0, trials, size))]
    chunks = list(_in_order(plan, work, executor))
    merged = []
    for parts in zip(*(found for found, _ in chunks), strict=True):
        joined = [np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1) for arrays in zip(*parts, strict=True)]
        shaped = [
            a.reshape(trials, patients) if a.ndim == 1 else a.reshape(2, trials, patients, *a.shape[2:]) for a in joined
        ]
        merged.append(Endpoints(*shaped))
    alive = [np.concatenate(parts).reshape(trials, patients) for parts in zip(*(a for _, a in chunks), strict=True)]
    return SimulatedEndpoints(tuple(merged), Survival(*alive), tumours, attendance, readers, definitions, plan.seed)


def _in_order(
    plan: Plan, work: list[tuple[int, int]], executor: Executor | None
) -> Iterator[tuple[list[Endpoints], Survival]]:
    """Results of the chunks in their order."""
    if executor is None:
        return (plan.run(*chunk) for chunk in work)
    return executor.map(plan.run, *zip(*work, strict=True))
