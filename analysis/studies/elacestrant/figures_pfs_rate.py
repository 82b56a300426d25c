"""Figures of elacestrant + exemestane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE, month_axis, percent_axis
from analysis.single_arm import exact_binomial
from analysis.studies.elacestrant import pfs_rate
from analysis.studies.weights import draw_weights
from analysis.survival.distributions import Exponential

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = ("-", "--", ":")
LABELS = {pfs_rate.ELACESTRANT: "elacestrant", pfs_rate.STANDARD: "standard of care"}
END = 18.0


def draw_pfs_6_months(seed: int) -> Drawing:
    """Elacestrant + exemestane: EMERALD's arms as historical controls, and the power of the 6-month rate."""
    figure = Figure(figsize=(PAGE_WIDTH, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    numbers = pd.concat([_draw_controls(left), _draw_power(right, seed)], ignore_index=True)
    figure.supxlabel(
        "Left: EMERALD, CDK4/6 inhibitor for at least 12 months, mean of the reconstruction and 90% pointwise band; "
        "circles: printed rates;\ndotted: exponential through the printed median. "
        "Right, lines: exact; dots: simulated under 8-week scans, bars \N{PLUS-MINUS SIGN}2 Monte Carlo SE.",
        fontsize=6.5, color=GREY,
    )  # fmt: skip
    return Drawing(figure, numbers)


def _draw_controls(ax: Axes) -> pd.DataFrame:
    times, frames = np.linspace(0, END, 361), []
    for colour, (arm, label) in zip(PALETTE, LABELS.items(), strict=False):
        curve = pfs_rate.reconstruction(arm).survival_at(arm, times)
        reported = pfs_rate.control_arm(arm)
        assert reported.median is not None, f"EMERALD prints no median of {arm}"
        exponential = Exponential.from_median(reported.median.value).survival(times)
        ax.plot(times, curve["mean"], color=colour, label=label)
        ax.fill_between(times, curve["lower"], curve["upper"], color=colour, alpha=0.2, lw=0)
        ax.plot(times, exponential, color=colour, lw=1, ls=":")
        printed = [(point.time.value, point.survival.value) for point in reported.landmarks]
        ax.plot(*zip(*printed, strict=True), "o", mfc="white", mec=colour, ms=5, clip_on=False)
        frames.append(curve.assign(arm=arm, exponential=exponential, panel="controls"))
    ax.axvline(pfs_rate.MONTHS, color=GREY, lw=0.6, ls=":")
    month_axis(ax, END)
    percent_axis(ax, "Progression-free")
    ax.legend(loc="upper right")
    ax.set_title("Historical controls")
    return pd.concat(frames)


def _draw_power(ax: Axes, seed: int) -> pd.DataFrame:
    curves, rates = pfs_rate.power_curve(seed=seed), np.linspace(0.05, 0.8, 151)
    for colour, null_rate in zip(PALETTE[2:], pfs_rate.NULL_RATES.value, strict=False):
        for style, n in zip(STYLES, pfs_rate.SIZES.value, strict=True):
            exact = exact_binomial(n, null_rate=null_rate, alpha=pfs_rate.ALPHA.value)
            label = f"{n}, null {null_rate:.0%}"
            ax.plot(rates, exact.rejection_probability(rates), style, color=colour, label=label, lw=1.3)
            points = curves[(curves["null_rate"] == null_rate) & (curves["n"] == n)]
            ax.errorbar(
                points["true_rate"], points["simulated"], 2 * points["std_error"], fmt="o", ms=2.5, lw=1, color=colour
            )
    ax.axhline(0.8, color=GREY, lw=0.6, ls=":")
    percent_axis(ax, "True rate at the last scan by 6 months", axis="x", low=0.05, high=0.8)
    percent_axis(ax, "Power")
    legend = ax.legend(title="Patients, null rate", title_fontsize=8, loc="upper left", fontsize=7, handlelength=2.4)
    legend.set_frame_on(True)
    legend.get_frame().set(edgecolor="none", alpha=1.0)
    ax.set_title("Power by size and null rate")
    return curves.rename(columns={"exact": "power"}).assign(panel="power")


def draw_what_moves_power(seed: int) -> Drawing:
    """Elacestrant + exemestane, exact power with one assumption at a time replaced, the weightiest on top."""
    del seed  # nothing is drawn at random
    return draw_weights(pfs_rate.what_moves_power(), pfs_rate.case(), "rate at 6 months")


FIGURES = [
    RegisteredFigure("elacestrant-what-moves-power", (pfs_rate.TRIAL,), 0, draw_what_moves_power),
    RegisteredFigure("elacestrant-pfs-6-months", (pfs_rate.TRIAL, pfs_rate.EMERALD), 2025, draw_pfs_6_months),
]
