"""The risk table under survival curves: counts by arm at the ticks of the axis, small ones obscured where asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.plots.style import GREY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.plots.drawn import Drawn

CELLS: dict[str, tuple[str, ...]] = {
    "at risk": ("at risk",),
    "events": ("events",),
    "censored": ("censored",),
    "at risk (events)": ("at risk", "events"),
    "at risk (censored)": ("at risk", "censored"),
    "at risk, %": ("at risk",),
}
"""The counts that a cell of each kind of row has."""
TABLE = tuple(CELLS)
ELLIPSIS = "\u2026"


def write_table(
    below: Axes, curves: Axes, wanted: Sequence[Drawn], colours: dict[str, str], table: Sequence[str], end: float,
    points: float, fewest: int, *, above: bool,
) -> pd.DataFrame:  # fmt: skip
    """Write the risk table at the ticks of the axis, arm by arm in its colour; long names stand above their rows."""
    ticks = np.array([tick for tick in curves.xaxis.get_majorticklocs() if 0 <= tick <= end * (1 + 1e-9)])
    rows = []
    y = 0
    is_mean = False
    place: dict[str, Any] = {"transform": below.get_yaxis_transform(), "fontsize": 0.85 * points, "va": "center"}
    for each in wanted:
        counts = each.counts(ticks)
        if counts is None:
            continue
        is_mean |= len(each.patients) > 1
        n = float(np.mean([time.size for time, _ in each.patients]))
        shown = sorted({count for row in table for count in CELLS[row]})
        counts, small = obscured(counts, fewest, shown)
        for row in table:
            label = f"{each.name}, {row}" if len(table) > 1 else each.name
            if above:
                below.text(0.0, y, label or row, color=colours[each.name], ha="left", **place)
                y += 1
            else:
                below.annotate(
                    label or row, (0.0, y), xytext=(-2.2 * points, 0), textcoords="offset points", ha="right",
                    va="center", xycoords=below.get_yaxis_transform(), color=colours[each.name], fontsize=0.85 * points,
                    annotation_clip=False,
                )  # fmt: skip
            for tick in ticks:
                values = [float(counts[tick][count]) for count in CELLS[row]]
                cells = [_cell(v, bool(small[tick][c]), fewest) for v, c in zip(values, CELLS[row], strict=True)]
                if row.endswith("%") and not np.isnan(values[0]):
                    cells = [f"{100 * values[0] / n:.0f}"]
                text = cells[0] + "".join(f" ({cell})" for cell in cells[1:])
                below.text(tick, y, text, fontsize=0.85 * points, ha="center", va="center")
            y += 1
        rows += [{"arm": each.name, "count": c} | dict(zip(ticks, counts.loc[c], strict=True)) for c in shown]
    head = f"{table[0].capitalize()}" if len(table) == 1 else "Numbers of patients"
    below.text(0.0, -1, head + (", mean of the members" if is_mean else ""), color=GREY, ha="left", **place)
    below.set_ylim(y - 0.4, -1.5)
    below.set_axis_off()
    return pd.DataFrame(rows)


def obscured(counts: pd.DataFrame, fewest: int, shown: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide counts below `fewest`, and the next one where three counts of known sum would tell a single hidden one.

    Returns
    -------
    tuple
        The counts with NaN for what is hidden, and which of them are hidden for being small.
    """
    small = (counts > 0) & (counts < fewest)
    hidden = small.copy()
    if len(shown) == len(counts):  # at risk, events and censored sum to the patients
        for tick in counts.columns:
            if hidden[tick].sum() == 1:
                others = counts[tick][~hidden[tick]]
                hidden.loc[others[others > 0].idxmin() if (others > 0).any() else others.index[0], tick] = True
    return counts.mask(hidden), small


def _cell(count: float, small: bool, fewest: int) -> str:
    if np.isnan(count):
        return f"<{fewest}" if small else ELLIPSIS
    return f"{count:.0f}"
