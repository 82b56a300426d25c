"""Statistical tests: one value each, for data in hand, in simulated trials, and in large samples."""

from analysis.statistical_tests.base import OneArmTest, TestResult, TwoArmTest
from analysis.statistical_tests.cox import CoxHazardRatio
from analysis.statistical_tests.interval_censored import IntervalCensoredHazardRatio
from analysis.statistical_tests.landmark_rate import LandmarkRate
from analysis.statistical_tests.landmark_survival import LandmarkSurvival
from analysis.statistical_tests.logrank import LogRank
from analysis.statistical_tests.max_combo import MaxCombo
from analysis.statistical_tests.milestone import MilestoneDifference
from analysis.statistical_tests.one_sample_logrank import OneSampleLogRank
from analysis.statistical_tests.quantile import QuantileDifference
from analysis.statistical_tests.restricted_mean import RestrictedMean
from analysis.statistical_tests.rmst import RMSTDifference
from analysis.statistical_tests.several_arms import LogRankOfArms, SeveralArmsResult
from analysis.statistical_tests.weights import FlemingHarrington, ModestlyWeighted, NumberAtRisk, Weight

__all__ = [
    "CoxHazardRatio",
    "FlemingHarrington",
    "IntervalCensoredHazardRatio",
    "LandmarkRate",
    "LandmarkSurvival",
    "LogRank",
    "LogRankOfArms",
    "MaxCombo",
    "MilestoneDifference",
    "ModestlyWeighted",
    "NumberAtRisk",
    "OneArmTest",
    "OneSampleLogRank",
    "QuantileDifference",
    "RMSTDifference",
    "RestrictedMean",
    "SeveralArmsResult",
    "TestResult",
    "TwoArmTest",
    "Weight",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
