"""Stacked bars: how many patients are in each response at each scheduled visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.conventions.border import border
from analysis.errors import InvalidValueError
from analysis.plots.responses import in_order, look, require, require_one_row_each, response_legend, written
from analysis.plots.style import percent_axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

SMALLEST_WRITTEN = 0.04
"""Smallest share whose number of patients is written into its segment."""


@border
def response_counts(
    patients: pd.DataFrame, visits: pd.DataFrame, events: pd.DataFrame, *, schedule: Mapping[str, float]
) -> pd.DataFrame:
    """Count all patients by their status at each scheduled visit.

    Parameters
    ----------
    patients
        One row for each patient of the denominator. Column ``subject``.
    visits
        One row for each visit of a patient. Columns ``subject``, ``visit``, ``day``, ``response``.
    events
        One row for each event. Columns ``subject``, ``day``, ``event``; ``"PD"``, ``"iCPD"`` and ``"death"`` are read.
    schedule
        The scheduled visits by name, in order, and their day; other visits are left out.

    Returns
    -------
    DataFrame
        Columns visit, response, n, of: one row for each status that occurs at a visit.

    Raises
    ------
    InvalidValueError
        If a column is missing, or a patient stands twice, among the patients or at a visit.
    UnknownNameError
        If a response is not a term of RECIST 1.1 or iRECIST.

    Notes
    -----
    The status is the response at the visit. A patient stays in PD or iCPD until death; one without the visit is
    dead from the day of death on, else ``"MISSING"``.

    Examples
    --------
    >>> patients = pd.DataFrame({"subject": ["A", "B", "C"]})
    >>> visits = pd.DataFrame({"subject": ["A", "B"], "visit": "week 8", "day": 57, "response": ["PR", "PD"]})
    >>> events = pd.DataFrame({"subject": ["B"], "day": [57], "event": ["PD"]})
    >>> response_counts(patients, visits, events, schedule={"week 8": 56, "week 16": 112}).values.tolist()
    [['week 8', 'PR', 1, 3], ['week 8', 'PD', 1, 3], ['week 8', 'MISSING', 1, 3],
     ['week 16', 'PD', 1, 3], ['week 16', 'MISSING', 2, 3]]
    """
    require(patients, ("subject",), "patients")
    require(visits, ("subject", "visit", "day", "response"), "visits")
    require(events, ("subject", "day", "event"), "events")
    require_one_row_each(patients)
    seen: dict[tuple[str, str], tuple[float, str]] = {}
    for subject, visit, day, response in visits[["subject", "visit", "day", "response"]].itertuples(index=False):
        if (subject, visit) in seen:
            raise InvalidValueError("visits", subject, f"one response at {visit}", "keep one reader's rows")
        seen[subject, visit] = day, str(response)
    first = events.sort_values("day").drop_duplicates(["subject", "event"])
    happened = dict(zip(zip(first["subject"], first["event"], strict=True), first["day"].astype(float), strict=True))

    def status(subject: str, visit: str, scheduled: float) -> str:
        day, response = seen.get((subject, visit), (scheduled, "MISSING"))
        if (subject, visit) not in seen and happened.get((subject, "death"), day + 1) <= day:
            return "death"
        reached = (term for term in ("PD", "iCPD") if happened.get((subject, term), day + 1) <= day)
        return next(reached, response)

    rows = []
    for visit, scheduled in schedule.items():
        statuses = [status(subject, visit, scheduled) for subject in patients["subject"]]
        rows += [(visit, term, statuses.count(term), len(patients)) for term in in_order(statuses)]
    return pd.DataFrame(rows, columns=["visit", "response", "n", "of"])


@border
def response_bars(ax: Axes, counts: pd.DataFrame) -> None:
    """Stack the shares of patients by response at each visit, CR at the bottom, the denominator above each bar.

    Parameters
    ----------
    ax
        Where to draw.
    counts
        Columns ``visit``, ``response`` (or ``"death"``), ``n``, ``of``, as `response_counts` makes them; visits in the
        order of the rows.

    Raises
    ------
    InvalidValueError
        If a column is missing, or the counts of a visit do not add up to its denominator.
    UnknownNameError
        If a response is not a term of RECIST 1.1 or iRECIST.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> response_bars(ax, pd.DataFrame({"visit": "week 8", "response": ["PR", "PD"], "n": [3, 2], "of": 5}))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['week 8']
    """
    require(counts, ("visit", "response", "n", "of"), "counts")
    terms = in_order(map(str, counts["response"]))
    order = list(dict.fromkeys(counts["visit"]))
    for x, visit in enumerate(order):
        rows = counts[counts["visit"] == visit]
        total, patients = int(rows["of"].iloc[0]), dict(zip(rows["response"], rows["n"], strict=True))
        if sum(patients.values()) != total or rows["response"].duplicated().any():
            expected = f"counts, one for each response, that add up to the {total} patients at {visit}"
            raise InvalidValueError("counts", list(rows["n"]), expected, "count the others as MISSING")
        below = 0
        for term in in_order(patients):
            _segment(ax, x, term, below, int(patients[term]), total)
            below += int(patients[term])
        ax.text(x, 1.01, f"n = {total}", ha="center", va="bottom", fontsize=7.5)
    ax.set_xticks(range(len(order)), order)
    ax.set_xlim(-0.5, len(order) - 0.5)
    ax.tick_params(axis="x", length=0)
    percent_axis(ax, "Share of patients", high=1.0)
    response_legend(ax, {term: written(term) for term in reversed(terms)}, "Status at the visit")


def _segment(ax: Axes, x: float, term: str, below: int, n: int, total: int) -> None:
    """Draw one response at one visit, on top of the patients below it, with its number."""
    each = look(term)
    edge = each.line if each.hatch or each.line != each.colour else "white"
    ax.bar(
        x, n / total, bottom=below / total, width=0.68, color=each.colour, edgecolor=edge, hatch=each.hatch,
        linewidth=0.6, label=term,
    )  # fmt: skip
    if n / total >= SMALLEST_WRITTEN:
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.8} if each.hatch else None
        ax.text(x, (below + n / 2) / total, str(n), ha="center", va="center", fontsize=7.5, color=each.ink, bbox=behind)
