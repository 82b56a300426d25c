"""Distributions of event times: survival, hazard, quantile, restricted mean, draws."""

from analysis.survival.distributions.base import Distribution
from analysis.survival.distributions.hazard_ratios import ProportionalHazards
from analysis.survival.distributions.log_time import LogLogistic, LogNormal
from analysis.survival.distributions.mixture import Earliest, Ensemble, Mixture, by_member, members_of
from analysis.survival.distributions.parametric import Exponential, Weibull
from analysis.survival.distributions.piecewise import PiecewiseExponential
from analysis.survival.distributions.tabulated import Tabulated

__all__ = [
    "Distribution",
    "Earliest",
    "Ensemble",
    "Exponential",
    "LogLogistic",
    "LogNormal",
    "Mixture",
    "PiecewiseExponential",
    "ProportionalHazards",
    "Tabulated",
    "Weibull",
    "by_member",
    "members_of",
]
