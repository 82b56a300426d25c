"""From a smooth path to integer patients: the order of events and censorings in one arm, and their times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray

UNSCHEDULED = 0.15  # share of the patients whose time is not that of a visit: deaths, progression between visits
WINDOW = 0.15  # of the interval, by which a visit may be early or late
BLOCKS = 10  # of events in an arm, each of which keeps its place in the expected count


@inner
def place_in_blocks(spacings: FloatArray, events: int, ranks: FloatArray) -> None:
    """Cumulative expected count at which each event falls: random spacings, made to fit block by block.

    ``spacings`` (at least ``events``,) are positive draws, ``ranks`` (events,) is filled. The smooth path carries
    what is longer than a block; the spacings add what a sample's curve does within.
    """
    block = max(4, (events + BLOCKS - 1) // BLOCKS)
    start = 0
    while start < events:
        stop = min(start + block, events)
        total = 1e-9
        for i in range(start, stop):
            total += spacings[i]
        reached = 0.0
        for i in range(start, stop):
            ranks[i] = start + (stop - start) * (reached + 0.5 * spacings[i]) / total
            reached += spacings[i]
        start = stop


@njit(cache=True, nogil=True)
def draw_arm(
    cells: FloatArray,
    count: int,
    path: FloatArray,
    size: int,
    events: int,
    ranks: FloatArray,
    jitter: FloatArray,
    latest: float,
    time: FloatArray,
    event: BoolArray,
) -> None:
    """Place ``events`` events and ``size - events`` censorings along a path, in order of time.

    An event stands where the expected cumulative count reaches its share of ``ranks`` (events,); each censoring takes
    one stratum, ``jitter`` (size,) in (0, 1) is its place within. ``path`` is (5, nodes) as filled by the forward map.
    No event is seen after the ``latest`` follow-up: whoever the path follows beyond it is censored.
    """
    last = count - 1
    total_events = path[3, last]
    if latest < cells[last]:
        end = 0
        while cells[end + 1] < latest:
            end += 1
        share = (latest - cells[end]) / (cells[end + 1] - cells[end])
        total_events = path[3, end] + share * (path[3, end + 1] - path[3, end])
    total_censored = size - total_events
    i = j = 0
    at_event = at_censoring = 0
    event_time = censor_time = -1.0
    filled = 0
    while filled < size:
        if event_time < 0.0:
            if i < events:
                aim = ranks[i] / events * total_events
                while at_event < last - 1 and path[3, at_event + 1] < aim:
                    at_event += 1
                low, high = path[3, at_event], path[3, at_event + 1]
                share = (aim - low) / (high - low) if high > low else 1.0
                event_time = cells[at_event] + min(share, 1.0) * (cells[at_event + 1] - cells[at_event])
            else:
                event_time = np.inf
        if censor_time < 0.0:
            if j < size - events:
                aim = (j + jitter[j]) / (size - events) * total_censored
                while at_censoring < last - 1 and size - path[4, at_censoring + 1] - path[3, at_censoring + 1] < aim:
                    at_censoring += 1
                low = size - path[4, at_censoring] - path[3, at_censoring]
                high = size - path[4, at_censoring + 1] - path[3, at_censoring + 1]
                share = (aim - low) / (high - low) if high > low else 1.0
                censor_time = cells[at_censoring] + min(share, 1.0) * (cells[at_censoring + 1] - cells[at_censoring])
            else:
                censor_time = np.inf
        if event_time <= censor_time:
            time[filled] = event_time
            event[filled] = True
            event_time = -1.0
            i += 1
        else:
            time[filled] = censor_time
            event[filled] = False
            censor_time = -1.0
            j += 1
        filled += 1


@njit(cache=True, nogil=True)
def gather_at_visits(time: FloatArray, event: BoolArray, interval: float, rng_state: NDArray[np.uint64]) -> None:
    """Move most patients of an arm to the visit that is nearest to their time, and put them in order again.

    Progression is seen at a visit, and who is censored was last seen at one. The visits of a patient lie around the
    multiples of ``interval`` months; ``UNSCHEDULED`` of the patients, and those who leave before the first visit, stay.
    """
    size = time.size
    for i in range(size):
        visit = round(time[i] / interval)
        scheduled = next_uniform(rng_state) >= UNSCHEDULED
        late = next_uniform(rng_state) + next_uniform(rng_state) - 1.0
        if scheduled and visit >= 1:
            time[i] = interval * (visit + WINDOW * late)
    for i in range(1, size):
        moved, flag = time[i], event[i]
        j = i - 1
        while j >= 0 and time[j] > moved:
            time[j + 1], event[j + 1] = time[j], event[j]
            j -= 1
        time[j + 1], event[j + 1] = moved, flag


@njit(cache=True, nogil=True)
def fill_odds(cells: FloatArray, count: int, path: FloatArray, time: FloatArray, odds: FloatArray) -> None:
    """Log odds of an event against a censoring at each of the increasing ``time``, from the hazards of a path."""
    cell = 0
    for i in range(time.size):
        while cell < count - 2 and cells[cell + 1] < time[i]:
            cell += 1
        event = path[0, cell + 1] - path[0, cell]
        censoring = path[1, cell + 1] - path[1, cell]
        odds[i] = np.log(max(event, 1e-9) / max(censoring, 1e-9))


@inner
def next_uniform(state: NDArray[np.uint64]) -> float:
    """Uniform draw in [0, 1) of the SplitMix64 generator."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float((z >> np.uint64(11)) * (1.0 / 9007199254740992.0))
