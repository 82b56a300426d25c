"""Cumulative incidence of competing events: steps, limits, numbers at risk, Gray's test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from analysis.conventions.border import border
from analysis.conventions.checks import SAME_TIME, choice, one_of, positive
from analysis.errors import UnknownNameError
from analysis.plots.numbered import NumberedFigure, numbered
from analysis.plots.style import GREY, PAGE_WIDTH, PALETTE, STYLE, percent_axis
from analysis.plots.time_unit import MONTHS
from analysis.safety import CumulativeIncidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
Shown = Literal["curves", "stacked"]


@border
def incidence_plot(
    found: CumulativeIncidence,
    *,
    causes: Sequence[str] | None = None,
    shown: Shown = "curves",
    end: float | None = None,
) -> NumberedFigure:
    """Draw the cumulative incidence of competing events, with the numbers at risk below.

    Parameters
    ----------
    found
        What `analysis.safety.cumulative_incidence` gives.
    causes
        Which causes, by default all.
    shown
        ``"curves"``: causes by colour, groups by dash, with limits and Gray's p-value of each cause where there are
        groups. ``"stacked"``: causes on top of each other, a panel for each group: what has become of all patients.
    end
        Last month shown.

    Returns
    -------
    NumberedFigure
        Numbers: ``group``, ``cause``, ``time``, ``n_risk``, ``estimate``, ``lower``, ``upper``, as drawn.

    Raises
    ------
    UnknownNameError
        If there is no such cause.

    Examples
    --------
    >>> from analysis.safety import cumulative_incidence
    >>> found = cumulative_incidence([1, 2, 3, 4], ["nausea", "death", "nausea", "censored"])
    >>> incidence_plot(found).alt
    'Cumulative incidence at 4 months: death 25%, nausea 50%'
    """
    one_of("found", found, CumulativeIncidence, "cumulative_incidence(time, cause)")
    choice("shown", shown, ("curves", "stacked"))
    curves = found.curves
    known = sorted(curves["cause"].unique().tolist())
    chosen = known if causes is None else list(causes)
    for cause in chosen:
        if cause not in known:
            raise UnknownNameError("cause", cause, known)
    groups = list(dict.fromkeys(curves["group"]))
    last = float(curves["time"].max()) if end is None else positive("end", end, "months")
    numbers = curves[curves["cause"].isin(chosen) & (curves["time"] <= last)]
    panels = groups if shown == "stacked" else [None]
    with mpl.rc_context(STYLE):
        rows = 1 if shown == "stacked" else len(groups)
        figure = Figure(figsize=(PAGE_WIDTH, 3.4 + 0.2 * rows), layout="constrained")
        grid = figure.subplots(
            2, len(panels), squeeze=False, sharex=True, sharey="row", gridspec_kw={"height_ratios": [10, 0.8 + rows]}
        )
        for column, group in enumerate(panels):
            ax, below = grid[0, column], grid[1, column]
            if group is None:
                _curves(ax, numbers, chosen, groups, last)
            else:
                _stack(ax, numbers[numbers["group"] == group], chosen, last)
                if len(groups) > 1:
                    ax.set_title(str(group))
            percent_axis(ax, "Cumulative incidence" if column == 0 else "")
            MONTHS.axis(ax, last)
            ax.tick_params(labelbottom=True)
            ax.set_xlabel("Months")
            _risk(below, curves, groups if group is None else [group], ax, last)
        grid[0, 0].legend(loc="upper left")
        if shown == "curves" and found.gray is not None and len(groups) > 1:
            _write_gray(grid[0, 0], found.gray, chosen)
    return numbered((*grid[0], *grid[1]), numbers, _said(numbers, chosen, groups, last))


def _steps(rows: pd.DataFrame, last: float, *columns: str) -> list[np.ndarray[Any, Any]]:
    time = np.concatenate([[0.0], rows["time"].to_numpy(float), [last]])
    values = [rows[column].to_numpy(float) for column in columns]
    return [time, *(np.concatenate([[0.0], each, each[-1:] if each.size else [0.0]]) for each in values)]


def _curves(ax: Axes, numbers: pd.DataFrame, causes: list[str], groups: list[Any], last: float) -> None:
    for cause, colour in zip(causes, [*PALETTE] * len(causes), strict=False):
        for group, dash in zip(groups, [*DASHES] * len(groups), strict=False):
            own = numbers[(numbers["cause"] == cause) & (numbers["group"] == group)]
            time, middle, lower, upper = _steps(own, last, "estimate", "lower", "upper")
            label = f"{cause}, {group}" if len(groups) > 1 else str(cause)
            ax.plot(time, middle, drawstyle="steps-post", color=colour, linestyle=dash, label=label)
            ax.fill_between(time, lower, upper, step="post", color=colour, alpha=0.12, linewidth=0)


def _stack(ax: Axes, numbers: pd.DataFrame, causes: list[str], last: float) -> None:
    times = np.concatenate([[0.0], np.unique(numbers["time"].to_numpy(float)), [last]])
    under = np.zeros(times.size)
    for cause, colour in zip(causes, [*PALETTE] * len(causes), strict=False):
        time, middle = _steps(numbers[numbers["cause"] == cause], last, "estimate")
        over = under + middle[np.searchsorted(time, times, side="right") - 1]
        ax.fill_between(times, under, over, step="post", color=colour, alpha=0.75, linewidth=0, label=str(cause))
        under = over


def _risk(ax: Axes, curves: pd.DataFrame, groups: list[Any], above: Axes, last: float) -> None:
    ticks = [tick for tick in above.get_xticks() if 0 <= tick <= last * (1 + SAME_TIME)]
    for row, group in enumerate(groups):
        own = curves[curves["group"] == group].drop_duplicates("time").sort_values("time")
        time, risk = own["time"].to_numpy(float), own["n_risk"].to_numpy(int)
        for tick in ticks:
            place = int(np.searchsorted(time, tick * (1 - SAME_TIME), side="left"))
            ax.text(tick, row, str(risk[place]) if place < time.size else "0", ha="center", va="center", fontsize=7)
    ax.set_ylim(len(groups) - 0.4, -0.6)
    ax.set_yticks(range(len(groups)), [str(group) if len(groups) > 1 else "at risk" for group in groups])
    ax.tick_params(axis="y", length=0, pad=14)
    ax.tick_params(axis="x", length=0, labelbottom=False)
    for side in ax.spines.values():
        side.set_visible(False)


def _write_gray(ax: Axes, gray: pd.DataFrame, causes: list[str]) -> None:
    rows = gray.set_index("cause")["p_value"]
    lines = [f"{cause}: p {_p(float(rows[cause]))} (Gray)" for cause in causes if cause in rows.index]
    ax.text(0.98, 0.02, "\n".join(lines), transform=ax.transAxes, ha="right", va="bottom", fontsize=7, color=GREY)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _said(numbers: pd.DataFrame, causes: list[str], groups: list[Any], last: float) -> str:
    parts = []
    for group in groups:
        own = numbers[numbers["group"] == group]
        at = []
        for cause in causes:
            rows = own[own["cause"] == cause].sort_values("time")["estimate"]
            at.append(f"{cause} {100 * (float(rows.iloc[-1]) if len(rows) else 0.0):.0f}%")
        words = ", ".join(at)
        parts.append(f"{group}: {words}" if len(groups) > 1 else words)
    return f"Cumulative incidence at {last:g} months: {'; '.join(parts)}"
