"""Plots of results."""

from analysis.plots.kaplan_meier import arm_colours, reported_medians, risk_table, survival_curves
from analysis.plots.style import GREY, PAGE_WIDTH, PALETTE, STYLE, label_line, month_axis, percent_axis

__all__ = [
    "GREY",
    "PAGE_WIDTH",
    "PALETTE",
    "STYLE",
    "arm_colours",
    "label_line",
    "month_axis",
    "percent_axis",
    "reported_medians",
    "risk_table",
    "survival_curves",
]
