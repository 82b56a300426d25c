"""One simulated trial as the measurements that made it, laid out as a real trial's: TR, TU and subjects."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.display import short_repr
from analysis.endpoints.batch import whole_days
from analysis.endpoints.codes import MISSING, PD
from analysis.endpoints.organs import NODES
from analysis.endpoints.simulated import SAME_SCAN, Plan, trials_per_chunk
from analysis.endpoints.simulation_results import READERS
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.endpoints.codes import Floats
    from analysis.endpoints.readers import Scans
    from analysis.endpoints.simulation_results import SimulatedEndpoints

START = date(2000, 1, 1)
"""Reference date of every simulated patient."""

TR_COLUMNS = ["subject", "evaluator", "lesion", "group", "test", "value", "visit", "date"]
TU_COLUMNS = ["subject", "evaluator", "lesion", "organ"]


class SimulatedMeasurements(NamedTuple):
    """Frames that `derive` reads."""

    tr: pd.DataFrame
    tu: pd.DataFrame
    subjects: pd.DataFrame

    def __repr__(self) -> str:
        return short_repr(self)


@border
def simulated_measurements(result: SimulatedEndpoints, trial: int = 0) -> SimulatedMeasurements:
    """Lay out what the readers measured in one simulated trial.

    Parameters
    ----------
    result
        Simulated trials; their random numbers are drawn again for the trial's chunk.
    trial
        Number of the trial, from 0.

    Returns
    -------
    SimulatedMeasurements
        TR and TU by reader (``evaluator``), and the subjects with their deaths. Dates are whole days, so that a visit
        can be half a day from where the simulation has it.

    Raises
    ------
    InvalidValueError
        If there is no such trial.

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein, Tumours, derive, simulate_endpoints
    >>> tumours = Tumours(Stein(Rate(0.1, 0.5), Rate(0.1, 1.0)), new_lesions=0.1)
    >>> scans = Attendance(Assessments.every(8 * WEEK), until=12.0)
    >>> result = simulate_endpoints(tumours, scans, patients=30, trials=2, rng=1)
    >>> derivation = derive(*simulated_measurements(result, trial=1))
    >>> derivation.explain("S02", "investigator").splitlines()[0][:61]
    'S02 (investigator): baseline 2000-01-01, targets T1 36.6 + T2'
    """
    trials, patients = result.survival.time.shape
    if not 0 <= trial < trials:
        raise InvalidValueError("trial", trial, f"a number from 0 to {trials - 1}", "count trials from 0")
    number, place = divmod(trial, trials_per_chunk(patients))
    count = min(trials_per_chunk(patients), trials - number * trials_per_chunk(patients))
    said = (result.tumours, result.attendance, result.readers, result.definitions, patients, result.seed)
    plan = Plan(*said, result.treatment)
    month, disease, readings = plan.scanned(count, number)
    which = slice(place * patients, (place + 1) * patients)
    last = np.full(patients, result.attendance.until + result.attendance.assessments.window + 1e-9)
    treated = plan.course(count, number)
    if treated is not None and result.treatment is not None:
        last = np.minimum(last, result.treatment.seen_until(treated[0])[which])
    organs = result.tumours.organs.names if result.tumours.organs else ()
    tr, tu = list[tuple[object, ...]](), list[tuple[object, ...]]()
    for reader, scans in zip(READERS[: 1 + result.readers.independent], readings, strict=False):
        end = np.minimum(last, disease.death[which])
        for i in range(patients):
            kept, row = month[which][i], which.start + i
            visits = np.concatenate(([0.0], kept[kept <= end[i]]))
            tr += _measured(f"S{i + 1:02d}", reader, scans, row, visits)
            tu += _located(f"S{i + 1:02d}", reader, scans, row, organs)
        if result.readers.stops_at_investigator:
            last = np.minimum(last, result.endpoints[0].progression[0, trial] + SAME_SCAN)
    died = [_on(month) if seen else None for month, seen in zip(*(of[trial] for of in result.survival), strict=True)]
    subjects = pd.DataFrame({"subject": [f"S{i + 1:02d}" for i in range(patients)], "reference": START, "death": died})
    return SimulatedMeasurements(pd.DataFrame(tr, columns=TR_COLUMNS), pd.DataFrame(tu, columns=TU_COLUMNS), subjects)


def _on(month: float) -> date:
    """Date so many months after the reference date."""
    return START + timedelta(days=round(whole_days(month)))


def _measured(subject: str, reader: str, scans: Scans, row: int, visits: Floats) -> Iterator[tuple[object, ...]]:
    """Rows of TR; non-target disease that progresses and new lesions go on growing."""
    progressed = appeared = False
    targets = np.flatnonzero(scans.diameter[row, 0] > 0)
    day = START - timedelta(days=1)
    for visit, month in enumerate(visits):
        day = max(_on(month), day + timedelta(days=1))  # two scans within a day are on two days
        when = (f"scan {visit}" if visit else "baseline", day)
        for lesion in targets:
            axis, mm = "LPERP" if scans.node[row, lesion] else "LDIAM", f"{scans.diameter[row, visit, lesion]:.1f}"
            yield subject, reader, f"T{lesion + 1}", "TARGET", axis, mm, *when
        if scans.non_target[row, visit] != MISSING:
            progresses = bool(scans.non_target[row, visit] == PD)
            state = "INCREASED" if progressed else "PROGRESSION" if progresses else "PRESENT"
            yield subject, reader, "NT1", "NON-TARGET", "TUMSTATE", state, *when
            progressed = progressed or progresses
        if scans.new[row, visit]:
            yield subject, reader, "N1", "NEW", "TUMSTATE", "INCREASED" if appeared else "PRESENT", *when
            appeared = True


def _located(
    subject: str, reader: str, scans: Scans, row: int, organs: tuple[str, ...]
) -> Iterator[tuple[object, ...]]:
    """Rows of TU; a target in no particular organ has a site of its own."""
    for lesion in np.flatnonzero(scans.diameter[row, 0] > 0):
        site = NODES if scans.node[row, lesion] else f"site {lesion + 1}"
        yield subject, reader, f"T{lesion + 1}", site if scans.organ is None else organs[scans.organ[row, lesion]]
