"""Plots of results."""

from analysis.plots.binomial_design import binomial_design
from analysis.plots.cohort import Cohort, cohort
from analysis.plots.curve_check import curve_check
from analysis.plots.forest import forest
from analysis.plots.response_bars import response_bars, response_counts
from analysis.plots.spider import spider
from analysis.plots.style import GREY, PAGE_WIDTH, PALETTE, STYLE, arm_colours, label_line, month_axis, percent_axis
from analysis.plots.survival_plot import SurvivalFigure, survival_plot
from analysis.plots.swimmer import swimmer
from analysis.plots.time_unit import MONTHS, WEEKS, TimeUnit
from analysis.plots.tornado import tornado
from analysis.plots.waterfall import waterfall

__all__ = [
    "GREY",
    "MONTHS",
    "PAGE_WIDTH",
    "PALETTE",
    "STYLE",
    "WEEKS",
    "Cohort",
    "SurvivalFigure",
    "TimeUnit",
    "arm_colours",
    "binomial_design",
    "cohort",
    "curve_check",
    "forest",
    "label_line",
    "month_axis",
    "percent_axis",
    "response_bars",
    "response_counts",
    "spider",
    "survival_plot",
    "swimmer",
    "tornado",
    "waterfall",
]
