"""Distributions and estimators on plain arrays: knows no trial and reads no file."""

from analysis.survival.distributions import (
    Distribution,
    Earliest,
    Ensemble,
    Exponential,
    LogLogistic,
    LogNormal,
    Mixture,
    PiecewiseExponential,
    ProportionalHazards,
    Tabulated,
    Weibull,
)
from analysis.survival.estimators import (
    RMST,
    KaplanMeier,
    NumbersAtRisk,
    kaplan_meier,
    numbers_at_risk,
    reverse_kaplan_meier,
    rmst,
)

__all__ = [
    "RMST",
    "Distribution",
    "Earliest",
    "Ensemble",
    "Exponential",
    "KaplanMeier",
    "LogLogistic",
    "LogNormal",
    "Mixture",
    "NumbersAtRisk",
    "PiecewiseExponential",
    "ProportionalHazards",
    "Tabulated",
    "Weibull",
    "kaplan_meier",
    "numbers_at_risk",
    "reverse_kaplan_meier",
    "rmst",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
