"""Distributions of event times: survival, hazard, quantile, restricted mean, draws."""

from analysis.survival.distributions.composite import Mixture, ProportionalHazards
from analysis.survival.distributions.log_time import LogLogistic, LogNormal
from analysis.survival.distributions.parametric import Exponential, Weibull
from analysis.survival.distributions.piecewise import PiecewiseExponential
from analysis.survival.distributions.protocol import Distribution, Seed
from analysis.survival.distributions.table import as_piecewise_exponential
from analysis.survival.distributions.tabulated import Tabulated

__all__ = [
    "Distribution",
    "Exponential",
    "LogLogistic",
    "LogNormal",
    "Mixture",
    "PiecewiseExponential",
    "ProportionalHazards",
    "Seed",
    "Tabulated",
    "Weibull",
    "as_piecewise_exponential",
]
