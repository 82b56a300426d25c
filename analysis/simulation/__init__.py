"""The replicate engine: simulated trials and their operating characteristics."""

from analysis.simulation.chunks import InLoopTest, SingleArmTest
from analysis.simulation.cox import CoxHazardRatio
from analysis.simulation.curves import MilestoneDifference, RMSTDifference
from analysis.simulation.datasets import simulated_patients
from analysis.simulation.execution import SimulationError
from analysis.simulation.logrank import LogRank
from analysis.simulation.max_combo import MaxCombo
from analysis.simulation.montecarlo import MonteCarlo
from analysis.simulation.results import SimulatedTrials
from analysis.simulation.risk_sets import RiskSets
from analysis.simulation.run import simulate, simulate_grid
from analysis.simulation.single_arm import LandmarkKaplanMeier, LandmarkRate, OneSampleLogRank

__all__ = [
    "CoxHazardRatio",
    "InLoopTest",
    "LandmarkKaplanMeier",
    "LandmarkRate",
    "LogRank",
    "MaxCombo",
    "MilestoneDifference",
    "MonteCarlo",
    "OneSampleLogRank",
    "RMSTDifference",
    "RiskSets",
    "SimulatedTrials",
    "SimulationError",
    "SingleArmTest",
    "simulate",
    "simulate_grid",
    "simulated_patients",
]
