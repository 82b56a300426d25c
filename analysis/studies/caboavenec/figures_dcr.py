"""Figures of CaboAveNEC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE, label_line, percent_axis
from analysis.single_arm import exact_binomial
from analysis.studies.caboavenec import dcr
from analysis.studies.weights import draw_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_operating_characteristics(seed: int) -> Drawing:
    """CaboAveNEC, exact binomial test of disease control at week 16: power of 30 patients, and of other sizes."""
    figure = Figure(figsize=(PAGE_WIDTH, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    numbers = pd.concat([_draw_power(left, seed), _draw_sizes(right)], ignore_index=True)
    figure.supxlabel(
        "Lines: exact. Dots: simulated trials with the registered scans, bars \N{PLUS-MINUS SIGN}2 Monte Carlo "
        "standard errors. One-sided alpha at most 5%.",
        fontsize=7, color=GREY,
    )  # fmt: skip
    return Drawing(figure, numbers)


def _draw_power(ax: Axes, seed: int) -> pd.DataFrame:
    n, curves = dcr.planned_enrolment(), dcr.power_curve(seed=seed)
    rates = np.linspace(0.05, 0.75, 141)
    frames = []
    for number, null_rate in enumerate(dcr.NULL_RATES.value):
        colour, height = PALETTE[number], 0.62 - 0.09 * number
        points = curves[curves["null_rate"] == null_rate]
        exact = exact_binomial(n, null_rate=null_rate, alpha=dcr.ALPHA.value)
        power = exact.rejection_probability(rates)
        ax.plot(rates, power, color=colour)
        ax.errorbar(
            points["true_rate"], points["simulated"], 2 * points["std_error"], fmt="o", ms=3, lw=1, color=colour
        )
        at = exact.detectable_rate(height)
        ax.text(at, height, f"{null_rate:.0%}", color=colour, fontsize=8, ha="center", va="center", bbox=WHITE)
        frames.append(points.rename(columns={"exact": "power"}).assign(panel="power", n=n))
    ax.axhline(0.8, color=GREY, lw=0.6, ls=":")
    percent_axis(ax, "True disease control at week 16", axis="x", low=0.05, high=0.75)
    percent_axis(ax, "Power")
    ax.set_title(f"Power of {n} patients by null rate")
    return pd.concat(frames)


def _draw_sizes(ax: Axes) -> pd.DataFrame:
    table = dcr.sizes()
    for colour, (null_rate, rows) in zip(PALETTE, table.groupby("null_rate"), strict=False):
        ax.step(rows["n"], rows["rate_for_power_80"], where="mid", color=colour, lw=1.2)
        label_line(ax, rows["n"].iloc[-1], rows["rate_for_power_80"].iloc[-1], f"{null_rate:.0%}", colour)
    ax.axvline(dcr.planned_enrolment(), color=GREY, lw=0.6, ls=":")
    ax.set_xlim(15, 60)
    ax.set_xlabel("Patients")
    percent_axis(ax, "True rate for 80% power", low=0.2, high=0.75)
    ax.set_title("What other sizes detect")
    return table.assign(panel="sizes")


def draw_against_history(seed: int) -> Drawing:
    """CaboAveNEC against historical controls: their counts, and the type I error rate that their uncertainty leaves."""
    figure = Figure(figsize=(PAGE_WIDTH, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    numbers = pd.concat([_draw_controls(left), _draw_error_rates(right, seed)], ignore_index=True)
    figure.supxlabel(
        "Left: exact 95% intervals. Right, lines: exact, averaged over the posterior of the control's rate (Jeffreys' "
        "prior);\ndots: simulated, bars \N{PLUS-MINUS SIGN}2 Monte Carlo standard errors; crosses: attained alpha if "
        "the null rate were known to be true.",
        fontsize=6.5, color=GREY,
    )  # fmt: skip
    return Drawing(figure, numbers)


def _draw_controls(ax: Axes) -> pd.DataFrame:
    controls = dcr.historical_controls()
    for number, row in enumerate(controls.to_dict("records")):
        colour, height = PALETTE[number], -number
        ax.plot([row["lower"], row["upper"]], [height, height], color=colour)
        ax.plot(row["rate"], height, "o", color=colour, ms=5)
        label = f"{row['control']}: {row['responders']}/{row['n']}"
        ax.text(0.01, height + 0.16, label, fontsize=7.5, color=colour, va="bottom")
    ax.set_ylim(-len(controls) + 0.6, 0.6)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    percent_axis(ax, "Disease control", axis="x", low=0.0, high=0.8)
    ax.set_title("What is known")
    return controls.assign(panel="controls")


def _draw_error_rates(ax: Axes, seed: int) -> pd.DataFrame:
    table, known = dcr.against_history(seed=seed), dcr.exact_designs()
    for colour, control in zip(PALETTE, dcr.CONTROLS, strict=False):
        rows = table[table["control"] == control.name]
        ax.plot(rows["null_rate"], rows["exact"], color=colour, label=control.name)
        ax.errorbar(rows["null_rate"], rows["simulated"], 2 * rows["std_error"], fmt="o", ms=3, lw=1, color=colour)
    ax.plot(known["null_rate"], known["attained_alpha"], "x", color=GREY, ms=5, label="null rate known")
    ax.axhline(dcr.ALPHA.value, color=GREY, lw=0.6, ls=":")
    ax.legend(title="No better than", title_fontsize=8, loc="upper right")
    percent_axis(ax, "Null rate of the test", axis="x", low=0.08, high=0.32)
    percent_axis(ax, "Probability of rejection", low=0.0, high=0.25)
    ax.set_title(f"Type I error of {dcr.planned_enrolment()} patients")
    return table.assign(panel="type I error")


WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}


def draw_what_moves_power(seed: int) -> Drawing:
    """CaboAveNEC, exact power with one assumption at a time replaced, the weightiest on top."""
    del seed  # nothing is drawn at random
    return draw_weights(dcr.what_moves_power(), dcr.case(), "disease control at week 16")


FIGURES = [
    RegisteredFigure("caboavenec-what-moves-power", (dcr.TRIAL,), 0, draw_what_moves_power),
    RegisteredFigure(
        "caboavenec-against-history",
        (dcr.TRIAL, "avenec", "pembrolizumab-g3-nen"),
        2023,
        draw_against_history,
    ),
    RegisteredFigure("caboavenec-operating-characteristics", (dcr.TRIAL,), 2022, draw_operating_characteristics),
]
