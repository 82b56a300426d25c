"""The scales of the EORTC QLQ-C30, version 3.0, and its scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray

ITEMS = 30
SUMMARY = "SumSc"


@border
@dataclass(frozen=True)
class Scale:
    """A scale of the questionnaire.

    Attributes
    ----------
    name
        In words.
    items
        Numbers of its items.
    highest
        Highest answer; the lowest is 1.
    is_symptom
        Whether a high score is bad; of functions and global health a high score is good.

    Examples
    --------
    >>> Scale("PF2", (1, 2, 3, 4, 5)).highest
    4
    """

    name: str
    items: tuple[int, ...]
    highest: int = 4
    is_symptom: bool = False


QLQ_C30 = {
    "QL2": Scale("Global health status", (29, 30), highest=7),
    "PF2": Scale("Physical functioning", (1, 2, 3, 4, 5)),
    "RF2": Scale("Role functioning", (6, 7)),
    "EF": Scale("Emotional functioning", (21, 22, 23, 24)),
    "CF": Scale("Cognitive functioning", (20, 25)),
    "SF": Scale("Social functioning", (26, 27)),
    "FA": Scale("Fatigue", (10, 12, 18), is_symptom=True),
    "NV": Scale("Nausea and vomiting", (14, 15), is_symptom=True),
    "PA": Scale("Pain", (9, 19), is_symptom=True),
    "DY": Scale("Dyspnoea", (8,), is_symptom=True),
    "SL": Scale("Insomnia", (11,), is_symptom=True),
    "AP": Scale("Appetite loss", (13,), is_symptom=True),
    "CO": Scale("Constipation", (16,), is_symptom=True),
    "DI": Scale("Diarrhoea", (17,), is_symptom=True),
    "FI": Scale("Financial difficulties", (28,), is_symptom=True),
}
"""The fifteen scales by their names in the scoring manual (Fayers et al. 2001, third edition)."""


@border
def score_qlq_c30(items: pd.DataFrame) -> pd.DataFrame:
    """Score questionnaires: each scale from 0 to 100, NaN where fewer than half of its items were answered.

    The raw score is the mean of the answered items. A function is ``(1 - (raw - 1) / range) * 100``, a symptom and the
    global health status ``(raw - 1) / range * 100`` (Fayers et al. 2001, EORTC QLQ-C30 Scoring Manual, third edition).
    The summary score is the mean of thirteen scales, symptoms turned round, without global health and financial
    difficulties, where all thirteen are known (Giesinger et al. 2016, J Clin Epidemiol 69:79).

    Parameters
    ----------
    items
        One row for each questionnaire, columns 1 to 30: answers of 1 to 4, of 1 to 7 for items 29 and 30, NaN where
        there is none. Other columns are passed over.

    Returns
    -------
    DataFrame
        Columns QL2 to FI and SumSc, the rows of `items`.

    Raises
    ------
    InvalidValueError
        If an item has no column, or an answer is none that the questionnaire has.

    Examples
    --------
    >>> answers = pd.DataFrame([{item: 1 for item in range(1, 31)}])
    >>> score_qlq_c30(answers)[["QL2", "PF2", "FA", "SumSc"]].values.tolist()
    [[0.0, 100.0, 0.0, 100.0]]
    """
    if not isinstance(items, pd.DataFrame):
        raise InvalidValueError("items", type(items).__name__, "a pandas DataFrame", "one column for each item")
    missing = [item for item in range(1, ITEMS + 1) if item not in items.columns]
    if missing:
        raise InvalidValueError("items", list(items.columns), "columns 1 to 30", f"add {missing}")
    scores: dict[str, FloatArray] = {}
    for short, scale in QLQ_C30.items():
        answers = items[list(scale.items)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
        given = items[list(scale.items)].notna().to_numpy()
        wrong = given & ~np.isin(answers, np.arange(1, scale.highest + 1))
        if wrong.any():
            row, place = np.argwhere(wrong)[0]
            got = items.iloc[row][scale.items[place]]
            expected = f"whole numbers of 1 to {scale.highest}, or nothing"
            raise InvalidValueError(f"items: row {row + 1}, item {scale.items[place]}", got, expected, "correct it")
        counts = given.sum(axis=1)
        with np.errstate(invalid="ignore"):
            raw = np.where(given, answers, 0.0).sum(axis=1) / counts
        share = (raw - 1) / (scale.highest - 1)
        good = short != "QL2" and not scale.is_symptom
        scores[short] = np.where(2 * counts >= len(scale.items), 100 * (1 - share if good else share), np.nan)
    frame = pd.DataFrame(scores, index=items.index)
    parts = [
        100 - frame[short] if scale.is_symptom else frame[short]
        for short, scale in QLQ_C30.items()
        if short not in ("QL2", "FI")
    ]
    frame[SUMMARY] = np.mean(parts, axis=0)
    return frame
