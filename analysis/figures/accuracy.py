"""Figure of the measured accuracy of the reconstruction."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, PALETTE
from analysis.studies import accuracy

ENDPOINTS = ("OS", "PFS", "DFS")
TOP = 0.13  # a figure for which no data set was found has error 1 and is drawn here


def draw_accuracy(seed: int) -> Drawing:
    """Error of reconstructed curves on figures whose patients are known, by what was known and endpoint."""
    errors = accuracy.scores()
    errors = errors[errors["endpoint"].isin(ENDPOINTS)]
    figure = Figure(figsize=(PAGE_WIDTH, 2.9), layout="constrained")
    rng = np.random.default_rng(seed)
    for panel, (axes, tier) in enumerate(zip(figure.subplots(1, 4, sharey=True), accuracy.TIERS, strict=True)):
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
    figure.supxlabel(
        "A point: one figure of a trial (mean of its arms); line: median. At the top: no data set was found",
        fontsize=7,
        color=GREY,
    )
    return Drawing(figure, errors[["tier", "id", "endpoint", "medians_reached", "iae", "drmst", "s12", "coverage_90"]])


FIGURES = [RegisteredFigure("reconstruction-accuracy", (), 2026, draw_accuracy)]
