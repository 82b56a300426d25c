"""Finds which patient of one endpoint is which of another: what no report prints, and what must hold all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtri

from analysis.reconstruction.algebra import log

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray

    IntArray = NDArray[np.intp]

FORBIDDEN = 1e4  # cost of a pair that cannot be one patient
LEAST, MOST = 1e-3, 1 - 1e-3


@dataclass(frozen=True)
class Patients:
    """One arm of one member, for one endpoint by one assessor.

    Attributes
    ----------
    time, event
        At the last cut, shape ``(n,)``.
    earliest, latest
        Month of entry that the follow-up allows, shape ``(n,)``.
    groups
        Membership of the subgroups that two endpoints share, as bits, shape ``(n,)``.
    """

    time: FloatArray
    event: BoolArray
    earliest: FloatArray
    latest: FloatArray
    groups: FloatArray


@dataclass(frozen=True)
class Bounds:
    """Times between which an endpoint is, patient by patient, shape ``(n,)`` each: 0 and inf where nothing is known."""

    floor: FloatArray
    ceiling: FloatArray

    @property
    def open(self) -> bool:
        """Whether nothing is known of any patient."""
        return not self.floor.any() and bool(np.isinf(self.ceiling).all())

    def of(self, rows: slice) -> Bounds:
        """Take some of the patients."""
        return Bounds(self.floor[rows], self.ceiling[rows])


def normal_scores(time: FloatArray, event: BoolArray, rng: np.random.Generator) -> FloatArray:
    """Rank of each patient's own event time as a normal score; a censored one's is drawn from beyond its time."""
    order = np.lexsort((~event, time))
    at_risk = np.arange(time.size, 0, -1)
    survival = np.empty(time.size)
    survival[order] = np.cumprod(1 - event[order] / at_risk)
    drawn = survival * np.where(event, 1.0, rng.random(time.size))
    return np.asarray(-ndtri(np.clip(drawn, LEAST, MOST)))


def couple(
    one: Patients,
    other: Patients,
    agreement: float,
    bounds: Bounds,
    events: FloatArray,
    rng: np.random.Generator,
    *,
    same_scans: bool,
) -> tuple[IntArray, int]:
    """Choose for each patient of one endpoint the patient of another that it is.

    Parameters
    ----------
    one, other
        The same number of patients each.
    agreement
        Correlation of the normal scores of the two times: 0, independent, to near 1, the same order.
    bounds
        Times between which the other endpoint is, for each patient of the first: death comes after progression, and a
        reading may end with another's.
    events
        Times of all events of the other endpoint, in order: who leaves sooner between the same two changes little.
    rng
        Draws what the agreement leaves open.
    same_scans
        Whether two assessors read the scans of one endpoint: where one has stopped without an event, the other has
        neither a later event nor another end of follow-up, as strictly as their agreement says.

    Returns
    -------
    chosen, clashes
        Index into the other for each patient of the first, shape ``(n,)``, and how many pairs cannot be one patient.
    """
    wanted = agreement * normal_scores(one.time, one.event, rng)
    wanted = wanted + np.sqrt(1 - agreement**2) * rng.standard_normal(wanted.size)
    cost = np.square(wanted[:, None] - normal_scores(other.time, other.event, rng)[None, :])
    if same_scans:
        cost += agreement**2 / (1 - agreement**2) * np.square(_beyond_the_scans(one, other))
    forbidden = one.groups[:, None] != other.groups[None, :]
    forbidden |= np.maximum(one.earliest[:, None], other.earliest) > np.minimum(one.latest[:, None], other.latest)
    cost[forbidden] += FORBIDDEN
    soon = np.maximum(bounds.floor[:, None] - other.time[None, :], 0.0)
    cost += FORBIDDEN / 10 * soon / max(bounds.floor.max(), LEAST)  # by little rather than in few
    late = np.maximum(other.time[None, :] - bounds.ceiling[:, None], 0.0)
    if late.any():
        cost += FORBIDDEN / 10 * late / late.max()
        cost[other.event & (late > 0)] += FORBIDDEN  # rather who is censored, and no event of another between
        seen, its_seen = np.searchsorted(events, bounds.ceiling), np.searchsorted(events, other.time)
        cost += FORBIDDEN / 20 * np.maximum(its_seen[None, :] - seen[:, None], 0)
    chosen = _assigned(cost, one.groups, other.groups)
    return chosen, int((forbidden | (soon > 0) | (late > 0))[np.arange(chosen.size), chosen].sum())


def _assigned(cost: FloatArray, groups: FloatArray, its_groups: FloatArray) -> IntArray:
    """Cheapest assignment of columns to rows, each within its group; where one has too few, the rest as it comes."""
    chosen = np.full(groups.size, -1, dtype=np.intp)
    free = np.ones(groups.size, dtype=bool)
    for group in np.unique(groups):
        mine, its = np.flatnonzero(groups == group), np.flatnonzero(its_groups == group)
        rows, columns = linear_sum_assignment(cost[np.ix_(mine, its)])
        chosen[mine[rows]] = its[columns]
        free[its[columns]] = False
    chosen[chosen < 0] = np.flatnonzero(free)
    return chosen


def _beyond_the_scans(one: Patients, other: Patients) -> FloatArray:
    """How far apart two assessors would have stopped, in standard deviations of the log times; 0 where that may be."""
    its_own, its = (log(np.maximum(patients.time, LEAST))[:, None] for patients in (one, other))
    gap = its_own - its.T
    spread = max(float(np.std(np.concatenate([its_own, its]))), LEAST)
    seen, its_seen = one.event[:, None], other.event[None, :]
    wrong = (~seen & ~its_seen) | (seen & ~its_seen & (gap > 0)) | (~seen & its_seen & (gap < 0))
    return np.asarray(np.where(wrong, gap / spread, 0.0))
