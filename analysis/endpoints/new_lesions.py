"""New lesions as they count: what is equivocal, what is one more, and what is no news at baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.endpoints.measurement_checks import NON_TARGET_STATES, Row, finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analysis.endpoints.codes import Bools, Counts, Floats
    from analysis.endpoints.findings import Finding


GROWING = ("INCREASED", "PROGRESSION", "UNEQUIVOCAL PROGRESSION")


def shown(row: Row) -> bool | None:
    """Whether a row shows that a new lesion is there, or that it is gone; None if it shows neither."""
    if row.test == "TUMSTATE":
        state = "missing" if row.text == "EQUIVOCAL" else NON_TARGET_STATES[row.text]
        return None if state == "missing" else state != "absent"
    return None if row.value != row.value else row.value > 0


def is_there(row: Row) -> bool:
    """Whether a row shows a new lesion without doubt."""
    return shown(row) is True


def settled(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """Decide which equivocal new lesions count, with a warning for each.

    One that a later visit shows without doubt counts from its first appearance; one that only earlier visits show so
    stands as they left it; any other does not count. Eisenhauer 2009, section 4.3.5.
    """
    if not any(row.group == "NEW" for row in rows):
        return rows, []
    sure = {row.lesion: row for row in sorted(rows, key=lambda row: row.date) if row.group == "NEW" and is_there(row)}
    kept, found = [], []
    for row in rows:
        if row.group != "NEW" or row.text != "EQUIVOCAL":
            kept.append(row)
        elif row.lesion in sure and sure[row.lesion].date >= row.date:
            kept.append(row._replace(text="PRESENT"))
            message = f"{row.lesion} is equivocal here, without doubt at {sure[row.lesion].visit}"
            found.append(finding("warning", "equivocal new lesion", row, message, "it counts from here"))
        elif row.lesion in sure:
            message = f"{row.lesion} is equivocal here, without doubt at {sure[row.lesion].visit}"
            found.append(finding("warning", "equivocal new lesion", row, message, "it stands as last known"))
            kept.append(row)
        else:
            message = f"{row.lesion} is equivocal, and nothing later settles it"
            found.append(finding("warning", "equivocal new lesion", row, message, "it does not count"))
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


def laid_out(visits: Sequence[Sequence[Row]]) -> tuple[Counts, Floats, Bools]:
    """Lay new lesions out as `assessment.Visits` holds them: how many, their diameters, whether unmeasured ones grew.

    Counted are the different ones seen up to each visit, 0 where none is there: so one that appears while another
    vanishes counts as one more. One that is gone has 0 mm.
    """
    new = [[row for row in rows if row.group == "NEW"] for rows in visits]
    there = last_known(new)
    count = [len(set().union(*there[: visit + 1])) if at else 0 for visit, at in enumerate(there)]
    column = {lesion: number for number, lesion in enumerate(dict.fromkeys(row.lesion for rows in new for row in rows))}
    size = np.full((len(new), len(column)), np.nan)
    for visit, rows in enumerate(new):
        for row in reversed(rows):
            if row.value > 0 and row.test != "TUMSTATE":
                size[visit, column[row.lesion]] = row.value
        for lesion, is_known in at_visit(rows).items():
            if not is_known:
                size[visit, column[lesion]] = 0.0
    grown = [any(row.test == "TUMSTATE" and row.text in GROWING for row in rows) for rows in new]
    return np.array(count, np.int64), size, np.array(grown, np.bool_)


def at_baseline(rows: Iterable[Row]) -> list[Finding]:
    """Find new lesions among the rows of the baseline."""
    there = {row.lesion: row for row in rows if row.group == "NEW" and is_there(row)}
    return [
        finding(
            "warning", "new lesion at baseline", row, f"{lesion} is there at baseline", "it counts from later visits"
        )
        for lesion, row in there.items()
    ]
