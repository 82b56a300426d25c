"""New lesions as they count: what is equivocal, what is one more, and what is no news at baseline."""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from analysis.endpoints.axes import is_node
from analysis.endpoints.codes import CR, NE, NON_CR_NON_PD, PD
from analysis.endpoints.lesions import NORMAL_NODE, progressed_between
from analysis.endpoints.measurement_checks import NON_TARGET_STATES, Row, finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from analysis.endpoints.codes import Bools, Counts, Floats
    from analysis.records.findings import DataFinding


PROGRESSING = ("PROGRESSION", "UNEQUIVOCAL PROGRESSION", "PD")
"""States of a new lesion that progresses; UNEQUIVOCAL alone says that it is there without doubt."""


def shown(row: Row) -> bool | None:
    """Whether a row shows that a new lesion is there, or that it is gone; None if it shows neither.

    A node below 10 mm is normal: it is gone.
    """
    if row.test == "TUMSTATE":
        state = "missing" if row.text == "EQUIVOCAL" else NON_TARGET_STATES[row.text]
        return None if state == "missing" else state != "absent"
    if row.value != row.value:
        return None
    return row.value >= NORMAL_NODE if is_node(row.organ) else row.value > 0


def settled(rows: list[Row]) -> tuple[list[Row], list[DataFinding]]:
    """Decide which equivocal new lesions count, with a warning for each.

    One that the next visit to show it does not doubt counts from its first appearance; one that only earlier visits
    show so stands as they left it; any other, one that proves to be gone among them, does not count. Eisenhauer 2009,
    section 4.3.5.
    """
    if not any(row.group == "NEW" for row in rows):
        return rows, []
    sure: dict[str, list[tuple[date, bool, Row]]] = defaultdict(list)
    for row in rows:
        there = shown(row) if row.group == "NEW" else None
        if there is not None:
            sure[row.lesion].append((row.date, not there, row))
    kept, found = [], []
    for row in rows:
        if row.group != "NEW" or row.text != "EQUIVOCAL":
            kept.append(row)
            continue
        known = sorted(sure[row.lesion], key=itemgetter(0, 1))
        before = next(((gone, other) for when, gone, other in reversed(known) if when < row.date), None)
        after = next(((gone, other) for when, gone, other in known if when >= row.date), None)
        message, consequence = f"{row.lesion} is equivocal, and nothing later settles it", "it does not count"
        if after is not None and not after[0]:
            message = f"{row.lesion} is equivocal here, without doubt at {after[1].visit}"
            row, consequence = row._replace(text="PRESENT"), "it counts from here"
        elif before is not None and not before[0]:
            message = f"{row.lesion} is equivocal here, without doubt at {before[1].visit}"
            consequence = "it stands as last known"
        elif after is not None:
            message = f"{row.lesion} is equivocal here, and gone at {after[1].visit}"
        kept.append(row)
        found.append(finding("warning", "equivocal new lesion", row, message, consequence))
    return kept, found


def at_visit(rows: Iterable[Row]) -> dict[str, bool]:
    """Whether each new lesion that rows of one visit show is there (else gone)."""
    seen: dict[str, bool] = {}
    for row in rows:
        there = shown(row) if row.group == "NEW" else None
        if there is not None:
            seen[row.lesion] = seen.get(row.lesion, False) or there
    return seen


def last_known(visits: Iterable[Iterable[Row]]) -> list[set[str]]:
    """Name the new lesions that are there at each visit, the baseline first.

    One that a visit does not show, or not evaluably, is as the visit before left it: only a row that says absent or 0
    mm removes it. What is there at baseline counts at the later visits that show it.
    """
    there: list[set[str]] = []
    known: dict[str, bool] = {}
    for number, rows in enumerate(visits):
        known = (known if number > 1 else {}) | at_visit(rows)
        there.append({lesion for lesion, is_known in known.items() if is_known})
    return there


def laid_out(visits: Sequence[Sequence[Row]]) -> tuple[Counts, Floats, Counts, Bools, Bools]:
    """Lay new lesions out as `assessment.Visits` holds them: number, diameters, first visit, growth and progression.

    Counted are the different ones seen after baseline up to each visit, 0 where none is there: so one that appears
    while another vanishes counts as one more. One that is gone has 0 mm, whatever a normal node measures. What is
    measured has grown by its diameter alone, whatever its state is called.
    """
    new = [[row for row in rows if row.group == "NEW"] for rows in visits]
    there = last_known(new)
    count = [len(set().union(*there[1 : visit + 1])) if at else 0 for visit, at in enumerate(there)]
    column = {lesion: number for number, lesion in enumerate(dict.fromkeys(row.lesion for rows in new for row in rows))}
    shape = (len(new), len(column))
    size, state, increased = np.full(shape, np.nan), np.full(shape, NE, np.int8), np.zeros(len(new), np.bool_)
    first = np.full(len(column), len(new), np.int64)
    for visit, rows in enumerate(new):
        at = at_visit(rows)
        for lesion, is_known in at.items():
            state[visit, column[lesion]] = NON_CR_NON_PD if is_known else CR
            if not is_known and first[column[lesion]] < visit:
                size[visit, column[lesion]] = 0.0
        for row in rows:
            if row.test != "TUMSTATE" and row.value > 0 and at[row.lesion]:
                size[visit, column[row.lesion]] = row.value
        for row in rows:
            if row.test == "TUMSTATE" and np.isnan(size[visit, column[row.lesion]]):
                increased[visit] |= row.text == "INCREASED"
                if row.text in PROGRESSING:
                    state[visit, column[row.lesion]] = PD
        for lesion in there[visit]:
            first[column[lesion]] = min(first[column[lesion]], visit)
    progressed = progressed_between(state)
    return np.array(count, np.int64), size, first, increased[:, None] | progressed, progressed


def at_baseline(rows: Iterable[Row]) -> list[DataFinding]:
    """Find new lesions among the rows of the baseline."""
    there = {row.lesion: row for row in rows if row.group == "NEW" and shown(row)}
    return [
        finding(
            "warning", "new lesion at baseline", row, f"{lesion} is there at baseline", "it counts from later visits"
        )
        for lesion, row in there.items()
    ]
