"""The words of a response, as RECIST 1.1 and iRECIST write them, and the numbers that compiled rules read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from analysis.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int8]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Counts = NDArray[np.int64]

MISSING, CR, PR, SD, NON_CR_NON_PD, PD, NE, ND, CPD, NULL, NED = range(11)
"""Codes of a response. PD stands for iUPD and CPD for iCPD under iRECIST; NULL is a record without a response, NED one
without disease, from the baseline on.
"""


Criteria = Literal["RECIST 1.1", "iRECIST"]
Dating = Literal["FDA", "CDISC"]
"""How a progression is dated: ``"FDA"``, by what shows it, a new lesion's first day, the last day of the targets
(Clinical Trial Endpoints, 2018, appendix 2); ``"CDISC"``, the first day of its visit (RECIST 1.1 supplement). Any other
response is complete on the last day of its visit, by both.
"""


@dataclass(frozen=True)
class CodeList:
    """The terms that a criterion allows.

    Parameters
    ----------
    criteria
        ``"RECIST 1.1"`` or ``"iRECIST"``.
    terms
        Each term and its code; the first term of a code is the one that is written.

    Attributes
    ----------
    known
        Codes of the terms in capitals.
    written
        Term of each code.
    """

    criteria: Criteria
    terms: Mapping[str, int]
    known: Mapping[str, int] = field(init=False, repr=False, compare=False)
    written: Mapping[int, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", {term.upper(): code for term, code in self.terms.items()})
        object.__setattr__(self, "written", {code: term for term, code in reversed(list(self.terms.items()))})

    def code(self, term: str | None) -> int:
        """Code of a term, whatever its case; NULL for None.

        Raises
        ------
        UnknownNameError
            If the criterion does not have the term.
        """
        if term is None:
            return NULL
        found = self.known.get(str(term).strip().upper())
        if found is None:
            raise UnknownNameError(f"{self.criteria} response", str(term), self.terms)
        return found

    def term(self, code: int) -> str:
        """Term of a code."""
        return self.written[code]


RECIST = CodeList(
    "RECIST 1.1",
    {
        "CR": CR,
        "PR": PR,
        "SD": SD,
        "NON-CR/NON-PD": NON_CR_NON_PD,
        "NON-PD": NON_CR_NON_PD,
        "PD": PD,
        "NED": NED,
        "NE": NE,
        "ND": ND,
        "MISSING": MISSING,
    },
)
IRECIST = CodeList(
    "iRECIST",
    {
        "iCR": CR,
        "iPR": PR,
        "iSD": SD,
        "NON-iCR/NON-iUPD": NON_CR_NON_PD,
        "iUPD": PD,
        "iCPD": CPD,
        "NED": NED,
        "NE": NE,
        "iNE": NE,
        "ND": ND,
        "MISSING": MISSING,
    },
)
CODE_LISTS: Mapping[str, CodeList] = {"RECIST 1.1": RECIST, "iRECIST": IRECIST}


def code_list(criteria: str) -> CodeList:
    """Find the terms of a criterion.

    Raises
    ------
    UnknownNameError
        If the criterion is neither ``"RECIST 1.1"`` nor ``"iRECIST"``.

    Examples
    --------
    >>> code_list("iRECIST").term(code_list("iRECIST").code("icpd"))
    'iCPD'
    """
    if criteria not in CODE_LISTS:
        raise UnknownNameError("criteria", criteria, CODE_LISTS)
    return CODE_LISTS[criteria]
