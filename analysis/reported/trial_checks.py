"""Checks across a trial: counts against their shares, and sources against each other."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

from analysis.reported.comparison import ReportedComparison
from analysis.reported.finding import Finding, excludes, is_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.reported.entries import ReportedProportion, TrialRecord
    from analysis.reported.number import Reported


def count_against_share(trial: TrialRecord) -> Iterator[Finding]:
    """Find a printed percentage that its count, or any count out of its denominator, does not give."""
    for entry in trial.proportions:
        if entry.of is None or entry.of.value == 0:
            continue
        of = entry.of.value
        values = tuple(f"{name} {number}" for name, number in entry.numbers())
        if entry.count is not None and entry.count.value > of:
            yield _proportion(entry, "the count exceeds its denominator", values)
        elif (
            entry.count is not None and entry.share is not None and not _rounds_to(entry.count.value / of, entry.share)
        ):
            yield _proportion(entry, f"{entry.count} of {entry.of} is {entry.count.value / of:.1%}", values)
        elif entry.count is None and entry.share is not None:
            nearest = math.floor(entry.share.value * of + 0.5) / of
            if not _rounds_to(nearest, entry.share):
                yield _proportion(entry, f"no count out of {entry.of} gives {entry.share}", values)


def share_outside_interval(trial: TrialRecord) -> Iterator[Finding]:
    """Find a proportion's interval that excludes its estimate."""
    for entry in trial.proportions:
        if entry.ci is not None and entry.share is not None and excludes(entry.ci, entry.share):
            values = (f"{entry.share} ({entry.ci})",)
            message = "the interval excludes its estimate"
            yield Finding("estimate-outside-interval", "error", entry.id, message, values, "compare with the source")


def conflicting_sources(trial: TrialRecord) -> Iterator[Finding]:
    """Find entries on the same quantity whose numbers do not round to a common value.

    A warning if both numbers carry the status ``"conflict"``: then the disagreement is the sources' own.
    """
    disagreeing: set[str] = set()
    entries = [(_subject(entry), entry.id, _shares(entry)) for entry in trial.proportions]
    entries += [(_subject(entry), entry.id, dict(entry.numbers())) for entry in trial.comparisons]
    for (subject, id, numbers), (other_subject, other_id, others) in combinations(entries, 2):
        if subject != other_subject:
            continue
        for name in sorted(numbers.keys() & others.keys()):
            one, other = numbers[name], others[name]
            if is_below(one, other) or is_below(other, one):
                disagreeing |= {id, other_id}
                marked = one.status == other.status == "conflict"
                yield Finding(
                    "conflicting-sources",
                    "warning" if marked else "error",
                    f"{id} / {other_id}",
                    f"two sources disagree on {name}",
                    tuple(f"{number.with_unit} ({', '.join(number.sources)})" for number in (one, other)),
                    "list the finding as known and say why" if marked else 'give both numbers status = "conflict"',
                )
    for _, id, numbers in entries:
        marked_here = [name for name, number in numbers.items() if number.status == "conflict"]
        if marked_here and id not in disagreeing:
            message = f"{marked_here[0]} is marked as a conflict, but no other entry disagrees"
            values = (str(numbers[marked_here[0]]),)
            yield Finding("conflicting-sources", "error", id, message, values, "enter the other source's number too")


TRIAL_CHECKS = (count_against_share, share_outside_interval, conflicting_sources)


def _subject(entry: ReportedComparison | ReportedProportion) -> tuple[object, ...]:
    if isinstance(entry, ReportedComparison):
        return entry.endpoint, entry.assessor, entry.population, entry.analysis, entry.cutoff
    time = None if entry.time is None else round(entry.time.value, 6)
    return entry.quantity, entry.arm, entry.population, entry.assessor, entry.criteria, time


def _shares(entry: ReportedProportion) -> dict[str, Reported]:
    return {name: number for name, number in entry.numbers() if name in ("count", "of", "share")}


def _rounds_to(value: float, share: Reported) -> bool:
    return share.lower - 1e-9 <= value <= share.upper + 1e-9


def _proportion(entry: ReportedProportion, message: str, values: tuple[str, ...]) -> Finding:
    remedy = "compare with the source; if it is printed so, list the finding as known and say why"
    return Finding("count-against-share", "error", entry.id, message, values, remedy)
