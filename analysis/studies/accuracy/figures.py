"""Figure of the measured accuracy of the reconstruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE
from analysis.studies.accuracy import measured

if TYPE_CHECKING:
    import pandas as pd

ENDPOINTS = ("OS", "PFS", "DFS")
TOP = 0.13  # larger errors are drawn here; a figure for which no data set was found has error 1


def draw_accuracy(seed: int) -> Drawing:
    """Error of reconstructed curves on figures whose patients are known, by what was known and endpoint."""
    scores = measured.scores()
    errors = scores[scores["endpoint"].isin(ENDPOINTS)]
    figure = Figure(figsize=(PAGE_WIDTH, 2.9), layout="constrained")
    rng = np.random.default_rng(seed)
    for panel, (axes, tier) in enumerate(zip(figure.subplots(1, 4, sharey=True), measured.TIERS, strict=True)):
        for column, (endpoint, colour) in enumerate(zip(ENDPOINTS, PALETTE, strict=False)):
            values = (
                errors.loc[(errors["tier"] == tier) & (errors["endpoint"] == endpoint), "iae"]
                .clip(upper=TOP)
                .to_numpy()
            )
            spread = column + rng.uniform(-0.28, 0.28, values.size)
            axes.plot(spread, values, "o", color=colour, markersize=2.2, alpha=0.6, markeredgewidth=0)
            axes.plot([column - 0.36, column + 0.36], [np.median(values)] * 2, color="black", linewidth=1.2)
        axes.set_title(tier)
        axes.set_xticks(range(len(ENDPOINTS)), ENDPOINTS)
        axes.set_xlim(-0.6, len(ENDPOINTS) - 0.4)
        axes.grid(axis="y", color="#dddddd", linewidth=0.5)
        if panel == 0:
            axes.set_ylabel("Integrated absolute error of S(t)")
    drawn = f"{errors['id'].nunique()} of {scores['id'].nunique()} figures, those of {', '.join(ENDPOINTS)}"
    figure.supxlabel(
        f"A point: one figure of a trial (mean of its arms); line: median. Drawn: {drawn}.{at_the_top(errors)}",
        fontsize=7,
        color=GREY,
    )
    return Drawing(figure, errors[["tier", "id", "endpoint", "medians_reached", "iae", "drmst", "s12", "coverage_90"]])


def at_the_top(errors: pd.DataFrame) -> str:
    """Say what stands at the top of the panels; nothing if nothing does."""
    failed, beyond = errors["failed"].notna(), errors["iae"] > TOP
    notes = []
    if failed.any():
        notes.append(f"no data set was found ({failed.sum()})")
    if (beyond & ~failed).any():
        notes.append(f"an error above {TOP:g} ({(beyond & ~failed).sum()})")
    return f"\nAt the top: {', '.join(notes)}." if notes else ""


FIGURES = [RegisteredFigure("reconstruction-accuracy", (), 2026, draw_accuracy)]
