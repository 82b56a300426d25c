"""One patient's rows by one reader, turned into visits that the compiled rules read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.endpoints.assessment import Visits
from analysis.endpoints.axes import AXES, is_node
from analysis.endpoints.codes import CR, NE, NON_CR_NON_PD, PD
from analysis.endpoints.lesions import NORMAL_NODE, non_target_response, progressed_between
from analysis.endpoints.measurement_checks import LONGEST_VISIT, NON_TARGET_STATES, Row, finding
from analysis.endpoints.new_lesions import laid_out
from analysis.endpoints.organs import NODES, PER_ORGAN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from analysis.endpoints.codes import Bools, Codes, Floats
    from analysis.records.findings import DataFinding
    from analysis.records.subject_tables import Patient

STATE_CODES = {"absent": CR, "present": NON_CR_NON_PD, "progression": PD, "missing": NE}
TARGET_TESTS = {node: {test: rank for rank, test in enumerate((*axes, "TUMSTATE"))} for node, axes in AXES.items()}
"""Tests that measure a target, by rank; the first that is there counts. A target that is absent has 0 mm."""


@dataclass(frozen=True)
class Reading:
    """Visits of one patient by one reader, with the names that trace them.

    Parameters
    ----------
    subject, evaluator
        Whose they are.
    labels, dates, ends
        Name, first and last date of each visit, the baseline first.
    lesions
        Names of the targets, in the order of `visits.diameter`.
    rows
        The measurements at each visit.
    visits
        What the rules read.
    """

    subject: str
    evaluator: str
    labels: tuple[str, ...]
    dates: tuple[date, ...]
    ends: tuple[date, ...]
    lesions: tuple[str, ...]
    rows: tuple[tuple[Row, ...], ...]
    visits: Visits


def read(rows: list[Row], patient: Patient | None, found: list[DataFinding]) -> Reading | None:
    """Turn rows into visits; None, with a finding, if there is no baseline.

    The baseline is the last value of each lesion up to the reference date or the first dose, whichever is later; what
    the table flags as baseline where it does; without a reference date the first visit. Nodes are measured by the short
    axis, all else by the longest diameter.
    """
    by_visit: dict[str, list[Row]] = {}
    for row in rows:
        by_visit.setdefault(row.visit, []).append(row)
    visits = sorted(by_visit.values(), key=lambda seen: min(row.date for row in seen))
    begun = _baseline(visits, patient, found)
    if begun is None:
        assert patient is not None, "without a reference date the first visit is the baseline"
        message = f"no visit on or before the reference date {patient.baseline_until:%Y-%m-%d}"
        consequence = "counts without a response; give the baseline visit"
        found.append(finding("warning", "missing baseline", rows[0], message, consequence))
        return None
    kept = [begun[0], *begun[1]]
    targets = _targets(kept)
    sizes = [_diameters(seen, targets) for seen in kept]
    missing = [lesion for lesion in targets if lesion not in sizes[0]]
    if missing:
        message = f"target {', '.join(missing)} without a baseline diameter"
        found.append(finding("error", "missing baseline", kept[0][0], message, "measure it, or call it non-target"))
        return None
    found.extend(_contradictions(kept, targets, sizes))
    at_baseline = [row.date for row in kept[0] if row.lesion in targets] or [row.date for row in kept[0]]
    when = (min(at_baseline), *(min(row.date for row in seen) for seen in kept[1:]))
    ends = (max(at_baseline), *(max(row.date for row in seen) for seen in kept[1:]))
    zero = patient.reference if patient is not None else when[0]
    day = np.array([float((date - zero).days) for date in when])
    return Reading(
        rows[0].subject,
        rows[0].evaluator,
        (begun[0][-1].visit, *(seen[0].visit for seen in kept[1:])),
        when,
        ends,
        tuple(targets),
        tuple(map(tuple, kept)),
        _visits(day, kept, targets, sizes),
    )


def _baseline(
    visits: list[list[Row]], patient: Patient | None, found: list[DataFinding]
) -> tuple[list[Row], list[list[Row]]] | None:
    """Rows of the baseline, those of its last visit at the end, and the visits after it; None if there is none.

    Of a lesion that the last visit of the baseline does not have, the last value from an earlier one counts if the
    lesion is followed later, or if the last visit has none of its group.
    """
    flagged = [row for seen in visits for row in seen if row.baseline]
    if flagged:
        last = max(row.date for row in flagged)
        later = [seen for seen in visits if min(row.date for row in seen) > last]
        return sorted(flagged, key=lambda row: row.date), later
    until = min(row.date for row in visits[0]) if patient is None else patient.baseline_until
    before = [seen for seen in visits if min(row.date for row in seen) <= until]
    if not before:
        return None
    later = visits[len(before) :]
    last_visit = before[-1]
    known = {(row.lesion, row.test) for row in last_visit}
    groups = {row.group for row in last_visit if row.test != "SUMDIAM"}
    followed = {row.lesion for seen in later for row in seen}
    added: list[Row] = []
    for seen in reversed(before[:-1]):
        new = [
            row
            for row in seen
            if row.group in ("TARGET", "NON-TARGET")
            and row.test != "SUMDIAM"
            and (row.lesion, row.test) not in known
            and (row.lesion in followed or row.group not in groups)
        ]
        known |= {(row.lesion, row.test) for row in new}
        added = [*new, *added]
    if added:
        names = ", ".join(dict.fromkeys(f"{row.lesion} on {row.date}" for row in added))
        early = any(until - row.date > LONGEST_VISIT for row in added)
        message = f"{names}, not at {last_visit[0].visit}" + (
            ", more than 28 days before the reference" if early else ""
        )
        found.append(finding("warning", "baseline in several visits", added[0], message, "the last value counts"))
    return [*added, *last_visit], later


def _targets(kept: list[list[Row]]) -> dict[str, bool]:
    """Target lesions, and whether each is a node."""
    organs = {row.lesion: row.organ for seen in kept for row in seen if row.group == "TARGET" and row.test != "SUMDIAM"}
    return {lesion: is_node(organ) for lesion, organ in organs.items()}


def _diameters(seen: list[Row], targets: dict[str, bool]) -> dict[str, float]:
    """Diameters of the targets that are measured among rows, in the order of the targets."""
    best: dict[str, tuple[int, float]] = {}
    for row in seen:
        if row.value == row.value and row.lesion in targets:
            rank = TARGET_TESTS[targets[row.lesion]].get(row.test)
            if rank is not None and (row.lesion not in best or rank < best[row.lesion][0]):
                best[row.lesion] = rank, row.value
    return {lesion: best[lesion][1] for lesion in targets if lesion in best}


def _contradictions(
    kept: list[list[Row]], targets: dict[str, bool], sizes: list[dict[str, float]]
) -> Iterator[DataFinding]:
    """Warnings: sums that are not those of the lesions, too many targets, targets too small at baseline."""
    for seen, measured in zip(kept, sizes, strict=True):
        total = sum(measured.values())
        for row in seen:
            if row.test == "SUMDIAM" and abs(row.value - total) > 0.1:
                message = f"sum {row.value:g} mm, lesions add to {total:g} mm"
                yield finding("warning", "sum contradicts lesions", row, message, "the lesions are used")
    organs = {row.lesion: NODES if targets[row.lesion] else row.organ for row in kept[0] if row.lesion in targets}
    crowded = [organ for organ, count in Counter(organs.values()).items() if organ is not None and count > PER_ORGAN]
    if len(targets) > 5 or crowded:
        message = f"{len(targets)} targets" + (f", more than {PER_ORGAN} in {', '.join(crowded)}" if crowded else "")
        yield finding("warning", "too many targets", kept[0][0], message, "all of them are used")
    for lesion, node in targets.items():
        least = 15.0 if node else 10.0
        if sizes[0][lesion] < least:
            message = f"{lesion} is {sizes[0][lesion]:g} mm at baseline, a target needs {least:g} mm"
            yield finding("warning", "target too small", kept[0][0], message, "it is used as a target")


def _visits(day: Floats, kept: list[list[Row]], targets: dict[str, bool], measured: list[dict[str, float]]) -> Visits:
    """Lay the rows out as arrays."""
    diameter = np.array([[at.get(lesion, np.nan) for lesion in targets] for at in measured])
    node = np.array(list(targets.values()), np.bool_)
    state, increased = _non_targets(kept)
    non_target = np.array([non_target_response(lesions) for lesions in state], np.int8)
    grown = increased[:, None] | progressed_between(state)
    return Visits(day, diameter, node, non_target, grown, *laid_out(kept))


def _non_targets(kept: list[list[Row]]) -> tuple[Codes, Bools]:
    """States of the non-target lesions, (visits, lesions), and the visits at which one has increased.

    Where a visit says two things of a lesion, the worse one holds.
    """
    rows = [(visit, row) for visit, seen in enumerate(kept) for row in seen if row.group == "NON-TARGET"]
    column = {lesion: number for number, lesion in enumerate(dict.fromkeys(row.lesion for _, row in rows))}
    state, increased = np.full((len(kept), len(column)), NE, np.int8), np.zeros(len(kept), np.bool_)
    for visit, row in rows:
        if row.test == "TUMSTATE":
            code = STATE_CODES[NON_TARGET_STATES[row.text]]
            increased[visit] |= row.text == "INCREASED"
        elif row.value == row.value and row.test != "LDIAM":
            code = CR if row.value < (NORMAL_NODE if is_node(row.organ) else 1e-9) else NON_CR_NON_PD
        else:
            continue
        before = state[visit, column[row.lesion]]
        state[visit, column[row.lesion]] = code if before == NE else before if code == NE else max(before, code)
    return state, increased
