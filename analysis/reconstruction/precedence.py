"""Which endpoint cannot come after which, and which reading ends with which: the order in which they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conventions.display import listed
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction.prior import family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.reconstruction.report.sorting import Sorted
    from analysis.reported import ReportedComparison


def check_read_until(read_until: Mapping[str, str], comparisons: Sequence[ReportedComparison]) -> None:
    """Refuse readers that no report has, or that share no endpoint, and readings that end each other.

    Raises
    ------
    UnknownNameError
        If a name is not that of an assessor.
    InvalidValueError
        If two readers have no endpoint in common, or a reading would end with itself, by way of others too.
    """
    endpoints: dict[str, set[str]] = {}
    for comparison in comparisons:
        if comparison.assessor:
            endpoints.setdefault(comparison.assessor, set()).add(comparison.endpoint)
    for name, other in read_until.items():
        for one in (name, other):
            if one not in endpoints:
                raise UnknownNameError("assessor", one, sorted(endpoints))
        if not endpoints[name] & endpoints[other]:
            remedy = f"add the report of what {other} has read, or leave {name} out"
            raise InvalidValueError("read_until", {name: other}, "two readers of one endpoint", remedy)
    for name in read_until:
        passed = [name]
        while passed[-1] in read_until:
            passed.append(read_until[passed[-1]])
            if passed[-1] in passed[:-1]:
                expected = "readings of which none ends with itself"
                raise InvalidValueError(
                    "read_until", listed(passed), expected, "name whose reading ends, and whose goes on"
                )


def comes_before(one: Sorted, other: Sorted) -> bool:
    """Whether the one endpoint cannot come after the other: death ends all, and progression comes before the second."""
    first, second = (each.comparisons[0].endpoint for each in (one, other))
    if second.upper() == "PFS2":
        return first.upper() in ("PFS", "RPFS", "TTP")
    return (family(first) in ("PFS", "DFS") or first.upper() == "PFS2") and family(second) == "OS"


def ends(one: Sorted, other: Sorted, read_until: Mapping[str, str]) -> bool:
    """Whether the other reading of an endpoint goes on only until the one has seen progression, or lost the patient."""
    first, second = one.comparisons[0], other.comparisons[0]
    return first.endpoint == second.endpoint and read_until.get(second.assessor or "") == first.assessor


def in_order(sorted_: Sequence[Sorted], read_until: Mapping[str, str]) -> tuple[Sorted, ...]:
    """Put what comes after another endpoint after all of those, and a reading after the one that ends it."""

    def place(one: Sorted) -> tuple[int, int]:
        name, readers = one.comparisons[0].assessor or "", 0
        while name in read_until:
            name, readers = read_until[name], readers + 1
        return sum(comes_before(other, one) for other in sorted_), readers

    return tuple(sorted(sorted_, key=place))
