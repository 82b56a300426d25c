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


def normal_scores(time: FloatArray, event: BoolArray, rng: np.random.Generator) -> FloatArray:
    """Rank of each patient's own event time as a normal score; a censored one's is drawn from beyond its time."""
    order = np.lexsort((~event, time))
    at_risk = np.arange(time.size, 0, -1)
    survival = np.empty(time.size)
    survival[order] = np.cumprod(1 - event[order] / at_risk)
    drawn = survival * np.where(event, 1.0, rng.random(time.size))
    return np.asarray(-ndtri(np.clip(drawn, LEAST, MOST)))


def couple(
    one: Patients, other: Patients, agreement: float, floor: FloatArray, rng: np.random.Generator, *, same_scans: bool
) -> tuple[IntArray, int]:
    """Choose for each patient of one endpoint the patient of another that it is.

    Parameters
    ----------
    one, other
        The same number of patients each.
    agreement
        Correlation of the normal scores of the two times: 0, independent, to near 1, the same order.
    floor
        Time before which the other endpoint cannot come, for each patient of the first: death after progression; 0
        where nothing is known, shape ``(n,)``.
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
    too_soon = np.maximum(floor[:, None] - other.time[None, :], 0.0)
    cost += FORBIDDEN / 10 * too_soon / max(floor.max(), LEAST)  # by little rather than in few
    chosen = _assigned(cost, one.groups, other.groups)
    return chosen, int((forbidden | (too_soon > 0))[np.arange(chosen.size), chosen].sum())


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
