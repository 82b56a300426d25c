"""Figures of XENERA-1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE, month_axis, percent_axis, tornado
from analysis.studies.bolero2 import curves
from analysis.studies.xenera1 import plan, power, seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN = PALETTE[:3]
NOTE: dict[str, Any] = {"fontsize": 7, "color": GREY}
RATIO_TICKS = (0.25, 0.5, 1.0, 2.0, 4.0)


def draw_power_grid(seed: int) -> Drawing:
    """XENERA-1, power of the log-rank test over hazard ratios and control arms, simulated and by formula."""
    grid = power.power_grid(seed=seed)
    arms = list(grid["control_arm"].unique())
    figure = Figure(figsize=(PAGE_WIDTH, 7.6), layout="constrained")
    axes = figure.subplots(3, 2, sharex=True, sharey=True)
    for ax, name in zip(axes.flat, arms, strict=True):
        _draw_power(ax, name, grid[grid["control_arm"] == name])
    for ax in axes[:-1].flat:
        ax.set_xlabel("")
    for ax in axes[:, 1]:
        ax.set_ylabel("")
    design = plan.design()
    figure.supxlabel(
        f"{design.n} patients 1:1, {plan.ACCRUAL.value:g} months of accrual, data cut at {plan.calendar_end():.1f} "
        f"months, one-sided {plan.ALPHA.value:.1%}.\n"
        f"Points: simulated, bars: 95% Monte Carlo interval ({plan.TRIALS.value:,} trials each). "
        "Line: large-sample moments of the\nlog-rank test; shaded: its central 90% over the curves of the "
        "control arm. Dashes: Schoenfeld's formula.",
        **NOTE,
    )
    return Drawing(figure, grid)


def _draw_power(ax: Axes, name: str, rows: pd.DataFrame) -> None:
    ratios = rows["hazard_ratio"]
    ax.axhline(0.8, color=GREY, linewidth=0.6, linestyle=":", zorder=0)
    ax.fill_between(ratios, rows["large_sample_lower"], rows["large_sample_upper"], color=BLUE, alpha=0.18, linewidth=0)
    ax.plot(ratios, rows["large_sample"], color=BLUE)
    ax.plot(ratios, rows["schoenfeld"], color=ORANGE, linestyle="--", linewidth=1.0)
    errors = np.abs(rows[["lower", "upper"]].to_numpy().T - rows["power"].to_numpy())
    ax.errorbar(ratios, rows["power"], yerr=errors, fmt="o", markersize=2.0, color="black", linewidth=0.8, capsize=2.5)
    ax.set_title(
        name.replace(" without", "\nwithout").replace(", all", ",\nall").replace(", exp", ",\nexp"), fontsize=8
    )
    low, high = rows["events"].min(), rows["events"].max()
    ax.text(0.98, 0.95, f"{low:.0f}\N{EN DASH}{high:.0f} events", transform=ax.transAxes, ha="right", va="top", **NOTE)
    percent_axis(ax, "Power")
    ax.set_xlim(ratios.min() - 0.03, ratios.max() + 0.03)
    ax.set_xlabel("True hazard ratio")


def draw_what_moves_power(seed: int) -> Drawing:
    """XENERA-1, power at one hazard ratio with one assumption at a time replaced, the weightiest on top."""
    moved = power.what_moves_power(seed=seed)
    base, others = moved.iloc[0], moved.iloc[1:]
    names = {"assessments laid over the curves": "scans laid over scans", "follow-up after accrual": "follow-up"}
    rows = others.assign(replaced=others["replaced"].replace(names), by=others["by"].map(_short))
    figure = Figure(figsize=(PAGE_WIDTH, 3.6), layout="constrained")
    ax = figure.subplots()
    tornado(list(rows["replaced"]), list(rows["by"]), rows["power"], base["power"], ax, std_error=rows["std_error"])
    low, high = ax.get_xlim()
    percent_axis(
        ax, f"Power at a hazard ratio of {plan.HAZARD_RATIO.value:g}", axis="x", low=max(low, 0), high=min(high, 1)
    )
    figure.supxlabel(
        f"Simulated, {plan.TRIALS.value:,} trials each. Line: {base['power']:.1%} as assumed, one-sided "
        f"{plan.ALPHA.value:.1%},\ncontrol {plan.CONTROL_ARM.value}.\nBlack at the ends: two Monte Carlo standard "
        "errors either way.",
        **NOTE,
    )
    return Drawing(figure, moved)


def _short(by: str) -> str:
    """Shorten the names of control arms, which are sentences elsewhere."""
    for long, short in ((" without visceral metastases", ""), (", reconstructed", ""), (", all patients", " (all)")):
        by = by.replace(long, short)
    return by.split(", exponential")[0].replace(" one-sided", "").replace(" after accrual", "")


def draw_reported_against_design(seed: int) -> Drawing:
    """XENERA-1, what was reported beside what so few events would report if the truth were known."""
    estimates, medians = seen.estimates_at_events_seen(seed=seed), seen.reported_medians()
    figure = Figure(figsize=(PAGE_WIDTH, 3.9), layout="constrained")
    ratio_axes, median_axes = figure.subplots(1, 2)
    ratios = _ratio_rows(estimates)
    _draw_ratios(ratio_axes, ratios)
    _draw_medians(median_axes, medians)
    figure.supxlabel(
        f"Grey: median and central 95% of the estimates of {plan.TRIALS.value:,} trials cut at the events recovered "
        "from the reported interval.\nSquares: reported, with 95% confidence interval; an open square has no printed "
        "interval, an arrow no upper limit.",
        **NOTE,
    )
    tables = {"hazard ratio": ratios, "median, months": medians.rename(columns={"arm": "row", "median": "value"})}
    numbers = pd.concat(tables, names=["quantity"]).reset_index(level=0)
    return Drawing(figure, numbers[["quantity", "row", "value", "lower", "upper"]])


def _ratio_rows(estimates: pd.DataFrame) -> pd.DataFrame:
    rows: list[tuple[str, bool, float, float, float]] = []
    for reader, simulated in estimates.groupby("reader", sort=False):
        ratio = plan.hazard_ratio_of(plan.by_reader(str(reader)))
        assert ratio.ci is not None, f"{reader} prints no interval"
        events = simulated["events"].iloc[0]
        rows.append(
            (
                f"{str(reader).capitalize()}, reported",
                True,
                ratio.estimate.value,
                ratio.ci.lower.value,
                ratio.ci.upper.value,
            )
        )
        rows += [
            (f"{events} events if HR is {truth:g}", False, median, lower, upper)
            for truth, median, lower, upper in _rows(simulated, "true_hazard_ratio", "median", "lower", "upper")
        ]
    return pd.DataFrame(rows, columns=["row", "reported", "value", "lower", "upper"])


def _draw_ratios(ax: Axes, rows: pd.DataFrame) -> None:
    ax.axvline(1.0, color=GREY, linewidth=0.6, zorder=0)
    for position, (reported, value, lower, upper) in enumerate(_rows(rows, "reported", "value", "lower", "upper")):
        colour = "black" if reported else GREY
        ax.plot([lower, upper], [position, position], color=colour, linewidth=1.2)
        ax.plot(value, position, marker="s" if reported else "o", markersize=4.5, color=colour)
    ax.set_xscale("log")
    ax.set_xlim(0.18, 5)
    ax.xaxis.set_major_locator(FixedLocator(RATIO_TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set_xlabel("Below 1 favours xentuzumab")
    ax.set_title("Hazard ratio")
    _name_rows(ax, list(rows["row"]))


def _draw_medians(ax: Axes, rows: pd.DataFrame) -> None:
    end = 36
    for position, (treated, median, lower, upper) in enumerate(_rows(rows, "experimental", "median", "lower", "upper")):
        colour = BLUE if treated else ORANGE
        if np.isfinite(lower):
            ax.plot([lower, min(upper, end)], [position, position], color=colour, linewidth=1.2)
        if np.isinf(upper):
            ax.plot(end - 0.4, position, marker=">", markersize=4.5, color=colour, clip_on=False)
        face = colour if np.isfinite(lower) else "white"
        ax.plot(median, position, marker="s", markersize=4.5, color=colour, markerfacecolor=face)
    month_axis(ax, end, "Months")
    ax.set_title("Median PFS")
    _name_rows(ax, list(rows["arm"]))


def _rows(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[column].tolist() for column in columns), strict=True)


def _name_rows(ax: Axes, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


TRIALS = (plan.TRIAL, curves.TRIAL)
FIGURES = [
    RegisteredFigure("xenera1-power-grid", TRIALS, plan.SEED, draw_power_grid),
    RegisteredFigure("xenera1-what-moves-power", TRIALS, plan.SEED, draw_what_moves_power),
    RegisteredFigure(
        "xenera1-reported-against-design", (*TRIALS, plan.TRIAL_BEFORE), plan.SEED, draw_reported_against_design
    ),
]
