"""Single-arm designs: exact, two-stage, Bayesian and time-to-event."""

from analysis.power.single_arm.bayesian import (
    BetaPrior,
    assurance,
    posterior_probability,
    predictive_probability,
    success_count,
)
from analysis.power.single_arm.bayesian_designs import bop2, predictive_probability_design
from analysis.power.single_arm.binomial_inference import BinomialInference, infer
from analysis.power.single_arm.design import BinomialDesign
from analysis.power.single_arm.deviation import AdaptedSecondStage, with_attained_sizes
from analysis.power.single_arm.simon import TwoStageDesigns, simon_two_stage
from analysis.power.single_arm.single_stage import (
    exact_binomial,
    exact_binomial_power,
    normal_approximation_n,
    single_stage,
)

__all__ = [
    "AdaptedSecondStage",
    "BetaPrior",
    "BinomialDesign",
    "BinomialInference",
    "TwoStageDesigns",
    "assurance",
    "bop2",
    "exact_binomial",
    "exact_binomial_power",
    "infer",
    "normal_approximation_n",
    "posterior_probability",
    "predictive_probability",
    "predictive_probability_design",
    "simon_two_stage",
    "single_stage",
    "success_count",
    "with_attained_sizes",
]
