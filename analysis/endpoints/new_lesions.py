"""New lesions as they count: what is equivocal, what is one more, and what is no news at baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.endpoints.measurement_checks import NON_TARGET_STATES, Row, finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.endpoints.codes import Counts
    from analysis.endpoints.findings import Finding


def is_there(row: Row) -> bool:
    """Whether a row shows a new lesion without doubt."""
    if row.test == "TUMSTATE":
        return row.text != "EQUIVOCAL" and NON_TARGET_STATES[row.text] in ("present", "progression")
    return row.value > 0


def settled(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """Decide which equivocal new lesions count, with a warning for each.

    One that a later visit shows without doubt counts from its first appearance; any other does not count. Eisenhauer
    2009, section 4.3.5.
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
        else:
            message = f"{row.lesion} is equivocal, and nothing later settles it"
            found.append(finding("warning", "equivocal new lesion", row, message, "it does not count"))
    return kept, found


def distinct(visits: Iterable[Iterable[Row]]) -> Counts:
    """Count the different new lesions seen up to each visit; 0 at a visit where none is there.

    So a lesion that appears while another vanishes counts as one more.
    """
    known: set[str] = set()
    counts = []
    for rows in visits:
        there = {row.lesion for row in rows if row.group == "NEW" and is_there(row)}
        known |= there
        counts.append(len(known) if there else 0)
    return np.array(counts, dtype=np.int64)


def at_baseline(rows: Iterable[Row]) -> list[Finding]:
    """Find new lesions among the rows of the baseline."""
    there = {row.lesion: row for row in rows if row.group == "NEW" and is_there(row)}
    return [
        finding(
            "warning", "new lesion at baseline", row, f"{lesion} is there at baseline", "it counts from later visits"
        )
        for lesion, row in there.items()
    ]
