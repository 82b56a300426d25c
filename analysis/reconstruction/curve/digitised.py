"""Pseudo-patients from digitised Kaplan-Meier curves, the numbers at risk under them and the number of events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.seeds import Seed, generator
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction.curve.cells import Cells, cut
from analysis.reconstruction.curve.counts import place
from analysis.reconstruction.curve.points import JUST_BEFORE, READING_ERROR, DigitisedCurve, read_points
from analysis.reconstruction.ensemble import MOST_MEMBERS
from analysis.reconstruction.report.feasibility import refuse_bounds
from analysis.reconstruction.result import Reconstruction
from analysis.reported import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reported import ReportedArm, ReportedComparison

METHOD = "digitised curve, whole numbers of events and censorings per cell"
LATENESS = 0.8  # spread of the candidates for the lateness of an interval's censorings
CANDIDATES = 4


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
    cells = {arm.name: cut(arm, drawn[arm.name], findings) for arm in comparison.arms}
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
            cells = cut(arm, curve.read_again(generator), [])
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
