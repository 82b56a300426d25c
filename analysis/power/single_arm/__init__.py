"""Single-arm designs: exact, two-stage, Bayesian and time-to-event."""

from analysis.power.single_arm.design import BinomialDesign
from analysis.power.single_arm.single_stage import (
    exact_binomial,
    exact_binomial_power,
    normal_approximation_n,
    single_stage,
)

__all__ = [
    "BinomialDesign",
    "exact_binomial",
    "exact_binomial_power",
    "normal_approximation_n",
    "single_stage",
]
