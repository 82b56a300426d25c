"""Spider plot: each patient's change of the target sum over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.border import border
from analysis.plots.responses import best_response_legend, look, require, require_one_row_each
from analysis.plots.size_change import CAP, change_axis, check_changes, signed
from analysis.plots.style import GREY
from analysis.plots.time_unit import MONTHS, TimeUnit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@border
def spider(
    ax: Axes,
    visits: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    unit: TimeUnit = MONTHS,
    since: str = "reference date",
    cap: float = CAP,
) -> None:
    """Draw each patient's change from baseline at each visit, from 0% at the start, coloured by best overall response.

    Parameters
    ----------
    ax
        Where to draw.
    visits
        One row for each visit after baseline. Columns ``subject``, ``day`` (days since the reference date),
        ``change_from_baseline`` (per cent; NaN where the sum is not complete: the line goes on to the next complete
        one), ``new_lesions`` (number of new lesions that are there).
    patients
        One row for each patient. Columns ``subject``, ``best_response`` (a term of RECIST 1.1 or iRECIST).
    unit, since
        Unit of the time axis, and what it is counted from.
    cap
        Largest change shown, per cent; lines that leave the plot are counted in a note, with the largest change.

    Raises
    ------
    InvalidValueError
        If a column is missing, a subject stands twice among the patients, or a change is below -100%.
    UnknownNameError
        If a response is not a term of the criteria.

    Notes
    -----
    A cross marks the first visit with a new lesion, which is a progression whatever the sum does.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis.endpoints import derive
    >>> rows = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42), ("S1", "T1", "2024-04-22", 51)]
    >>> tr = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")
    >>> from analysis.plots import cohort
    >>> seen = cohort(derive(tr))
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> spider(ax, seen.visits, seen.patients)
    >>> len(ax.lines) > 0
    True
    """
    require(visits, ("subject", "day", "change_from_baseline", "new_lesions"), "visits")
    require(patients, ("subject", "best_response"), "patients")
    require_one_row_each(patients)
    check_changes(visits["change_from_baseline"], "change_from_baseline")
    best = dict(zip(patients["subject"], patients["best_response"].astype(str), strict=True))
    measured = visits.dropna(subset=["change_from_baseline"]).sort_values("day")
    measured = measured[measured["subject"].isin(best)]
    for subject, rows in measured.groupby("subject", sort=False):
        time = np.concatenate(([0.0], rows["day"] / unit.days))
        change = np.concatenate(([0.0], rows["change_from_baseline"]))
        colour = look(best[subject]).line
        ax.plot(time, change, color=colour, linewidth=1.1, marker="o", markersize=2.8, label=subject)
    first_new = measured[measured["new_lesions"] > 0].drop_duplicates("subject")
    if len(first_new):
        days, height = first_new["day"] / unit.days, first_new["change_from_baseline"]
        ax.plot(days, height, "x", color="black", markersize=5.5, markeredgewidth=1.1, label="first new lesion")
        ax.legend(handles=ax.lines[-1:], loc="lower left", bbox_to_anchor=(1.0, 0.0), handletextpad=0.2)
    end = float(measured["day"].max() / unit.days) * 1.02 if len(measured) else 1.0
    unit.axis(ax, end, since)
    change_axis(ax, cap=cap)
    ax.set_ylabel("Change of target sum from baseline")
    best_response_legend(ax, [best[subject] for subject in measured["subject"].unique()])
    above = measured[measured["change_from_baseline"] > cap]
    if len(above):
        patients_above, most = above["subject"].nunique(), signed(above["change_from_baseline"].max())
        note = f"{patients_above} above {signed(cap)}, up to {most}"
        ax.text(1.0, 1.01, note, transform=ax.transAxes, fontsize=7, color=GREY, ha="right", va="bottom")
