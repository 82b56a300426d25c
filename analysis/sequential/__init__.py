"""Group-sequential designs: spending, boundaries, futility, crossing probabilities, inference."""

from analysis.sequential.boundaries import AlphaSpending, HaybittlePeto, OBrienFleming, Pocock, WangTsiatis
from analysis.sequential.conditional import conditional_power, prediction_interval, predictive_power
from analysis.sequential.crossing import crossing_probabilities
from analysis.sequential.design import GroupSequentialDesign
from analysis.sequential.futility import BetaSpending, FutilityBounds, NullSpending
from analysis.sequential.inference import repeated_inference, stagewise_inference
from analysis.sequential.priors import NormalPrior, PointsPrior
from analysis.sequential.spending import (
    ExponentialSpending,
    HwangShihDeCani,
    KimDeMets,
    LanDeMetsOBrienFleming,
    LanDeMetsPocock,
    UserSpending,
)

__all__ = [
    "AlphaSpending",
    "BetaSpending",
    "ExponentialSpending",
    "FutilityBounds",
    "GroupSequentialDesign",
    "HaybittlePeto",
    "HwangShihDeCani",
    "KimDeMets",
    "LanDeMetsOBrienFleming",
    "LanDeMetsPocock",
    "NormalPrior",
    "NullSpending",
    "OBrienFleming",
    "Pocock",
    "PointsPrior",
    "UserSpending",
    "WangTsiatis",
    "conditional_power",
    "crossing_probabilities",
    "prediction_interval",
    "predictive_power",
    "repeated_inference",
    "stagewise_inference",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
