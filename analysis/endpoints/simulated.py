"""Trials simulated down to the scan: disease, visits, readers, then every endpoint as it would be observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.compiling import compilation_announced
from analysis.conventions.border import border
from analysis.conventions.seeds import Seed, child, seed_sequence
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.endpoints.adjudication import adjudicated
from analysis.endpoints.attendance import Attendance
from analysis.endpoints.batch import Endpoints, derive_patients, empty
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.endpoints.options import as_number, of_kind
from analysis.endpoints.readers import Readers, read_disease
from analysis.endpoints.simulation_results import SimulatedEndpoints
from analysis.endpoints.treatment import Treated, Treatment, after_treatment, treatment_seen, with_failures
from analysis.endpoints.trial_values import Survival
from analysis.endpoints.tumours import Tumours, draw_disease
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from analysis.endpoints.codes import Floats
    from analysis.endpoints.readers import Scans
    from analysis.endpoints.tumours import Disease
    from analysis.safety.course import Course

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
    treatment: Treatment | None = None

    def course(self, count: int, number: int) -> tuple[Course, np.random.Generator] | None:
        """Draw the treatment of chunk `number`, from a stream of its own: the disease is the same whatever it is."""
        if self.treatment is None:
            return None
        rng = np.random.Generator(np.random.PCG64DXSM(child(child(self.seed, number), 0)))
        return self.treatment.course.draw(count * self.patients, self.attendance.until, rng), rng

    def scanned(self, count: int, number: int) -> tuple[Floats, Disease, list[Scans]]:
        """Draw and read the patients of chunk `number`, of so many trials: months of the scans, disease, readings."""
        spawned = child(self.seed, number)
        rng = np.random.Generator(np.random.PCG64DXSM(spawned))
        month = self.attendance.draw(count * self.patients, rng)
        at = np.where(np.isfinite(month), month, 0.0)
        lesions = self.readers.lesions(self.tumours.followed)
        treated = self.course(count, number)
        if treated is None or self.treatment is None or not self.treatment.is_felt:
            disease = draw_disease(self.tumours, at, lesions, rng)
        else:
            stop = treated[0].stop
            end = np.where(np.isfinite(stop), stop, 0.0)
            both = draw_disease(self.tumours, np.column_stack([at, end]), lesions, rng)
            disease = both._replace(diameter=np.ascontiguousarray(both.diameter[:, :-1]))
            disease = after_treatment(disease, at, both.diameter[:, -1], stop, self.treatment, treated[1])
        return month, disease, read_disease(disease, self.readers, at, self.tumours.followed, rng)

    def run(self, count: int, number: int) -> tuple[list[Endpoints], Survival, Treated | None]:
        """Simulate chunk `number`, of so many trials: endpoints by each reader, survival, and treatment."""
        month, disease, readings = self.scanned(count, number)
        last = np.full(len(month), self.attendance.until + self.attendance.assessments.window + 1e-9)
        treated = self.course(count, number)
        if treated is not None and self.treatment is not None:
            last = np.minimum(last, self.treatment.seen_until(treated[0]))
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
        survival = Survival(np.minimum(disease.death, followed), disease.death <= followed)
        if treated is None or self.treatment is None:
            return found, survival, None
        if self.treatment.strategy == "composite":
            landmarks = np.array(self.definitions.landmarks) / DAYS_PER_MONTH
            found = [with_failures(one, treated[0], landmarks) for one in found]
        ended = np.minimum(found[0].progression, disease.death)
        return found, survival, treatment_seen(treated[0], ended, self.attendance.until)


def trials_per_chunk(patients: int) -> int:
    """Trials of so many patients that one chunk holds."""
    return max(PATIENTS_PER_CHUNK // patients, 1)


MOST_PATIENTS = 2_000_000_000


@border
def simulate_endpoints(
    tumours: Tumours,
    attendance: Attendance,
    *,
    patients: int,
    trials: int,
    rng: Seed,
    readers: Readers | None = None,
    definitions: EndpointDefinitions | None = None,
    treatment: Treatment | None = None,
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
    treatment
        Adverse events and the end of treatment, and what is made of it; None if treatment plays no part. The patients
        are the same for every treatment and strategy.
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
    if int(patients) * int(trials) > MOST_PATIENTS:
        expected = f"at most {MOST_PATIENTS:,} patients in all trials together, in one call"
        raise InvalidValueError(
            "patients, trials", f"{patients} in {trials} trials", expected, "simulate them in parts"
        )
    readers, definitions = readers or Readers(), definitions or EndpointDefinitions()
    for name, given, kind in (
        ("tumours", tumours, Tumours),
        ("attendance", attendance, Attendance),
        ("readers", readers, Readers),
        ("definitions", definitions, EndpointDefinitions),
        *([("treatment", treatment, Treatment)] if treatment is not None else []),
    ):
        of_kind(name, given, kind)
    plan = Plan(tumours, attendance, readers, definitions, patients, seed_sequence(rng), treatment)
    size = trials_per_chunk(patients)
    work = [(min(size, trials - first), number) for number, first in enumerate(range(0, trials, size))]
    with compilation_announced():
        chunks = list(_in_order(plan, work, executor))
    merged = []
    for parts in zip(*(found for found, _, _ in chunks), strict=True):
        joined = [np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1) for arrays in zip(*parts, strict=True)]
        shaped = [
            a.reshape(trials, patients) if a.ndim == 1 else a.reshape(2, trials, patients, *a.shape[2:]) for a in joined
        ]
        merged.append(Endpoints(*shaped))
    alive = [np.concatenate(parts).reshape(trials, patients) for parts in zip(*(a for _, a, _ in chunks), strict=True)]
    courses = [course for _, _, course in chunks if course is not None]
    seen = [
        np.concatenate(parts, axis=-1).reshape(*parts[0].shape[:-1], trials, patients)
        for parts in zip(*courses, strict=True)
    ]
    course = Treated(*seen) if seen else None
    return SimulatedEndpoints(
        tuple(merged), Survival(*alive), tumours, attendance, readers, definitions, plan.seed, treatment, course
    )


def _in_order(
    plan: Plan, work: list[tuple[int, int]], executor: Executor | None
) -> Iterator[tuple[list[Endpoints], Survival, Treated | None]]:
    """Results of the chunks in their order."""
    if executor is None:
        return (plan.run(*chunk) for chunk in work)
    return executor.map(plan.run, *zip(*work, strict=True))
