"""Panels shared by the figures of reconstructed curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing
from analysis.plots import PAGE_WIDTH, reported_medians, risk_table, survival_curves
from analysis.survival.estimators import numbers_at_risk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.reconstruction import Reconstruction
    from analysis.reported import ReportedComparison

BAND = 0.9


@dataclass(frozen=True)
class Panel:
    """One reconstruction to draw: its title, what its curves are, and the last month shown."""

    title: str
    reconstruction: Reconstruction
    ylabel: str
    end: float


def draw_panels(panels: Sequence[Panel], note: str, columns: int = 2) -> Drawing:
    """Draw reconstructions side by side: mean curves, 90% pointwise bands, reported medians, numbers at risk."""
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(PAGE_WIDTH, 3.3 * rows), layout="constrained")
    axes = figure.subplots(
        2 * rows, columns, squeeze=False, gridspec_kw={"height_ratios": [4.4, 1.0] * rows, "hspace": 0.02}
    )
    numbers = []
    for position, panel in enumerate(panels):
        row, column = divmod(position, columns)
        numbers.append(_draw_panel(axes[2 * row, column], axes[2 * row + 1, column], panel))
    figure.supxlabel(
        f"Lines: mean of the ensemble; shaded: 90% pointwise band; circles: reported medians, months.\n{note}",
        fontsize=7, color="#666666",
    )  # fmt: skip
    return Drawing(figure, pd.concat(numbers, ignore_index=True))


def _draw_panel(curve_axes: Axes, risk_axes: Axes, panel: Panel) -> pd.DataFrame:
    reconstruction, comparison = panel.reconstruction, panel.reconstruction.comparison
    arms = experimental_first(comparison)
    times = np.linspace(0, panel.end, 8 * int(panel.end) + 1)
    curves = pd.concat(
        [reconstruction.survival_at(arm, times, BAND).assign(arm=arm) for arm in arms], ignore_index=True
    )
    survival_curves(curve_axes, curves, end=panel.end, ylabel=panel.ylabel)
    reported_medians(curve_axes, {arm: comparison.arm(arm).median for arm in arms})
    curve_axes.set_title(panel.title)
    text = curve_axes.text(0.98, 0.78, _hazard_ratio(comparison), transform=curve_axes.transAxes)
    text.set(ha="right", va="top", fontsize=8)
    risk_axes.sharex(curve_axes)
    ticks = [tick for tick in curve_axes.get_xticks() if 0 <= tick <= panel.end]
    risk_table(risk_axes, mean_at_risk(reconstruction, arms, ticks), title="At risk (reconstructed, mean)")
    return curves.assign(panel=panel.title)[["panel", "arm", "time", "mean", "lower", "upper"]]


def mean_at_risk(reconstruction: Reconstruction, arms: Sequence[str], ticks: Sequence[float]) -> pd.DataFrame:
    """Count the patients at risk just before each tick, averaged over the members; arms by ticks."""
    patients, months = reconstruction.ipd(), np.asarray(ticks, dtype=np.float64)
    counts = [
        numbers_at_risk(rows["time"].to_numpy(), rows["event"].to_numpy().astype(bool), months).n_risk
        / reconstruction.members
        for rows in (patients[patients["arm"] == arm] for arm in arms)
    ]
    return pd.DataFrame(np.array(counts), index=list(arms), columns=months)


def experimental_first(comparison: ReportedComparison) -> list[str]:
    """Name the arms with the control last, so that the experimental arm takes the first colour."""
    return sorted((arm.name for arm in comparison.arms), key=lambda name: name == comparison.control)


def _hazard_ratio(comparison: ReportedComparison) -> str:
    ratio = comparison.hazard_ratio
    if ratio is None:
        return ""
    interval = "" if ratio.ci is None else f" ({ratio.ci.lower.text}\N{EN DASH}{ratio.ci.upper.text})"
    return f"reported HR {ratio.estimate.text}{interval}"
