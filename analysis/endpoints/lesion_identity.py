"""A lesion is the same lesion when it falls into fragments or grows together with another.

Eisenhauer 2009, section 4.3.2 and appendix II: the diameters of fragments are added up; lesions that have coalesced
count once, by their longest common diameter. Names are those of CDISC's RECIST 1.1 supplement: T04.1 and T04.2 are
fragments of T04, T02/T03 is what T02 and T03 have become.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from analysis.endpoints.measurement_checks import MEASURED, finding

if TYPE_CHECKING:
    from analysis.endpoints.measurement_checks import Row
    from analysis.records.findings import DataFinding

TOGETHER = re.compile(r"\s*[/+&]\s*")
WORST = ("UNEQUIVOCAL PROGRESSION", "UNEQUIVOCAL", "PROGRESSION", "PD", "INCREASED", "PRESENT", "STABLE")


def joined(rows: list[Row]) -> tuple[list[Row], list[DataFinding]]:
    """Bring fragments and coalesced lesions to the names of the lesions that they were, with a warning for each.

    A name is a fragment's if it is not there at the first visit and what stands before its last point is; a name is
    that of coalesced lesions if all its parts are. At a visit the fragments of a lesion are one row, the sum of their
    diameters, missing where one of them was not measured; of coalesced lesions the first bears the common diameter, and
    the others are 0 mm.
    """
    first = min(rows, key=lambda row: row.date).visit if rows else ""
    begun = {row.lesion: row for row in rows if row.visit == first and row.lesion}
    if not begun or all(row.lesion in begun or not row.lesion for row in rows):
        return rows, []
    named = {row.lesion for row in rows if row.group == "NEW"}  # what is called new is no fragment
    later = dict.fromkeys(row.lesion for row in rows if row.lesion and row.lesion not in {*begun, *named})
    parent = {name: whole for name in later if (whole := _whole(name, begun)) is not None}
    parts = {name: each for name in later if (each := _parts(name, begun))}
    if not parent and not parts:
        return rows, []
    found: list[DataFinding] = []
    kept: list[Row] = []
    fragments: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    said: set[str] = set()
    for row in rows:
        if row.lesion in parent:
            whole = parent[row.lesion]
            fragments[row.visit, whole, row.test].append(row)
            if whole not in said:
                names = ", ".join(name for name, of in parent.items() if of == whole)
                found.append(finding("warning", "split lesion", row, f"{names} are taken as {whole}", "added up"))
            said.add(whole)
        elif row.lesion in parts:
            together = parts[row.lesion]
            kept += _coalesced(row, together, begun)
            if row.lesion not in said:
                message = f"{row.lesion} is taken as {' and '.join(together)}, grown together"
                found.append(finding("warning", "merged lesions", row, message, "counts once"))
            said.add(row.lesion)
        else:
            kept.append(row)
    kept += [_added_up(each, begun[whole]) for (_, whole, _), each in fragments.items()]
    return kept, found


def _whole(name: str, begun: dict[str, Row]) -> str | None:
    """Name of the lesion at the first visit that a fragment comes from."""
    for mark in (".", "-", "_"):
        before, parted, after = name.rpartition(mark)
        if parted and before in begun and re.fullmatch(r"\d+|[A-Za-z]", after):
            return before
    before, last = name[:-1], name[-1:]
    return before if last.isalpha() and before[-1:].isdigit() and before in begun else None


def _parts(name: str, begun: dict[str, Row]) -> list[str]:
    """Names of the lesions at the first visit that have grown together; none if one of them was not there."""
    names = TOGETHER.split(name)
    if len(names) < 2:
        return []
    stem = re.match(r"[A-Za-z]+", names[0])
    names = [stem[0] + each if stem and each.isdigit() else each for each in names]
    return names if all(each in begun for each in names) else []


def _added_up(rows: list[Row], whole: Row) -> Row:
    """One row for the fragments of a lesion at a visit, dated at the last of them."""
    row = max(rows, key=lambda each: each.date)._replace(lesion=whole.lesion, group=whole.group, organ=whole.organ)
    if row.test in MEASURED:
        value = sum(each.value for each in rows)  # NaN where one of them was not measured
        return row._replace(value=value, text=f"{value:g}" if value == value else "NOT EVALUABLE")
    states = [each.text for each in rows]
    return row._replace(text=next((state for state in WORST if state in states), states[0]))


def _coalesced(row: Row, names: list[str], begun: dict[str, Row]) -> list[Row]:
    """Rows of lesions that have grown together: the first bears what was measured, the others nothing more."""
    same = [begun[name] for name in names]
    bearer, *others = [row._replace(lesion=one.lesion, group=one.group, organ=one.organ) for one in same]
    if row.test not in MEASURED or row.value != row.value:
        return [bearer, *others]
    return [bearer, *(other._replace(value=0.0, text="0") for other in others)]
