"""The figure of elacestrant + exemestane at the level of scans."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE, month_axis, percent_axis
from analysis.studies.elacestrant import pet, pfs_rate, scans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

END = 12.0
COLOURS = dict(zip((scans.ONE_WEEK, *scans.SCHEDULES.value), ("black", *PALETTE[:2]), strict=True))


def draw_scans(seed: int) -> Drawing:
    """Elacestrant + exemestane, the rate at 6 months by schedule and definition, FES avidity and FES-PET response."""
    figure = Figure(figsize=(PAGE_WIDTH, 6.2), layout="constrained")
    axes = figure.subplots(2, 2)
    tables = {
        "curves": scans.curves(seed, END),
        "definitions": scans.rates_by_definition(seed),
        "avidity": scans.rates_by_avidity(seed),
        "FES-PET": pet.rates_by_pet(seed),
    }
    _draw_curves(axes[0, 0], tables["curves"])
    _draw_definitions(axes[0, 1], tables["definitions"])
    _draw_avidity(axes[1, 0], tables["avidity"])
    _draw_pet(axes[1, 1], tables["FES-PET"])
    figure.supxlabel(
        f"{scans.TRIALS.value:,} trials of {scans.PATIENTS.value} patients; a quarter have a site that is not avid, "
        f"pace {scans.NOT_AVID_RATIO.value:g}, but lower left.\n"
        "Points: mean of the trials; thick bars: \N{PLUS-MINUS SIGN}1.96 Monte Carlo standard errors; thin bars: "
        "central 95% of the trials. Disease calibrated to EMERALD.",
        fontsize=6.5, color=GREY,
    )  # fmt: skip
    numbers = pd.concat(tables, names=["panel"]).reset_index(level=0)
    return Drawing(figure, numbers)


def _point(ax: Axes, x: float, row: pd.Series, colour: str, *, left: bool = False) -> None:
    """Draw a mean with its Monte Carlo error and the range of the trials."""
    ax.plot([x, x], [row["lower"], row["upper"]], color=colour, linewidth=0.8)
    error = 1.96 * row["std_error"]
    ax.plot([x, x], [row["rate"] - error, row["rate"] + error], color=colour, linewidth=4, solid_capstyle="butt")
    ax.plot(x, row["rate"], "o", color=colour, markersize=4)
    offset, side = (-5, "right") if left else (5, "left")
    ax.annotate(
        f"{row['rate']:.0%}", (x, row["rate"]), xytext=(offset, 0), textcoords="offset points", fontsize=7, ha=side,
        va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5}, zorder=1,
    )  # fmt: skip


def _draw_curves(ax: Axes, curves: pd.DataFrame) -> None:
    for weeks in COLOURS:
        rows = curves[curves["weeks"] == weeks]
        name = "weekly, no error" if weeks == scans.ONE_WEEK else f"every {weeks} weeks"
        ax.plot(rows["time"], rows["survival"], color=COLOURS[weeks], linewidth=1.2, drawstyle="steps-post", label=name)
    ax.axvline(pfs_rate.MONTHS, color=GREY, linewidth=0.6, linestyle=":", zorder=0)
    ax.legend(loc="upper right", title="Scans", title_fontsize=8)
    month_axis(ax, END)
    ax.set_xticks(np.arange(0, END + 1, 3))
    percent_axis(ax, "Progression-free")
    ax.set_title("What a schedule sees")


def _draw_definitions(ax: Axes, rates: pd.DataFrame) -> None:
    for weeks in scans.SCHEDULES.value:
        rows = rates[rates["weeks"] == weeks]
        first = weeks == scans.SCHEDULES.value[0]
        for place, (_, row) in enumerate(rows.iterrows()):
            _point(ax, place + (-0.1 if first else 0.1), row, COLOURS[weeks], left=first)
        ax.plot([], [], "o", color=COLOURS[weeks], markersize=4, label=f"every {weeks} weeks")
    ax.axhline(rates["continuous_reading"].iloc[0], color="black", linewidth=0.8, linestyle="--", zorder=0)
    ax.set_xticks(range(len(scans.DEFINITIONS)), scans.DEFINITIONS)
    ax.set_xlim(-0.5, len(scans.DEFINITIONS) - 0.4)
    percent_axis(ax, "Rate at 6 months", high=0.8)
    ax.legend(loc="upper right", title="Scans; dashes: weekly, no error", title_fontsize=8)
    ax.set_title("Definition of the rate")


def _draw_avidity(ax: Axes, rates: pd.DataFrame) -> None:
    for (ratio, rows), colour in zip(rates.groupby("ratio"), PALETTE[2:4], strict=True):
        errors = 1.96 * rows["std_error"]
        ax.errorbar(rows["share"], rows["rate"], yerr=errors, color=colour, marker="o", markersize=4, capsize=2)
        last = rows.iloc[-1]
        ax.annotate(f"pace {ratio:g}", (last["share"], last["rate"]), xytext=(6, 0), textcoords="offset points",
                    fontsize=8, color=colour, va="center")  # fmt: skip
    percent_axis(ax, "Patients with a site that is not avid", axis="x", low=-0.03, high=0.62)
    ax.set_xticks(rates["share"].unique())
    percent_axis(ax, "Disease control at week 24", high=0.6)
    ax.set_title("FES avidity as a covariate")


def _draw_pet(ax: Axes, rates: pd.DataFrame) -> None:
    places = np.add.outer(2.0 * np.arange(len(pet.READINGS)), [0.0, 0.7]).ravel()
    for place, (_, row) in zip(places, rates.iterrows(), strict=True):
        _point(ax, place, row, PALETTE[0] if row["positive"] == "yes" else PALETTE[1])
    ax.set_xticks(places, rates["positive"])
    for number, reading in enumerate(pet.READINGS):
        ax.text(0.35 + 2 * number, 1.02, fill(reading, 16), ha="center", va="bottom", fontsize=6.5, color=GREY)
    ax.set_xlim(-0.5, 2 * len(pet.READINGS) - 0.6)
    ax.set_xlabel("FES-PET positive")
    percent_axis(ax, "Disease control at week 24", high=1.22)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_title(f"FES-PET, {scans.ACCURACY.value:.0%} for the receptor")


FIGURES = [RegisteredFigure("elacestrant-scans", (pfs_rate.EMERALD,), scans.SEED, draw_scans)]
