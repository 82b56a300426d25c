"""When progression or death is counted, compiled: censoring rules and disease control at a landmark.

As in `sequences`, `code` and `day` hold one patient's first `n` records; `death`, `new_therapy` and `discontinuation`
are days from the reference date, inf where they did not happen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.endpoints.codes import CPD, NULL, PD
from analysis.endpoints.sequences import is_control, is_evaluable, progression, up_to

if TYPE_CHECKING:
    from analysis.endpoints.codes import Codes, Floats

PROGRESSION, DEATH, LAST_ASSESSMENT, REFERENCE, NEW_THERAPY, MISSED_ASSESSMENTS, DISCONTINUATION, NO_BASELINE = range(8)
REASONS = (
    "progression",
    "death",
    "last assessment",
    "reference date",
    "new therapy",
    "missed assessments",
    "discontinuation",
    "no baseline",
)

UNCONFIRMED = ("failure", "control", "resolved later")
"""How an iUPD at a landmark counts, in the order of the numbers that `status_at` reads."""


@inner
def last_before(code: Codes, day: Floats, n: int, end: float, evaluable_only: bool) -> float:
    """Day of the last assessment before `end`; -1 if there is none.

    NE, ND and MISSING count unless `evaluable_only`, a record without a response does not.
    """
    for i in range(n - 1, -1, -1):
        adequate = is_evaluable(code[i]) or (code[i] != NULL and not evaluable_only)
        if day[i] < end and adequate:
            return float(day[i])
    return -1.0


@inner
def censored_before(
    code: Codes, day: Floats, n: int, end: float, evaluable_only: bool, reason: int
) -> tuple[float, bool, int]:
    """Censor at the last assessment before `end`, or at the reference date if there is none."""
    last = last_before(code, day, n, end, evaluable_only)
    if last < 0.0:
        return 0.0, False, REFERENCE if reason == LAST_ASSESSMENT else reason
    return last, False, reason


@njit(cache=True, nogil=True)
def progression_or_death(
    code: Codes,
    day: Floats,
    n: int,
    stop: int,
    has_baseline: bool,
    death: float,
    new_therapy: float,
    discontinuation: float,
    rule: tuple[bool, bool, bool, bool, bool, float, Floats, Floats, int],
) -> tuple[float, bool, int]:
    """Time of progression or death in days, whether it is an event, and the number of the reason.

    `rule` is (evaluable_only, at_new_therapy, at_discontinuation, needs_baseline, unresolved_counts, longest_gap, and
    of each scheduled visit the first and the last day, and how many may not be missed). A new therapy on the day of the
    event censors it, as one before it does; a discontinuation on that day does not. Of the two the earlier decides, on
    one day the therapy. Records from a therapy on, or after a discontinuation, that censors date, resolve and confirm
    no progression.
    """
    evaluable_only, at_new_therapy, at_discontinuation, needs_baseline, unresolved_counts, longest_gap = rule[:6]
    opens, closes, allowed = rule[6:]
    if needs_baseline and not has_baseline:
        return 0.0, False, NO_BASELINE
    treated = new_therapy if at_new_therapy else np.inf
    stopped = discontinuation if at_discontinuation else np.inf
    used = n
    while used > 0 and (day[used - 1] >= treated or day[used - 1] > stopped):
        used -= 1
    seen = progression(code, used, stop, unresolved_counts)
    progressed = day[seen] if seen >= 0 else np.inf
    event = min(progressed, death)
    if treated < np.inf and treated <= min(event, stopped):
        return censored_before(code, day, n, treated, evaluable_only, NEW_THERAPY)
    if stopped < event:
        return censored_before(code, day, n, stopped + 0.5, evaluable_only, DISCONTINUATION)
    if event == np.inf:
        return censored_before(code, day, n, np.inf, evaluable_only, LAST_ASSESSMENT)
    last = max(last_before(code, day, n, event, evaluable_only), 0.0)
    missed = 0
    for visit in range(opens.size):
        missed += opens[visit] > last and closes[visit] < event
    if event - last > longest_gap or (opens.size and missed >= allowed):
        return censored_before(code, day, n, event, evaluable_only, MISSED_ASSESSMENTS)
    return event, True, PROGRESSION if progressed <= death else DEATH


@njit(cache=True, nogil=True)
def status_at(
    code: Codes, day: Floats, n: int, stop: int, landmark: float, before: float, after: float, unconfirmed: int
) -> int:
    """Index of the scan that shows disease control at the landmark; -1 where it does not or there is none.

    The scan is the evaluable one nearest to the landmark in [landmark - before, landmark + after], the earlier of
    two. An iUPD there is a failure (`unconfirmed` 0), control (1), or what the next scan that resolves it says (2).
    """
    kept = up_to(code, n, stop)
    nearest = -1
    for i in range(kept):
        if not is_evaluable(code[i]) or day[i] < landmark - before or day[i] > landmark + after:
            continue
        if nearest < 0 or abs(day[i] - landmark) < abs(day[nearest] - landmark):
            nearest = i
    if nearest < 0 or is_control(code[nearest]):
        return nearest
    if code[nearest] != PD or stop == PD or unconfirmed == 0:
        return -1
    if unconfirmed == 1:
        return nearest
    for i in range(nearest + 1, kept):
        if is_control(code[i]):
            return nearest
        if code[i] == CPD:
            return -1
    return -1


@njit(cache=True, nogil=True)
def control_until(code: Codes, day: Floats, n: int, stop: int, landmark: float, before: float, lost: float) -> int:
    """Index of the first scan at landmark - before or later that shows control, not after progression; else -1.

    `lost` is the day of progression or death, inf without either: up to the landmark it is a failure, -1.
    """
    if lost <= landmark:
        return -1
    for i in range(up_to(code, n, stop)):
        if is_control(code[i]) and day[i] >= landmark - before:
            return i
    return -1


@njit(cache=True, nogil=True)
def is_free_at(time: float, event: bool, landmark: float, before: float, after: float) -> bool:
    """Whether progression or death came after the landmark's window, or was looked for in vain up to the window."""
    return time > landmark + after if event else time >= landmark - before
