"""Panels shared by the figures of reconstructed curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing
from analysis.plots import PAGE_WIDTH, survival_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

    from analysis.reconstruction import Reconstruction

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
    first = Figure(figsize=(PAGE_WIDTH, 3.5 * rows), layout="constrained")
    _fill(first, panels, note, rows, columns)
    first.draw_without_rendering()
    figure = Figure(figsize=(PAGE_WIDTH, 3.5 * rows))  # again, now that the room of each panel is known: texts fit it
    numbers = _fill(figure, panels, note, rows, columns, [ax.get_position() for ax in first.axes])
    return Drawing(figure, numbers)


def _fill(
    figure: Figure, panels: Sequence[Panel], note: str, rows: int, columns: int, places: Sequence[Bbox] = ()
) -> pd.DataFrame:
    axes = figure.subplots(
        2 * rows, columns, squeeze=False, gridspec_kw={"height_ratios": [4.4, 1.0] * rows, "hspace": 0.02}
    )
    for ax, place in zip(figure.axes, places, strict=False):
        ax.set_position(place)
    numbers = []
    for position, panel in enumerate(panels):
        row, column = divmod(position, columns)
        numbers.append(_draw_panel(axes[2 * row, column], axes[2 * row + 1, column], panel))
    figure.supxlabel(
        f"Lines: mean of the ensemble; shaded: 90% pointwise band; circles: printed medians and rates.\n{note}",
        fontsize=7, color="#666666",
    )  # fmt: skip
    return pd.concat(numbers, ignore_index=True)


def _draw_panel(curve_axes: Axes, risk_axes: Axes, panel: Panel) -> pd.DataFrame:
    risk_axes.sharex(curve_axes)
    shown = survival_plot(
        panel.reconstruction,
        ax=(curve_axes, risk_axes),
        end=panel.end,
        ylabel=panel.ylabel,
        level=BAND,
        sampling=False,
        annotate=("hazard ratio", "median") if len(panel.reconstruction.arms) == 2 else ("median",),
    )
    curve_axes.set_title(panel.title)
    return shown.curves.assign(panel=panel.title)[["panel", "arm", "time", "survival", "lower", "upper"]]
