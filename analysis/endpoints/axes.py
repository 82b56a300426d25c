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
    """Keep one measure of each lesion that is no target, and one kind of state.

    A new lesion keeps one test for all visits, so that its growth is that of one axis: its own if it was ever measured,
    else another. Where a visit measured another axis alone, that says only that it is there, or gone. The longest
    diameter of a non-target lesion is its size, that of a node where the visit gives nothing else.
    """
    tests: dict[str, set[str]] = defaultdict(set)
    told: set[tuple[str, str, str]] = set()
    for row in rows:
        if row.group != "TARGET" and row.value == row.value:
            tests[row.lesion].add(row.test)
        if row.group != "TARGET":
            told.add((row.lesion, row.visit, row.test))
    kept = []
    for row in rows:
        if row.test == "LNSTATE":
            row = row._replace(test="TUMSTATE")
        elif row.group == "NEW" and row.test in MEASURED:
            own = next((test for test in _order(row) if test in tests[row.lesion]), row.test)
            if row.test != own and (row.lesion, row.visit, own) in told:
                continue
            if row.test != own:
                row = row._replace(test="TUMSTATE", text=_state(row.value))
        elif row.group == "NON-TARGET" and row.test == "LDIAM":
            others = ((row.lesion, row.visit, test) for test in ("LPERP", "SAXIS", "DIAMETER", "TUMSTATE", "LNSTATE"))
            if not is_node(row.organ) or not any(other in told for other in others):
                row = row._replace(test="DIAMETER")
        kept.append(row)
    return kept


def _order(row: Row) -> tuple[str, ...]:
    """List the tests that can measure a row's lesion, the best first."""
    return (*AXES[is_node(row.organ)], *sorted(MEASURED))


def _state(mm: float) -> str:
    """State that any axis of a lesion shows."""
    return "NE" if mm != mm else "PRESENT" if mm > 0 else "ABSENT"
