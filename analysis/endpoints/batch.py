"""All endpoints of many patients at once, by the rules that derive them for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from analysis.conventions.units import DAYS_PER_MONTH
from analysis.endpoints.codes import CPD, CR, PD, PR
from analysis.endpoints.events import control_until, is_free_at, progression_or_death, status_at
from analysis.endpoints.lesions import irecist_sequence, recist_sequence, target_sequence
from analysis.endpoints.sequences import best_response, first_response, is_control, up_to
from analysis.endpoints.size_measures import best_change, growth_rate, keep_complete

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.endpoints.codes import Bools, Codes, Counts, Floats


class Settings(NamedTuple):
    """What the rules read: conventions, windows in days, censoring."""

    response: tuple[bool, bool]
    window: tuple[float, float]
    stable_from: float
    confirmation: tuple[float, int, int]
    censoring: tuple[bool, bool, bool, bool, bool, float, Floats, Floats, int]
    landmarks: Floats
    before: float
    after: float
    unconfirmed: int


class Endpoints(NamedTuple):
    """Endpoints of each patient; the first axis is the criterion: RECIST 1.1, iRECIST."""

    best: Codes
    confirmed_best: Codes
    response: Bools
    time: Floats
    event: Bools
    reason: Codes
    time_to_response: Floats
    duration_of_response: Floats
    disease_control: Floats
    control: NDArray[np.bool_]
    """(criteria, patients, landmarks, definitions): at the scan, until the landmark, progression-free."""
    progression: Floats
    """Month of progression itself, inf without one (death apart)."""
    depth: Floats
    """Smallest change of a complete sum up to progression, per cent."""
    growth: Floats
    """From baseline to the first complete sum up to progression, per cent of volume per month."""


def empty(patients: int, landmarks: int) -> Endpoints:
    """Make room for the endpoints of so many patients."""
    shape = (2, patients)
    nan = [np.full(shape, np.nan) for _ in range(5)]
    return Endpoints(
        np.zeros(shape, np.int8),
        np.zeros(shape, np.int8),
        np.zeros(shape, np.bool_),
        nan[0],
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.int8),
        nan[1],
        nan[2],
        nan[3],
        np.zeros((*shape, landmarks, 3), np.bool_),
        nan[4],
        np.full(patients, np.nan),
        np.full(patients, np.nan),
    )


@njit(cache=True, nogil=True)
def whole_days(month: float) -> float:
    """Days of a time in months, to a millionth, so that a visit on day 42 is on day 42 of a window."""
    return float(np.rint(month * DAYS_PER_MONTH * 1e6) / 1e6)


@njit(cache=True, nogil=True)
def derive_patients(
    diameter: Floats,
    node: Bools,
    non_target: Codes,
    new: Counts,
    month: Floats,
    death: Floats,
    last: Floats,
    settings: Settings,
    out: Endpoints,
) -> None:
    """Derive the endpoints of a batch.

    Arrays are those of `readers.Scans`; `month` is (patients, visits), `death` and `last` are months (patients,).
    Scans after death or after `last`, and those at inf, did not happen. Non-target disease that is PD at a scan, and
    new lesions that are there, have grown since any scan before: the next one from which iUPD can be confirmed confirms
    it, if it still shows them. A patient whose diameters are all 0 mm at baseline has no target disease.
    """
    patients, visits = month.shape
    target, other, recist, irecist = (
        np.zeros(visits + 1, np.int8),
        np.zeros(visits + 1, np.int8),
        np.zeros(visits + 1, np.int8),
        np.zeros(visits + 1, np.int8),
    )
    size, nadir, day = np.zeros(visits + 1), np.zeros(visits + 1), np.zeros(visits + 1)
    unmeasured, first, why = np.full(visits + 1, np.nan), np.zeros(1, np.int64), np.zeros(visits + 1, np.int64)
    shape = (visits + 1, visits + 1)
    other_grows, new_grows, never = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for i in range(patients):
        n = 0
        while n < visits and month[i, n] < np.inf and month[i, n] <= min(death[i], last[i]):
            day[n + 1] = whole_days(month[i, n])
            n += 1
        target_sequence(
            diameter[i], node[i], non_target[i], new[i], n + 1, settings.response, target, other, size, nadir
        )
        recist_sequence(target, other, new[i], n + 1, recist)
        for visit in range(n + 1):
            other_grows[visit, :], new_grows[visit, :] = other[visit] == PD, new[i, visit] > 0
        irecist_sequence(
            target,
            diameter[i],
            other,
            other_grows,
            new[i],
            unmeasured,
            first,
            new_grows,
            never,
            day,
            n + 1,
            settings.window,
            irecist,
            why,
        )
        died = whole_days(death[i]) if death[i] <= last[i] else np.inf
        _endpoints(recist[1:], day[1:], n, PD, died, settings, 0, i, out)
        _endpoints(irecist[1:], day[1:], n, CPD, died, settings, 1, i, out)
        kept = up_to(recist[1:], n, PD)
        keep_complete(size, diameter[i], kept + 1)
        out.depth[i] = best_change(size, kept + 1)
        for visit in range(1, kept + 1):
            if not np.isnan(size[visit]):
                out.growth[i] = growth_rate(size[0], size[visit], month[i, visit - 1])
                break


@njit(cache=True, nogil=True)
def _endpoints(
    code: Codes,
    day: Floats,
    n: int,
    stop: int,
    died: float,
    settings: Settings,
    criterion: int,
    i: int,
    out: Endpoints,
) -> None:
    """Write all endpoints of one patient by one criterion."""
    kept = up_to(code, n, stop)
    none = (-1.0, 0, 0)
    best = best_response(code, day, kept, settings.stable_from, none)[0]
    time, event, reason = progression_or_death(code, day, n, stop, True, died, np.inf, np.inf, settings.censoring)
    out.best[criterion, i] = best
    out.confirmed_best[criterion, i] = best_response(code, day, kept, settings.stable_from, settings.confirmation)[0]
    out.response[criterion, i] = best in (CR, PR)
    out.time[criterion, i] = time / DAYS_PER_MONTH
    out.event[criterion, i] = event
    out.reason[criterion, i] = reason
    out.progression[criterion, i] = time / DAYS_PER_MONTH if event and reason == 0 else np.inf
    first = first_response(code, day, kept, none)
    if first >= 0:
        out.time_to_response[criterion, i] = day[first] / DAYS_PER_MONTH
        out.duration_of_response[criterion, i] = max(time - day[first], 0.0) / DAYS_PER_MONTH
    if is_control(best):
        out.disease_control[criterion, i] = time / DAYS_PER_MONTH
    lost = min(time if event else np.inf, died)
    for k in range(len(settings.landmarks)):
        at = settings.landmarks[k]
        scan = status_at(code, day, kept, stop, at, settings.before, settings.after, settings.unconfirmed)
        out.control[criterion, i, k, 0] = scan >= 0
        out.control[criterion, i, k, 1] = control_until(code, day, kept, stop, at, settings.before, lost) >= 0
        out.control[criterion, i, k, 2] = is_free_at(time, event, at, settings.before, settings.after)
