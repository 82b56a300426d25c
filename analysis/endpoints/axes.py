"""Which of a lesion's measurements is its size: the short axis of a node, the longest diameter of all else."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from analysis.endpoints.measurement_checks import MEASURED

if TYPE_CHECKING:
    from analysis.endpoints.measurement_checks import Row

AXES = {True: ("LPERP", "SAXIS", "DIAMETER"), False: ("LDIAM", "DIAMETER")}
"""Tests that measure a node, and any other lesion; the first that is there counts."""


def is_node(organ: str | None) -> bool:
    """Whether an organ is a lymph node."""
    return organ is not None and "NODE" in organ.upper()


def one_axis(rows: list[Row]) -> list[Row]:
    """Keep one measure of each lesion that is no target.

    A new lesion keeps one test for all visits, so that its growth is that of one axis: its own if it was ever measured,
    else another. A non-target lesion keeps its longest diameter, as its size, where a visit gives nothing else.
    """
    tests: dict[str, set[str]] = defaultdict(set)
    other: set[tuple[str, str]] = set()
    for row in rows:
        if row.group == "NEW" and row.test in MEASURED and row.value == row.value:
            tests[row.lesion].add(row.test)
        elif row.group == "NON-TARGET" and row.test != "LDIAM":
            other.add((row.lesion, row.visit))
    kept = []
    for row in rows:
        if row.group == "NEW" and row.test in MEASURED and row.lesion in tests:
            order = (*AXES[is_node(row.organ)], *sorted(MEASURED))
            if row.test != next(test for test in order if test in tests[row.lesion]):
                continue
        elif row.group == "NON-TARGET" and row.test == "LDIAM" and (row.lesion, row.visit) not in other:
            row = row._replace(test="DIAMETER")
        kept.append(row)
    return kept
