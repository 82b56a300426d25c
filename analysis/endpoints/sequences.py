"""The rules on one patient's sequence of responses, compiled: the same code for a real patient and for a simulated one.

All functions read `code` and `day` (days from the reference date, in order) of the patient's first `n` records. They
were held against the event definitions of admiralonco 1.3.0 (Apache-2.0), written anew here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.endpoints.codes import CPD, CR, MISSING, ND, NE, NED, NON_CR_NON_PD, NULL, PD, PR, SD

if TYPE_CHECKING:
    from analysis.endpoints.codes import Codes, Floats

STOP = {"RECIST 1.1": PD, "iRECIST": CPD}
"""The response after which records no longer count."""


@njit(cache=True, nogil=True)
def up_to(code: Codes, n: int, stop: int) -> int:
    """Count the records up to and including the first `stop`."""
    for i in range(n):
        if code[i] == stop:
            return i + 1
    return n


@njit(cache=True, nogil=True)
def is_control(code: int) -> bool:
    """Whether a response is disease control: CR, PR, SD or NON-CR/NON-PD."""
    return code in (CR, PR, SD, NON_CR_NON_PD)


@njit(cache=True, nogil=True)
def is_evaluable(code: int) -> bool:
    """Whether a record says how the disease stands: it is not NE, ND or MISSING, nor without a response."""
    return code not in (NE, ND, MISSING, NULL)


@inner
def is_confirmed(code: Codes, day: Floats, n: int, i: int, apart: float, max_ne: int, max_sd: int) -> bool:
    """Whether the CR or PR of record `i` is confirmed by the first later record that could confirm it.

    A CR needs a CR at least `apart` days later with only CR or NE between; a PR needs a CR or PR, only CR, PR, NE or
    at most `max_sd` SD between, and no PR after a CR. At most `max_ne` NE in either case.
    """
    first = code[i]
    evaluable, stable, complete = 0, 0, False
    for j in range(i + 1, n):
        late = day[j] >= day[i] + apart
        if code[j] == CR:
            complete = True
            if late:
                return evaluable <= max_ne and stable <= max_sd
        elif code[j] == PR and first == PR:
            if complete:
                return False
            if late:
                return evaluable <= max_ne and stable <= max_sd
        elif code[j] == NE:
            evaluable += 1
        elif code[j] == SD and first == PR:
            stable += 1
        else:
            return False
    return False


@njit(cache=True, nogil=True)
def first_response(code: Codes, day: Floats, n: int, confirmation: tuple[float, int, int]) -> int:
    """Index of the first CR or PR, confirmed where `confirmation` (apart, max_ne, max_sd) has apart >= 0; else -1."""
    apart, max_ne, max_sd = confirmation
    for i in range(n):
        if code[i] in (CR, PR) and (apart < 0 or is_confirmed(code, day, n, i, apart, max_ne, max_sd)):
            return i
    return -1


@inner
def confirmed_progression(code: Codes, n: int) -> int:
    """Index of the first iUPD of the block that iCPD ends; -1 if there is none.

    Only iCR, iPR, iSD or NON-iCR/NON-iUPD breaks a block: a record that is not evaluable says nothing.
    """
    start = -1
    for i in range(n):
        if code[i] == CPD:
            return start
        if code[i] == PD:
            if start < 0:
                start = i
        elif is_evaluable(code[i]):
            start = -1
    return -1


@njit(cache=True, nogil=True)
def unconfirmed_progression(code: Codes, n: int) -> int:
    """Index of the last iUPD if nothing evaluable follows it; else -1."""
    for i in range(n - 1, -1, -1):
        if code[i] == PD:
            return i
        if is_evaluable(code[i]):
            return -1
    return -1


@inner
def unresolved_progression(code: Codes, n: int) -> int:
    """Index of the first iUPD of a block that no other evaluable record follows to the end; else -1."""
    start = -1
    for i in range(n - 1, -1, -1):
        if code[i] == PD:
            start = i
        elif is_evaluable(code[i]):
            break
    return start


@njit(cache=True, nogil=True)
def progression(code: Codes, n: int, stop: int, unresolved_counts: bool) -> int:
    """Index of the record that dates progression; -1 if there is none.

    RECIST 1.1 (`stop` is PD): the first PD. iRECIST (`stop` is CPD): the first iUPD of the confirmed block, or an
    iCPD that no iUPD precedes; else, if `unresolved_counts`, the first iUPD of a last block that was never resolved.
    """
    kept = up_to(code, n, stop)
    ended = kept > 0 and code[kept - 1] == stop
    if stop == PD:
        return kept - 1 if ended else -1
    if ended:
        start = confirmed_progression(code, kept)
        return start if start >= 0 else kept - 1
    return unresolved_progression(code, n) if unresolved_counts else -1


@njit(cache=True, nogil=True)
def best_response(
    code: Codes, day: Floats, n: int, stable_from: float, confirmation: tuple[float, int, int]
) -> tuple[int, int]:
    """Best overall response: its code and the index of the first record of that category; (MISSING, -1) for none.

    SD and NON-CR/NON-PD need `stable_from` days. An unconfirmed CR or PR is SD from that day on, else NE. iCPD is dated
    as in `progression`: by the block that it confirms, by itself where no iUPD precedes it. ND stands only where
    confirmation is asked for. NED, no disease from the baseline on, is neither response nor control, and stands before
    progression.
    """
    first = np.full(NED + 1, -1)
    apart, max_ne, max_sd = confirmation
    for i in range(n):
        c = code[i]
        as_code = c
        if c in (CR, PR):
            if apart >= 0 and not is_confirmed(code, day, n, i, apart, max_ne, max_sd):
                as_code = SD if day[i] >= stable_from else NE
        elif c in (SD, NON_CR_NON_PD):
            as_code = c if day[i] >= stable_from else NE
        if as_code not in (CPD, NULL) and first[as_code] < 0:
            first[as_code] = i
    first[CPD] = progression(code, n, CPD, False)
    for category in (CR, PR, SD, NON_CR_NON_PD, NED, CPD, PD, NE):
        if first[category] >= 0:
            return category, first[category]
    if apart >= 0 and first[ND] >= 0:
        return ND, first[ND]
    return MISSING, -1


@njit(cache=True, nogil=True)
def clinical_benefit(
    code: Codes, day: Floats, n: int, stable_from: float, control: int, confirmation: tuple[float, int, int]
) -> int:
    """Index of the first response, or of the first of `control` at `stable_from` or later, whichever comes first.

    `control` holds a bit for each code that counts.
    """
    response = first_response(code, day, n, confirmation)
    for i in range(n):
        if i == response or ((control >> code[i]) & 1 and day[i] >= stable_from):
            return i
    return -1
