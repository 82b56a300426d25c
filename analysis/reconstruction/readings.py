"""Readings that end when another reader has seen progression: what the one then says of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from analysis.reconstruction.algebra import log
from analysis.reconstruction.report.block import ExpectedAtRisk, Told
from analysis.reconstruction.report.requirements import COUNT_ERROR
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.coupled import Drawn
    from analysis.reconstruction.report.sorting import Sorted
    from analysis.reported import ReportedComparison

    Indices = NDArray[np.intp]

LOOKED_AT = 50  # members of the reading that ends the other
LEFT = np.linspace(0.97, 0.04, 20)  # shares of an arm, where the numbers that are left are handed on
MONTHS = np.linspace(0.02, 0.995, 80)  # shares of the patients who have left, where the follow-up is looked at
NODES = (np.arange(200) + 0.5) / 200  # of an integral over a probability
SHARE_ERROR = 0.7  # at most, of the log of the share that has no earlier progression: the dependence may be wrong
FOLLOW_UP_ERROR = 0.25  # of the log of the median follow-up that is told from them


def told_by_reading(endpoint: Drawn, beside: Indices, one: Sorted, agreement: float, rng: np.random.Generator) -> Told:
    """Say what is known of a reading that ends with another: numbers at risk, and how long it goes on.

    Who is at risk in it is at risk in the other, too: of the latter's numbers at risk those who have no earlier
    progression in this reading, by the dependence of the two times that is assumed. Losses are another's events then,
    and come early.

    Parameters
    ----------
    endpoint
        The reading that ends this one.
    beside
        Member of it beside which each draw is made, shape ``(draws,)``.
    one
        Reports of this reading.
    agreement
        Correlation of the normal scores of the two times.
    rng
        Draws by how much it may be wrong.

    References
    ----------
    Dodd LE, Korn EL, Freidlin B, et al. Blinded independent central review of progression-free survival in phase III
    clinical trials: important design element or unnecessary expense? J Clin Oncol 2008;26:3791-3796.
    """
    followed: dict[int, tuple[float, float]] = {}
    at_risk: list[ExpectedAtRisk] = []
    wrong = SHARE_ERROR * rng.uniform(-1.0, 1.0, beside.size)
    for v, w in _same_analyses(endpoint.of, one):
        times, events, _ = endpoint.ensemble.patients(v, beside)
        months = np.unique(np.quantile(np.concatenate([time.ravel() for time in times]), MONTHS))
        remaining, event_free = np.zeros(months.size), np.zeros(months.size)
        names = sorted(
            (arm.name for arm in one.comparisons[w].arms), key=lambda name: name != one.comparisons[w].control
        )
        for arm, (name, time, event) in enumerate(zip(names, times, events, strict=True)):
            grid = np.concatenate([months, np.quantile(time, 1 - LEFT)])
            counts = np.array([t.size - np.searchsorted(t, grid, side="right") for t in np.sort(time, axis=1)])
            some = slice(LOOKED_AT)
            survival = np.mean(
                [
                    kaplan_meier(t, e).survival_at(np.minimum(grid, t.max()))
                    for t, e in zip(time[some], event[some], strict=True)
                ],
                axis=0,
            )
            slower = _slower(endpoint.of.comparisons[v], one.comparisons[w], name, months, survival[: months.size])
            share = _not_before(survival, survival**slower, agreement)
            handed_on = [] if one.comparisons[w].arm(name).at_risk else range(months.size, grid.size)
            at_risk += [
                ExpectedAtRisk(w, arm, float(grid[k]), counts[:, k] * share[k] ** (1 + wrong), COUNT_ERROR)
                for k in handed_on
            ]
            remaining += (counts.mean(axis=0) * share)[: months.size]
            event_free += time.shape[1] * (survival**slower)[: months.size]
        low = np.flatnonzero(remaining <= event_free / 2)
        followed[one.cut[w]] = float(log(months[low[0] if low.size else -1])), FOLLOW_UP_ERROR
    return Told(followed, at_risk=tuple(at_risk))


def _same_analyses(one: Sorted, other: Sorted) -> Iterator[tuple[int, int]]:
    """Pair the analyses of all patients at the same cuts."""
    for w, its_group in enumerate(other.group):
        if its_group is not None:
            continue
        for v, group in enumerate(one.group):
            labels = [c.cutoff or c.analysis for c in (one.comparisons[v], other.comparisons[w])]
            if group is None and (
                labels[0] == labels[1] or (v == 0 and w == 0 and len(one.months) == len(other.months))
            ):
                yield v, w
                break


def _slower(
    one: ReportedComparison, other: ReportedComparison, arm: str, grid: FloatArray, survival: FloatArray
) -> float:
    """Power that turns the survival of one reading into that of the other, by the printed medians if they are there."""
    mine, its = one.arm(arm).median, other.arm(arm).median
    if its is None or not its.reached:
        return 1.0
    there = float(np.interp(its.value, grid, survival, left=1.0))
    if its.value <= grid[-1] and 0.01 < there < 0.99:
        return float(np.clip(log(0.5) / log(there), 0.2, 5.0))
    return 1.0 if mine is None or not mine.reached else float(np.clip(mine.value / its.value, 0.2, 5.0))


def _not_before(survival: FloatArray, its: FloatArray, agreement: float) -> FloatArray:
    """Share of those without the one event by a time who do not have the other either: normal scores correlate."""
    scores = ndtri(np.clip(survival, 1e-6, 1 - 1e-6)[:, None] * NODES)
    beyond = ndtri(np.clip(its, 1e-6, 1 - 1e-6))[:, None]
    share = ndtr((beyond - agreement * scores) / np.sqrt(1 - agreement**2))
    return np.asarray(share.mean(axis=1))
