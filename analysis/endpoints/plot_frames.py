"""Tidy frames that waterfall, spider, swimmer and response plots are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.endpoints.codes import CODE_LISTS, MISSING, NE
from analysis.endpoints.response import BestOverallResponse
from analysis.endpoints.time_to_event import DAYS_PER_MONTH, ProgressionFreeSurvival

if TYPE_CHECKING:
    from analysis.endpoints.codes import Criteria
    from analysis.endpoints.derivation import Derivation


def waterfall(derivation: Derivation, criteria: Criteria = "RECIST 1.1") -> pd.DataFrame:
    """Best change of the sum from baseline, largest first: subject, evaluator, change (per cent), best.

    Patients without a complete sum after baseline have no row; there is no bar to draw for them.
    """
    frame = derivation.responses().dropna(subset="change_from_baseline")
    best = BestOverallResponse()
    change = frame.groupby(["subject", "evaluator"], sort=False)["change_from_baseline"].min().rename("change")
    bars = change.reset_index().sort_values("change", ascending=False, ignore_index=True)
    histories = derivation.histories[criteria]
    keys = zip(bars["subject"], bars["evaluator"], strict=True)
    bars["best"] = [best.derive(histories[key]).value for key in keys]
    return bars


def spider(derivation: Derivation) -> pd.DataFrame:
    """Change of the sum from baseline over time, baseline included: subject, evaluator, months, change (per cent)."""
    frame = derivation.responses().dropna(subset="change_from_baseline")
    lines = pd.DataFrame(
        {
            "subject": frame["subject"],
            "evaluator": frame["evaluator"],
            "months": frame["day"] / DAYS_PER_MONTH,
            "change": frame["change_from_baseline"],
        }
    )
    starts = lines[["subject", "evaluator"]].drop_duplicates().assign(months=0.0, change=0.0)
    return pd.concat([starts, lines]).sort_values(["subject", "evaluator", "months"], ignore_index=True)


def swimmer(derivation: Derivation, criteria: Criteria = "RECIST 1.1") -> pd.DataFrame:
    """Put marks on each patient's lane: subject, evaluator, months, mark (response, or how PFS ended), ended (bool)."""
    rows = []
    for (subject, evaluator), history in derivation.histories[criteria].items():
        end = ProgressionFreeSurvival().derive(history)
        marks = zip(history.day, history.responses, strict=True)
        rows += [(subject, evaluator, day / DAYS_PER_MONTH, response, False) for day, response in marks]
        rows.append((subject, evaluator, end.months, end.reason, True))
    return pd.DataFrame(rows, columns=["subject", "evaluator", "months", "mark", "ended"])


def response_over_time(derivation: Derivation, days: list[float], criteria: Criteria = "RECIST 1.1") -> pd.DataFrame:
    """Share of patients by their last response at each day: day, response, share. Before a first scan: MISSING.

    Patients stay in the denominator; a death is the response ``"death"`` from its day on.
    """
    histories = list(derivation.histories[criteria].values())
    terms = CODE_LISTS[criteria]
    rows: list[tuple[float, str, float]] = []
    for day in days:
        seen: dict[str, int] = {}
        for history in histories:
            known = np.flatnonzero((history.day <= day) & (history.code != NE))
            last = terms.term(int(history.code[known[-1]])) if known.size else terms.term(MISSING)
            state = "death" if history.days_to(history.death) <= day else last
            seen[state] = seen.get(state, 0) + 1
        rows += [(day, state, count / len(histories)) for state, count in seen.items()]
    return pd.DataFrame(rows, columns=["day", "response", "share"])
