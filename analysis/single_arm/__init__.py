"""Exact designs of a single arm on a binary endpoint, and two-stage ones on a time-to-event endpoint."""

from analysis.single_arm.bayesian import bop2, predictive_probability_design
from analysis.single_arm.beta_prior import BetaPrior
from analysis.single_arm.design import BinomialDesign
from analysis.single_arm.deviation import AdaptedSecondStage, with_attained_sizes
from analysis.single_arm.historical import design_space
from analysis.single_arm.inference import infer
from analysis.single_arm.simon import simon_two_stage
from analysis.single_arm.single_stage import exact_binomial, exact_binomial_power, single_stage
from analysis.single_arm.strata import StratifiedDesign, stratified_exact
from analysis.single_arm.two_stage_survival import two_stage_survival

__all__ = [
    "AdaptedSecondStage",
    "BetaPrior",
    "BinomialDesign",
    "StratifiedDesign",
    "bop2",
    "design_space",
    "exact_binomial",
    "exact_binomial_power",
    "infer",
    "predictive_probability_design",
    "simon_two_stage",
    "single_stage",
    "stratified_exact",
    "two_stage_survival",
    "with_attained_sizes",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
