"""Analytic operating characteristics of designs."""

from analysis.power.adjusted import RepeatedInference, StagewiseInference, repeated_inference, stagewise_inference
from analysis.power.assurance import assurance, conditional_assurance, normal_assurance
from analysis.power.boundaries import AlphaSpending, HaybittlePeto, OBrienFleming, Pocock, WangTsiatis
from analysis.power.conditional import conditional_crossing, conditional_power, prediction_interval, predictive_power
from analysis.power.crossing import Crossing, crossing_probabilities
from analysis.power.futility import BetaSpending, FutilityBounds, NoFutility, NullSpending
from analysis.power.group_sequential import GroupSequentialDesign, required_information
from analysis.power.priors import NormalPrior, PointsPrior
from analysis.power.spending import (
    ExponentialSpending,
    HwangShihDeCani,
    KimDeMets,
    LanDeMetsOBrienFleming,
    LanDeMetsPocock,
    UserSpending,
)
