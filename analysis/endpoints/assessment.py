"""Responses of one patient at each visit, from sums or from lesions, by named conventions of RECIST 1.1 and iRECIST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.display import short_repr
from analysis.endpoints import lesions
from analysis.endpoints.codes import CR, IRECIST, MISSING, NE, NON_CR_NON_PD, PD, RECIST
from analysis.endpoints.options import as_number, as_numbers, check_days, check_flags, check_name, of_kind
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from analysis.endpoints.codes import Bools, Codes, Counts, Dating, Floats


@border
@dataclass(frozen=True)
class ResponseRule:
    """A convention that RECIST 1.1 leaves open.

    Parameters
    ----------
    keeps_response
        Whether a PR is kept until PD (else judged against baseline anew at each visit).
    reappearance_is_progression
        Whether any disease after an overall CR is PD (else target disease by 20% and 5 mm above the nadir).
    confirm_from, confirm_until
        iRECIST: days after iUPD from and until which a visit can confirm it. Seymour 2017 asks for 4 to 8 weeks, which
        is 28 and 56. Without an end any later visit can; with one, what would confirm after it is iUPD afresh.
    dating
        Which day of a visit is that of its progression: ``"FDA"``, the first of a new lesion, the last of the targets;
        ``"CDISC"``, the first of the visit. Any other response has the last.

    Examples
    --------
    >>> target_responses([100, 70, 70, 80, 80], rule=EORTC)
    ['PR', 'PR', 'PR', 'PR']
    >>> target_responses([100, 70, 70, 80, 80], rule=COMMON)
    ['PR', 'PR', 'SD', 'SD']
    """

    keeps_response: bool = False
    reappearance_is_progression: bool = False
    confirm_from: int = 28
    confirm_until: float = np.inf
    dating: Dating = "FDA"

    def __repr__(self) -> str:
        return short_repr(self)

    def __post_init__(self) -> None:
        check_flags(self, "keeps_response", "reappearance_is_progression")
        check_days(self, "confirm_from")
        check_name(self, "dating", ("FDA", "CDISC"))
        if not as_number(self.confirm_until) >= self.confirm_from:
            expected = f"days from {self.confirm_from} on"
            raise InvalidValueError("confirm_until", self.confirm_until, expected, "give inf if there is no end")

    @property
    def compiled(self) -> tuple[bool, bool]:
        """What `lesions.target_sequence` reads: the two conventions of target response."""
        return self.keeps_response, self.reappearance_is_progression

    @property
    def window(self) -> tuple[float, float]:
        """What `lesions.irecist_sequence` reads: days after iUPD from and until which a visit can confirm it."""
        return float(self.confirm_from), float(self.confirm_until)


COMMON = ResponseRule()
"""PR judged against baseline at each visit; reappearance by 20% and 5 mm: what most programs do."""
EORTC = ResponseRule(keeps_response=True, reappearance_is_progression=True)
"""PR kept until PD; reappearance after CR is PD: recist.eortc.org, frequently asked questions."""


@dataclass(frozen=True)
class Visits:
    """What one reader saw of one patient, baseline first.

    Parameters
    ----------
    day
        Days from the reference date, shape (visits,).
    diameter
        mm, shape (visits, targets); NaN where missing.
    node
        Whether a target is a lymph node, shape (targets,).
    non_target
        Non-target response codes, shape (visits,); MISSING where there is no non-target disease.
    non_target_growth
        Whether non-target disease at a visit has grown against another, shape (visits, visits).
    new
        Number of different new lesions seen so far, 0 at a visit where none is there, shape (visits,).
    new_size
        Diameters of new lesions in mm, shape (visits, new lesions); NaN where not measured.
    new_first
        Visit at which each of these appeared, shape (new lesions,).
    new_growth, new_progression
        Whether unmeasured new lesions at a visit have grown, or progressed unequivocally, against another, shape
        (visits, visits).
    """

    day: Floats
    diameter: Floats
    node: Bools
    non_target: Codes
    non_target_growth: Bools
    new: Counts
    new_size: Floats
    new_first: Counts
    new_growth: Bools
    new_progression: Bools


@dataclass(frozen=True)
class Responses:
    """Responses at each visit, codes of shape (visits,); those of the baseline mean nothing.

    Parameters
    ----------
    target, non_target, recist, irecist
        Response of targets and of non-target disease, overall response by RECIST 1.1 and by iRECIST.
    size, nadir
        Sum of the measured targets, and the smallest complete sum before, mm.
    why
        Why a visit is iUPD or iCPD: bits named in `lesions`.
    """

    target: Codes
    non_target: Codes
    recist: Codes
    irecist: Codes
    size: Floats
    nadir: Floats
    why: Counts


def assess(visits: Visits, rule: ResponseRule = COMMON) -> Responses:
    """Derive the responses of one patient at each visit."""
    n = len(visits.day)
    target, non_target, recist, irecist = (np.zeros(n, np.int8) for _ in range(4))
    size, nadir, why = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
    lesions.target_sequence(
        visits.diameter,
        visits.node,
        visits.non_target,
        visits.new,
        n,
        rule.compiled,
        target,
        non_target,
        size,
        nadir,
    )
    lesions.recist_sequence(target, non_target, visits.new, n, recist)
    lesions.irecist_sequence(
        target,
        visits.diameter,
        non_target,
        visits.non_target_growth,
        visits.new,
        visits.new_size,
        visits.new_first,
        visits.new_growth,
        visits.new_progression,
        visits.day,
        n,
        rule.window,
        irecist,
        why,
    )
    return Responses(target, non_target, recist, irecist, size, nadir, why)


@border
def target_responses(sums: ArrayLike, *, rule: ResponseRule = COMMON) -> list[str]:
    """Target responses from sums of diameters.

    Parameters
    ----------
    sums
        Sums in mm, the baseline first; NaN where a lesion was not measured. 0 is the absence of all targets.
    rule
        The convention.

    Returns
    -------
    list of str
        A response for each visit after baseline.

    Raises
    ------
    InvalidValueError
        If the baseline is missing or not above 0, or a sum is negative.

    Examples
    --------
    >>> target_responses([60, 42, 35, 41, 42])
    ['PR', 'PR', 'PR', 'PD']
    """
    of_kind("rule", rule, ResponseRule)
    size = as_numbers("sums", sums)
    if size.ndim != 1 or not size.size or not size[0] > 0:
        raise InvalidValueError(
            "sums", sums, "a baseline sum above 0 mm, then one sum for each visit", "give the baseline"
        )
    if np.any(size < 0) or np.any(np.isinf(size)):
        raise InvalidValueError("sums", sums, "sums of at least 0 mm", "give NaN for what was not measured")
    n = size.size
    code, other, none = np.zeros(n, np.int8), np.zeros(n, np.int8), np.full(n, MISSING, np.int8)
    lesions.target_sequence(
        size[:, None],
        np.zeros(1, np.bool_),
        none,
        np.zeros(n, np.int64),
        n,
        rule.compiled,
        code,
        other,
        np.zeros(n),
        np.zeros(n),
    )
    return [RECIST.term(int(value)) for value in code[1:]]


@border
def overall(target: str | None, non_target: str | None, new_lesion: bool = False) -> str:
    """Overall response of one visit by RECIST 1.1, tables 1 and 2 of Eisenhauer 2009.

    Parameters
    ----------
    target, non_target
        Terms of RECIST 1.1; None where the patient has no such disease.
    new_lesion
        Whether there is an unequivocal new lesion.

    Examples
    --------
    >>> overall("CR", "NON-CR/NON-PD"), overall("NE", "CR", new_lesion=True), overall(None, "NE")
    ('PR', 'PD', 'NE')
    """
    one_of("new_lesion", new_lesion, (bool, np.bool_), "True")
    codes = [MISSING if term is None else RECIST.code(term) for term in (target, non_target)]
    return RECIST.term(lesions.overall_response(codes[0], codes[1], new_lesion))


@border
def irecist_responses(
    target: Sequence[str | None],
    non_target: Sequence[str | None],
    new: Sequence[int],
    *,
    days: Sequence[float],
    sums: Sequence[float] | None = None,
    non_target_growth: Sequence[bool] | None = None,
    new_sums: Sequence[float] | None = None,
    new_growth: Sequence[bool] | None = None,
    rule: ResponseRule = COMMON,
) -> list[str]:
    """Overall responses by iRECIST from the responses of each category.

    Parameters
    ----------
    target, non_target
        Response of the category at each visit after baseline, terms of RECIST 1.1 or of iRECIST; None without such
        disease.
    new
        Number of new lesions that are there at each visit.
    days
        Days from the reference date.
    sums, new_sums
        Sums of targets and of measured new lesions, mm.
    non_target_growth, new_growth
        Whether non-target disease, or an unmeasured new lesion, grew after the iUPD scan.
    rule
        The convention.

    Examples
    --------
    >>> irecist_responses(["SD", "SD"], ["PD", "PD"], [0, 0], days=[56, 98], non_target_growth=[False, True])
    ['iUPD', 'iCPD']
    """
    of_kind("rule", rule, ResponseRule)
    when, count = as_numbers("days", days), as_numbers("new", new)
    if when.ndim != 1 or np.isnan(when).any() or np.any(np.diff(when) < 0):
        raise InvalidValueError("days", days, "days from the reference date, in order", "sort the visits")
    n = when.size + 1
    optional = {"sums": sums, "new_sums": new_sums, "non_target_growth": non_target_growth, "new_growth": new_growth}
    for field, column in {"target": target, "non_target": non_target, "new": new, **optional}.items():
        if not (column is None and field in optional) and np.shape(np.asarray(column, dtype=object)) != (n - 1,):
            raise InvalidValueError(field, column, f"{n - 1} values, as many as days", "give one for each visit")
    if not np.all(count >= 0):
        raise InvalidValueError("new", new, "numbers of new lesions, at least 0", "give 0 where there is none")

    def codes(terms: Sequence[str | None]) -> Codes:
        return np.array([MISSING, *map(_category, terms)], dtype=np.int8)

    def numbers(field: str, values: Sequence[float] | None) -> Floats:
        return np.full(n, np.nan) if values is None else np.concatenate([[np.nan], as_numbers(field, values)])

    def flags(values: Sequence[bool] | None) -> Bools:
        return np.zeros(n, np.bool_) if values is None else np.array([False, *values], dtype=np.bool_)

    out, why = np.zeros(n, np.int8), np.zeros(n, np.int64)
    lesions.irecist_sequence(
        codes(target),
        numbers("sums", sums),
        codes(non_target),
        np.repeat(flags(non_target_growth)[:, None], n, axis=1),
        np.concatenate([[0], count]).astype(np.int64),
        numbers("new_sums", new_sums),
        np.zeros(1, np.int64),
        np.repeat(flags(new_growth)[:, None], n, axis=1),
        np.zeros((n, n), np.bool_),
        np.concatenate([[0.0], when]),
        n,
        rule.window,
        out,
        why,
    )
    return [IRECIST.term(int(value)) for value in out[1:]]


def _category(term: str | None) -> int:
    """Code of a response of one category; iCR and CR are one."""
    if term is None:
        return MISSING
    terms = {**RECIST.terms, **IRECIST.terms}
    allowed = {name.upper(): code for name, code in terms.items() if code in (CR, 2, 3, NON_CR_NON_PD, PD, NE)}
    written = str(term).strip().upper()
    if written not in allowed:
        raise InvalidValueError("target or non_target", term, f"one of {sorted(terms)}", "use a term of the criteria")
    return allowed[written]
