"""Survival curves with their band, the reported medians and the risk table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.errors import InvalidValueError
from analysis.plots.style import GREY, PALETTE, label_line, month_axis, percent_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.reported import Reported


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """Give each arm its colour, in the order in which the arms are named.

    Raises
    ------
    InvalidValueError
        If there are more arms than colours that can be told apart.
    """
    if len(arms) > len(PALETTE):
        expected = f"at most {len(PALETTE)}, as many as there are colours that can be told apart"
        raise InvalidValueError("arms", f"{len(arms)} arms", expected, "draw them in two plots")
    return dict(zip(map(str, arms), PALETTE, strict=False))


def survival_curves(ax: Axes, curves: pd.DataFrame | Mapping[Any, pd.DataFrame], *, end: float, ylabel: str) -> None:
    """Draw curves with their pointwise band, each labelled on the plot.

    Parameters
    ----------
    ax
        Where to draw.
    curves
        Columns ``arm``, ``time`` (months), ``mean``, ``lower``, ``upper``; one block of rows per arm, ordered by time.
        Or a frame without ``arm`` for each arm, as `Reconstruction.curve` and `KaplanMeier.curve` give them.
    end
        Last month shown.
    ylabel
        What the curves are, e.g. ``"Progression-free"``.
    """
    if isinstance(curves, Mapping):
        curves = pd.concat([frame.assign(arm=arm) for arm, frame in curves.items()], ignore_index=True)
    colours = arm_colours(list(dict.fromkeys(curves["arm"])))
    for position, (arm, rows) in enumerate(curves.groupby("arm", sort=False)):
        rows = rows[rows["time"] <= end]
        ax.plot(rows["time"], rows["mean"], color=colours[str(arm)])
        ax.fill_between(rows["time"], rows["lower"], rows["upper"], color=colours[str(arm)], alpha=0.18, linewidth=0)
        ax.text(
            0.98, 0.97 - 0.075 * position, str(arm),
            transform=ax.transAxes, ha="right", va="top", color=colours[str(arm)], fontsize=8,
        )  # fmt: skip
    percent_axis(ax, ylabel, high=1.0)
    month_axis(ax, end)


def reported_medians(ax: Axes, medians: Mapping[str, Reported | None]) -> None:
    """Mark each arm's reported median on the line of one half, with its printed digits, unless it has none."""
    colours = arm_colours(list(medians))
    dashed = (0, (4, 3))
    ax.axhline(0.5, color=GREY, linewidth=0.6, linestyle=dashed, zorder=0)
    for arm, median in medians.items():
        if median is None or not median.reached:
            continue
        months = median.value
        ax.plot([months, months], [0, 0.5], color=colours[arm], linewidth=0.6, linestyle=dashed, zorder=0)
        ax.plot(months, 0.5, marker="o", markersize=4.5, markerfacecolor="white", markeredgecolor=colours[arm])
        label_line(ax, months, 0.02, median.text, colours[arm], va="bottom", fontsize=7)


def risk_table(ax: Axes, table: pd.DataFrame, *, title: str) -> None:
    """Write numbers at risk under a plot, aligned with its months and in the curves' colours.

    Parameters
    ----------
    ax
        An empty axes right under the curves, sharing their x axis.
    table
        Index: arms; columns: months; values: numbers at risk just before that month.
    title
        Stands above the numbers, and says whether they were reported or reconstructed.
    """
    colours = arm_colours([str(arm) for arm in table.index])
    ax.set_ylim(len(table) - 0.4, -1.0)
    for row, (arm, counts) in enumerate(table.iterrows()):
        name = ax.text(-0.05, row, str(arm), transform=ax.get_yaxis_transform(), color=colours[str(arm)])
        name.set(ha="right", va="center", fontsize=6.5)
        for month, count in counts.items():
            ax.text(
                float(str(month)), row, f"{count:.0f}", color=colours[str(arm)], ha="center", va="center", fontsize=7
            )
    ax.text(0.0, -0.95, title, transform=ax.get_yaxis_transform(), fontsize=7, color=GREY, ha="left", va="center")
    ax.set_axis_off()
