"""The figure of XENERA-1's two readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE, month_axis, percent_axis
from analysis.studies.xenera1 import discordance, plan
from analysis.studies.xenera1 import two_readers as readers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {plan.EXPERIMENTAL: PALETTE[0], plan.CONTROL: PALETTE[1]}
READINGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "investigator": ("investigator", "stops", {"linestyle": "-", "marker": "o", "markersize": 4, "linewidth": 1.2}),
    "independent, stops": (
        "independent",
        "stops",
        {"linestyle": "--", "marker": "s", "markersize": 4, "linewidth": 1.2},
    ),
    "independent, goes on": (
        "independent",
        "goes on",
        {"linestyle": ":", "marker": "^", "markersize": 4, "linewidth": 1.2},
    ),
}
NAMES = {
    "investigator": "investigator",
    "independent, stops": "independent, stops at\nthe investigator's progression",
    "independent, goes on": "independent, goes on",
}
END = 24.0
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}


def draw_readers(seed: int) -> Drawing:
    """XENERA-1, what two readers who disagree make of the same patients, and what was reported."""
    figure = Figure(figsize=(PAGE_WIDTH, 6.6), layout="constrained")
    axes = figure.subplots(2, 2)
    levels, curves = discordance.across_levels(seed), discordance.curves(seed, END)
    _draw_curves(axes[0, 0], curves)
    _draw_events(axes[0, 1], levels)
    _draw_quantity(axes[1, 0], levels, "hazard ratio")
    axes[1, 0].axhline(1.0, color=GREY, linewidth=0.6, zorder=0)
    axes[1, 0].set(ylabel="Hazard ratio, geometric mean", ylim=(0.4, 1.05))
    axes[1, 0].set_title(f"Hazard ratio, pace {readers.EFFECT.value:g}")
    _draw_quantity(axes[1, 1], levels, "power")
    percent_axis(axes[1, 1], "Power", high=0.6)
    axes[1, 1].set_title(f"Power, pace {readers.EFFECT.value:g}")
    axes[1, 1].legend(loc="upper right", fontsize=6.5, frameon=True, framealpha=1.0, edgecolor="none")
    for ax in axes.flat[1:]:
        percent_axis(ax, "Progression dated differently (share)", axis="x", high=0.45)
        ax.axvline(readers.DATES_DIFFER.value, color=GREY, linewidth=0.6, linestyle=":", zorder=0)
    figure.supxlabel(
        f"Curves: {readers.TRIALS.value} trials of {sum(readers.treated())} patients together, readers calibrated to "
        "the dotted line. Diamonds: reported medians (filled: investigator, open: independent).\n"
        "Dashes across: events recovered from the reported intervals. "
        "Bars: \N{PLUS-MINUS SIGN}1.96 Monte Carlo standard errors. "
        f"Scans every {readers.ASSESSMENTS.value:g} weeks.",
        fontsize=6.5, color=GREY,
    )  # fmt: skip
    numbers = pd.concat({"curves": curves, "levels": levels}, names=["panel"]).reset_index(level=0)
    return Drawing(figure, numbers)


def _draw_curves(ax: Axes, curves: pd.DataFrame) -> None:
    for arm, colour in COLOURS.items():
        for name, (_, _, style) in READINGS.items():
            rows = curves[(curves["arm"] == arm) & (curves["reading"] == name)]
            ax.plot(
                rows["time"],
                rows["survival"],
                color=colour,
                linewidth=1.2,
                drawstyle="steps-post",
                linestyle=style["linestyle"],
            )
        for reader, face in (("investigator", colour), ("independent", "white")):
            ax.plot(readers.reported_median(reader, arm), 0.5, "D", color=colour, markerfacecolor=face, markersize=5)
        ax.plot([], [], color=colour, label=arm)
    for name, (_, _, style) in READINGS.items():
        ax.plot([], [], color="black", linewidth=1.2, linestyle=style["linestyle"], label=NAMES[name])
    ax.legend(loc="upper right", fontsize=6.5)
    month_axis(ax, END)
    percent_axis(ax, "Progression-free")
    ax.set_title("As reported by the investigators")


def _draw_events(ax: Axes, levels: pd.DataFrame) -> None:
    _draw_quantity(ax, levels, "events", truth="as reported")
    for reader in readers.READERS:
        seen = readers.recovered_events(reader).estimate
        ax.axhline(seen, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
        ax.text(
            0.445, seen - 0.6, f"{reader}, recovered: {seen:.0f}", fontsize=7, color=GREY, ha="right", va="top",
            bbox=BEHIND,
        )  # fmt: skip
    ax.set(ylabel="Events seen, mean", ylim=(20, 50))
    ax.set_title("Events")


def _draw_quantity(ax: Axes, levels: pd.DataFrame, quantity: str, truth: str = "effect") -> None:
    for (name, (reader, reading, style)), colour in zip(
        READINGS.items(), ("black", PALETTE[2], PALETTE[3]), strict=True
    ):
        rows = levels[(levels["truth"] == truth) & (levels["reader"] == reader) & (levels["reading"] == reading)]
        rows = rows[rows["quantity"] == quantity]
        errors = 1.96 * rows["std_error"]
        ax.errorbar(
            rows["date_differs"], rows["value"], yerr=errors, color=colour, capsize=2, label=NAMES[name], **style
        )


FIGURES = [RegisteredFigure("xenera1-readers", (plan.TRIAL,), plan.SEED, draw_readers)]
