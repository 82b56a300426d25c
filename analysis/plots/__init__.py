"""Plots of results."""

from analysis.plots.adverse_event_dots import adverse_event_dots
from analysis.plots.binomial_design import binomial_design
from analysis.plots.boundaries import boundaries
from analysis.plots.cohort import Cohort, cohort
from analysis.plots.curve_check import curve_check
from analysis.plots.facets import survival_facets
from analysis.plots.forest import forest
from analysis.plots.incidence_plot import incidence_plot
from analysis.plots.numbered import NumberedFigure
from analysis.plots.power_curve import power_contours, power_curve
from analysis.plots.response_bars import response_bars, response_counts
from analysis.plots.risk_table import RiskTable
from analysis.plots.saw_tooth import saw_tooth
from analysis.plots.spider import spider
from analysis.plots.style import GREY, PAGE_WIDTH, PALETTE, STYLE, arm_colours, label_line, month_axis, percent_axis
from analysis.plots.subgroups import subgroup_forest
from analysis.plots.survival_plot import SurvivalFigure, survival_plot
from analysis.plots.swimmer import swimmer
from analysis.plots.time_unit import MONTHS, WEEKS, TimeUnit
from analysis.plots.tornado import tornado
from analysis.plots.trial_course import trial_course
from analysis.plots.waterfall import waterfall

__all__ = [
    "GREY",
    "MONTHS",
    "PAGE_WIDTH",
    "PALETTE",
    "STYLE",
    "WEEKS",
    "Cohort",
    "NumberedFigure",
    "RiskTable",
    "SurvivalFigure",
    "TimeUnit",
    "adverse_event_dots",
    "arm_colours",
    "binomial_design",
    "boundaries",
    "cohort",
    "curve_check",
    "forest",
    "incidence_plot",
    "label_line",
    "month_axis",
    "percent_axis",
    "power_contours",
    "power_curve",
    "response_bars",
    "response_counts",
    "saw_tooth",
    "spider",
    "subgroup_forest",
    "survival_facets",
    "survival_plot",
    "swimmer",
    "tornado",
    "trial_course",
    "waterfall",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
