"""Pseudo-patients from digitised Kaplan-Meier curves, the numbers at risk under them and the number of events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.seeds import Seed, generator
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction.curve.counts import choose_lateness, fill_exactly, place
from analysis.reconstruction.curve.points import JUST_BEFORE, READING_ERROR, DigitisedCurve, read_points
from analysis.reconstruction.ensemble import MOST_MEMBERS
from analysis.reconstruction.report.feasibility import refuse_bounds
from analysis.reconstruction.result import Reconstruction
from analysis.reported import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reported import ReportedArm, ReportedComparison

METHOD = "digitised curve, whole numbers of events and censorings per cell"
LATENESS = 0.8  # spread of the candidates for the lateness of an interval's censorings
FAR_OFF = 0.2  # of the printed events, by which a reading of the risk table may miss them

CANDIDATES = 4


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


@border
def reconstruct_curve(
    comparison: ReportedComparison,
    curves: Mapping[str, ArrayLike],
    *,
    unit: Literal["proportion", "percent"] = "proportion",
    precision: float = 0.0005,
    members: int = 100,
    rng: Seed = 1,
) -> Reconstruction:
    """Reconstruct patients from digitised Kaplan-Meier curves.

    The numbers at risk and the numbers of events are met exactly, wherever the curve leaves room for them; the
    Kaplan-Meier curve of every member follows the points as closely as whole patients can. Nobody fails where a curve
    is level. What the figure does not show differs between the members: when between two points a patient left, when
    between two ticks patients were censored, and the last digit of the points.

    Parameters
    ----------
    comparison
        The report: its arms' numbers of patients, numbers at risk and events, as far as they are known. An arm's
        number of patients may stand in its risk table only, at time 0.
    curves
        For each arm its points, months and survival, shape ``(k, 2)``. Two points at one time are the ends of a step;
        a curve ends where its last patient leaves.
    unit
        Unit of the survival in `curves`.
    precision
        Half-width of the reading error of a point, as a proportion.
    members
        Number of data sets.
    rng
        Seed, ``SeedSequence`` or ``Generator``.

    Returns
    -------
    Reconstruction
        Its findings say what was wrong with the points, and which printed numbers the curve contradicts.

    Raises
    ------
    InvalidValueError
        If a curve or an arm's number of patients is missing, or the points cannot be read.
    UnknownNameError
        If a curve bears the name of no arm.

    Notes
    -----
    After Guyot et al., BMC Medical Research Methodology 2012; 12: 9, with three differences. The search for the
    censorings of an interval is over whole numbers and ends; events stand between two points, not at the later one;
    and a number of events that does not agree with evenly censored intervals makes the censorings later or earlier
    before it bends the curve.

    Examples
    --------
    >>> from analysis.reported import AtRisk, ReportedArm, ReportedComparison
    >>> arm = ReportedArm("everolimus", n=40, events=24, at_risk=AtRisk((0, 6, 12), (40, 24, 9)))
    >>> points = [(0, 1), (2, 0.9), (4, 0.75), (6, 0.62), (9, 0.45), (12, 0.37), (15, 0.32)]
    >>> result = reconstruct_curve(ReportedComparison(endpoint="PFS", arms=[arm]), {"everolimus": points})
    >>> bool(result.faithful.all())
    True
    """
    _check(comparison, curves, precision, members)
    findings: list[Finding] = []
    drawn = {arm.name: read_points(arm.name, curves[arm.name], unit) for arm in comparison.arms}
    cells = {arm.name: _cells(arm, drawn[arm.name], findings) for arm in comparison.arms}
    events = _numbers_of_events(comparison, cells, findings)
    stream = generator(rng)
    samples = [
        _draw(arm, drawn[arm.name], cells[arm.name], events[arm.name], precision, members, stream)
        for arm in comparison.arms
    ]
    result = Reconstruction(
        comparison=comparison,
        arm_index=np.repeat(np.arange(len(samples)), [time.shape[1] for time, _ in samples]),
        time=np.hstack([time for time, _ in samples]),
        event=np.hstack([event for _, event in samples]),
        method=METHOD,
        seed=rng if isinstance(rng, int) else None,
        findings=tuple(finding for curve in drawn.values() for finding in curve.findings) + tuple(findings),
    )
    return replace(result, findings=(*result.findings, *_contradictions(result, drawn)))


def _check(comparison: ReportedComparison, curves: Mapping[str, ArrayLike], precision: float, members: int) -> None:
    refuse_bounds(comparison)
    names = [arm.name for arm in comparison.arms]
    for name in curves:
        if name not in names:
            raise UnknownNameError("arm", name, names)
    for name in names:
        if name not in curves:
            raise InvalidValueError("curves", list(curves), f"a curve of arm {name!r}", "digitise it, or drop the arm")
    if not 0 <= precision < 0.1:
        raise InvalidValueError("precision", precision, "a proportion below 0.1", "write half a percent as 0.005")
    if not 1 <= members <= MOST_MEMBERS:
        raise InvalidValueError("members", members, f"from 1 to {MOST_MEMBERS:,}", "a few hundred show what is open")


def _cells(arm: ReportedArm, curve: DigitisedCurve, findings: list[Finding]) -> Cells:
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
        target=np.insert(survival, place, _at_ticks(ticks, time, survival, side)),
        starts=starts,
        leaving=leaving,
        elapsed=np.divide(since, length, out=np.ones_like(since), where=length > 0),
    )


def _at_ticks(ticks: FloatArray, time: FloatArray, survival: FloatArray, side: Literal["left", "right"]) -> FloatArray:
    """Survival at each tick: the upper end of a step on it, where numbers at risk are counted, or the lower."""
    first = np.searchsorted(time, ticks, side="left")
    on_step = np.searchsorted(time, ticks, side="right") - first > 1
    between = np.interp(ticks, np.append(0.0, time), np.append(1.0, survival))
    if side == "right":
        return np.asarray(between)
    return np.where(on_step, survival[np.minimum(first, time.size - 1)], between)


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


def _numbers_of_events(
    comparison: ReportedComparison, cells: Mapping[str, Cells], findings: list[Finding]
) -> dict[str, int]:
    """Return each arm's events: as printed, else what the total leaves, else what the curve asks for."""
    printed = {arm.name: int(arm.events.value) for arm in comparison.arms if arm.events is not None}
    asked = {name: of_arm.number_of_events() for name, of_arm in cells.items() if name not in printed}
    if not asked:
        return printed
    found = dict(asked)
    if comparison.events_total is not None:
        missing = int(comparison.events_total.value) - sum(printed.values()) - sum(asked.values())
        weights = np.cumsum([0, *list(asked.values())]) / max(sum(asked.values()), 1)
        for name, share in zip(asked, np.diff(np.round(missing * weights)), strict=True):
            found[name] += int(share)
    shown = tuple(f"{name}: {number}" for name, number in found.items())
    findings.append(
        Finding(
            "events missing",
            "warning",
            ", ".join(found),
            "the number of events was not printed for every arm",
            shown,
            "give it if it is known: without it the number rests on evenly spread censoring",
        )
    )
    return printed | found


def _draw(
    arm: ReportedArm,
    curve: DigitisedCurve,
    cells: Cells,
    events: int,
    precision: float,
    members: int,
    generator: np.random.Generator,
) -> tuple[FloatArray, BoolArray]:
    time, event = np.zeros((members, cells.n)), np.zeros((members, cells.n), dtype=np.bool_)
    for member in range(members):
        if curve.reading_error:
            cells = _cells(arm, curve.read_again(generator), [])
        noise = generator.uniform(-precision, precision, cells.edges.size)
        level = np.diff(cells.target, prepend=1.0) == 0  # a level stretch stays level
        noise = noise[np.maximum.accumulate(np.where(level, 0, np.arange(noise.size)))]
        target = np.where((cells.target > 0) & (cells.target < 1), cells.target + noise, cells.target)
        target = np.minimum.accumulate(np.clip(target, 0.0, 1.0))
        candidates = generator.normal(0.0, LATENESS, (CANDIDATES, cells.leaving.size))
        died, censored = cells.counts(events, target, candidates)
        place(cells.edges, died, censored, generator.random(cells.n), time[member], event[member])
    return time, event


def _contradictions(result: Reconstruction, drawn: Mapping[str, DigitisedCurve]) -> Iterator[Finding]:
    """Yield the printed numbers that the drawn curve does not give, and the stretches that the numbers do not allow."""
    for name, curve in drawn.items():
        error = 3 * curve.reading_error * curve.end  # of the times: a click beside a step is not on its other side
        after = result.survival_at(name, np.minimum(curve.time + error, curve.end))["mean"].to_numpy()
        earlier = np.maximum(curve.time * (1 - JUST_BEFORE) - error, 0.0)
        before = result.survival_at(name, earlier)["mean"].to_numpy()
        distance = np.maximum(after - curve.survival, curve.survival - before)  # either end of a step may be read
        left = np.count_nonzero(result.ipd(0).query("arm == @name")["time"].to_numpy()[:, None] >= curve.time, axis=0)
        distance -= curve.survival / np.maximum(left, 1)  # one patient more or less
        worst = int(np.argmax(distance))
        if distance[worst] > READING_ERROR + 3 * curve.reading_error:
            yield Finding(
                "curve not followed",
                "error",
                name,
                f"numbers at risk and events leave no room for the curve, by up to {distance[worst]:.3f}",
                (f"({curve.time[worst]:g}, {curve.survival[worst]:g})",),
                "check the risk table's times and counts and the axis of the figure",
            )
    fidelity = result.fidelity()
    for row in fidelity[~fidelity["reproduced"]].itertuples():
        yield Finding(
            "number not given back",
            "error" if row.share == 0 else "warning",
            str(row.number),
            f"the curve gives {row.lowest:.4g} to {row.highest:.4g}; {row.share:.0%} of the members give it",
            (str(row.reported),),
            "check it against the figure",
        )
