"""Waterfall plot: each patient's best change of the target sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conventions.border import border
from analysis.plots.responses import best_response_legend, look, require, require_one_row_each
from analysis.plots.size_change import CAP, change_axis, check_changes, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NAMED = 40
"""Most patients that are named under their bars."""


@border
def waterfall(ax: Axes, patients: pd.DataFrame, *, cap: float = CAP) -> None:
    """Draw the best change from baseline of each patient, largest growth first, coloured by best overall response.

    Parameters
    ----------
    ax
        Where to draw.
    patients
        One row for each patient. Columns ``subject``, ``best_change`` (per cent of the baseline sum, the smallest after
        baseline; NaN where no complete sum was measured), ``best_response`` (a term of RECIST 1.1 or iRECIST).
    cap
        Change in per cent above which a bar is cut and its value written in it.

    Raises
    ------
    InvalidValueError
        If a column is missing, a subject stands there twice or a change is below -100%.
    UnknownNameError
        If a response is not a term of the criteria.

    Notes
    -----
    Patients without a change have no bar; the axis label counts them. The lines are those of a PR (-30%) and, for a
    patient whose sum never fell, of a PD (+20%); non-target and new lesions can make any bar a PD.

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
    >>> waterfall(ax, seen.patients)
    >>> len(ax.patches)
    1
    """
    require(patients, ("subject", "best_change", "best_response"), "patients")
    require_one_row_each(patients)
    check_changes(patients["best_change"], "best_change")
    shown = patients.dropna(subset=["best_change"]).sort_values(["best_change", "subject"], ascending=[False, True])
    looks = [look(str(response)) for response in shown["best_response"]]
    bars = ax.bar(
        range(len(shown)),
        shown["best_change"].clip(upper=cap),
        width=0.8,
        color=[each.colour for each in looks],
        edgecolor=[each.line for each in looks],
        linewidth=0.8,
    )
    for bar, each, change in zip(bars, looks, shown["best_change"], strict=True):
        bar.set_hatch(each.hatch)
        if change > cap:
            ax.text(
                bar.get_x() + 0.4, 0.97 * cap, signed(change), rotation=90, ha="center", va="top", fontsize=6.5,
                color=each.ink, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6} if each.hatch else None,
            )  # fmt: skip
    ax.set_xlim(-0.7, max(len(shown), 1) - 0.3)
    change_axis(ax, cap=cap)
    ax.set_ylabel("Best change of target sum from baseline")
    names = list(shown["subject"]) if len(shown) <= NAMED else []
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=6.5)
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel(f"{len(shown)} of {len(patients)} patients have a complete sum after baseline")
    best_response_legend(ax, map(str, shown["best_response"]))
