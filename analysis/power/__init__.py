"""Analytic operating characteristics of designs."""

from analysis.power import single_arm
from analysis.power.adjusted import RepeatedInference, StagewiseInference, repeated_inference, stagewise_inference
from analysis.power.approximations import (
    AverageHazardRatio,
    CoxWald,
    Freedman,
    GeneralizedSchoenfeld,
    HsiehFreedman,
    Rubinstein,
    Schoenfeld,
)
from analysis.power.assurance import assurance, conditional_assurance, normal_assurance
from analysis.power.boundaries import AlphaSpending, HaybittlePeto, OBrienFleming, Pocock, WangTsiatis
from analysis.power.conditional import conditional_crossing, conditional_power, prediction_interval, predictive_power
from analysis.power.crossing import Crossing, crossing_probabilities
from analysis.power.events import (
    detectable_hazard_ratio_at_events,
    events_needed,
    expected_z,
    hazard_ratio_at_z,
    power_at_events,
)
from analysis.power.expected import (
    expected_at_risk,
    expected_enrolled,
    expected_events,
    expected_lost,
    time_of_events,
)
from analysis.power.futility import BetaSpending, FutilityBounds, NoFutility, NullSpending
from analysis.power.group_sequential import GroupSequentialDesign, required_information
from analysis.power.interval_censored import IntervalCensored
from analysis.power.kaplan_meier_tests import MilestoneDifference, QuantileDifference, RMSTDifference
from analysis.power.kinds import SEQUENTIAL_KINDS
from analysis.power.logrank import LogRank, average_hazard_ratio, expected_cox_hazard_ratio
from analysis.power.max_combo import MaxCombo
from analysis.power.moments import Moments, critical_z
from analysis.power.null_information import AveragedNull, BernsteinLagakos, LachinFoulkes
from analysis.power.of_design import expected_cut_time, two_arm_trials
from analysis.power.priors import NormalPrior, PointsPrior
from analysis.power.sequential_survival import (
    SequentialSchedule,
    SequentialSurvivalDesign,
    crossing_of_test,
    sequential_survival_design,
)
from analysis.power.solve import AnalyticPower, analytic_power, detectable_hazard_ratio, sample_size, study_duration
from analysis.power.spending import (
    ExponentialSpending,
    HwangShihDeCani,
    KimDeMets,
    LanDeMetsOBrienFleming,
    LanDeMetsPocock,
    UserSpending,
)
from analysis.power.summary import PowerSummary, power_summary
from analysis.power.trial import Arm, Stratum, TwoArmTrial, two_arm_trial
from analysis.power.weights import NumberAtRisk

__all__ = [
    "SEQUENTIAL_KINDS",
    "AlphaSpending",
    "AnalyticPower",
    "Arm",
    "AverageHazardRatio",
    "AveragedNull",
    "BernsteinLagakos",
    "BetaSpending",
    "CoxWald",
    "Crossing",
    "ExponentialSpending",
    "Freedman",
    "FutilityBounds",
    "GeneralizedSchoenfeld",
    "GroupSequentialDesign",
    "HaybittlePeto",
    "HsiehFreedman",
    "HwangShihDeCani",
    "IntervalCensored",
    "KimDeMets",
    "LachinFoulkes",
    "LanDeMetsOBrienFleming",
    "LanDeMetsPocock",
    "LogRank",
    "MaxCombo",
    "MilestoneDifference",
    "Moments",
    "NoFutility",
    "NormalPrior",
    "NullSpending",
    "NumberAtRisk",
    "OBrienFleming",
    "Pocock",
    "PointsPrior",
    "PowerSummary",
    "QuantileDifference",
    "RMSTDifference",
    "RepeatedInference",
    "Rubinstein",
    "Schoenfeld",
    "SequentialSchedule",
    "SequentialSurvivalDesign",
    "StagewiseInference",
    "Stratum",
    "TwoArmTrial",
    "UserSpending",
    "WangTsiatis",
    "analytic_power",
    "assurance",
    "average_hazard_ratio",
    "conditional_assurance",
    "conditional_crossing",
    "conditional_power",
    "critical_z",
    "crossing_of_test",
    "crossing_probabilities",
    "detectable_hazard_ratio",
    "detectable_hazard_ratio_at_events",
    "events_needed",
    "expected_at_risk",
    "expected_cox_hazard_ratio",
    "expected_cut_time",
    "expected_enrolled",
    "expected_events",
    "expected_lost",
    "expected_z",
    "hazard_ratio_at_z",
    "normal_assurance",
    "power_at_events",
    "power_summary",
    "prediction_interval",
    "predictive_power",
    "repeated_inference",
    "required_information",
    "sample_size",
    "sequential_survival_design",
    "single_arm",
    "stagewise_inference",
    "study_duration",
    "time_of_events",
    "two_arm_trial",
    "two_arm_trials",
]
