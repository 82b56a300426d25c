"""The follow-up of an arm cut into cells: at the points of its curve and at the ticks of its risk table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.errors import InvalidValueError
from analysis.reconstruction.curve.counts import choose_lateness, fill_exactly
from analysis.reconstruction.curve.points import JUST_BEFORE, READING_ERROR, DigitisedCurve
from analysis.reported import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.reported import ReportedArm

FAR_OFF = 0.2  # of the printed events, by which a reading of the risk table may miss them


@dataclass(frozen=True, eq=False)
class Cells:
    """The follow-up of an arm, cut at the points of its curve and at the ticks of its risk table.

    Attributes
    ----------
    n
        Patients.
    edges
        Ends of the cells, months, shape ``(k,)``.
    target
        Survival at the end of each cell.
    starts
        First cell of each interval of the risk table, and the number of cells, shape ``(intervals + 1,)``.
    leaving
        Patients who leave in each interval, by event or censoring.
    elapsed
        Part of its interval that has passed by the end of each cell.
    """

    n: int
    edges: FloatArray
    target: FloatArray
    starts: NDArray[np.int64]
    leaving: NDArray[np.int64]
    elapsed: FloatArray

    def counts(
        self, events: int | None, target: FloatArray, candidates: FloatArray
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Events and censorings of each cell; `candidates` for the lateness, shape ``(tries, intervals)``."""
        died, censored = np.zeros((2, self.edges.size), dtype=np.int64)
        table = (self.n, self.starts, self.leaving, target, self.elapsed)
        lateness = choose_lateness(*table, candidates, died, censored)
        if events is not None:
            even = np.zeros_like(lateness)
            for patients, attempt in ((1, lateness), (1, even), (2, lateness), (2, even)):  # a late step is larger
                slack = READING_ERROR + patients / self.n
                if fill_exactly(*table, attempt, events, slack, died, censored) == events:
                    break
        return died, censored

    def most_events(self) -> int:
        """Return the number of events that the curve and its risk table ask for, with the fewest censorings."""
        return int(self.counts(None, self.target, np.zeros((1, self.leaving.size)))[0].sum())

    def number_of_events(self) -> int:
        """Return the number of events that the curve and its risk table ask for.

        A curve that comes down to 0 does so with its last patient: all others who are not needed for what it shows
        before were censored. The fewest censorings would be none.
        """
        if self.target[-1] > 0 or self.leaving[-1] == 0:
            return self.most_events()
        level, leaving = self.target.copy(), self.leaving.copy()
        level[-1] = level[-2] if level.size > 1 else 1.0
        leaving[-1] -= 1
        return replace(self, target=level, leaving=leaving).most_events() + 1


def cut(arm: ReportedArm, curve: DigitisedCurve, findings: list[Finding]) -> Cells:
    """Cut the follow-up of an arm; what is wrong with its risk table is added to the findings."""
    ticks, at_risk = _risk_table(arm, curve, findings)
    time, survival = curve.time, curve.survival
    empty = _nobody_left(arm)
    if time[-1] <= empty * (1 + max(READING_ERROR, 3 * curve.reading_error)):  # clicked a little past it
        time = np.minimum(time, empty * (1 - JUST_BEFORE))
    if survival[-1] == 0:  # who digitised the axis beyond the last event saw nobody there
        ends = int(np.argmax(survival == 0)) + 1
        time, survival = time[:ends], survival[:ends]
    if ticks[-1] > time[-1]:
        time, survival = np.append(time, ticks[-1]), np.append(survival, survival[-1])
    inner = ticks[1:]
    for tick in inner:  # a point on a tick is on it to the last bit
        time = np.where(np.isclose(time, tick, rtol=1e-9, atol=0.0), tick, time)
    n = int(at_risk[0])
    leaving = np.append(at_risk[:-1] - at_risk[1:], at_risk[-1])
    cells = _laid_out(n, leaving, time, survival, inner, side="left")
    if arm.events is None:
        return cells
    # some tables count at their tick who is left after a step on it: events that would be far off otherwise say so
    after = _laid_out(n, leaving, time, survival, inner, side="right")
    events = int(arm.events.value)
    off, off_after = (abs(each.most_events() - events) for each in (cells, after))
    return after if off > max(2, FAR_OFF * events) and off_after < off / 2 else cells


def _laid_out(
    n: int,
    leaving: NDArray[np.int64],
    time: FloatArray,
    survival: FloatArray,
    ticks: FloatArray,
    side: Literal["left", "right"],
) -> Cells:
    """Cut the curve at its points and ticks; a tick stands on the one or the other side of a step at its time."""
    place = np.searchsorted(time, ticks, side=side)
    bounds = np.append(ticks, time[-1])
    edges = np.insert(time, place, ticks)
    starts = np.concatenate([[0], place + np.arange(1, ticks.size + 1), [edges.size]])
    lengths = np.diff(np.concatenate([[0.0], bounds]))
    interval = np.repeat(np.arange(bounds.size), np.diff(starts))
    length = lengths[interval]
    since = edges - (bounds - lengths)[interval]
    return Cells(
        n=n,
        edges=edges,
        target=np.insert(survival, place, _at_ticks(ticks, n - np.cumsum(leaving)[:-1], n, time, survival, side)),
        starts=starts,
        leaving=leaving,
        elapsed=np.divide(since, length, out=np.ones_like(since), where=length > 0),
    )


def _at_ticks(
    ticks: FloatArray,
    at_risk: NDArray[np.int64],
    n: int,
    time: FloatArray,
    survival: FloatArray,
    side: Literal["left", "right"],
) -> FloatArray:
    """Survival at each tick: the upper end of a step on it, where numbers at risk are counted, or the lower.

    Between two points it is where a line would have it, as far as the numbers at risk allow: they fall at least as
    fast as the curve does, from every tick to every later one.
    """
    times, levels = np.append(0.0, time), np.append(1.0, survival)
    first = np.searchsorted(time, ticks, side="left")
    on_step = np.searchsorted(time, ticks, side="right") - first > 1
    line = np.interp(ticks, times, levels)
    if side == "left":
        line = np.where(on_step, survival[np.minimum(first, time.size - 1)], line)
    on_point = np.isin(ticks, time)
    before = np.where(on_point, line, levels[np.searchsorted(times, ticks, side="right") - 1])
    behind = np.where(on_point, line, survival[np.minimum(first, time.size - 1)])
    most = np.minimum.accumulate((before / at_risk)[::-1])[::-1] * at_risk
    found: FloatArray = np.empty(ticks.size)
    per_patient = 1.0 / n
    for i in range(ticks.size):
        lowest = max(float(behind[i]), per_patient * at_risk[i])
        found[i] = max(min(float(line[i]), float(most[i]), float(before[i])), min(lowest, float(before[i])))
        per_patient = found[i] / at_risk[i]
    return found


def _risk_table(
    arm: ReportedArm, curve: DigitisedCurve, findings: list[Finding]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Ticks up to the last one with patients at risk, from time 0."""
    n = None if arm.n is None else int(arm.n.value)
    ticks, counts = np.zeros(0), np.zeros(0, dtype=np.int64)
    if arm.at_risk is not None:
        ticks, counts = np.array(arm.at_risk.times), np.array(arm.at_risk.counts, dtype=np.int64)
    else:
        findings.append(
            Finding(
                "numbers at risk missing",
                "warning",
                arm.name,
                "censoring is spread over the whole follow-up",
                (),
                "copy the risk table of the figure: it tells when patients were censored",
            )
        )
    if ticks.size and ticks[0] == 0:
        n = int(counts[0])
    elif n is None:
        raise InvalidValueError(
            f"arms[{arm.name!r}].n", None, "the number of patients", "give n, or the number at risk at time 0"
        )
    else:
        ticks, counts = np.insert(ticks, 0, 0.0), np.insert(counts, 0, n)
    if counts.max() > n:
        raise InvalidValueError(
            f"arms[{arm.name!r}].at_risk", int(counts.max()), f"at most the {n} patients", "copy the row again"
        )
    if arm.events is not None and arm.events.value > n:
        expected = f"at most the {n} patients"
        raise InvalidValueError(f"arms[{arm.name!r}].events", arm.events.text, expected, "compare it with the report")
    followed = counts > 0
    beyond = followed & (ticks > curve.end * (1 + 1e-9))
    if beyond.any():
        shown = tuple(f"{c} at {t:g} months" for t, c in zip(ticks[beyond], counts[beyond], strict=True))
        findings.append(
            Finding(
                "curve ends early",
                "warning",
                arm.name,
                f"patients are at risk after the last point, at {curve.end:g} months",
                shown,
                "digitise the curve to its end; here it goes on level",
            )
        )
    return ticks[followed], counts[followed]


def _nobody_left(arm: ReportedArm) -> float:
    """First tick of the risk table at which nobody is at risk, or infinity."""
    row = arm.at_risk
    return (
        np.inf if row is None else min((t for t, c in zip(row.times, row.counts, strict=True) if not c), default=np.inf)
    )
