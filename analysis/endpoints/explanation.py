"""Why each response is what it is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.endpoints import lesions
from analysis.endpoints.codes import CR, IRECIST, MISSING, NE, PD, PR, RECIST
from analysis.endpoints.new_lesions import at_visit, last_known
from analysis.endpoints.size_measures import in_per_cent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.endpoints.assessment import Responses
    from analysis.endpoints.histories import ResponseHistory
    from analysis.endpoints.reading import Reading

WHY = {
    lesions.TARGET_PROGRESSION: "target progression",
    lesions.NON_TARGET_PROGRESSION: "non-target progression",
    lesions.NEW_LESION: "new lesion",
    lesions.KNOWN_LESION: "known new lesions 20% and 5 mm over their nadir, or in unequivocal progression",
    lesions.TARGET_GROWTH: "target sum 5 mm or more above the iUPD scan",
    lesions.NON_TARGET_GROWTH: "further non-target growth since the iUPD scan",
    lesions.NEW_LESION_GROWTH: "more or larger new lesions since the iUPD scan",
}


def explain_reading(reading: Reading, seen: Responses) -> list[str]:
    """Explain every visit of one patient by one reader, a few lines each."""
    who = f"{reading.subject} ({reading.evaluator})" if reading.evaluator else reading.subject
    lines = [f"{who}: baseline {reading.dates[0]:%Y-%m-%d}, {_diameters(reading, 0)}"]
    there = last_known(reading.rows)
    for i in range(1, len(reading.labels)):
        lines.append(f"{reading.labels[i]}, {reading.dates[i]:%Y-%m-%d} (day {reading.visits.day[i]:g})")
        if seen.target[i] != MISSING:
            lines.append(f"  {_diameters(reading, i)}")
            lines.append(f"  target {RECIST.term(int(seen.target[i]))}: {_target(seen, i)}")
        if seen.non_target[i] != MISSING:
            states = {
                row.lesion: row.text.lower() or f"{row.value:g} mm"
                for row in reading.rows[i]
                if row.group == "NON-TARGET"
            }
            named = ", ".join(f"{lesion} {state}" for lesion, state in states.items()) or "not assessed"
            lines.append(f"  non-target {RECIST.term(int(seen.non_target[i]))}: {named}")
        if there[i]:
            seen_here = at_visit(reading.rows[i])
            names = [lesion if lesion in seen_here else f"{lesion} as last known" for lesion in sorted(there[i])]
            lines.append(f"  new lesions: {', '.join(names)}")
        reasons = [text for bit, text in WHY.items() if int(seen.why[i]) & bit]
        because = f" ({'; '.join(reasons)})" if reasons else ""
        recist, irecist = RECIST.term(int(seen.recist[i])), IRECIST.term(int(seen.irecist[i]))
        lines.append(f"  overall: {recist} by RECIST 1.1, {irecist} by iRECIST{because}")
    return lines


def explain_endpoints(history: ResponseHistory, derived: Mapping[str, object]) -> list[str]:
    """Explain endpoints by the assessment or the event that decides each, a line for each."""
    lines = []
    for name, value in derived.items():
        index = getattr(value, "index", None)
        assessed = "" if index is None else f", where the response was {history.responses[index] or 'missing'}"
        lines.append(f"  {name}: {'does not exist for this patient' if value is None else value}{assessed}")
    if not lines:
        return []
    events = {"death": history.death, "new therapy": history.new_therapy, "discontinuation": history.discontinuation}
    known = [f"{name} {when}" for name, when in events.items() if when is not None]
    return [f"by {history.criteria}, {', '.join([f'reference date {history.reference}', *known])}", *lines]


def _diameters(reading: Reading, i: int) -> str:
    """Diameters of the targets and their sum."""
    at = reading.visits.diameter[i]
    if not len(at):
        return "no target lesions"
    named = [
        f"{lesion} {'missing' if value != value else f'{value:g}'}"
        for lesion, value in zip(reading.lesions, at, strict=True)
    ]
    total = f"{at[at == at].sum():g} mm" if np.any(at == at) else "not measured"
    return f"targets {' + '.join(named)} = {total}"


def _target(seen: Responses, i: int) -> str:
    """Say which rule decided the target response."""
    size, nadir, baseline = seen.size[i], seen.nadir[i], seen.size[0]
    against = f"{size:g} mm, baseline {baseline:g}, nadir {nadir:g}"
    code = int(seen.target[i])
    if code == CR:
        return f"{against}: all non-nodal targets gone, all nodes below 10 mm"
    if code == NE:
        return "a target was not measured, and what was measured is not progression"
    if code == PD and not lesions.has_grown(size, nadir):
        return f"{against}: disease after a complete response"
    if code == PD:
        percent = f" and {in_per_cent(size / nadir)}" if nadir else ""
        return f"{against}: {size - nadir:+.4g} mm{percent} over the nadir"
    if code == PR and size > 0.7 * baseline + lesions.TOLERANCE:
        return f"{against}: a partial response is kept until progression"
    return f"{against}: {in_per_cent(size / baseline)} from baseline"
