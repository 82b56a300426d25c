"""The figure of what could have set XENERA-1's two readings apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE, percent_axis
from analysis.studies.xenera1 import explanations as study
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1 import two_readers as readers
from analysis.studies.xenera1.discordance import ELSEWHERE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = dict(zip(study.EXPLANATIONS, (PALETTE[0], PALETTE[1], PALETTE[2]), strict=True))
MARKERS = dict(zip(study.EXPLANATIONS, "os^", strict=True))
DATES = "Progression dated differently"
PANELS = {
    "Median PFS": (study.MEDIANS, readers.READERS, "Months", 30.0),
    "Hazard ratio": (("hazard ratio",), readers.READERS, "Xentuzumab against placebo, log scale", 4.0),
    "Events": (("events",), readers.READERS, "Events", 60.0),
    DATES: ((study.DATES,), (study.BOTH,), "Share of patients", 0.6),
}


def draw_explanations(seed: int) -> Drawing:
    """XENERA-1, three explanations of its two readings held against its report and the discordance of other trials."""
    table = study.explanations(seed)
    figure = Figure(figsize=(PAGE_WIDTH, 5.6), layout="constrained")
    first, *others = PANELS
    axes = figure.subplot_mosaic(
        [[first, other] for other in others], width_ratios=[1.2, 1], height_ratios=[2, 2, 1.15]
    )
    for title, (quantities, by, label, end) in PANELS.items():
        rows = [(reader, quantity) for quantity in quantities for reader in by]
        ax = axes[title]
        if title == "Hazard ratio":
            ax.set_xscale("log")
            ax.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
            ax.minorticks_off()
        for place, (reader, quantity) in enumerate(rows):
            _draw_row(ax, place, table[(table["reader"] == reader) & (table["quantity"] == quantity)], end)
        names = [_name(reader, quantity) for reader, quantity in rows]
        ax.set_yticks(range(len(rows)), names)
        ax.set_ylim(len(rows) - 0.5, -0.6)
        ax.set_xlim(0.3 if title == "Hazard ratio" else 0, end)
        ax.set_xlabel(label)
        ax.set_title(title)
        if title == DATES:
            percent_axis(ax, label, axis="x", high=end)
    axes["Median PFS"].set_xticks(np.arange(0, 31, 6))
    handles = [
        axes["Events"].plot([], [], MARKERS[name], color=COLOURS[name], markersize=4, label=name)[0]
        for name in study.EXPLANATIONS
    ]
    handles += axes["Events"].plot([], [], "D", color="black", markersize=4, label="reported (events: recovered)")
    handles += axes[DATES].plot([], [], "D", color=GREY, markersize=4, label="found in other trials")
    figure.legend(handles=handles, loc="outside upper left", ncols=2, fontsize=7.5)
    figure.supxlabel(
        f"Points: {readers.TRIALS.value} trials of {sum(readers.treated())} patients together; filled: calibrated, "
        "open: predicted. Bars: central 95% of single trials, arrow: median not reached.\n"
        "Black bars: reported 95% intervals, those of the events as recovered.",
        fontsize=6.5, color=GREY,
    )  # fmt: skip
    return Drawing(figure, table)


def _name(reader: str, quantity: str) -> str:
    """Name a row by arm, where there is one, and reader."""
    arm = quantity.removeprefix("median, ")
    if reader == study.BOTH:
        return "both readers"
    return f"{arm},\n{reader}" if arm in plan.ARMS else reader


def _draw_row(ax: Axes, place: int, rows: pd.DataFrame, end: float) -> None:
    """Draw the reported value with its interval, and under it each explanation with the range of single trials.

    What other trials found has no interval of XENERA-1 and stands in grey.
    """
    target = rows.iloc[0]
    elsewhere = target["source"] == ELSEWHERE
    if not elsewhere:
        lower, upper = study.reported_interval(target["reader"], target["quantity"])
        ax.plot([lower, min(upper, end)], [place - 0.3] * 2, color="black", linewidth=0.9)
    ax.plot(target["target"], place - 0.3, "D", color=GREY if elsewhere else "black", markersize=4)
    for number, name in enumerate(study.EXPLANATIONS):
        row = rows[rows["explanation"] == name].iloc[0]
        at = place - 0.1 + 0.18 * number
        ax.plot([row["lower"], min(row["upper"], end)], [at, at], color=COLOURS[name], linewidth=0.9)
        if row["upper"] > end:
            ax.plot(0.99 * end, at, ">", color=COLOURS[name], markersize=3.5)
        face = COLOURS[name] if row["calibrated"] else "white"
        ax.plot(
            row["simulated"], at, MARKERS[name], color=COLOURS[name], markerfacecolor=face, markersize=4.5
        )  # fmt: skip


FIGURES = [RegisteredFigure("xenera1-explanations", (plan.TRIAL,), plan.SEED, draw_explanations)]
