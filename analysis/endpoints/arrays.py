"""Arrays of measured patients, derived by the rules that derive a trial's frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.endpoints.batch import Endpoints, derive_patients, empty
from analysis.endpoints.codes import (
    CR,
    MISSING,
    NE,
    NON_CR_NON_PD,
    PD,
    RECIST,
    Criteria,
    code_list,
)
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.endpoints.options import as_numbers, of_kind
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from analysis.endpoints.codes import Codes


@border
def derive_arrays(
    diameters: ArrayLike,
    days: ArrayLike,
    *,
    nodes: ArrayLike = False,
    non_target: ArrayLike | None = None,
    new_lesions: ArrayLike = 0,
    death: ArrayLike = np.inf,
    last: ArrayLike = np.inf,
    definitions: EndpointDefinitions | None = None,
) -> Endpoints:
    """Derive every endpoint of many patients at once, by RECIST 1.1 and iRECIST.

    Parameters
    ----------
    diameters
        mm, shape (patients, visits + 1, lesions), the baseline first: longest diameter, or short axis of a node; NaN
        where missing. A lesion of 0 mm or NaN at the baseline and ever after is none: patients with fewer targets than
        others, or with non-target disease alone, are filled up so.
    days
        Days from the reference date, shape (visits,) or (patients, visits), in order; inf for visits that did not
        happen.
    nodes
        Whether a target is a lymph node, shape (lesions,) or (patients, lesions).
    non_target
        CR, NON-CR/NON-PD, PD or NE, shape (patients, visits + 1); None for a patient, or for all, without non-target
        disease.
    new_lesions
        Number of new lesions that are there, shape (patients, visits + 1); none may be missing.
    death, last
        Days of death and of the end of follow-up, shape (patients,); inf where they did not happen. Visits after them
        are not used.
    definitions
        How endpoints are derived.

    Returns
    -------
    Endpoints
        Arrays whose first axis is the criterion, RECIST 1.1 then iRECIST; times in months of 30.4375 days. Depth and
        growth, in per cent, are by RECIST 1.1 and have no such axis. Responses are numbers: see `response_terms`.

    Raises
    ------
    InvalidValueError
        If a shape does not fit, a diameter is negative, a baseline is missing, a patient without a target at baseline
        has one later, days go back, a term is none of the non-target response, or a number of new lesions is no whole
        number.

    Notes
    -----
    Non-target disease that is PD, and new lesions that are there, are taken to go on growing: the next scan that shows
    them confirms iUPD, from 28 days after it on if the rule does not say otherwise. A scan at which they are gone, or
    non-target disease is not evaluable, does not.

    Examples
    --------
    >>> seen = derive_arrays([[[60.0], [42.0], [51.0]], [[60.0], [59.0], [58.0]]], [56, 112])
    >>> response_terms(seen.best[0]).tolist(), seen.event[0].tolist()
    (['PR', 'SD'], [True, False])
    """
    size = as_numbers("diameters", diameters)
    if size.ndim != 3 or size.shape[1] < 1:
        raise InvalidValueError(
            "diameters", size.shape, "shape (patients, visits + 1, lesions)", "put the baseline first"
        )
    patients, looks, lesions = size.shape
    there = ((size != 0) & ~np.isnan(size)).any(axis=1, keepdims=True)
    size = np.where(there, size, 0.0)
    if np.any(size < 0) or np.any(np.isinf(size)) or np.isnan(size[:, 0]).any():
        expected = "diameters of at least 0 mm, none missing at baseline"
        raise InvalidValueError("diameters", "other values", expected, "give NaN for what was not measured later")
    if np.any((size > 0).any(axis=(1, 2)) & ~(size[:, 0] > 0).any(axis=1)):
        expected = "no diameter above 0 mm after a baseline without one"
        raise InvalidValueError("diameters", "other values", expected, "count what appears in new_lesions")
    day = _fitted("days", as_numbers("days", days), (patients, looks - 1))
    if np.isnan(day).any() or np.any(day == -np.inf) or np.any(day[:, 1:] < day[:, :-1]):
        raise InvalidValueError("days", "other values", "days in order for each patient", "sort the visits")
    for field, when in (("death", death), ("last", last)):
        if np.isnan(as_numbers(field, when)).any():
            raise InvalidValueError(field, "NaN", "days", "give inf where it did not happen")
    if definitions is not None:
        of_kind("definitions", definitions, EndpointDefinitions)
    count = as_numbers("new_lesions", new_lesions)
    if not np.all((count >= 0) & (count == np.floor(count)) & np.isfinite(count)):
        expected = "whole numbers of new lesions, at least 0"
        raise InvalidValueError("new_lesions", "other values", expected, "give 0 where there is none")
    settings = (definitions or EndpointDefinitions()).compiled
    out = empty(patients, len(settings.landmarks))
    codes = np.full((patients, looks), MISSING, np.int8) if non_target is None else _codes(non_target)
    derive_patients(
        np.ascontiguousarray(size),
        _fitted("nodes", np.asarray(nodes, dtype=np.bool_), (patients, lesions)),
        _fitted("non_target", codes, (patients, looks)),
        _fitted("new_lesions", count.astype(np.int64), (patients, looks)),
        day / DAYS_PER_MONTH,
        _fitted("death", as_numbers("death", death), (patients,)) / DAYS_PER_MONTH,
        _fitted("last", as_numbers("last", last), (patients,)) / DAYS_PER_MONTH,
        settings,
        out,
    )
    return out


@border
def response_terms(codes: Codes, criteria: Criteria = "RECIST 1.1") -> NDArray[np.str_]:
    """Write responses as the terms of a criterion.

    Examples
    --------
    >>> response_terms(np.array([1, 5], dtype=np.int8), "iRECIST").tolist()
    ['iCR', 'iUPD']
    """
    terms = code_list(criteria)
    known = {code: terms.term(code) for code in set(terms.terms.values())}
    for code in np.ravel(codes).tolist():
        if code not in known:
            raise InvalidValueError("codes", code, f"codes of {criteria}, {sorted(known)}", "give what was derived")
    return np.array([known[int(code)] for code in np.ravel(codes)], dtype=np.str_).reshape(np.shape(codes))


def _codes(terms: ArrayLike) -> Codes:
    """Read terms of the non-target response."""
    written = np.asarray(terms, dtype=object)
    known = {term: _category(term) for term in set(written.ravel().tolist())}
    return np.array([known[term] for term in written.ravel().tolist()], dtype=np.int8).reshape(written.shape)


def _category(term: object) -> int:
    """Code of a term of the non-target response; MISSING for None."""
    code = MISSING if term is None else RECIST.known.get(str(term).strip().upper(), MISSING)
    if term is not None and code not in (CR, NON_CR_NON_PD, PD, NE):
        expected = "CR, NON-CR/NON-PD, PD or NE, None without non-target disease"
        raise InvalidValueError("non_target", term, expected, "give the response of the category, not of the visit")
    return code


def _fitted(field: str, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Spread one value, or one row of values, over all patients."""
    if values.shape not in ((), shape[-1:], shape):
        raise InvalidValueError(field, values.shape, f"shape {shape[-1:]} or {shape}", "give one value for each")
    return np.ascontiguousarray(np.broadcast_to(values, shape))
