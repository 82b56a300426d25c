"""Analytic operating characteristics of designs."""

from analysis.power.approximations import (
    AverageHazardRatio,
    BernsteinLagakos,
    Freedman,
    HsiehFreedman,
    LachinFoulkes,
    Rubinstein,
    Schoenfeld,
)
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
from analysis.power.kaplan_meier_tests import MilestoneDifference, QuantileDifference, RMSTDifference
from analysis.power.logrank import LogRank, average_hazard_ratio, cox_hazard_ratio
from analysis.power.max_combo import MaxCombo
from analysis.power.moments import Moments, critical_z
from analysis.power.trial import Arm, Stratum, TwoArmTrial, two_arm_trial
from analysis.power.weights import AtRisk, FlemingHarrington, ModestlyWeighted

__all__ = [
    "Arm",
    "AtRisk",
    "AverageHazardRatio",
    "BernsteinLagakos",
    "FlemingHarrington",
    "Freedman",
    "HsiehFreedman",
    "LachinFoulkes",
    "LogRank",
    "MaxCombo",
    "MilestoneDifference",
    "ModestlyWeighted",
    "Moments",
    "QuantileDifference",
    "RMSTDifference",
    "Rubinstein",
    "Schoenfeld",
    "Stratum",
    "TwoArmTrial",
    "average_hazard_ratio",
    "cox_hazard_ratio",
    "critical_z",
    "detectable_hazard_ratio_at_events",
    "events_needed",
    "expected_at_risk",
    "expected_enrolled",
    "expected_events",
    "expected_lost",
    "expected_z",
    "hazard_ratio_at_z",
    "power_at_events",
    "time_of_events",
    "two_arm_trial",
]
