"""The frames that waterfall, spider and swimmer plots and stacked bars take, made of a derivation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.display import short_repr
from analysis.endpoints import BestOverallResponse, TimeToResponse
from analysis.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.endpoints import ResponseHistory
    from analysis.endpoints.codes import Criteria
    from analysis.endpoints.derivation import Derivation

RESPONSE_COLUMN: dict[Criteria, str] = {"RECIST 1.1": "recist", "iRECIST": "irecist"}
PROGRESSIONS = ("PD", "iUPD", "iCPD")


@border
@dataclass(frozen=True)
class Cohort:
    """What one reader saw of the patients of a trial, by one criterion; days are counted from the reference date.

    Parameters
    ----------
    patients
        One row for each patient: subject, best_change (per cent, NaN without a complete sum), best_response, end_day
        (death, or the last of scans, new therapy and discontinuation), ongoing (no PD or iCPD, and none of these).
    visits
        One row for each visit after baseline: subject, visit, day, response, change_from_baseline (per cent),
        new_lesions.
    events
        One row for each event: subject, day, event.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis.endpoints import derive
    >>> rows = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42), ("S1", "T1", "2024-04-22", 51)]
    >>> tr = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")
    >>> from analysis.plots import cohort
    >>> seen = cohort(derive(tr))
    >>> len(seen.patients), len(seen.visits)
    (1, 2)
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    events: pd.DataFrame

    def __repr__(self) -> str:
        return short_repr(self)


@border
def cohort(
    derivation: Derivation,
    *,
    evaluator: str = "",
    criteria: Criteria = "RECIST 1.1",
    best: BestOverallResponse | None = None,
) -> Cohort:
    """Lay out the patients of one reader for the plots.

    Parameters
    ----------
    derivation
        What `analysis.endpoints.derivation.derive` returned.
    evaluator
        The reader, as in the derivation; empty if the measurements name none.
    criteria
        ``"RECIST 1.1"`` or ``"iRECIST"``.
    best
        Which best overall response; by default the one without confirmation.

    Returns
    -------
    Cohort
        Best change and events use the records up to and including the first PD (iCPD under iRECIST), before new
        therapy. Patients with an error among the derivation's findings are not in it.

    Raises
    ------
    UnknownNameError
        If no patient was read by the evaluator, or the criterion is not known.

    Examples
    --------
    >>> from analysis.endpoints.derivation import derive
    >>> rows = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42), ("S1", "T1", "2024-04-22", 51)]
    >>> tr = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")
    >>> seen = cohort(derive(tr))
    >>> seen.patients.round(1).values.tolist(), seen.events.values.tolist()
    ([['S1', -30.0, 'PR', 112.0, False]], [['S1', 56.0, 'response'], ['S1', 112.0, 'PD']])
    """
    if criteria not in RESPONSE_COLUMN:
        raise UnknownNameError("criteria", criteria, RESPONSE_COLUMN)
    histories = {subject: h for (subject, reader), h in derivation.histories[criteria].items() if reader == evaluator}
    if not histories:
        raise UnknownNameError("evaluator", evaluator, {reader for _, reader in derivation.histories[criteria]})
    responses = derivation.responses()
    visits = responses[responses["evaluator"] == evaluator].rename(columns={RESPONSE_COLUMN[criteria]: "response"})
    rule = best or BestOverallResponse()
    patients, events = [], []
    for subject, history in histories.items():
        change = visits["change_from_baseline"][visits["subject"] == subject].to_numpy()[: history.kept()]
        happened = list(_events(history))
        ended = {event for _, event in happened} - {"response", "iUPD"}
        patients.append(
            (
                subject,
                float(np.min(change[~np.isnan(change)], initial=np.inf)),
                rule.derive(history).value,
                _end_day(history),
                not ended,
            )
        )
        events += [(subject, day, event) for day, event in happened]
    frame = pd.DataFrame(patients, columns=["subject", "best_change", "best_response", "end_day", "ongoing"])
    return Cohort(
        frame.replace({"best_change": {np.inf: np.nan}}),
        visits[["subject", "visit", "day", "response", "change_from_baseline", "new_lesions"]].reset_index(drop=True),
        pd.DataFrame(events, columns=["subject", "day", "event"]),
    )


def _end_day(history: ResponseHistory) -> float:
    """Days from the reference date to death, or else to the last of what is known."""
    if history.death is not None:
        return history.days_to(history.death)
    known = [history.days_to(when) for when in (history.new_therapy, history.discontinuation) if when is not None]
    return float(max([0.0, *known, *history.day]))


def _events(history: ResponseHistory) -> Iterator[tuple[float, str]]:
    """Days and names of what happened to a patient."""
    response = TimeToResponse().derive(history)
    if response is not None:
        yield response.days, "response"
    for day, term in list(zip(history.day, history.responses, strict=True))[: history.kept()]:
        if term in PROGRESSIONS:
            yield float(day), term
    for name, when in (
        ("new therapy", history.new_therapy),
        ("discontinuation", history.discontinuation),
        ("death", history.death),
    ):
        if when is not None:
            yield history.days_to(when), name
