"""Response endpoints of one patient: best overall response, response, clinical benefit, iRECIST progression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from analysis.conventions.border import border, strict_border
from analysis.endpoints import sequences
from analysis.endpoints.codes import CPD, MISSING, RECIST, code_list
from analysis.endpoints.options import check_days, check_flags, check_kind, check_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analysis.endpoints.histories import ResponseHistory


@border
@dataclass(frozen=True)
class Derived:
    """A derived value, and the record that it comes from.

    Parameters
    ----------
    value
        The term; ``"Y"`` or ``"N"`` for endpoints that ask a question.
    date
        Date of the record that decides; None if none does.
    index
        Number of that record in the history, from 0; None if none decides.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> from analysis.endpoints import ObjectiveResponse
    >>> found = ObjectiveResponse().derive(history)
    >>> found.value, found.date.isoformat()
    ('Y', '2024-02-26')
    """

    value: str
    date: date | None = None
    index: int | None = None

    def __str__(self) -> str:
        return self.value if self.date is None else f"{self.value} on {self.date}"


@strict_border
@dataclass(frozen=True)
class Confirmation:
    """What confirms a CR or PR.

    Parameters
    ----------
    days
        Days that have to lie between the two assessments at least (28: plain difference).
    max_not_evaluable
        NE allowed between them.
    accept_stable
        Whether one SD may lie between a PR and its confirmation.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> from analysis.endpoints import ObjectiveResponse
    >>> ObjectiveResponse(Confirmation(days=28)).derive(history).value
    'N'
    """

    days: int = 28
    max_not_evaluable: int = 1
    accept_stable: bool = False

    def __post_init__(self) -> None:
        check_days(self, "days", "max_not_evaluable")
        check_flags(self, "accept_stable")


Compiled = tuple[float, int, int]


def compiled(confirmation: Confirmation | None) -> Compiled:
    """Turn a confirmation rule, or its absence, into what compiled rules read."""
    if confirmation is None:
        return (-1.0, 0, 0)
    return (float(confirmation.days), confirmation.max_not_evaluable, int(confirmation.accept_stable))


class ResponseEndpoint(Protocol):
    """An endpoint that is read off a sequence of responses. A new one is a new class with this method."""

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""


def answer(history: ResponseHistory, index: int) -> Derived:
    """``"Y"`` at a record, or ``"N"``."""
    return Derived("Y", history.dates[index], int(index)) if index >= 0 else Derived("N")


@strict_border
@dataclass(frozen=True)
class BestOverallResponse:
    """Best overall response from the reference date to the first PD (iCPD under iRECIST), before new therapy.

    Parameters
    ----------
    confirmation
        What confirms a CR or PR; None if no confirmation is needed (randomised trials).
    stable_from
        Days from the reference date from which SD and NON-CR/NON-PD count.
    cut_at_progression
        Whether records after the first PD are left out.
    if_missing
        Value for a patient without any record.

    Notes
    -----
    Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.4; Seymour et al., Lancet Oncol 2017;18:e143-e152,
    table 3. An unconfirmed CR or PR is SD from `stable_from` on, else NE.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> seen = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 3, 11)], ["PR", "PD"])
    >>> BestOverallResponse().derive(seen).value, BestOverallResponse(Confirmation()).derive(seen).value
    ('PR', 'SD')
    """

    confirmation: Confirmation | None = None
    stable_from: int = 42
    cut_at_progression: bool = True
    if_missing: Literal["MISSING", "NE"] = "MISSING"

    def __post_init__(self) -> None:
        check_kind(self, Confirmation, "confirmation", optional=True)
        check_days(self, "stable_from")
        check_flags(self, "cut_at_progression")
        check_name(self, "if_missing", ("MISSING", "NE"))

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        n = history.kept(self.cut_at_progression)
        code, index = sequences.best_response(
            history.code, history.day, n, float(self.stable_from), compiled(self.confirmation)
        )
        if code == MISSING:
            return Derived(self.if_missing)
        return Derived(code_list(history.criteria).term(code), history.dates[index], int(index))


def is_controlled(best: Derived, history: ResponseHistory) -> bool:
    """Whether a best overall response is disease control; an SD before its window, which counts as NE, is not."""
    return best.index is not None and sequences.is_control(code_list(history.criteria).code(best.value))


@strict_border
@dataclass(frozen=True)
class ObjectiveResponse:
    """Whether there was a CR or PR, dated at the first one (at the first confirmed one if `confirmation` is given).

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> ObjectiveResponse().derive(history).value
    'Y'
    """

    confirmation: Confirmation | None = None
    cut_at_progression: bool = True

    def __post_init__(self) -> None:
        check_kind(self, Confirmation, "confirmation", optional=True)
        check_flags(self, "cut_at_progression")

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        n = history.kept(self.cut_at_progression)
        return answer(history, sequences.first_response(history.code, history.day, n, compiled(self.confirmation)))


@strict_border
@dataclass(frozen=True)
class ClinicalBenefit:
    """Whether there was a response, or disease control `stable_from` days after the reference date or later.

    Dated at whichever comes first. `confirmation` is asked of the response, not of the control. `control` lists the
    responses that are control, in the terms of RECIST 1.1 for both criteria.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> ClinicalBenefit(stable_from=56).derive(history).value
    'Y'
    """

    confirmation: Confirmation | None = None
    stable_from: int = 42
    cut_at_progression: bool = True
    control: Sequence[str] = ("CR", "PR", "SD", "NON-CR/NON-PD")

    def __post_init__(self) -> None:
        check_kind(self, Confirmation, "confirmation", optional=True)
        check_days(self, "stable_from")
        check_flags(self, "cut_at_progression")
        for term in self.control:
            RECIST.code(term)

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        n = history.kept(self.cut_at_progression)
        window, confirmation = float(self.stable_from), compiled(self.confirmation)
        control = sum(1 << code for code in {RECIST.code(term) for term in self.control})
        return answer(history, sequences.clinical_benefit(history.code, history.day, n, window, control, confirmation))


@border
@dataclass(frozen=True)
class ConfirmedProgression:
    """Whether progression was confirmed, dated at the first iUPD of the block that iCPD ends.

    Records that are not evaluable do not break a block. An iCPD that no iUPD precedes is dated at itself.

    Examples
    --------
    >>> ConfirmedProgression() == ConfirmedProgression()
    True
    """

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        return answer(history, sequences.progression(history.code, history.kept(), CPD, False))


@border
@dataclass(frozen=True)
class UnconfirmedProgression:
    """Whether the last iUPD was followed by nothing evaluable, dated at it.

    Examples
    --------
    >>> UnconfirmedProgression() == UnconfirmedProgression()
    True
    """

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        return answer(history, sequences.unconfirmed_progression(history.code, history.kept()))


@strict_border
@dataclass(frozen=True)
class LastAssessment:
    """The last assessment; of several on one day the last recorded. Value ``"MISSING"`` where there is none.

    Parameters
    ----------
    evaluable_only
        Whether NE, ND, MISSING and records without a response are passed over.
    cut_at_progression
        Whether records after the first PD are left out.

    Examples
    --------
    >>> from datetime import date
    >>> from analysis.endpoints import ResponseHistory
    >>> history = ResponseHistory("S1", date(2024, 1, 1), [date(2024, 2, 26), date(2024, 4, 22)], ["PR", "PD"])
    >>> LastAssessment().derive(history).value
    'PD'
    """

    evaluable_only: bool = False
    cut_at_progression: bool = True

    def __post_init__(self) -> None:
        check_flags(self, "evaluable_only", "cut_at_progression")

    def derive(self, history: ResponseHistory) -> Derived:
        """Derive the endpoint for one patient."""
        for index in range(history.kept(self.cut_at_progression) - 1, -1, -1):
            if not self.evaluable_only or sequences.is_evaluable(history.code[index]):
                return Derived(history.responses[index] or "", history.dates[index], index)
        return Derived("MISSING")
