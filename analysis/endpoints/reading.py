"""One patient's rows by one reader, turned into visits that the compiled rules read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.endpoints.assessment import Visits
from analysis.endpoints.codes import CR, NE, NON_CR_NON_PD, PD
from analysis.endpoints.lesions import NORMAL_NODE, non_target_response
from analysis.endpoints.measurement_checks import NON_TARGET_STATES, Row, finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis.endpoints.codes import Floats
    from analysis.endpoints.findings import Finding

STATE_CODES = {"absent": CR, "present": NON_CR_NON_PD, "progression": PD, "missing": NE}
NODAL = ("LYMPH NODE", "NODE")


@dataclass(frozen=True)
class Reading:
    """Visits of one patient by one reader, with the names that trace them.

    Parameters
    ----------
    subject, evaluator
        Whose they are.
    labels, dates
        Name and first date of each visit, the baseline first.
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
    dates: tuple[pd.Timestamp, ...]
    lesions: tuple[str, ...]
    rows: tuple[tuple[Row, ...], ...]
    visits: Visits


def is_node(organ: str | None) -> bool:
    """Whether an organ is a lymph node."""
    return organ is not None and any(name in str(organ).upper() for name in NODAL)


def read(rows: list[Row], reference: pd.Timestamp | None, found: list[Finding]) -> Reading | None:
    """Turn rows into visits; None, with a finding, if there is no baseline.

    The baseline is the last visit on or before the reference date; without a reference date the first visit. A visit is
    dated at its earliest measurement. Nodes are measured by the short axis, all else by the longest diameter.
    """
    by_visit: dict[str, list[Row]] = {}
    for row in rows:
        by_visit.setdefault(row.visit, []).append(row)
    visits = sorted(((min(row.date for row in seen), label) for label, seen in by_visit.items()), key=lambda v: v[0])
    before = [i for i, (date, _) in enumerate(visits) if reference is None or date <= reference]
    if not before:
        message = f"no visit on or before the reference date {reference:%Y-%m-%d}"
        found.append(finding("error", "missing baseline", rows[0], message, "give the baseline visit"))
        return None
    visits = visits[0 if reference is None else before[-1] :]
    labels = tuple(label for _, label in visits)
    when = tuple(date for date, _ in visits)
    kept = [by_visit[label] for label in labels]
    targets = _targets(kept)
    missing = [lesion for lesion in targets if not any(_diameter([row], lesion, targets[lesion]) for row in kept[0])]
    if missing:
        message = f"target {', '.join(missing)} without a baseline diameter"
        found.append(finding("error", "missing baseline", kept[0][0], message, "measure it, or call it non-target"))
        return None
    found.extend(_contradictions(kept, targets))
    zero = reference if reference is not None else when[0]
    day = np.array([float((date - zero).days) for date in when])
    return Reading(
        rows[0].subject,
        rows[0].evaluator,
        labels,
        when,
        tuple(targets),
        tuple(map(tuple, kept)),
        _visits(day, kept, targets),
    )


def _targets(kept: list[list[Row]]) -> dict[str, bool]:
    """Target lesions, and whether each is a node."""
    return {
        row.lesion: is_node(row.organ)
        for seen in kept
        for row in seen
        if row.group == "TARGET" and row.test != "SUMDIAM"
    }


def _diameter(seen: list[Row], lesion: str, node: bool) -> list[float]:
    """Diameters of a lesion among rows: the short axis of a node if it is there, else the longest diameter."""
    axes = ("LPERP", "SAXIS", "DIAMETER") if node else ("LDIAM", "DIAMETER")
    found = [row.value for axis in axes for row in seen if row.lesion == lesion and row.test == axis]
    states = [0.0 for row in seen if row.lesion == lesion and row.test == "TUMSTATE" and row.text == "ABSENT"]
    return [value for value in found + states if value == value][:1]


def _contradictions(kept: list[list[Row]], targets: dict[str, bool]) -> list[Finding]:
    """Warnings: sums that are not those of the lesions, too many targets, targets too small at baseline."""
    found = []
    for seen in kept:
        total = sum(value for lesion, node in targets.items() for value in _diameter(seen, lesion, node))
        for row in seen:
            if row.test == "SUMDIAM" and abs(row.value - total) > 0.1:
                message = f"sum {row.value:g} mm, lesions add to {total:g} mm"
                found.append(finding("warning", "sum contradicts lesions", row, message, "the lesions are used"))
    organs = {row.lesion: row.organ for row in kept[0] if row.lesion in targets}
    crowded = [o for o in set(organs.values()) if o is not None and list(organs.values()).count(o) > 2]
    if len(targets) > 5 or crowded:
        message = f"{len(targets)} targets" + (f", more than 2 in {', '.join(map(str, crowded))}" if crowded else "")
        found.append(finding("warning", "too many targets", kept[0][0], message, "all of them are used"))
    for lesion, node in targets.items():
        [at] = _diameter(kept[0], lesion, node)
        least = 15.0 if node else 10.0
        if at < least:
            message = f"{lesion} is {at:g} mm at baseline, a target needs {least:g} mm"
            found.append(finding("warning", "target too small", kept[0][0], message, "it is used as a target"))
    return found


def _visits(day: Floats, kept: list[list[Row]], targets: dict[str, bool]) -> Visits:
    """Lay the rows out as arrays."""
    n = len(kept)
    diameter = np.full((n, len(targets)), np.nan)
    non_target, growth = np.zeros(n, np.int8), np.zeros(n, np.bool_)
    new, new_size, new_growth = np.zeros(n, np.int64), np.full(n, np.nan), np.zeros(n, np.bool_)
    known = {row.lesion: is_node(row.organ) for seen in kept for row in seen if row.group == "NON-TARGET"}
    for visit, seen in enumerate(kept):
        for column, (lesion, node) in enumerate(targets.items()):
            value = _diameter(seen, lesion, node)
            diameter[visit, column] = value[0] if value else np.nan
        states = dict.fromkeys(known, NE)
        sizes: dict[str, float] = {}
        there: set[str] = set()
        for row in seen:
            if row.group == "NON-TARGET" and row.test == "TUMSTATE":
                states[row.lesion] = STATE_CODES[NON_TARGET_STATES[row.text]]
                growth[visit] |= row.text == "INCREASED" or (
                    states[row.lesion] == PD and visit > 0 and _worse(kept, visit, row)
                )
            elif row.group == "NON-TARGET" and row.value == row.value and row.test != "LDIAM":
                states[row.lesion] = CR if row.value < (NORMAL_NODE if known[row.lesion] else 1e-9) else NON_CR_NON_PD
            elif row.group.startswith("NEW"):
                if row.test == "TUMSTATE":
                    if NON_TARGET_STATES[row.text] in ("present", "progression"):
                        there.add(row.lesion)
                    new_growth[visit] |= row.text in ("INCREASED", "PROGRESSION", "UNEQUIVOCAL PROGRESSION")
                elif row.value > 0:
                    there.add(row.lesion)
                    sizes.setdefault(row.lesion, row.value)
        non_target[visit] = non_target_response(np.array(list(states.values()), dtype=np.int8))
        new[visit] = len(there)
        new_size[visit] = sum(sizes.values()) if sizes else np.nan
    return Visits(
        day, diameter, np.array(list(targets.values()), np.bool_), non_target, growth, new, new_size, new_growth
    )


def _worse(kept: list[list[Row]], visit: int, row: Row) -> bool:
    """Whether this non-target lesion progressed that had not at the visit before."""
    before = [r for r in kept[visit - 1] if r.lesion == row.lesion and r.test == "TUMSTATE"]
    return bool(before) and all(NON_TARGET_STATES[r.text] != "progression" for r in before)
