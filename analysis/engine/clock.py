"""The calendar of simulated trials: when the d-th event is known, found by a selection instead of a sort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.design import AtEvents
    from analysis.engine.patients import Batch, Population


FEW = 64


@dataclass(frozen=True)
class BatchClock:
    """What cuts ask of a batch of trials; `endpoint` is the one they mean by None."""

    who: Population
    batch: Batch
    endpoint: str

    def nth_event(self, counted: AtEvents) -> NDArray[np.float64]:
        """Calendar months at which so many events are known; inf where they never are."""
        seen = self.batch.endpoints[counted.endpoint or self.endpoint]
        out, event = np.empty(len(self.batch.entry)), seen.event
        if counted.arm is not None or counted.stratum is not None:
            event = event & self.who.columns_of(counted.arm, counted.stratum)
        nth_event_time(self.batch.origin, seen.known, event, counted.events, out)
        return out

    def last_entry(self) -> NDArray[np.float64]:
        """Calendar months of the last entry."""
        return np.asarray(self.batch.entry.max(axis=1))

    def nth_entry(self, number: int) -> NDArray[np.float64]:
        """Calendar months of the `number`-th entry; inf where fewer enter."""
        trials, n = self.batch.entry.shape
        if number > n:
            return np.full(trials, np.inf)
        return np.asarray(np.partition(self.batch.entry, number - 1, axis=1)[:, number - 1])

    def end(self) -> NDArray[np.float64]:
        """Calendar months after which nothing more is learned: the last event of any endpoint, or the last entry."""
        latest = self.last_entry()
        for seen in self.batch.endpoints.values():
            latest = np.maximum(latest, np.where(seen.event, self.batch.origin + seen.known, 0.0).max(axis=1))
        return latest


@njit(nogil=True, cache=True, error_model="numpy")
def nth_event_time(
    origin: NDArray[np.float64],
    known: NDArray[np.float64],
    event: NDArray[np.bool_],
    number: int,
    out: NDArray[np.float64],
) -> None:
    """Write the `number`-th smallest of origin + known among the events of each trial; inf where there are fewer."""
    n = origin.shape[1]
    calendar, near = np.empty(n), np.empty(n)
    buckets = n // 4 + 1
    count = np.empty(buckets + 1, np.int32)
    for trial in range(origin.shape[0]):
        events, latest = 0, 0.0
        for i in range(n):
            at = origin[trial, i] + known[trial, i]
            calendar[events] = at
            events += event[trial, i]
            latest = max(latest, at if event[trial, i] else 0.0)
        if events < number:
            out[trial] = np.inf
            continue
        scale = buckets / latest if latest > 0.0 else 0.0
        count[:] = 0
        for i in range(events):
            count[int(calendar[i] * scale)] += 1
        bucket, before = 0, 0
        while before + count[bucket] < number:
            before += count[bucket]
            bucket += 1
        size = 0
        for i in range(events):
            near[size] = calendar[i]
            size += int(calendar[i] * scale) == bucket
        out[trial] = _smallest(near, size, number - before)


@njit(inline="always")
def _smallest(values: NDArray[np.float64], size: int, number: int) -> float:
    """Give the `number`-th smallest of the first `size` values, which are few unless entries were made at one date."""
    if size > FEW:
        return _selected(values, size, number)
    for i in range(1, size):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return float(values[number - 1])


@njit(inline="always")
def _selected(values: NDArray[np.float64], size: int, number: int) -> float:
    """Give the `number`-th smallest by Hoare's selection, in place."""
    low, high, wanted = 0, size - 1, number - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return float(values[wanted])
