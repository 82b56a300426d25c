"""From diameters to responses at each visit, compiled: target, non-target, overall by RECIST 1.1, overall by iRECIST.

Visit 0 is the baseline. Diameters are in mm, longest for non-nodal lesions and short axis for nodes, NaN where
missing. Sums are compared with a tolerance of a millionth of a millimetre, so that 42 of 60 mm is a PR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.endpoints.codes import CPD, CR, MISSING, NE, NON_CR_NON_PD, PD, PR, SD

if TYPE_CHECKING:
    from analysis.endpoints.codes import Bools, Codes, Counts, Floats

TOLERANCE = 1e-6
NORMAL_NODE = 10.0
TARGET_PROGRESSION, NON_TARGET_PROGRESSION, NEW_LESION = 1, 2, 4
TARGET_GROWTH, NON_TARGET_GROWTH, NEW_LESION_GROWTH, KNOWN_LESION = 8, 16, 32, 64
"""Why a visit is a progression or confirms one; bits of the `why` that `irecist_sequence` writes."""


@njit(cache=True, nogil=True)
def has_grown(size: float, reference: float) -> bool:
    """Whether a sum meets progression against a reference: 20% and 5 mm more, both inclusive."""
    return size >= 1.2 * reference - TOLERANCE and size - reference >= 5.0 - TOLERANCE


@njit(cache=True, nogil=True)
def target_sequence(
    diameter: Floats,
    node: Bools,
    non_target: Codes,
    new: Counts,
    visits: int,
    rule: tuple[bool, bool],
    code: Codes,
    other: Codes,
    size: Floats,
    nadir: Floats,
) -> None:
    """Write target and non-target response, measured sum and the nadir before it for each visit.

    `diameter` is (visits, lesions); without a lesion above 0 mm at baseline there is no target disease. A visit with a
    missing lesion is NE unless what was measured is PD already, and leaves the nadir as it is. `rule` is that of
    `ResponseRule.compiled`: whether a PR lasts until PD, and whether any disease after an overall CR is PD.
    """
    keeps_response, reappearance_is_progression = rule
    lesions = node.size
    lowest, baseline, complete, responding, appeared = np.inf, 0.0, False, False, False
    for visit in range(visits):
        total, missing, absent = 0.0, 0, True
        for lesion in range(lesions):
            at = diameter[visit, lesion]
            if np.isnan(at):
                missing += 1
            else:
                total += at
                absent = absent and (at < NORMAL_NODE if node[lesion] else at == 0.0)
        baseline = total if visit == 0 else baseline
        size[visit], nadir[visit] = total if missing < lesions and baseline > 0.0 else np.nan, lowest
        again = complete and reappearance_is_progression
        appeared = appeared or (visit > 0 and new[visit] > 0)
        other[visit] = PD if again and non_target[visit] == NON_CR_NON_PD else non_target[visit]
        if baseline == 0.0:
            code[visit] = MISSING
        elif visit == 0:
            code[0] = SD
        elif absent and missing == 0:
            code[visit] = CR
        elif has_grown(total, lowest) or (again and not absent):
            code[visit] = PD
        elif missing > 0:
            code[visit] = NE
        elif total <= 0.7 * baseline + TOLERANCE or (keeps_response and responding):
            code[visit] = PR
        else:
            code[visit] = SD
        if code[visit] != NE:
            responding = code[visit] in (CR, PR)
        if visit > 0:
            complete = complete or overall_response(code[visit], other[visit], appeared) == CR
        if missing == 0:
            lowest = min(lowest, total)


@njit(cache=True, nogil=True)
def overall_response(target: int, non_target: int, new: bool) -> int:
    """Overall response of a visit; MISSING as target or non-target means that there is no such disease.

    Eisenhauer 2009, tables 1 and 2. Without target and non-target disease only a new lesion can be judged: NE.
    """
    if target == PD or non_target == PD or new:
        return PD
    if target == MISSING:
        return non_target if non_target != MISSING else NE
    if target == NE:
        return NE
    if target == CR:
        return CR if non_target in (CR, MISSING) else PR
    return target


@njit(cache=True, nogil=True)
def recist_sequence(target: Codes, non_target: Codes, new: Counts, visits: int, out: Codes) -> None:
    """Write the overall response by RECIST 1.1 for each visit after baseline; a new lesion stays one."""
    seen = False
    out[0] = MISSING
    for visit in range(1, visits):
        seen = seen or new[visit] > 0
        out[visit] = overall_response(target[visit], non_target[visit], seen)


@inner
def growth_between(measured: Floats, began: int, visit: int) -> float:
    """Growth in mm from one visit to another, summed over the lesions measured at both; 0 without any.

    `measured` is (visits, lesions), or (visits,) where there are sums alone. A lesion that one of the visits missed
    has not grown for being measured at the other.
    """
    size = measured.reshape(measured.shape[0], measured.size // measured.shape[0])
    growth = 0.0
    for lesion in range(size.shape[1]):
        change = size[visit, lesion] - size[began, lesion]
        if not np.isnan(change):
            growth += change
    return growth


@inner
def has_regrown(measured: Floats, first: Counts, since: int, reset: int, visit: int) -> bool:
    """Whether lesions measured at a visit are 20% and 5 mm more in sum than at one of those from `since` on.

    `measured` is that of `growth_between`, `first` the visit at which each lesion appeared; counted are those that had
    appeared by the visit `reset`.
    """
    size = measured.reshape(measured.shape[0], measured.size // measured.shape[0])
    for before in range(since, visit):
        total, reference = 0.0, 0.0
        for lesion in range(size.shape[1]):
            if first[lesion] <= reset and not np.isnan(size[visit, lesion] + size[before, lesion]):
                total += size[visit, lesion]
                reference += size[before, lesion]
        if has_grown(total, reference):
            return True
    return False


@inner
def is_better(status: int, before: int, change: float) -> bool:
    """Whether a visit is CR or PR with less disease than an earlier one: another response then, or a smaller sum."""
    smaller = change < -TOLERANCE or (before != PR and before != CR) or (status == CR and before == PR)
    return status in (CR, PR) and smaller


@njit(cache=True, nogil=True)
def irecist_sequence(
    target: Codes,
    size: Floats,
    non_target: Codes,
    non_target_growth: Bools,
    new: Counts,
    new_size: Floats,
    new_first: Counts,
    new_growth: Bools,
    new_progression: Bools,
    day: Floats,
    visits: int,
    window: tuple[float, float],
    out: Codes,
    why: Counts,
) -> None:
    """Write the overall response by iRECIST for each visit after baseline, and why it is a progression (bits).

    `size` and `new_size` are diameters of targets and of new lesions, (visits, lesions), or their sums, (visits,);
    `new` counts the new lesions seen so far, 0 where none is there; `new_first` is the visit at which each of those in
    `new_size` appeared. `non_target_growth`, `new_growth` and
    `new_progression` (unequivocal) are (visits, visits), what an unmeasured lesion did at a visit against another one.
    A visit confirms iUPD from the first to the second day of `window` after it (`ResponseRule.window`); what would
    confirm later is iUPD afresh.

    Seymour 2017, table 2. What did not progress at iUPD confirms it by progressing, what did by any of: target sum 5
    mm more, further non-target growth, new lesions 5 mm more, grown or more. iCR, iPR or iSD resets the bar, not the
    nadir: new lesions known then progress by 20% and 5 mm over their nadir, or unequivocally, and are iUPD as long as
    they do; once all are gone, one that returns is new. New lesions that persist turn iCR into iPR, or into
    non-iCR/non-iUPD without targets (table 3), do not block iPR if the disease is less than at iUPD, and leave all
    else at iUPD (EORTC, frequently asked questions).
    """
    pending, began = 0, 0
    known, since, reset, confirmed = 0, 1, 0, False
    out[0] = MISSING
    for visit in range(1, visits):
        found = 0
        if target[visit] == PD:
            found |= TARGET_PROGRESSION
        if non_target[visit] == PD:
            found |= NON_TARGET_PROGRESSION
        known, since = min(known, new[visit]), visit + 1 if new[visit] == 0 else since
        worse = known > 0 and (has_regrown(new_size, new_first, since, reset, visit) or new_progression[visit, reset])
        if new[visit] > known or worse:
            found |= NEW_LESION
        told = found - NEW_LESION + KNOWN_LESION if worse and new[visit] <= known else found
        status = overall_response(target[visit], non_target[visit], False)
        seen = status
        if status == CR and new[visit] > 0:
            seen = NON_CR_NON_PD if target[visit] == MISSING else PR
        why[visit] = 0
        if pending == 0:
            if found:
                pending, began = found, visit
            out[visit], why[visit] = PD if found else seen, told
            continue
        growth = found & ~pending
        if pending & TARGET_PROGRESSION and growth_between(size, began, visit) >= 5.0 - TOLERANCE:
            growth |= TARGET_GROWTH
        if pending & NON_TARGET_PROGRESSION and non_target_growth[visit, began]:
            growth |= NON_TARGET_GROWTH
        if pending & NEW_LESION and (
            new[visit] > new[began]
            or new_growth[visit, began]
            or growth_between(new_size, began, visit) >= 5.0 - TOLERANCE
        ):
            growth |= NEW_LESION_GROWTH
        if growth and day[visit] - day[began] >= window[0]:
            why[visit] = growth
            confirmed = confirmed or day[visit] - day[began] <= window[1]
            if confirmed:
                out[visit] = CPD
            else:
                out[visit], pending, began = PD, found if found else pending, visit
            continue
        before, change = overall_response(target[began], non_target[began], False), growth_between(size, began, visit)
        persist = found & NEW_LESION
        if found & (TARGET_PROGRESSION | NON_TARGET_PROGRESSION) or worse or growth:
            out[visit], why[visit] = PD, told | growth
        elif status == NE:
            out[visit] = NE
        elif persist and not is_better(status, before, change):
            out[visit], why[visit] = PD, told
        else:
            out[visit] = seen
            pending, known, reset, confirmed = 0, new[visit], visit, False


@njit(cache=True, nogil=True)
def non_target_response(present: Codes) -> int:
    """Non-target response of a visit from the states of its lesions: CR, NON-CR/NON-PD, PD or NE; MISSING without any.

    States are those codes themselves: CR absent (or a normal node), NON-CR/NON-PD present, PD unequivocal progression.
    """
    worst, missing = MISSING, False
    for state in present:
        if state == PD:
            return PD
        if state == NE:
            missing = True
        elif state == NON_CR_NON_PD:
            worst = NON_CR_NON_PD
        elif worst == MISSING:
            worst = CR
    return NE if missing else worst


@njit(cache=True, nogil=True)
def progressed_between(state: Codes) -> Bools:
    """Whether any lesion is in progression at a visit that was last known not to be at another; (visits, visits).

    `state` is (visits, lesions), codes as `non_target_response` reads them.
    """
    visits, lesions = state.shape
    progressed = np.zeros((visits, visits), np.bool_)
    for lesion in range(lesions):
        known = NE
        for other in range(visits):
            if state[other, lesion] != NE:
                known = state[other, lesion]
            if known not in (PD, NE):
                for visit in range(visits):
                    progressed[visit, other] |= state[visit, lesion] == PD
    return progressed
