"""The day of a response whose scans lie on several days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.endpoints import lesions
from analysis.endpoints.codes import CPD, PD
from analysis.endpoints.measurement_checks import NON_TARGET_STATES, finding
from analysis.endpoints.new_lesions import shown

if TYPE_CHECKING:
    from datetime import date

    from analysis.endpoints.assessment import Responses
    from analysis.endpoints.codes import Codes, Dating
    from analysis.endpoints.reading import Reading
    from analysis.records.findings import DataFinding

TARGETS = lesions.TARGET_PROGRESSION | lesions.TARGET_GROWTH
OTHERS = lesions.NON_TARGET_PROGRESSION | lesions.NON_TARGET_GROWTH


def response_dates(reading: Reading, seen: Responses, code: Codes, dating: Dating) -> list[date]:
    """Date the response at each visit after baseline; none after the first day of the next visit.

    `code` are the responses by one criterion, the baseline first.
    """
    days = []
    for i in range(1, len(reading.labels)):
        progressed = int(code[i]) in (PD, CPD)
        day = _progressed_on(reading, seen, i, dating) if progressed else reading.ends[i]
        following = reading.dates[i + 1] if i + 1 < len(reading.dates) else day
        days.append(min(day, following))
    return days


def overlaps(reading: Reading) -> list[DataFinding]:
    """Find visits that are not over when the next one begins."""
    return [
        finding(
            "warning",
            "visits overlap",
            reading.rows[i][0],
            f"its last scan is on {reading.ends[i]}, the next visit begins on {reading.dates[i + 1]}",
            "its response is dated no later than that",
        )
        for i in range(1, len(reading.labels) - 1)
        if reading.ends[i] > reading.dates[i + 1]
    ]


def _progressed_on(reading: Reading, seen: Responses, i: int, dating: Dating) -> date:
    rows, why = reading.rows[i], int(seen.why[i])
    if dating == "CDISC":
        return reading.dates[i]
    days = [row.date for row in rows if row.group == "NEW" and shown(row)]
    if seen.target[i] == PD or why & TARGETS:
        days.append(max(row.date for row in rows if row.group == "TARGET"))
    if seen.non_target[i] == PD or why & OTHERS:
        others = [row for row in rows if row.group == "NON-TARGET"]
        worse = [row for row in others if row.text == "INCREASED" or NON_TARGET_STATES.get(row.text) == "progression"]
        days += [min(row.date for row in worse or others)]
    return min(days, default=reading.ends[i])
