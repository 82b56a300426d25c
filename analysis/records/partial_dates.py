"""Dates that lack their day, or their month: intervals, narrowed by everything that is known around them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAY = timedelta(days=1)
WIDEST = timedelta(days=31)
"""A date stands for a day as long as it is known to within a month."""


class Dated(NamedTuple):
    """A record of a visit, and the first and the last day that its date can be."""

    visit: str
    number: float
    first: date
    last: date

    @property
    def is_partial(self) -> bool:
        """Whether the date can be several days."""
        return self.first < self.last


def narrowed(
    records: Sequence[Dated],
    reference: date | None,
    death: date | None,
    *,
    has_baseline: bool,
) -> list[tuple[date, date]]:
    """Narrow the dates of one patient's records by one reader: the first and the last day that each can be.

    A date is that of its visit where the visit has a full one. Else it lies after the visits with lower numbers and
    before those with higher ones; not after a death in its month; and, if it could be the reference date, up to that
    for the first visit of records that have a baseline, after it for any other. What these rules leave no day for
    stays as it was written.

    Examples
    --------
    >>> month, full = (date(2024, 2, 1), date(2024, 2, 29)), [date(2024, 2, 25)] * 2
    >>> records = [Dated("WEEK 6", 2, *month), Dated("WEEK 7", 3, *full)]
    >>> [day.day for day in narrowed(records, date(2024, 1, 10), None, has_baseline=True)[0]]
    [1, 24]
    """
    full: dict[str, list[date]] = {}
    for record in records:
        if not record.is_partial:
            full.setdefault(record.visit, []).append(record.last)
    return [
        _narrowed(record, records, full, reference, death, has_baseline)
        if record.is_partial
        else (record.first, record.last)
        for record in records
    ]


def _narrowed(
    record: Dated,
    records: Sequence[Dated],
    full: dict[str, list[date]],
    reference: date | None,
    death: date | None,
    has_baseline: bool,
) -> tuple[date, date]:
    same = [day for day in full.get(record.visit, ()) if record.first <= day <= record.last]
    if same:
        return min(same), min(same)
    others = [other for other in records if other.visit != record.visit]
    before = [other for other in others if other.number < record.number]
    after = [other for other in others if other.number > record.number]
    first = max([record.first, *(day + DAY for other in before for day in full.get(other.visit, ()))])
    last = min([record.last, *(day - DAY for other in after for day in full.get(other.visit, ()))])
    if death is not None and first <= death:
        last = min(last, death)
    if reference is not None and first <= reference < last:
        is_first = not before and all(other.last > record.last or other.number > record.number for other in others)
        if has_baseline and is_first:
            last = reference
        elif has_baseline:
            first = reference + DAY
        else:
            first = reference
    return (first, last) if first <= last else (record.first, record.last)


def said(records: Sequence[Dated], days: Sequence[tuple[date, date]]) -> Iterator[tuple[int, str, bool]]:
    """Say what each date that lacks a day is taken as, once a visit: the record, in words, and whether it is known."""
    once: set[tuple[str, date, date]] = set()
    for k, (record, (first, last)) in enumerate(zip(records, days, strict=True)):
        if not record.is_partial or (record.visit, record.first, record.last) in once:
            continue
        once.add((record.visit, record.first, record.last))
        is_month = (record.first.year, record.first.month) == (record.last.year, record.last.month)
        written = f"{record.first:%Y-%m}" if is_month else f"{record.first:%Y}"
        lacks = "a day" if is_month else "a month"
        if last - first > WIDEST:
            yield k, f"date {written} without {lacks}: between {first} and {last}", False
        else:
            known = "" if first == last else f", the last day from {first} that it can be"
            yield k, f"date {written} without {lacks}; taken as {last}{known}", True
