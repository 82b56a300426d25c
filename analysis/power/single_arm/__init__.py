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
from analysis.power.single_arm.binomial_strata import StratifiedDesign, stratified_exact
from analysis.power.single_arm.design import BinomialDesign
from analysis.power.single_arm.deviation import AdaptedSecondStage, with_attained_sizes
from analysis.power.single_arm.historical import design_space, probability_better
from analysis.power.single_arm.one_sample_logrank import OneSampleLogRankResult, one_sample_logrank
from analysis.power.single_arm.simon import TwoStageDesigns, simon_two_stage
from analysis.power.single_arm.single_stage import (
    exact_binomial,
    exact_binomial_power,
    normal_approximation_n,
    single_stage,
)
from analysis.power.single_arm.survival_design import (
    SurvivalDesign,
    survival_accrual_duration,
    survival_design,
    survival_sample_size,
)
from analysis.power.single_arm.survival_simulation import SimulatedProbability, simulated_rejection
from analysis.power.single_arm.survival_tests import (
    FollowUp,
    Landmark,
    OneSampleLogRank,
    OneSampleTest,
    RestrictedMean,
)
from analysis.power.single_arm.two_stage_survival import TwoStageSurvivalDesign
from analysis.power.single_arm.two_stage_survival_search import TwoStageSurvivalDesigns, two_stage_survival

__all__ = [
    "AdaptedSecondStage",
    "BetaPrior",
    "BinomialDesign",
    "BinomialInference",
    "FollowUp",
    "Landmark",
    "OneSampleLogRank",
    "OneSampleLogRankResult",
    "OneSampleTest",
    "RestrictedMean",
    "SimulatedProbability",
    "StratifiedDesign",
    "SurvivalDesign",
    "TwoStageDesigns",
    "TwoStageSurvivalDesign",
    "TwoStageSurvivalDesigns",
    "assurance",
    "bop2",
    "design_space",
    "exact_binomial",
    "exact_binomial_power",
    "infer",
    "normal_approximation_n",
    "one_sample_logrank",
    "posterior_probability",
    "predictive_probability",
    "predictive_probability_design",
    "probability_better",
    "simon_two_stage",
    "simulated_rejection",
    "single_stage",
    "stratified_exact",
    "success_count",
    "survival_accrual_duration",
    "survival_design",
    "survival_sample_size",
    "two_stage_survival",
    "with_attained_sizes",
]
